package endpoint

import (
	"slices"
	"strconv"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
	"github.com/fanfare-relay/fanfare/media/report"
)

func rtxFmtp(pt webrtc.PayloadType) string { return "apt=" + strconv.Itoa(int(pt)) }

// packet parses and takes one RTP packet. The caller holds the lock.
func (v *Viewer) packet(in *inbound, dst []container.Assembled, b []byte, repeated bool, now time.Time) []container.Assembled {
	p := &rtp.Packet{}
	counting := in.shallow && in.stats.KeyFramesReceived > 0
	if !counting {
		b = slices.Clone(b) // frames keep their packets until they are whole
	}
	if err := p.Unmarshal(b); err != nil {
		return dst
	}
	codec := codecOf(p.PayloadType)
	if codec == media.CodecUnknown || codec.Kind() != in.codec.Kind() {
		return dst
	}
	v.sync.ObservePacket(syncTrack(codec), p.Timestamp, codec.ClockRate(), now)
	if v.timing.FirstPacket == 0 {
		v.timing.FirstPacket = now.Sub(v.posted)
	}
	if v.timing.Connected == 0 {
		v.timing.Connected = now.Sub(v.posted) // pion tells of a connection later than it delivers by it
	}
	if v.cfg.OnDelay != nil && p.Marker && codec.Kind() == media.KindVideo && !repeated {
		if at, ok := in.captured(p.Timestamp); ok {
			v.cfg.OnDelay(now.Sub(at))
		}
	}
	dst = in.packet(dst, codec, p, repeated, now)
	if v.timing.FirstKeyFrame == 0 && in.stats.KeyFramesReceived > 0 {
		v.timing.FirstKeyFrame = now.Sub(v.posted)
		v.announceKey()
	}
	return dst
}

// announceKey closes the channel once; the caller holds the lock.
func (v *Viewer) announceKey() {
	select {
	case <-v.keyFrame:
	default:
		close(v.keyFrame)
	}
}

func syncTrack(c media.Codec) report.Track { return report.Track(kindIndex(c.Kind())) }

// deliver hands frames out, one call at a time for sound and picture together.
func (v *Viewer) deliver(in *inbound, frames []container.Assembled) {
	if len(frames) == 0 || v.cfg.OnFrame == nil {
		return
	}
	v.delivery.Lock()
	defer v.delivery.Unlock()
	for _, f := range frames {
		v.mu.Lock()
		m, ok := v.sync.Mapping(syncTrack(in.codec))
		v.mu.Unlock()
		out := Frame{
			Kind: in.codec.Kind(), Codec: in.codec, Timestamp: f.Timestamp, Key: f.Key, Data: f.Data,
			Captured: f.First, First: f.First, Last: f.Last,
		}
		if ok {
			out.Captured = m.Time(f.Timestamp)
		}
		v.cfg.OnFrame(out)
	}
}

// readReports takes sender reports until the session ends.
func (v *Viewer) readReports(r *webrtc.RTPReceiver, in *inbound) {
	for {
		packets, _, err := r.ReadRTCP()
		if err != nil {
			return
		}
		now := time.Now()
		v.mu.Lock()
		for _, p := range packets {
			sr, ok := p.(*rtcp.SenderReport)
			if !ok || media.SSRC(sr.SSRC) != in.ssrc {
				continue
			}
			in.senderReport(sr, now)
			v.sync.ObserveReport(syncTrack(in.codec), report.NTP(sr.NTPTime), sr.RTPTime, in.codec.ClockRate(), now)
		}
		v.mu.Unlock()
	}
}

// Timing returns the steps of the join so far.
func (v *Viewer) Timing() Timing {
	v.mu.Lock()
	defer v.mu.Unlock()
	t := v.timing
	if !v.posted.IsZero() {
		t.Elapsed = time.Since(v.posted)
	}
	return t
}

// Stats returns the figures of the tracks of this session, picture first.
func (v *Viewer) Stats() []InboundStats {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []InboundStats
	for _, in := range []*inbound{v.tracks[1], v.tracks[0]} {
		if in != nil {
			out = append(out, in.snapshot())
		}
	}
	return out
}
