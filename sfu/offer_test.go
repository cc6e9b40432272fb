package sfu

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

const testPrint = "sha-256 AB:CD:EF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC"

// sessionLines and those below make an offer that browsers might send.
const sessionLines = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\n"

const transport = "c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:" + testPrint + "\r\na=setup:actpass\r\na=rtcp-mux\r\n"

const audioLines = "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 0\r\n" + transport + "a=mid:0\r\n" +
	"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n" +
	"a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtcp-fb:111 transport-cc\r\n" +
	"a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:0 PCMU/8000\r\n"

const videoLines = "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 108 45 98 116\r\n" + transport + "a=mid:1\r\n" +
	"a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n" +
	"a=extmap:13 urn:3gpp:video-orientation\r\n" +
	"a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 goog-remb\r\na=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 rrtr\r\n" +
	"a=extmap:4 " + ext.URITransportCC + "\r\na=rtcp-fb:108 goog-remb\r\n" +
	"a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n" +
	"a=rtpmap:102 H264/90000\r\na=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\na=rtcp-fb:102 nack\r\n" +
	"a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n" +
	"a=rtpmap:108 H264/90000\r\na=fmtp:108 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f\r\n" +
	"a=rtpmap:45 AV1/90000\r\na=rtpmap:98 VP9/90000\r\na=fmtp:98 profile-id=0\r\na=rtpmap:116 ulpfec/90000\r\n"

func whep() string {
	return sessionLines + audioLines + "a=recvonly\r\n" + videoLines + "a=recvonly\r\n"
}
func whip() string { return strings.ReplaceAll(whep(), "a=recvonly", "a=sendonly") }

