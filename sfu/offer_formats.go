package sfu

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
)

// formatLines is what an m-line's attributes say of each payload type.
type formatLines [128]struct {
	encoding, fmtp string
	rtx, red       media.PayloadType // those that repeat it, and that carry it with those before; 0: none
	feedback
}

// feedback is the RTCP feedback (RFC 4585, RFC 5104) that is served where it is offered.
type feedback struct {
	nack, pli, fir bool
	// transportCC and remb tell about the viewer's line.
	transportCC, remb bool
	// rrtr asks for the round trip (RFC 3611).
	rrtr bool
}

// read takes a=rtpmap, a=fmtp and a=rtcp-fb of an m-line. Of two lines for one payload type the
// first counts.
func (l *formatLines) read(m *sdp.MediaDescription) {
	for i := range m.Attributes {
		switch a := &m.Attributes[i]; a.Key {
		case "rtpmap", "fmtp":
			name, value, _ := strings.Cut(a.Value, " ")
			pt, ok := payloadType(name)
			if !ok {
				continue
			}
			to := &l[pt].encoding
			if a.Key == "fmtp" {
				to = &l[pt].fmtp
			}
			if *to == "" {
				*to = strings.TrimSpace(value)
			}
		case "rtcp-fb":
			l.readFeedback(a.Value)
		}
	}
	for _, name := range m.MediaName.Formats {
		l.readRepair(name)
	}
}

func (l *formatLines) readFeedback(value string) {
	name, what, _ := strings.Cut(value, " ")
	first, last := media.PayloadType(0), media.PayloadType(len(l)-1)
	if name != "*" {
		pt, ok := payloadType(name)
		if !ok {
			return
		}
		first, last = pt, pt
	}
	what = strings.TrimSpace(what)
	for pt := first; pt <= last; pt++ {
		switch what {
		case "nack":
			l[pt].nack = true
		case "nack pli":
			l[pt].pli = true
		case "ccm fir":
			l[pt].fir = true
		case "rrtr":
			l[pt].rrtr = true
		case "transport-cc":
			l[pt].transportCC = true
		case "goog-remb":
			l[pt].remb = true
		}
	}
}

// readRepair notes a payload type with those whose packets it repeats (RFC 4588 section 8.6) or
// carries once more (RFC 2198 section 5).
func (l *formatLines) readRepair(name string) {
	pt, ok := payloadType(name)
	if !ok {
		return
	}
	encoding, _, _ := strings.Cut(l[pt].encoding, "/")
	switch {
	case strings.EqualFold(encoding, "rtx"):
		if of, ok := payloadType(fmtpValue(l[pt].fmtp, "apt")); ok && l[of].rtx == 0 {
			l[of].rtx = pt
		}
	case strings.EqualFold(encoding, "red"):
		first, _, _ := strings.Cut(l[pt].fmtp, "/")
		if of, ok := payloadType(first); ok && l[of].red == 0 {
			l[of].red = pt
		}
	}
}

func payloadType(name string) (media.PayloadType, bool) {
	n, err := strconv.ParseUint(name, 10, 7)
	return media.PayloadType(n), err == nil
}

// parityFormat is the payload type of parity packets for a track's pictures; 0: none offered.
type parityFormat struct {
	pt          media.PayloadType
	transportCC bool
}

// parityEncoding is what browsers call the format that media/fec writes.
const parityEncoding = "flexfec-03"

// parseFormats returns the payload types of codecs that are forwarded, with their RTX, and that of
// parity.
func parseFormats(m *sdp.MediaDescription, kind media.Kind) (list []format, parity parityFormat) {
	var lines formatLines
	lines.read(m)
	for _, name := range m.MediaName.Formats {
		pt, ok := payloadType(name)
		if !ok {
			continue
		}
		l := &lines[pt]
		encoding, rate, _ := strings.Cut(l.encoding, "/")
		rate, channels, _ := strings.Cut(rate, "/")
		if kind == media.KindVideo && parity.pt == 0 && strings.EqualFold(encoding, parityEncoding) {
			parity = parityFormat{pt: pt, transportCC: l.transportCC}
		}
		codec := media.ParseCodec(encoding)
		if codec.Kind() != kind || rate != strconv.Itoa(int(codec.ClockRate())) {
			continue
		}
		f := format{pt: pt, codec: codec, fmtp: strings.Clone(l.fmtp), rtx: l.rtx, feedback: l.feedback}
		if kind == media.KindAudio { // of pictures, redundancy is another thing
			f.red = l.red
		}
		f.channels, _ = strconv.Atoi(channels)
		if codec == media.CodecOpus && f.channels != 2 {
			continue // RFC 7587 section 7: always opus/48000/2
		}
		list = append(list, f)
	}
	return slices.Clone(list), parity // as long as it is: viewers keep it
}

// fmtpValue returns one parameter of a format's fmtp line, "" when it is not there.
func fmtpValue(fmtp, key string) string {
	for part := range strings.SplitSeq(fmtp, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if strings.EqualFold(name, key) {
			return value
		}
	}
	return ""
}

// parseExtensions returns the header extensions that we know.
func parseExtensions(m *sdp.MediaDescription) []extension {
	var list []extension
	for i := range m.Attributes {
		a := &m.Attributes[i]
		if a.Key != "extmap" {
			continue
		}
		number, rest, _ := strings.Cut(strings.TrimSpace(a.Value), " ")
		uri, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		number, _, _ = strings.Cut(number, "/")
		id, err := strconv.Atoi(number)
		if err != nil || id < 1 || id > 255 || id == 15 {
			continue
		}
		if uri, ok := ext.Known(uri); ok {
			list = append(list, extension{id: id, uri: uri})
		}
	}
	return slices.Clone(list) // as long as it is: viewers keep it
}

// withoutLong leaves out what needs the two-byte form at times, which one that does not take both
// forms in turns may not get (RFC 8285 section 4.1.2).
func withoutLong(list []extension) []extension {
	return slices.DeleteFunc(list, func(e extension) bool { return e.uri == ext.URIDependency || e.id > 14 })
}

func parseRIDs(m *sdp.MediaDescription) []media.RID {
	var list []media.RID
	for _, a := range m.Attributes {
		if a.Key != "rid" {
			continue
		}
		fields := strings.Fields(a.Value)
		if len(fields) >= 2 && fields[1] == "send" && len(fields[0]) <= 16 {
			list = append(list, media.RID(strings.Clone(fields[0])))
		}
	}
	return list
}
