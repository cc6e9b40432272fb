package endpoint

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
	"github.com/fanfare-relay/fanfare/media/report"
)

// outbound sends one track of one session. write and senderReport belong to the sending goroutine,
// feedback to the one that reads RTCP.
type outbound struct {
	codec  media.Codec
	track  *webrtc.TrackLocalStaticRTP
	sender *webrtc.RTPSender
	ssrc   media.SSRC
	pack   *container.Packetiser
	base   uint32 // timestamp of place 0 on the line, random (RFC 3550 section 5.1)
	report report.Sender

	mu    sync.Mutex
	stats OutboundStats
	heard time.Time // when the newest feedback came, or the session began
}

func newOutbound(pc *webrtc.PeerConnection, params webrtc.RTPCodecParameters, c media.Codec, stream string) (*outbound, error) {
	track, err := webrtc.NewTrackLocalStaticRTP(params.RTPCodecCapability, c.Kind().String(), stream)
	if err != nil {
		return nil, err
	}
	t, err := pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return nil, err
	}
	o := &outbound{
		codec: c, track: track, sender: t.Sender(),
		pack: container.NewPacketiser(c, uint16(rand.Uint32())), base: rand.Uint32(),
		stats: OutboundStats{Kind: c.Kind().String(), Codec: c.String()}, heard: time.Now(),
	}
	o.ssrc = media.SSRC(o.sender.GetParameters().Encodings[0].SSRC)
	return o, nil
}

// write sends a frame whose place on the line is at; between bursts of packets it lets time pass.
func (o *outbound) write(ctx context.Context, f placed) error {
	packets := o.pack.Packets(f.Data, o.base+container.Timestamp(o.codec, f.at))
	bytes := 0
	for i := range packets {
		if i > 0 && i%burstPackets == 0 {
			if err := sleep(ctx, burstGap); err != nil {
				return err
			}
		}
		bytes += len(packets[i].Payload)
		o.report.Sent(len(packets[i].Payload))
		if err := o.track.WriteRTP(&packets[i]); err != nil {
			return err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stats.PacketsSent += uint64(len(packets))
	o.stats.BytesSent += uint64(bytes)
	o.stats.FramesSent++
	if f.Key && f.kind == media.KindVideo {
		o.stats.KeyFramesSent++
	}
	return nil
}

// writePacket sends one packet that was made elsewhere, with the time of sending at its end. key tells that it begins a key frame,
// end that it ends a frame.
func (o *outbound) writePacket(p *rtp.Packet, key, end bool) error {
	o.report.Sent(len(p.Payload))
	PutStamp(p.Payload, time.Now())
	err := o.track.WriteRTP(p)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stats.PacketsSent++
	o.stats.BytesSent += uint64(len(p.Payload))
	if end {
		o.stats.FramesSent++
	}
	if key {
		o.stats.KeyFramesSent++
	}
	return err
}

// senderReport ties the line to the clock (RFC 3550 section 6.4.1): place is where the line is at now.
func (o *outbound) senderReport(now time.Time, place time.Duration) rtcp.Packet {
	sr := o.report.Report(o.ssrc, now, o.base+container.Timestamp(o.codec, place))
	return &sr
}

// feedback reads RTCP until the session ends, counts, and passes requests for key frames on.
func (o *outbound) feedback(wantKey chan<- struct{}) {
	for {
		packets, _, err := o.sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			if o.note(p, time.Now()) {
				select {
				case wantKey <- struct{}{}:
				default: // one is waiting already
				}
			}
		}
	}
}

// note counts one RTCP packet; it tells whether it asks for a key frame.
func (o *outbound) note(p rtcp.Packet, now time.Time) (key bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard = now
	switch p := p.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		o.stats.PLICount++
		return true
	case *rtcp.TransportLayerNack:
		for _, pair := range p.Nacks {
			o.stats.NACKCount += uint64(len(pair.PacketList()))
		}
	case *rtcp.ReceiverReport:
		o.reports(p.Reports, now)
	case *rtcp.SenderReport:
		o.reports(p.Reports, now)
	}
	return false
}

func (o *outbound) reports(list []rtcp.ReceptionReport, now time.Time) {
	for _, r := range list {
		if media.SSRC(r.SSRC) != o.ssrc {
			continue
		}
		o.stats.RemoteLost = int64(int32(r.TotalLost<<8) >> 8)
		if rtt, ok := report.RTT(r.LastSenderReport, r.Delay, now); ok {
			o.stats.RoundTripTimeMs = rtt.Milliseconds()
		}
	}
}

func (o *outbound) lastHeard() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.heard
}

func (o *outbound) snapshot() OutboundStats {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stats
}