func TestParseOffer(t *testing.T) {
	o, err := parseOffer(media.RoleSubscriber, whep())
	if err != nil {
		t.Fatal(err)
	}
	if o.ice != (lite.Credentials{Ufrag: "abcd", Pwd: "0123456789012345678901"}) || len(o.fingerprints) == 0 || !o.mixed {
		t.Errorf("transport: %+v", o)
	}
	var got []string
	for _, track := range o.tracks {
		for _, f := range track.formats {
			got = append(got, fmt.Sprintf("%s %s %d/%d %v%v%v", track.mid, f.codec, f.pt, f.rtx, f.nack, f.pli, f.fir))
		}
	}
	want := []string{
		"0 opus 111/0 falsefalsefalse", "1 VP8 96/97 truetruetrue", "1 H264 102/103 truefalsefalse",
		"1 H264 108/0 falsefalsefalse", "1 AV1 45/0 falsefalsefalse", "1 VP9 98/0 falsefalsefalse",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("formats:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// badOfferCase is an offer that cannot be served, with the reason; "" for one that can.
type badOfferCase struct {
	name   string
	role   media.Role
	offer  string
	reason string
}

func badOffers() []badOfferCase {
	change := func(offer, from, to string) string { return strings.ReplaceAll(offer, from, to) }
	one := sessionLines + videoLines
	return []badOfferCase{
		{"empty", media.RoleSubscriber, "", "no m-line"},
		{"not SDP", media.RoleSubscriber, "GET / HTTP/1.1", "not SDP"},
		{"too long", media.RoleSubscriber, whep() + strings.Repeat("a=x\r\n", 20000), "too long"},
		{"300 m-lines", media.RoleSubscriber, whep() + strings.Repeat("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", 300), "too many m-lines"},
		{"100 candidates", media.RoleSubscriber, whep() + strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n", 100), "too many candidates"},
		{"5 rids", media.RolePublisher, whip() + strings.Repeat("a=rid:x send\r\n", 5), "too many rids"},
		{"100 extensions", media.RoleSubscriber, whep() + strings.Repeat("a=extmap:1 urn:x\r\n", 100), "too many header extensions"},
		{"plain RTP", media.RoleSubscriber, change(whep(), "UDP/TLS/RTP/SAVPF", "RTP/AVP"), "not UDP/TLS/RTP/SAVPF"},
		{"SDES", media.RoleSubscriber, change(whep(), "UDP/TLS/RTP/SAVPF", "RTP/SAVPF"), "not UDP/TLS/RTP/SAVPF"},
		{"no fingerprint", media.RoleSubscriber, change(whep(), "a=fingerprint:"+testPrint+"\r\n", ""), "no fingerprint"},
		{"weak fingerprint", media.RoleSubscriber, change(whep(), "sha-256 AB", "md5 AB"), "no fingerprint"},
		{"no credentials", media.RoleSubscriber, change(whep(), "a=ice-pwd:0123456789012345678901\r\n", ""), "no ICE credentials"},
		{"short password", media.RoleSubscriber, change(whep(), "0123456789012345678901", "short"), "no ICE credentials"},
		{"no BUNDLE", media.RoleSubscriber, change(whep(), "a=group:BUNDLE 0 1\r\n", ""), "no BUNDLE of all m-lines"},
		{"half a BUNDLE", media.RoleSubscriber, change(whep(), "BUNDLE 0 1", "BUNDLE 0"), "no BUNDLE of all m-lines"},
		{"no rtcp-mux", media.RoleSubscriber, change(whep(), "a=rtcp-mux\r\n", ""), "no rtcp-mux"},
		{"no mid", media.RoleSubscriber, change(whep(), "a=mid:1\r\n", ""), "an m-line without mid"},
		{"one mid twice", media.RoleSubscriber, change(whep(), "a=mid:1\r\n", "a=mid:0\r\n"), "a mid that is used twice"},
		{"a viewer that sends", media.RoleSubscriber, whip(), "a viewer's m-line that only sends"},
		{"a publisher that receives", media.RolePublisher, whep(), "a publisher's m-line that only receives"},
		{"a viewer that is passive", media.RoleSubscriber, change(whep(), "setup:actpass", "setup:passive"), "setup:passive, which is the relay's own role"},
		{"an ICE-lite viewer", media.RoleSubscriber, change(whep(), "a=extmap-allow-mixed", "a=ice-lite"), "an ICE-lite offerer"},
		{"a data channel", media.RoleSubscriber, whep() + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + transport + "a=mid:2\r\n", "an m-line that is neither audio nor video"},
		{"two pictures", media.RoleSubscriber, whep() + change(videoLines, "a=mid:1", "a=mid:2"), "more than one m-line of a kind"},
		{"no codec of ours", media.RoleSubscriber, change(one, "VP8/90000", "XYZ/90000") + "", ""},
		{"no codec at all", media.RoleSubscriber, sessionLines + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" + transport + "a=mid:0\r\na=rtpmap:0 PCMU/8000\r\n", "no codec in common for audio"},
		{"all refused", media.RoleSubscriber, change(one, "m=video 9", "m=video 0"), "no m-line that can be served"},
		{"a viewer's rids", media.RoleSubscriber, one + "a=rid:x send\r\n", "rids where none can be served"},
	}
}

// Offers that cannot be served are refused, each with a reason that never changes.
func TestBadOffers(t *testing.T) {
	for _, c := range badOffers() {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseOffer(c.role, c.offer)
			if c.reason == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if want := "the offer cannot be served: " + c.reason; !errors.Is(err, media.ErrBadOffer) || err.Error() != want {
				t.Errorf("%v\nwant: %s", err, want)
			}
		})
	}
}

func TestAnswerViewer(t *testing.T) {
	// The offerer has switched off two m-lines of its own.
	o, err := parseOffer(media.RoleSubscriber, whep()+"m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=inactive\r\n"+
		"m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:3\r\n")
	if err != nil {
		t.Fatal(err)
	}
	text := answerViewer(o, answerParams{
		origin: 7, ice: lite.Credentials{Ufrag: "OURS", Pwd: "secret"}, fingerprint: testPrint,
		candidates: []string{"1 1 udp 5 192.0.2.1 7000 typ host"}, cname: "c", stream: "f",
		ssrcs: []trackSSRC{{main: 10}, {main: 20, rtx: 21}, {}, {}},
	})
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(text); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for _, line := range []string{
		"a=group:BUNDLE 0 1\r\na=ice-lite\r\n", "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n", "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n",
		"m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 108 45 98\r\n", "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n",
		"m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n", // RFC 3264 section 6: the same protocol
		"a=setup:passive\r\n", "a=sendonly\r\n", "a=msid:f audio\r\n", "a=msid:f video\r\n", "a=rtcp-fb:96 nack pli\r\n", "a=rtcp-fb:96 transport-cc\r\n", "a=rtcp-fb:96 rrtr\r\n", "a=rtcp-fb:108 goog-remb\r\n", "a=extmap:4 " + ext.URITransportCC + "\r\n",
		"a=ssrc-group:FID 20 21\r\n", "a=ssrc:21 cname:c\r\n", "a=fmtp:97 apt=96\r\n", "a=extmap:13 " + ext.URIVideoOrientation + "\r\n",
		"a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f\r\n",
		"a=candidate:1 1 udp 5 192.0.2.1 7000 typ host\r\na=end-of-candidates\r\n",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("the answer lacks %q", line)
		}
	}
	if strings.Contains(text, "a=rtcp-fb:111 ") || strings.Contains(text, "a=rtcp-fb:96 goog-remb") {
		t.Error("feedback is answered without its extension, or twice")
	}
	for _, word := range []string{"abs-send-time", "ulpfec", "PCMU"} {
		if strings.Contains(text, word) {
			t.Errorf("the answer holds %q, which is not served", word)
		}
	}
}

// Parity is answered where a browser offers it and the relay has a source for it.
func TestParityAnswer(t *testing.T) {
	text, err := os.ReadFile("testdata/offer-chromium.sdp")
	if err != nil {
		t.Fatal(err)
	}
	o, err := parseOffer(media.RoleSubscriber, string(text))
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{" 49\r\nc=IN", "a=rtpmap:49 flexfec-03/90000\r\n", "a=rtcp-fb:49 transport-cc\r\n", "a=fmtp:49 repair-window=10000000\r\n",
		"a=ssrc-group:FEC-FR 20 22\r\n", "a=ssrc:22 cname:c\r\n"}
	for _, ssrc := range []media.SSRC{22, 0} {
		answer := answerViewer(o, answerParams{cname: "c", stream: "f", ssrcs: []trackSSRC{{main: 10}, {main: 20, rtx: 21, parity: ssrc}}})
		for _, line := range lines {
			if strings.Contains(answer, line) != (ssrc != 0) {
				t.Errorf("with source %d: %q", ssrc, line)
			}
		}
	}
}

// Extensions that grow long, or have large ids, are for viewers who take both forms of header.
func TestLongExtensions(t *testing.T) {
	text := strings.ReplaceAll(whep(), "a=extmap:13 "+ext.URIVideoOrientation, "a=extmap:13 "+ext.URIDependency+"\r\na=extmap:15 x\r\na=extmap:16 "+ext.URIVideoOrientation)
	for _, c := range []struct {
		text string
		want bool
	}{{text, true}, {strings.ReplaceAll(text, "a=extmap-allow-mixed\r\n", ""), false}} {
		o, err := parseOffer(media.RoleSubscriber, c.text)
		if err != nil {
			t.Fatal(err)
		}
		answer := answerViewer(o, answerParams{ssrcs: make([]trackSSRC, len(o.tracks)), stream: "f", cname: "c"})
		for _, line := range []string{"a=extmap:13 " + ext.URIDependency, "a=extmap:16 " + ext.URIVideoOrientation} {
			if strings.Contains(answer, line) != c.want {
				t.Errorf("mixed %v: %s", c.want, answer)
			}
		}
	}
}

func TestPionAnswer(t *testing.T) {
	answer := withCandidates("v=0\r\nm=audio 9 X\r\na=candidate:old\r\na=mid:0\r\na=end-of-candidates\r\nm=video 0 X\r\n", []string{"new"})
	if want := "v=0\r\nm=audio 9 X\r\na=mid:0\r\na=candidate:new\r\na=end-of-candidates\r\nm=video 0 X\r\n"; answer != want {
		t.Errorf("%q\nwant %q", answer, want)
	}
	if got := withoutCandidates("m=x\r\na=candidate:1\r\na=y\r\na=candidate:2"); got != "m=x\r\na=y\r\n" {
		t.Errorf("%q", got)
	}
}

// No text makes the checks fail in another way than by ErrBadOffer, and what they let
// through can be answered. What they make of a text is what the model makes of it.
func FuzzParseOffer(f *testing.F) {
	f.Add(whep())
	f.Add(whip())
	f.Add("m=audio 0 x")
	for _, c := range badOffers() {
		f.Add(c.offer)
	}
	for _, text := range oddOffers(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, role := range []media.Role{media.RolePublisher, media.RoleSubscriber} {
			o, err := parseOffer(role, text)
			checkOffer(t, role, text, o, err)
			if err != nil {
				if !errors.Is(err, media.ErrBadOffer) || o != nil {
					t.Fatalf("%v, %v", o, err)
				}
				continue
			}
			if role == media.RoleSubscriber {
				checkAnswer(t, o)
			}
		}
	})
}

// oddOffers are offers of browsers, and ones that lead through what browsers do not offer.
func oddOffers(tb testing.TB) (list []string) {
	tb.Helper()
	for _, name := range []string{"testdata/offer-chromium.sdp", "testdata/offer-firefox.sdp"} {
		text, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, string(text), strings.ReplaceAll(string(text), "a=recvonly", "a=sendrecv"))
	}
	both := strings.ReplaceAll(whep(), "a=recvonly\r\n", "")
	list = append(list, both, strings.ReplaceAll(both, "\r\n", "\n"), both+"x")
	for _, more := range []int{14, 15} { // as many m-lines as there may be, and one more
		list = append(list, both+strings.Repeat("m=video 0 UDP/TLS/RTP/SAVPF 96\r\n", more))
	}
	long := strings.Repeat("1", 33)
	for _, c := range [][]string{ // more than one thing at a time
		{"BUNDLE 0 1", "BUNDLE 0 " + long, "a=mid:1", "a=mid:" + long}, {"BUNDLE 0 1", "BUNDLE 0 " + long[1:], "a=mid:1", "a=mid:" + long[1:]},
		{"BUNDLE 0 1", "BUNDLE 0", "a=mid:1", "a=mid:BUNDLE"}, {"a=extmap-allow-mixed\r\n", "", "a=extmap:13 ", "a=extmap:15 x\r\na=extmap:16 "},
		{"a=extmap-allow-mixed\r\n", "", "a=extmap:13 ", "a=extmap:5 " + ext.URIDependency + "\r\na=extmap:14 "},
		{"m=video 9", "m=video 0", "a=mid:1", "a=bundle-only\r\na=mid:1"}, {"m=audio 9", "m=audio 0", "a=setup:actpass", "a=setup:active"},
		{"rtx/", "RTX/", "VP9/", "flexfec-03/", "ulpfec", "flexfec-03", "red/48000/2", "flexfec-03/90000"},
	} {
		list = append(list, strings.NewReplacer(c...).Replace(both))
	}
	for _, c := range changedLines() {
		changed := strings.ReplaceAll(both, c[0], c[1])
		if changed == both {
			tb.Fatalf("nothing to change: %q", c[0])
		}
		list = append(list, changed)
	}
	return list
}

