package endpoint

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
	"github.com/fanfare-relay/fanfare/media/nack"
	"github.com/fanfare-relay/fanfare/media/report"
	"github.com/fanfare-relay/fanfare/media/seq"
)

const (
	// frameWait is how long a missing packet may hold back the frames behind it.
	frameWait = 500 * time.Millisecond
	// keyAgain is how long a request for a key frame may stay unanswered before it is repeated.
	keyAgain = time.Second
	// reportEvery is the interval of receiver reports (RFC 3550 section 6.2 asks for 5 s and allows less).
	reportEvery = time.Second
)

// inbound is what one received track needs to decide: order, repair, key frames, reports, figures. It is
// a value that is given packets and the time, and hands back frames, RTCP and a deadline.
type inbound struct {
	own     media.SSRC // of our reports
	ssrc    media.SSRC
	codec   media.Codec
	shallow bool // after the first whole key frame only count

	ext     seq.Extender
	reports report.Receiver
	nack    *nack.Receiver
	frames  container.Assembler
	base    uint64 // frames dropped by earlier assemblers
	stats   InboundStats

	reportAt time.Time
	keyAt    time.Time // when the next PLI may go
	sr       srPoint
	due      []uint64
	pairs    []rtcp.NackPair
}

// srPoint is the newest sender report: RTP timestamp rtp was at ntp by the sender's clock.
type srPoint struct {
	ntp  time.Time
	rtp  uint32
	seen bool
}

func newInbound(own, ssrc media.SSRC, c media.Codec, shallow bool) *inbound {
	in := &inbound{own: own, ssrc: ssrc, shallow: shallow, reports: report.NewReceiver(c.ClockRate())}
	in.nack = nack.NewReceiver(nack.ReceiverConfig{MaxAge: frameWait})
	in.setCodec(c)
	in.stats.Kind = c.Kind().String()
	return in
}

// setCodec starts anew for another codec; the figures go on.
func (in *inbound) setCodec(c media.Codec) {
	in.base += in.frames.Dropped()
	in.codec, in.stats.Codec = c, c.String()
	in.frames = container.Assembler{Codec: c, Wait: frameWait}
}

// packet takes one packet of the codec; repeated says that it came by RTX. The payload is kept.
func (in *inbound) packet(dst []container.Assembled, c media.Codec, p *rtp.Packet, repeated bool, now time.Time) []container.Assembled {
	if c != in.codec {
		in.setCodec(c)
	}
	if in.reportAt.IsZero() {
		in.reportAt = now.Add(reportEvery)
		in.keyAt = now.Add(100 * time.Millisecond) // the first key frame mostly comes by itself
	}
	ext := in.ext.Extend(p.SequenceNumber)
	seen := in.nack.Observe(ext, now)
	if seen == nack.Stale {
		return dst
	}
	if !repeated {
		in.reports.Observe(ext, p.Timestamp, now)
	} else {
		in.stats.RetransmittedPacketsReceived++
	}
	in.stats.PacketsReceived++
	in.stats.BytesReceived += uint64(len(p.Payload))
	if in.shallow && in.stats.KeyFramesReceived > 0 {
		if p.Marker {
			in.stats.FramesReceived++
		}
		return dst
	}
	from := len(dst)
	dst = in.frames.Push(dst, p, now)
	in.count(dst[from:])
	if in.shallow && in.stats.KeyFramesReceived > 0 {
		in.setCodec(c) // lets go of the packets
	}
	return dst
}

func (in *inbound) count(frames []container.Assembled) {
	for _, f := range frames {
		in.stats.FramesReceived++
		if !f.Key || in.codec.Kind() == media.KindAudio {
			continue
		}
		in.stats.KeyFramesReceived++
		if i := container.Inspect(in.codec, f.Data); i.Width > 0 {
			in.stats.FrameWidth, in.stats.FrameHeight = i.Width, i.Height
		}
	}
}

// senderReport takes a sender report of this track.
func (in *inbound) senderReport(sr *rtcp.SenderReport, now time.Time) {
	in.reports.ObserveReport(report.NTP(sr.NTPTime), now)
	in.sr = srPoint{ntp: report.NTP(sr.NTPTime).Time(), rtp: sr.RTPTime, seen: true}
}

// captured returns when a timestamp was captured, by the sender's clock; ok is false before its first report.
func (in *inbound) captured(ts uint32) (at time.Time, ok bool) {
	d := time.Duration(int32(ts-in.sr.rtp)) * time.Second / time.Duration(in.codec.ClockRate())
	return in.sr.ntp.Add(d), in.sr.seen
}

// tick does what is due at now: gives up what stayed missing, and appends RTCP to send.
func (in *inbound) tick(dst []container.Assembled, out []rtcp.Packet, now time.Time) ([]container.Assembled, []rtcp.Packet) {
	from := len(dst)
	dst = in.frames.Expire(dst, now)
	in.count(dst[from:])
	in.due, _ = in.nack.AppendDue(in.due[:0], now)
	if len(in.due) > 0 {
		in.stats.NACKCount += uint64(len(in.due))
		in.pairs = nack.AppendPairs(in.pairs[:0], in.due)
		out = append(out, &rtcp.TransportLayerNack{SenderSSRC: uint32(in.own), MediaSSRC: uint32(in.ssrc), Nacks: in.pairs})
	}
	if in.wantsKey() && !now.Before(in.keyAt) {
		in.keyAt = now.Add(keyAgain)
		in.stats.PLICount++
		out = append(out, &rtcp.PictureLossIndication{SenderSSRC: uint32(in.own), MediaSSRC: uint32(in.ssrc)})
	}
	if !in.reportAt.IsZero() && !now.Before(in.reportAt) {
		in.reportAt = now.Add(reportEvery)
		if r, ok := in.reports.Report(in.ssrc, now); ok {
			out = append(out, &rtcp.ReceiverReport{SSRC: uint32(in.own), Reports: []rtcp.ReceptionReport{r}})
			in.stats.PacketsLost = int64(int32(r.TotalLost<<8)>>8) - int64(in.stats.RetransmittedPacketsReceived)
			in.stats.Jitter = float64(r.Jitter) / float64(in.codec.ClockRate())
		}
	}
	return dst, out
}

func (in *inbound) wantsKey() bool {
	if in.shallow && in.stats.KeyFramesReceived > 0 || in.codec.Kind() != media.KindVideo {
		return false
	}
	return in.frames.NeedKey() && !in.reportAt.IsZero()
}

// deadline is when tick has something to do; ok is false before the first packet.
func (in *inbound) deadline() (at time.Time, ok bool) {
	if in.reportAt.IsZero() {
		return at, false
	}
	at = in.reportAt
	earlier := func(t time.Time, has bool) {
		if has && t.Before(at) {
			at = t
		}
	}
	earlier(in.frames.Deadline())
	earlier(in.nack.Deadline())
	earlier(in.keyAt, in.wantsKey())
	return at, true
}

// snapshot returns the figures.
func (in *inbound) snapshot() InboundStats {
	s := in.stats
	s.FramesDropped = in.base + in.frames.Dropped()
	return s
}
