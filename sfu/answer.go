package sfu

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// answerParams is what the relay puts into a viewer's answer beside the offer's own words.
type answerParams struct {
	origin      uint64 // o= session id, RFC 8866 section 5.2
	ice         lite.Credentials
	fingerprint string   // "sha-256 AA:BB:…"
	candidates  []string // values of a=candidate
	cname       string
	stream      string // the msid's stream id, one for sound and picture
	// ssrcs has one element for each m-line.
	ssrcs []trackSSRC
}

// trackSSRC are the sources of one viewer's track; rtx and parity are 0 when the viewer gets none.
type trackSSRC struct{ main, rtx, parity media.SSRC }

// answerViewer writes the answer to a WHEP offer. Every format of ours is kept, in the
// offer's order and under its numbers: a publisher may come back with another codec,
// and WHEP has no renegotiation. Ports, addresses and extension ids follow JSEP
// (RFC 9429 section 5.3) for an ICE-lite, passive endpoint with one bundled transport.
func answerViewer(o *offer, p answerParams) string {
	w := make(answerText, 0, 6<<10) // Chromium's is about 5 KiB
	w.line("v=0")
	w.line("o=- ", decimal(p.origin), " 2 IN IP4 127.0.0.1")
	w.line("s=-")
	w.line("t=0 0")
	w.write("a=group:BUNDLE")
	for i := range o.tracks {
		if o.tracks[i].live {
			w.write(" ", string(o.tracks[i].mid))
		}
	}
	w.line()
	w.line("a=ice-lite")
	w.line("a=msid-semantic: WMS *")
	if o.mixed {
		w.line("a=extmap-allow-mixed")
	}
	for i := range o.tracks {
		if o.tracks[i].live {
			w.track(&o.tracks[i], &p, p.ssrcs[i])
		} else {
			w.deadTrack(&o.tracks[i])
		}
	}
	return string(w)
}

// answerText is SDP in the making.
type answerText []byte

func (w *answerText) write(parts ...string) {
	for _, p := range parts {
		*w = append(*w, p...)
	}
}

func (w *answerText) line(parts ...string) {
	w.write(parts...)
	w.write("\r\n")
}

func decimal[T ~uint8 | ~uint32 | ~uint64](n T) string { return strconv.FormatUint(uint64(n), 10) }

func (w *answerText) track(t *trackOffer, p *answerParams, ssrc trackSSRC) {
	w.write("m=", t.kind.String(), " 9 ", rtpProfile)
	for i := range t.formats {
		f := &t.formats[i]
		w.write(" ", decimal(f.pt))
		if f.rtx != 0 {
			w.write(" ", decimal(f.rtx))
		}
		if f.red != 0 {
			w.write(" ", decimal(f.red))
		}
	}
	if ssrc.parity != 0 {
		w.write(" ", decimal(t.parity.pt))
	}
	w.line()
	w.line("c=IN IP4 0.0.0.0")
	w.line("a=rtcp:9 IN IP4 0.0.0.0")
	w.line("a=ice-ufrag:", p.ice.Ufrag)
	w.line("a=ice-pwd:", p.ice.Pwd)
	w.line("a=fingerprint:", p.fingerprint)
	w.line("a=setup:passive")
	w.line("a=mid:", string(t.mid))
	transport := t.transportID() != 0
	for _, e := range t.exts {
		if forwarded(e.uri, t.kind) || e.uri == ext.URITransportCC && transport {
			w.line("a=extmap:", strconv.Itoa(e.id), " ", e.uri)
		}
	}
	w.line("a=sendonly")
	w.line("a=msid:", p.stream, " ", t.kind.String())
	w.line("a=rtcp-mux")
	w.line("a=rtcp-rsize")
	for i := range t.formats {
		w.format(&t.formats[i], transport)
	}
	if ssrc.parity != 0 {
		w.parity(t.parity, transport)
	}
	w.sources(t, p, ssrc)
	for _, c := range p.candidates {
		w.line("a=candidate:", c)
	}
	w.line("a=end-of-candidates")
}

