package crowd

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

const testPrint = "AB:CD:00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D"

// testAnswer is one of a full agent that is active, with what an answer may hold beside.
const testAnswer = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n" +
	"a=fingerprint:sha-512 00:11\r\na=fingerprint:SHA-256 " + testPrint + "\r\na=setup:active\r\n" +
	"a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n" +
	"a=candidate:1 2 udp 2130706431 192.0.2.1 5000 typ host\r\n" +
	"a=candidate:2 1 tcp 1671430143 192.0.2.1 9 typ host tcptype active\r\n" +
	"a=candidate:3 1 UDP 1 4e1b6c9a.local 5000 typ host\r\n" +
	"a=candidate:4 1 udp 1 ::ffff:127.0.0.1 5000 typ host generation 0\r\n" +
	"a=candidate:5 1 udp 1 2001:db8::1 5000 typ srflx raddr :: rport 9\r\n" +
	"m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:other\r\na=extmap:9/recvonly " + uriWide + "\r\n" +
	"a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n"

func TestParseAnswer(t *testing.T) {
	a, err := parseAnswer(testAnswer)
	if err != nil {
		t.Fatal(err)
	}
	var want []netip.AddrPort
	for _, s := range []string{"192.0.2.1:5000", "127.0.0.1:5000", "[2001:db8::1]:5000"} {
		want = append(want, netip.MustParseAddrPort(s))
	}
	if !slices.Equal(a.candidates, want) {
		t.Errorf("candidates %v", a.candidates)
	}
	if a.ice != (credentials{"abcd", "0123456789012345678901"}) || !a.active || a.wide != 9 || a.fingerprint[0] != 0xAB || a.fingerprint[31] != 0x1D {
		t.Errorf("%+v", a)
	}
	near, err := answerFor(testAnswer, netip.MustParseAddr("127.0.0.1"))
	if err != nil || !slices.Equal(near.candidates, []netip.AddrPort{want[1], want[0]}) {
		t.Errorf("%v %v", near.candidates, err)
	}
}

func TestParseAnswerRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":        "",
		"no SDP":         "<html>",
		"no credentials": strings.ReplaceAll(testAnswer, "a=ice-", "a=x-"),
		"short password": strings.Replace(testAnswer, "0123456789012345678901", "short", 1),
		"no fingerprint": strings.Replace(testAnswer, "SHA-256", "sha-1", 1),
		"bad digits":     strings.Replace(testAnswer, "AB:CD", "AB:XY", 1),
		"too many":       strings.Replace(testAnswer, "AB:CD:", "AB0CD0", 1),
	} {
		if _, err := parseAnswer(text); !errors.Is(err, errAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := answerFor(strings.ReplaceAll(testAnswer, "a=candidate:", "a=no:"), netip.MustParseAddr("127.0.0.1")); !errors.Is(err, errNoCandidate) {
		t.Error(err)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(testAnswer)
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseAnswer(text)
		if err != nil {
			return
		}
		if len(a.candidates) > maxCandidates {
			t.Errorf("%d candidates", len(a.candidates))
		}
		for _, c := range a.candidates {
			if !c.IsValid() || c.Port() == 0 || c.Addr().Is4In6() {
				t.Errorf("candidate %v", c)
			}
		}
	})
}
