package sfu

import (
	"fmt"
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

// trackSSRC are the sources of one viewer's track; rtx is 0 when the viewer has no RTX.
type trackSSRC struct{ main, rtx media.SSRC }

// answerViewer writes the answer to a WHEP offer. Every format of ours is kept, in the
// offer's order and under its numbers: a publisher may come back with another codec,
// and WHEP has no renegotiation. Ports, addresses and extension ids follow JSEP
// (RFC 9429 section 5.3) for an ICE-lite, passive endpoint with one bundled transport.
func answerViewer(o *offer, p answerParams) string {
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- %d 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", p.origin)
	b.WriteString("a=group:BUNDLE")
	for i := range o.tracks {
		if o.tracks[i].live {
			b.WriteString(" " + string(o.tracks[i].mid))
		}
	}
	b.WriteString("\r\na=ice-lite\r\na=msid-semantic: WMS *\r\n")
	if o.mixed {
		b.WriteString("a=extmap-allow-mixed\r\n")
	}
	for i := range o.tracks {
		if o.tracks[i].live {
			writeTrack(&b, &o.tracks[i], p, p.ssrcs[i])
		} else {
			writeDeadTrack(&b, &o.tracks[i])
		}
	}
	return b.String()
}

func writeTrack(b *strings.Builder, t *trackOffer, p answerParams, ssrc trackSSRC) {
	fmt.Fprintf(b, "m=%s 9 %s", t.kind, rtpProfile)
	for _, f := range t.formats {
		fmt.Fprintf(b, " %d", f.pt)
		if f.rtx != 0 {
			fmt.Fprintf(b, " %d", f.rtx)
		}
	}
	b.WriteString("\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n")
	attr := func(key, value string) { b.WriteString("a=" + key + ":" + value + "\r\n") }
	attr("ice-ufrag", p.ice.Ufrag)
	attr("ice-pwd", p.ice.Pwd)
	attr("fingerprint", p.fingerprint)
	attr("setup", "passive")
	attr("mid", string(t.mid))
	transport := t.transportID() != 0
	for _, e := range t.exts {
		if forwarded(e.uri, t.kind) || e.uri == ext.URITransportCC && transport {
			attr("extmap", strconv.Itoa(e.id)+" "+e.uri)
		}
	}
	b.WriteString("a=sendonly\r\n")
	attr("msid", p.stream+" "+t.kind.String())
	b.WriteString("a=rtcp-mux\r\na=rtcp-rsize\r\n")
	for _, f := range t.formats {
		writeFormat(b, f, transport)
	}
	writeSources(b, t, p, ssrc)
	for _, c := range p.candidates {
		attr("candidate", c)
	}
	b.WriteString("a=end-of-candidates\r\n")
}

func writeFormat(b *strings.Builder, f format, transport bool) {
	fmt.Fprintf(b, "a=rtpmap:%d %s/%d", f.pt, f.codec, f.codec.ClockRate())
	if f.channels > 0 {
		fmt.Fprintf(b, "/%d", f.channels)
	}
	b.WriteString("\r\n")
	for _, fb := range f.feedback(transport) {
		fmt.Fprintf(b, "a=rtcp-fb:%d %s\r\n", f.pt, fb)
	}
	if f.fmtp != "" {
		fmt.Fprintf(b, "a=fmtp:%d %s\r\n", f.pt, f.fmtp)
	}
	if f.rtx != 0 {
		fmt.Fprintf(b, "a=rtpmap:%d rtx/%d\r\na=fmtp:%d apt=%d\r\n", f.rtx, f.codec.ClockRate(), f.rtx, f.pt)
	}
}

// feedback lists the RTCP feedback (RFC 4585, RFC 5104) that was offered and is served.
// About the line, transport-wide feedback is preferred: it tells more, and sooner.
func (f format) feedback(transport bool) []string {
	var list []string
	if f.nack {
		list = append(list, "nack")
	}
	if f.pli {
		list = append(list, "nack pli")
	}
	if f.fir {
		list = append(list, "ccm fir")
	}
	if transport && f.numbered() {
		list = append(list, "transport-cc")
	} else if f.remb {
		list = append(list, "goog-remb")
	}
	return list
}

// writeSources names the track's SSRC and that of its RTX (RFC 5576, group FID).
func writeSources(b *strings.Builder, t *trackOffer, p answerParams, ssrc trackSSRC) {
	list := []media.SSRC{ssrc.main}
	if ssrc.rtx != 0 {
		fmt.Fprintf(b, "a=ssrc-group:FID %d %d\r\n", ssrc.main, ssrc.rtx)
		list = append(list, ssrc.rtx)
	}
	for _, s := range list {
		fmt.Fprintf(b, "a=ssrc:%d cname:%s\r\na=ssrc:%d msid:%s %s\r\n", s, p.cname, s, p.stream, t.kind)
	}
}

// writeDeadTrack repeats an m-line that the offerer has switched off itself.
func writeDeadTrack(b *strings.Builder, t *trackOffer) {
	fmt.Fprintf(b, "m=%s 0 %s %s\r\nc=IN IP4 0.0.0.0\r\n", t.name, t.proto, strings.Join(t.rawFmts, " "))
	if t.mid != "" {
		b.WriteString("a=mid:" + string(t.mid) + "\r\n")
	}
	b.WriteString("a=inactive\r\n")
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