// changedLines are what to change in an offer, and to what.
func changedLines() [][2]string {
	const group, setup, print = "a=group:BUNDLE 0 1\r\n", "a=setup:actpass\r\n", "a=fingerprint:" + testPrint + "\r\n"
	other := strings.ReplaceAll(testPrint, "AB", "ab")
	return [][2]string{
		{group, "a=group:LS 0 1\r\na=group:BUNDLE 0\r\na=group:\r\na=group:BUNDLE x 1  0\r\n"},
		{group, group + "a=sendonly\r\na=recvonly\r\n"}, // the session's directions
		{group, group + "a=inactive\r\n"},
		{group, "a=group:LS 0 1\r\n"}, {group, group + strings.ReplaceAll(print, "AB", "BA")},
		{"a=mid:1\r\n", "a=mid:1\r\na=inactive\r\na=sendrecv\r\n"}, // of two the first counts
		{"a=mid:1\r\n", "a=mid:1\r\na=mid:2\r\na=sendonly\r\n"},
		{"a=mid:1\r\n", "a=mid:" + strings.Repeat("1", 33) + "\r\n"},
		{"a=mid:1\r\n", "a=mid:1 2\r\n"}, {"a=mid:1\r\n", "a=mid:1\t\r\n"}, {"a=mid:0\r\n", "a=mid:\r\na=mid:0\r\n"},
		{"m=video 9 ", "m=video 0 "}, {"m=video 9 UDP", "m=video 0/2\t UDP"}, {"m=audio 9 ", "m=audio 0 "},
		{"m=video 9 UDP/TLS/RTP/SAVPF 96", "m=video 0 UDP/TLS/RTP/SAVPF 96 x 300 96"},
		{"a=mid:1\r\n", "a=mid:1\r\na=bundle-only\r\n"}, {"m=video 9", "m=text 9"}, {"m=video 9", "m=picture 9"},
		{setup, "a=setup:passive\r\n"}, {setup, "a=setup:active\r\na=setup:passive\r\n"}, {setup, ""},
		{"a=mid:1\r\n", "a=mid:1\r\na=rid:h send\r\na=rid:m send pt=96\r\na=rid:l recv\r\na=rid:" + strings.Repeat("x", 17) + " send\r\n"}, {setup, "a=rid:x\r\na=rid\r\n"},
		{group, group + "a=ice-ufrag:other\r\na=ice-pwd:9876543210987654321098\r\na=setup:passive\r\n" + print}, // the m-line's own count
		{"a=ice-ufrag:abcd\r\n", "a=ice-ufrag:\r\n"}, {"a=ice-ufrag:abcd\r\n", "a=ice-ufrag:ab-d\r\n"}, {"a=ice-ufrag:abcd\r\n", "a=ice-ufrag:abc\r\n"},
		{"a=ice-pwd:0123456789", "a=ice-pwd:" + strings.Repeat("0123456789", 25)}, {"a=ice-pwd:0", "a=ice-pwd:"}, {"a=ice-ufrag:abcd", "a=ice-ufrag:" + strings.Repeat("abcd", 65)},
		{print, "a=fingerprint:sha-1 AB\r\na=fingerprint:SHA-256" + other[7:] + "\r\n" + print}, {print, strings.Repeat(print, 5)},
		{print, "a=fingerprint:sha-512" + testPrint[7:] + "\r\n"}, {print, strings.Replace(print, "AB:CD", "AB-CD", 1)}, {print, strings.Replace(print, "AB:CD", "AG:CD", 1)},
		{print, "a=fingerprint\r\na=fingerprint:sha-384 " + strings.Repeat("0a:", 47) + "FF\r\na=fingerprint:sha-512 " + strings.Repeat("0a:", 63) + "FF\r\n"},
		{"a=rtpmap:96 VP8/90000\r\n", "a=rtpmap:96 \r\na=rtpmap:96  vp8/90000/1 \r\na=rtpmap:96 VP9/90000\r\n"}, {"VP8/90000", "VP8/8000"}, {"VP8/90000", "VP8"},
		{"opus/48000/2", "opus/48000"}, {"opus/48000/2", "opus/48000/2/1"}, {"opus/48000/2", "OPUS/48000/2"}, {"opus/48000/2", "opus/90000/2"}, {"opus/48000/2", "VP8/90000"},
		{"a=fmtp:63 111/111", "a=fmtp:63 111"}, {"red/48000/2", "RED/48000/2"}, {"a=fmtp:63 111/111", "a=fmtp:63 x"}, {"a=rtpmap:0 PCMU/8000", "a=rtpmap:0 opus/48000/2"},
		{"apt=96", "x=1; APT=96;apt=102"}, {"apt=102", "apt=96"}, {"a=fmtp:97 apt", "a=fmtp:97 rtx-time=200;apt"}, {"97 102 ", "102 "}, {"apt=96", "apt=096"}, {"apt=96", "apt=128"},
		{"a=fmtp:102 level", "a=fmtp:102\r\na=fmtp:x y\r\na=fmtp:102  level"}, {"a=rtpmap:98 VP9/90000", "a=rtpmap:98 red/90000\r\na=fmtp:98 96\r\na=rtpmap:45 VP9/90000"},
		{"a=rtcp-fb:96 nack\r\n", "a=rtcp-fb:* nack\r\na=rtcp-fb:* goog-remb \r\na=rtcp-fb:*x ccm fir\r\n"}, {"a=rtcp-fb:96 nack pli\r\n", "a=rtcp-fb:098  nack pli\r\na=rtcp-fb:300 rrtr\r\na=rtcp-fb\r\n"},
		{"ulpfec", "FlexFEC-03"}, {"45 98 116\r\n", "45 98 116 0\r\na=rtpmap:0 flexfec-03/90000\r\na=rtcp-fb:0 transport-cc\r\n"}, {"opus/48000/2\r\n", "opus/48000/2\r\na=rtpmap:0 flexfec-03/90000\r\n"},
		{"a=rtpmap:0 PCMU", "a=rtpmap:116 flexfec-03"}, {"extmap:13 ", "extmap:15 "}, {"extmap:13 ", "extmap:0 "}, {"extmap:13 ", "extmap:256 "}, {"extmap:13 ", "extmap:255 "},
		{"extmap:13 urn:3gpp:video-orientation", "extmap: 13/sendonly  urn:3gpp:video-orientation x"}, {"extmap:13 ", "extmap:x "}, {"extmap:13 ", "extmap:14 " + ext.URIDependency + "\r\na=extmap:16 "},
		{"a=extmap-allow-mixed\r\n", ""}, {"a=extmap-allow-mixed\r\n", "a=extmap:13 x\r\na=rtcp-mux\r\na=mid:9\r\n"}, {" 45 98 116", " 45 98 116" + strings.Repeat(" 98", 88)}, {" 45 98 116", " 45 98 116" + strings.Repeat(" 98", 89)},
		{setup, strings.Repeat("a=candidate:1\r\n", 32)}, {group + "a=extmap-allow-mixed\r\n" + audioLines, group + strings.Repeat("a=candidate:1\r\n", 9) + audioLines + strings.Repeat("a=candidate:1\r\n", 65)},
		{setup, strings.Repeat("a=extmap:1 x\r\n", 29)}, {setup, strings.Repeat("a=extmap:1 x\r\n", 30)}, {setup, strings.Repeat("a=rid:1 recv\r\n", 4)},
		{" 45 98 116", " x 45 300 98 116 -1 +96"}, {"a=fmtp:97 apt=96", "a=fmtp:97 rtx-time=200"},
		{"a=mid:1\r\n", "a=mid:1\r\ni=a=mid:5\r\nb=AS:5\r\n"}, {"s=-\r\n", "s=a=ice-lite\r\n"}, {"c=IN IP4 0.0.0.0\r\n", "c=IN IP4 0.0.0.0 a=mid:7\r\n"},
	}
}

