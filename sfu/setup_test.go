package sfu_test

import (
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// The relay is the DTLS server, unless a publisher insists on being it (RFC 4145 section 4, RFC 5763
// section 5): some programs do.
func TestSetup(t *testing.T) {
	t.Parallel()
	for offered, want := range map[string]string{"actpass": "passive", "active": "passive", "passive": "active"} {
		t.Run(offered, func(t *testing.T) {
			t.Parallel()
			r := sfutest.Start(t, nil)
			pub := sfutest.NewPublisher(t, media.CodecVP8)
			pub.ConnectAs(t, r, "s", func(offer string) string {
				return strings.ReplaceAll(offer, "a=setup:actpass", "a=setup:"+offered)
			})
			if !strings.Contains(pub.Answer.SDP, "a=setup:"+want) {
				t.Fatalf("answer to %s: %s", offered, pub.Answer.SDP)
			}
			v := sfutest.Subscribe(t, r, "s")
			video := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8})
			pub.Send(t, media.KindVideo, video.Next(mediatest.Frame{Key: true, Size: 500})...)
			v.WaitCount(t, media.KindVideo, 1)
		})
	}
}
