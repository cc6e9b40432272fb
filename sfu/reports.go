package sfu

import (
	"slices"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/report"
	"github.com/fanfare-relay/fanfare/media/ring"
)

// reportReader reads a publisher's sender reports. pion makes one RTCP reader for each
// source and reads none of them by itself; reading them here, below its receivers, serves
// every source alike (pion's own way for simulcast, ReadSimulcastRTCP, looks at fields that
// other tracks are being written to).
type reportReader struct {
	interceptor.NoOp
	publisher *publisher
}

// NewInterceptor returns the reader itself: there is one for each session.
func (r *reportReader) NewInterceptor(string) (interceptor.Interceptor, error) { return r, nil }

// BindRTCPReader reads the source until its session ends.
func (r *reportReader) BindRTCPReader(reader interceptor.RTCPReader) interceptor.RTCPReader {
	if r.publisher.begin() {
		go r.read(reader)
	}
	return reader
}

func (r *reportReader) read(reader interceptor.RTCPReader) {
	defer r.publisher.tasks.Done()
	buf := make([]byte, receiveMTU)
	for {
		n, _, err := reader.Read(buf, nil)
		if err != nil {
			return
		}
		pkts, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, pkt := range pkts {
			if sr, ok := pkt.(*rtcp.SenderReport); ok {
				r.publisher.observeReport(sr, time.Now())
			}
		}
	}
}

// observeReport takes a sender report of any source of this publisher.
func (p *publisher) observeReport(sr *rtcp.SenderReport, now time.Time) {
	rtt, checked := p.roundTrip()
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.list()
	i := slices.IndexFunc(list, func(e *encoding) bool { return e.ssrc == media.SSRC(sr.SSRC) })
	if i < 0 {
		return // of a repair source, or of one that has sent nothing yet
	}
	e := list[i]
	e.lastSR.Store(&senderReport{ntp: report.NTP(sr.NTPTime), at: now})
	p.sync.ObserveReport(e.track, report.NTP(sr.NTPTime), sr.RTPTime, e.clockRate(), now)
	if checked {
		p.sync.ObserveRTT(rtt)
	}
	if d, ok := p.sync.ClockOffset(); ok {
		p.clockOffset.Store(&d)
	}
	p.storeMappings()
}

// roundTrip is that of the newest connectivity check; false before the first one was answered.
func (p *publisher) roundTrip() (time.Duration, bool) {
	stats, ok := p.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePairStats()
	return time.Duration(stats.CurrentRoundTripTime * float64(time.Second)), ok && stats.CurrentRoundTripTime > 0
}

// observePacket keeps the encoding's mapping to the clock until reports do.
func (p *publisher) observePacket(e *encoding, pkt *ring.Packet) {
	if e.lastSR.Load() != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.dropped {
		return // its place may be another's
	}
	p.sync.ObservePacket(e.track, pkt.Timestamp, e.clockRate(), pkt.Arrival)
	p.storeMapping(e)
}

// storeMappings renews all mappings: they share the clock offset. The caller holds mu.
func (p *publisher) storeMappings() {
	for _, e := range p.list() {
		p.storeMapping(e)
	}
}

func (p *publisher) storeMapping(e *encoding) {
	m, ok := p.sync.Mapping(e.track)
	if old := e.mapping.Load(); ok && (old == nil || *old != m) {
		e.mapping.Store(&m)
	}
}
