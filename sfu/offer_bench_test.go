package sfu

import (
	"os"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// browserOffer is what a real browser offers to a WHEP server.
func browserOffer(t testing.TB, browser string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/offer-" + browser + ".sdp")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func BenchmarkOffer(b *testing.B) {
	for _, browser := range []string{"chromium", "firefox"} {
		text := browserOffer(b, browser)
		b.Run("parse-"+browser, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parseOffer(media.RoleSubscriber, text); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("answer-"+browser, func(b *testing.B) {
			o, err := parseOffer(media.RoleSubscriber, text)
			if err != nil {
				b.Fatal(err)
			}
			p := answerParams{
				origin: 7, ice: lite.NewCredentials(), fingerprint: testPrint, cname: "c", stream: "f",
				candidates: []string{"1 1 udp 2130706431 192.0.2.1 7000 typ host", "2 1 udp 2130706175 127.0.0.1 7000 typ host"},
				ssrcs:      []trackSSRC{{main: 10}, {main: 20, rtx: 21}},
			}
			b.ReportAllocs()
			for b.Loop() {
				_ = answerViewer(o, p)
			}
		})
	}
}
