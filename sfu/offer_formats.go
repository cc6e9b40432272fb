package sfu

import (
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"github.com/fanfare-relay/fanfare/media"
)

// parseFormats returns the payload types of codecs that are forwarded, with their RTX.
func parseFormats(m *sdp.MediaDescription, kind media.Kind) []format {
	maps, fmtps := formatLines(m, "rtpmap"), formatLines(m, "fmtp")
	var list []format
	for _, name := range m.MediaName.Formats {
		pt, err := strconv.ParseUint(name, 10, 7)
		if err != nil {
			continue
		}
		encoding, rate, _ := strings.Cut(maps[name], "/")
		rate, channels, _ := strings.Cut(rate, "/")
		codec := media.ParseCodec(encoding)
		if codec.Kind() != kind || rate != strconv.Itoa(int(codec.ClockRate())) {
			continue
		}
		f := format{pt: media.PayloadType(pt), codec: codec, fmtp: strings.Clone(fmtps[name])}
		f.channels, _ = strconv.Atoi(channels)
		if codec == media.CodecOpus && f.channels != 2 {
			continue // RFC 7587 section 7: always opus/48000/2
		}
		f.readFeedback(m, name)
		f.rtx = findRTX(m, maps, fmtps, name)
		list = append(list, f)
	}
	return list
}

// findRTX returns the payload type that repeats the given one (RFC 4588 section 8.6).
func findRTX(m *sdp.MediaDescription, maps, fmtps map[string]string, pt string) media.PayloadType {
	for _, name := range m.MediaName.Formats {
		encoding, _, _ := strings.Cut(maps[name], "/")
		if !strings.EqualFold(encoding, "rtx") || fmtpValue(fmtps[name], "apt") != pt {
			continue
		}
		if n, err := strconv.ParseUint(name, 10, 7); err == nil {
			return media.PayloadType(n)
		}
	}
	return 0
}

func (f *format) readFeedback(m *sdp.MediaDescription, pt string) {
	for _, a := range m.Attributes {
		who, what, _ := strings.Cut(a.Value, " ")
		if a.Key != "rtcp-fb" || who != pt && who != "*" {
			continue
		}
		switch strings.TrimSpace(what) {
		case "nack":
			f.nack = true
		case "nack pli":
			f.pli = true
		case "ccm fir":
			f.fir = true
		case "transport-cc":
			f.transportCC = true
		case "goog-remb":
			f.remb = true
		}
	}
}

// formatLines gathers the values of an attribute that begins with a payload type.
func formatLines(m *sdp.MediaDescription, key string) map[string]string {
	lines := map[string]string{}
	for _, a := range m.Attributes {
		if pt, value, ok := strings.Cut(a.Value, " "); a.Key == key && ok {
			if _, twice := lines[pt]; !twice {
				lines[pt] = strings.TrimSpace(value)
			}
		}
	}
	return lines
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

func parseExtensions(m *sdp.MediaDescription) []extension {
	var list []extension
	for _, a := range m.Attributes {
		if a.Key != "extmap" {
			continue
		}
		fields := strings.Fields(a.Value)
		if len(fields) < 2 {
			continue
		}
		number, _, _ := strings.Cut(fields[0], "/")
		id, err := strconv.Atoi(number)
		if err != nil || id < 1 || id > 255 || id == 15 {
			continue
		}
		list = append(list, extension{id: id, uri: strings.Clone(fields[1])})
	}
	return list
}

func parseRIDs(m *sdp.MediaDescription) []media.RID {
	var list []media.RID
	for _, a := range m.Attributes {
		fields := strings.Fields(a.Value)
		if a.Key == "rid" && len(fields) >= 2 && fields[1] == "send" && len(fields[0]) <= 16 {
			list = append(list, media.RID(strings.Clone(fields[0])))
		}
	}
	return list
}
