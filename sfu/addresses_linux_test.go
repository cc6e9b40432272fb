package sfu_test

import (
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// A machine with several addresses answers from the one that was asked. On Linux all of
// 127.0.0.0/8 is this machine's; by itself the kernel would answer from 127.0.0.1, and the
// endpoints would throw that away.
func TestAnswersLeaveFromTheAskedAddress(t *testing.T) {
	t.Parallel()
	r := startEverywhere(t, "")
	const asked = "127.0.0.2"
	there := func(answer string) string {
		return only(t, strings.ReplaceAll(answer, " 127.0.0.1 "+r.PortText()+" ", " "+asked+" "+r.PortText()+" "), asked)
	}
	pub := sfutest.NewPublisherOn(t, sfutest.Listen(t, asked), media.CodecVP8)
	pub.ConnectBy(t, r, "s", there)
	v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: sfutest.Listen(t, asked)})
	v.ConnectBy(t, "s", there)
	play(t, pub, []*sfutest.Viewer{v}, newSource(media.CodecVP8), 0, 5)
	if n := v.Link().Strays(asked); n > 0 {
		t.Errorf("%d datagrams came from another address", n)
	}
}