func checkAnswer(t *testing.T, o *offer) {
	t.Helper()
	text := answerViewer(o, answerParams{ssrcs: make([]trackSSRC, len(o.tracks)), stream: "f", cname: "c"})
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(text); err != nil {
		t.Fatalf("the answer is no SDP: %v\n%s", err, text)
	}
	if len(desc.MediaDescriptions) != len(o.tracks) {
		t.Fatalf("%d m-lines for %d", len(desc.MediaDescriptions), len(o.tracks))
	}
}

// What is made of a fragment is what the model makes of it.
func FuzzParseFragment(f *testing.F) {
	const ufrag, pwd, candidate = "a=ice-ufrag:abcd\r\n", "a=ice-pwd:0123456789012345678901\r\n", "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
	f.Add(ufrag + pwd + "m=audio 9 X 0\r\na=mid:0\r\n" + candidate)
	for _, text := range []string{
		"", " \r\n", "hello", "x", "ab", "\r\n\r\n" + candidate + "\r\n" + candidate, "a=end-of-candidates\r\n" + candidate + "a=candidate\n",
		ufrag + pwd + "m=audio 9 X 0\r\na=mid:0\r\n" + ufrag + pwd + candidate + "m=video 9 X 0\r\na=mid:1\r\na=mid:1\r\n" + candidate + "a=end-of-candidates\r\n",
		ufrag + pwd + "a=ice-ufrag:efgh\r\n", ufrag + pwd + "a=ice-pwd:x\r\n", ufrag + pwd + strings.Replace(pwd, "01", "10", 1), ufrag + "a=ice-ufrag:\r\n", "a=ice-ufrag:\r\na=ice-ufrag\r\n" + ufrag + pwd,
		ufrag, pwd, "a=ice-ufrag:abc\r\n" + pwd, "a=ice-ufrag:abc\r\n", ufrag + "a=ice-pwd:short", ufrag + "a=ice-pwd:012345678901234567890_\r\n",
		"a=ice-ufrag:a:cd\r\n", "a=mid:\na=mid\na=mid:0:1\na=mid:2\r\r\na=mid: 3 ", "m=mid:0\nb=candidate:1\n", "a mid:0", "a=Mid:0\nA=mid:0",
		strings.Repeat(candidate, 64), strings.Repeat(candidate, 65), strings.Repeat("\n", 300), "a=x" + strings.Repeat("\na=x", 255), "a=x" + strings.Repeat("\na=x", 256),
		"a=" + strings.Repeat("x", 65534), "a=" + strings.Repeat("x", 65535), strings.Repeat(" ", 65534) + "a=mid:0",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseFragment(text)
		if err != nil && !errors.Is(err, media.ErrBadFragment) {
			t.Fatal(err)
		}
		checkFragment(t, text, got, err)
	})
}