func (w *answerText) format(f *format, transport bool) {
	pt, rate := decimal(f.pt), decimal(f.codec.ClockRate())
	w.write("a=rtpmap:", pt, " ", f.codec.String(), "/", rate)
	if f.channels > 0 {
		w.write("/", strconv.Itoa(f.channels))
	}
	w.line()
	w.feedback(f, pt, transport)
	if f.fmtp != "" {
		w.line("a=fmtp:", pt, " ", f.fmtp)
	}
	if f.rtx != 0 {
		rtx := decimal(f.rtx)
		w.line("a=rtpmap:", rtx, " rtx/", rate)
		w.line("a=fmtp:", rtx, " apt=", pt)
	}
	if f.red != 0 {
		red := decimal(f.red)
		w.write("a=rtpmap:", red, " red/", rate)
		if f.channels > 0 {
			w.write("/", strconv.Itoa(f.channels))
		}
		w.line()
		w.line("a=fmtp:", red, " ", pt, "/", pt)
	}
}

// feedback writes the RTCP feedback (RFC 4585, RFC 5104, RFC 3611) that was offered and is served.
// About the line, transport-wide feedback is preferred: it tells more, and sooner.
func (w *answerText) feedback(f *format, pt string, transport bool) {
	transport = transport && f.numbered()
	for _, fb := range [...]struct {
		served bool
		name   string
	}{
		{f.nack, "nack"}, {f.pli, "nack pli"}, {f.fir, "ccm fir"},
		{transport, "transport-cc"}, {f.remb && !transport, "goog-remb"}, {f.rrtr, "rrtr"},
	} {
		if fb.served {
			w.line("a=rtcp-fb:", pt, " ", fb.name)
		}
	}
}

// parity writes the format of parity packets. The window is that of a sender which chooses it by itself,
// in microseconds, as browsers write it.
func (w *answerText) parity(f parityFormat, transport bool) {
	pt := decimal(f.pt)
	w.line("a=rtpmap:", pt, " ", parityEncoding, "/90000")
	if transport && f.transportCC {
		w.line("a=rtcp-fb:", pt, " transport-cc")
	}
	w.line("a=fmtp:", pt, " repair-window=10000000")
}

// sources names the track's SSRC and those of its repairs: RTX (RFC 5576, group FID) and parity
// (RFC 5956, group FEC-FR).
func (w *answerText) sources(t *trackOffer, p *answerParams, ssrc trackSSRC) {
	main, rtx := decimal(ssrc.main), decimal(ssrc.rtx)
	list := []string{main}
	if ssrc.rtx != 0 {
		w.line("a=ssrc-group:FID ", main, " ", rtx)
		list = append(list, rtx)
	}
	if ssrc.parity != 0 {
		parity := decimal(ssrc.parity)
		w.line("a=ssrc-group:FEC-FR ", main, " ", parity)
		list = append(list, parity)
	}
	for _, s := range list {
		w.line("a=ssrc:", s, " cname:", p.cname)
		w.line("a=ssrc:", s, " msid:", p.stream, " ", t.kind.String())
	}
}

// deadTrack repeats an m-line that the offerer has switched off itself.
func (w *answerText) deadTrack(t *trackOffer) {
	w.line("m=", t.name, " 0 ", t.proto, " ", strings.Join(t.rawFmts, " "))
	w.line("c=IN IP4 0.0.0.0")
	if t.mid != "" {
		w.line("a=mid:", string(t.mid))
	}
	w.line("a=inactive")
}

// withCandidates replaces the candidates of pion's answer by the relay's own list: pion
// knows one address of each family, the relay all of them, in the order that browsers need.
func withCandidates(answer string, candidates []string) string {
	var b strings.Builder
	section := false // inside a live m-section
	finish := func() {
		if !section {
			return
		}
		for _, c := range candidates {
			b.WriteString("a=candidate:" + c + "\r\n")
		}
		b.WriteString("a=end-of-candidates\r\n")
	}
	for line := range strings.SplitSeq(answer, "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch {
		case line == "", strings.HasPrefix(line, "a=candidate:"), line == "a=end-of-candidates":
			continue
		case strings.HasPrefix(line, "m="):
			finish()
			fields := strings.Fields(line)
			section = len(fields) > 1 && fields[1] != "0"
		}
		b.WriteString(line + "\r\n")
	}
	finish()
	return b.String()
}

// withoutCandidates drops the candidates of a publisher's offer. The relay can be reached,
// so the publisher's checks teach every address that matters, and the relay never sends to
// one that did not ask first (nor resolves the names behind which browsers hide them).
func withoutCandidates(offer string) string {
	lines := strings.SplitAfter(offer, "\n")
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, "a=candidate:")
	}), "")
}
