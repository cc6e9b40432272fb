package sfutest

import (
	"encoding/binary"
	"strconv"
	"strings"
	"testing"

	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/media/mediatest"
)

// parityType is the payload type of parity packets that a Viewer offers.
const parityType = 40

// offerParity offers parity as Chromium does.
func offerParity(t testing.TB, engine *webrtc.MediaEngine) {
	t.Helper()
	err := engine.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: "video/flexfec-03", ClockRate: 90000, SDPFmtpLine: "repair-window=10000000"},
		PayloadType: parityType}, webrtc.RTPCodecTypeVideo)
	if err != nil {
		t.Fatalf("offer parity: %v", err)
	}
}

// withoutParity leaves the source of parity packets out of an answer: pion takes every source of an
// m-line for a track of its own.
func withoutParity(answer string) string {
	_, group, ok := strings.Cut(answer, "a=ssrc-group:FEC-FR ")
	if !ok {
		return answer
	}
	ssrc := strings.Fields(group)[1]
	var b strings.Builder
	for line := range strings.Lines(answer) {
		if !strings.HasPrefix(line, "a=ssrc-group:FEC-FR ") && !strings.HasPrefix(line, "a=ssrc:"+ssrc+" ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// repairs decodes parity packets of the video track.
type repairs struct {
	transport uint8 // id of the transport-wide sequence number
	parity    mediatest.Parity
	// Packets and Bytes are what came: parity packets, and the bytes of their payloads.
	Packets, Bytes int
}

// media takes a packet of the track and returns what is recovered with it.
func (r *repairs) media(raw []byte) [][]byte {
	if r.parity.SSRC == 0 {
		return nil
	}
	raw = append([]byte(nil), raw...)
	if raw[0]&0x10 != 0 && r.transport != 0 {
		at := 12 + 4*int(raw[0]&0x0f)
		if number, ok := ext.Find(binary.BigEndian.Uint16(raw[at:]), raw[at+4:], r.transport); ok {
			clear(number)
		}
	}
	return r.parity.Media(raw)
}

// readParity opens the source of parity packets that the answer names, if there is one. pion knows none,
// so it gets a receiver of its own.
func (v *Viewer) readParity(t testing.TB) {
	t.Helper()
	_, group, ok := strings.Cut(v.Answer.SDP, "a=ssrc-group:FEC-FR ")
	if !ok {
		return
	}
	var ssrcs [2]uint64
	for i, text := range strings.Fields(group)[:2] {
		ssrcs[i], _ = strconv.ParseUint(text, 10, 32)
	}
	v.mu.Lock()
	v.repairs.parity.SSRC = uint32(ssrcs[0])
	v.repairs.transport = v.ExtensionID(media.KindVideo, ext.URITransportCC)
	v.mu.Unlock()
	receiver, err := v.api.NewRTPReceiver(webrtc.RTPCodecTypeVideo, v.pc.SCTP().Transport())
	if err != nil {
		t.Fatalf("receiver of parity: %v", err)
	}
	err = receiver.Receive(webrtc.RTPReceiveParameters{Encodings: []webrtc.RTPDecodingParameters{
		{RTPCodingParameters: webrtc.RTPCodingParameters{SSRC: webrtc.SSRC(ssrcs[1])}}}})
	if err != nil {
		t.Fatalf("receive parity: %v", err)
	}
	t.Cleanup(func() { _ = receiver.Stop() })
	go v.takeParity(receiver.Track())
}

// takeParity decodes until the source ends.
func (v *Viewer) takeParity(track *webrtc.TrackRemote) {
	buf := make([]byte, 2048)
	for {
		n, _, err := track.Read(buf)
		if err != nil {
			return
		}
		var p Packet
		if p.Unmarshal(buf[:n]) != nil {
			continue
		}
		v.mu.Lock()
		v.repairs.Packets++
		v.repairs.Bytes += len(p.Payload)
		v.recovered(v.repairs.parity.Repair(p.Payload))
		v.wake()
		v.mu.Unlock()
	}
}

// Parity tells how many parity packets came, and the bytes of their payloads.
func (v *Viewer) Parity() (packets, bytes int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.repairs.Packets, v.repairs.Bytes
}
