package sfu

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/estimate"
)

// What a viewer sends is its own affair: any compound is read to its end, and counted as an obvious reader does.
func FuzzViewerRTCP(f *testing.F) {
	const picture, sound = 0x01020304, 0x05060708
	seed, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: picture, FractionLost: 30}, {SSRC: sound, FractionLost: 30}}},
		&rtcp.TransportLayerNack{SenderSSRC: 1, MediaSSRC: picture, Nacks: []rtcp.NackPair{{PacketID: 7, LostPackets: 3}}},
		&rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: picture},
		&rtcp.FullIntraRequest{SenderSSRC: 1, MediaSSRC: picture, FIR: []rtcp.FIREntry{{SSRC: picture}, {SSRC: sound}, {SSRC: picture}}},
		&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: 1, Bitrate: 300_000, SSRCs: []uint32{picture}},
		&rtcp.Goodbye{Sources: []uint32{1}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(seed[:len(seed)-3])
	f.Add([]byte{0x8f, 205, 0, 4, 0, 0, 0, 1, 1, 2, 3, 4, 0, 0, 0, 1, 0, 0, 0, 0})
	f.Add([]byte{0x81, 206, 0xff, 0xff, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := quiet(t, nil)
		o, err := parseOffer(media.RoleSubscriber, whep())
		if err != nil {
			t.Fatal(err)
		}
		st, err := s.reserve(media.RoleSubscriber, "s")
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(1000, 0)
		v, _ := s.newViewer(newSession(newSessionID(), media.RoleSubscriber, st, o), o, now)
		v.tracks[0].ssrc, v.tracks[1].ssrc = picture, sound
		w := newWorker(s)
		w.readRTCP(v, raw, now)

		var ignored, wanted uint64
		for len(raw) >= 4 {
			n := 4 + 4*int(binary.BigEndian.Uint16(raw[2:]))
			if n > len(raw) {
				break
			}
			one := raw[:n]
			raw = raw[n:]
			if estimate.IsFeedback(one) {
				continue
			}
			pkts, err := rtcp.Unmarshal(one)
			if err != nil {
				ignored++
			}
			for _, pkt := range pkts {
				switch p := pkt.(type) {
				case *rtcp.PictureLossIndication:
					if p.MediaSSRC == picture {
						wanted++
					}
				case *rtcp.FullIntraRequest:
					for i, e := range p.FIR {
						if e.SSRC == picture && i < 2 { // it has two tracks
							wanted++
						}
					}
				case *rtcp.TransportLayerNack, *rtcp.ReceiverEstimatedMaximumBitrate, *rtcp.ReceiverReport, *rtcp.SenderReport, *rtcp.ExtendedReport:
				default:
					ignored++
				}
			}
		}
		if len(raw) > 0 {
			ignored++
		}
		if w.tally.RTCPIgnored != ignored || w.tally.PLIsReceived != wanted {
			t.Errorf("%d ignored and %d key frames asked for, want %d and %d", w.tally.RTCPIgnored, w.tally.PLIsReceived, ignored, wanted)
		}
	})
}
