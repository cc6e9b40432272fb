package sfu

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// modelOffer is what an offer says, read line by line, in the plainest way. Whether a text is SDP at all is left to the
// parser.
type modelOffer struct {
	session modelLines
	media   []modelMedia
}

// modelMedia is an m-line with its attributes.
type modelMedia struct {
	name, port, proto string
	formats           []string
	modelLines
}

// modelLines are attributes in the order of the offer, each with its key and its value.
type modelLines [][2]string

// all are the values of the attributes with a key.
func (l modelLines) all(key string) (values []string) {
	for _, line := range l {
		if line[0] == key {
			values = append(values, line[1])
		}
	}
	return values
}

func (l modelLines) has(key string) bool { return len(l.all(key)) > 0 }

// first is the value of the first attribute with a key, "" without one.
func (l modelLines) first(key string) string { return append(l.all(key), "")[0] }

// modelReads tells whether lines are what they seem to be. pion takes a lone carriage return for the end of some
// lines and for a part of others; and behind the words that it needs of v=, o=, t= and c= it reads on as if a line began
// there. RFC 8866 section 9 has neither. Such texts the model does not judge.
func modelReads(text string) bool {
	if strings.Contains(strings.ReplaceAll(text, "\r\n", "\n"), "\r") {
		return false
	}
	for _, line := range strings.Split(text, "\n") {
		if len(line) > 2 && strings.Contains("votcrz", line[:1]) && strings.Contains(line[2:], "=") {
			return false
		}
	}
	return true
}

func readModelOffer(text string) (o modelOffer) {
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch {
		case strings.HasPrefix(line, "m="):
			words := strings.FieldsFunc(line[2:], func(r rune) bool { return r == ' ' || r == '\t' })
			words = append(words, "", "", "") // those that are missing make it no SDP
			o.media = append(o.media, modelMedia{name: words[0], port: words[1], proto: words[2], formats: words[3:max(3, len(words)-3)]})
		case strings.HasPrefix(line, "a="):
			key, value, _ := strings.Cut(line[2:], ":")
			if n := len(o.media); n > 0 {
				o.media[n-1].modelLines = append(o.media[n-1].modelLines, [2]string{key, value})
			} else {
				o.session = append(o.session, [2]string{key, value})
			}
		}
	}
	return o
}

// direction is the m-line's own, or the session's, or both ways.
func (o modelOffer) direction(m modelMedia) string {
	for _, line := range slices.Concat(m.modelLines, o.session) {
		if slices.Contains([]string{"sendrecv", "sendonly", "recvonly", "inactive"}, line[0]) {
			return line[0]
		}
	}
	return "sendrecv"
}

// live tells whether the offerer has not switched off the m-line.
func (o modelOffer) live(m modelMedia) bool {
	port, _ := strconv.Atoi(strings.Split(m.port, "/")[0])
	return o.direction(m) != "inactive" && (port != 0 || m.has("bundle-only"))
}

// lives are the m-lines that are to be served.
func (o modelOffer) lives() (list []modelMedia) {
	for _, m := range o.media {
		if o.live(m) {
			list = append(list, m)
		}
	}
	return list
}

// transport is an attribute of the first m-line that is live, which carries the others, or of the session.
func (o modelOffer) transport(key string) string {
	if value := o.lives()[0].first(key); value != "" {
		return value
	}
	return o.session.first(key)
}

// result is what parseOffer has to return. Strings that it takes as they are stay so.
func (o modelOffer) result(role media.Role) offer {
	result := offer{
		ice:     lite.Credentials{Ufrag: o.transport("ice-ufrag"), Pwd: o.transport("ice-pwd")},
		mixed:   o.session.has("extmap-allow-mixed"),
		passive: o.transport("setup") == "passive", fingerprints: o.fingerprints(),
	}
	for _, m := range o.media {
		t := trackOffer{mid: media.MID(m.first("mid")), name: m.name, proto: m.proto, live: o.live(m)}
		if !t.live {
			t.rawFmts = m.formats
		} else {
			t.kind = modelKind(m.name)
			t.formats, t.parity = m.served(), m.parity()
			t.exts, t.rids = m.extensions(role == media.RolePublisher || result.mixed), m.rids()
		}
		result.tracks = append(result.tracks, t)
	}
	return result
}

func modelKind(name string) media.Kind {
	return map[string]media.Kind{"audio": media.KindAudio, "video": media.KindVideo}[name]
}

// fingerprints are those of sound hashes, the first m-line's before the session's, four at most.
func (o modelOffer) fingerprints() (list []lite.Fingerprint) {
	sizes := map[string]int{"sha-256": 32, "sha-384": 48, "sha-512": 64}
	for _, text := range append(o.lives()[0].all("fingerprint"), o.session.all("fingerprint")...) {
		words := strings.Split(strings.TrimSpace(text), " ")
		f := lite.Fingerprint{Algorithm: strings.ToLower(words[0])}
		for _, pair := range strings.Split(strings.Join(words[1:], " "), ":") {
			if b, err := strconv.ParseUint(pair, 16, 8); err == nil && len(pair) == 2 {
				f.Value = append(f.Value, byte(b))
			} else {
				f.Algorithm = "" // no digits
			}
		}
		if size := sizes[f.Algorithm]; size > 0 && len(f.Value) == size && len(list) < 4 {
			list = append(list, f)
		}
	}
	return list
}

// modelNumber is a payload type, of seven bits.
func modelNumber(text string) (media.PayloadType, bool) {
	n, err := strconv.ParseUint(text, 10, 64)
	return media.PayloadType(n), err == nil && n <= 127
}

// of is what the first line of a key says of a payload type, that says anything.
func (m modelMedia) of(key string, pt media.PayloadType) string {
	for _, value := range m.all(key) {
		name, what, _ := strings.Cut(value, " ")
		if n, ok := modelNumber(name); ok && n == pt && strings.TrimSpace(what) != "" {
			return strings.TrimSpace(what)
		}
	}
	return ""
}

// encoding is the name of a payload type's encoding with its clock rate and channels.
func (m modelMedia) encoding(pt media.PayloadType) (name, rate, channels string) {
	parts := append(strings.SplitN(m.of("rtpmap", pt), "/", 3), "", "")
	return parts[0], parts[1], parts[2]
}

// numbers are the payload types of the m-line.
func (m modelMedia) numbers() (list []media.PayloadType) {
	for _, text := range m.formats {
		if pt, ok := modelNumber(text); ok {
			list = append(list, pt)
		}
	}
	return list
}

// helper is the first payload type but 0, of an encoding, that is for another payload type by what its fmtp says.
func (m modelMedia) helper(encoding string, pt media.PayloadType, other func(fmtp string) string) media.PayloadType {
	for _, number := range m.numbers() {
		name, _, _ := m.encoding(number)
		of, ok := modelNumber(other(m.of("fmtp", number)))
		if number != 0 && strings.EqualFold(name, encoding) && ok && of == pt {
			return number
		}
	}
	return 0
}

// modelApt is the payload type that RTX repeats (RFC 4588 section 8.6).
func modelApt(fmtp string) string {
	for _, part := range strings.Split(fmtp, ";") {
		if name, value, _ := strings.Cut(strings.TrimSpace(part), "="); strings.EqualFold(name, "apt") {
			return value
		}
	}
	return ""
}

// modelRed is the payload type that comes with what came before (RFC 2198 section 5).
func modelRed(fmtp string) string { return strings.Split(fmtp, "/")[0] }

// offers tells whether a kind of feedback is offered for a payload type, or for all.
func (m modelMedia) offers(feedback string, pt media.PayloadType) bool {
	for _, value := range m.all("rtcp-fb") {
		name, what, _ := strings.Cut(value, " ")
		n, ok := modelNumber(name)
		if strings.TrimSpace(what) == feedback && (name == "*" || ok && n == pt) {
			return true
		}
	}
	return false
}

// served are the formats with a codec that is forwarded, at its clock rate; opus has two channels (RFC 7587 section 7).
func (m modelMedia) served() (list []format) {
	codecs := map[string][]media.Codec{
		"audio": {media.CodecOpus}, "video": {media.CodecVP8, media.CodecVP9, media.CodecH264, media.CodecAV1},
	}
	for _, pt := range m.numbers() {
		name, rate, channels := m.encoding(pt)
		for _, codec := range codecs[m.name] {
			opus := codec == media.CodecOpus
			if !strings.EqualFold(name, codec.String()) || !opus && rate != "90000" || opus && rate != "48000" {
				continue
			}
			f := format{pt: pt, codec: codec, fmtp: m.of("fmtp", pt), rtx: m.helper("rtx", pt, modelApt), feedback: feedback{
				nack: m.offers("nack", pt), pli: m.offers("nack pli", pt), fir: m.offers("ccm fir", pt),
				transportCC: m.offers("transport-cc", pt), remb: m.offers("goog-remb", pt), rrtr: m.offers("rrtr", pt),
			}}
			f.channels, _ = strconv.Atoi(channels)
			if opus {
				f.red = m.helper("red", pt, modelRed)
			}
			if !opus || f.channels == 2 {
				list = append(list, f)
			}
		}
	}
	return list
}

// parity is the first format of parity packets for pictures, but for the payload type 0.
func (m modelMedia) parity() parityFormat {
	for _, pt := range m.numbers() {
		if name, _, _ := m.encoding(pt); m.name == "video" && pt != 0 && strings.EqualFold(name, "flexfec-03") {
			return parityFormat{pt: pt, transportCC: m.offers("transport-cc", pt)}
		}
	}
	return parityFormat{}
}

// extensions are the known ones with an id that can be used: 15 is reserved (RFC 8285 section 4.2). Long ones are for those
// that take both forms of header.
func (m modelMedia) extensions(long bool) (list []extension) {
	for _, value := range m.all("extmap") {
		name, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
		id, err := strconv.Atoi(strings.Split(name, "/")[0]) // behind it stands a direction
		uri, known := ext.Known(strings.Split(strings.TrimSpace(rest), " ")[0])
		switch {
		case err != nil || !known || id < 1 || id == 15 || id > 255:
		case !long && (id > 14 || strings.HasSuffix(uri, "#dependency-descriptor-rtp-header-extension")):
		default:
			list = append(list, extension{id: id, uri: uri})
		}
	}
	return list
}

// rids are those of encodings that are sent, with names of up to 16 bytes.
func (m modelMedia) rids() (list []media.RID) {
	for _, value := range m.all("rid") {
		if words := append(strings.Fields(value), "", ""); words[1] == "send" && len(words[0]) <= 16 {
			list = append(list, media.RID(words[0]))
		}
	}
	return list
}

// faults are all the reasons for which an offer must be refused, but that it is no SDP.
func (o modelOffer) faults(role media.Role, text string) (list []string) {
	fault := func(is bool, reason string) {
		if is {
			list = append(list, reason)
		}
	}
	fault(len(text) > 65536, "too long")
	fault(len(o.media) == 0, "no m-line")
	fault(len(o.media) > 16, "too many m-lines")
	candidates := 0
	for _, m := range o.media {
		candidates += len(m.all("candidate"))
		fault(candidates > 64, "too many candidates")
		fault(len(m.all("rid")) > 4, "too many rids")
		fault(len(m.all("extmap")) > 32, "too many header extensions")
		fault(len(m.formats) > 96, "too many formats")
	}
	kinds, mids := map[string]int{}, map[string]int{}
	for _, m := range o.lives() {
		mid, direction := m.first("mid"), o.direction(m)
		kinds[m.name]++
		mids[mid]++
		fault(m.name != "audio" && m.name != "video", "an m-line that is neither audio nor video")
		fault(m.proto != "UDP/TLS/RTP/SAVPF", "not UDP/TLS/RTP/SAVPF")
		fault(mid == "" || len(mid) > 32 || strings.Contains(mid, " ") || strings.Contains(mid, "\t"), "an m-line without mid")
		fault(mids[mid] > 1, "a mid that is used twice")
		fault(!m.has("rtcp-mux"), "no rtcp-mux")
		fault(role == media.RolePublisher && direction == "recvonly", "a publisher's m-line that only receives")
		fault(role == media.RoleSubscriber && direction == "sendonly", "a viewer's m-line that only sends")
		fault(len(m.served()) == 0, "no codec in common for "+m.name)
		fault(len(m.rids()) > 0 && (role == media.RoleSubscriber || m.name != "video"), "rids where none can be served")
	}
	fault(kinds["audio"] > 1 || kinds["video"] > 1, "more than one m-line of a kind")
	fault(len(o.lives()) == 0, "no m-line that can be served")
	if len(o.lives()) > 0 {
		fault(len(o.lives()) > 1 && !o.bundled(), "no BUNDLE of all m-lines")
		fault(!modelUfrag.MatchString(o.transport("ice-ufrag")) || !modelPwd.MatchString(o.transport("ice-pwd")), "no ICE credentials")
		fault(o.session.has("ice-lite"), "an ICE-lite offerer")
		fault(role == media.RoleSubscriber && o.transport("setup") == "passive", "setup:passive, which is the relay's own role")
		fault(len(o.fingerprints()) == 0, "no fingerprint")
	}
	return list
}

// What credentials are made of (RFC 8839 section 5.4).
var (
	modelUfrag = regexp.MustCompile(`^[A-Za-z0-9+/]{4,256}$`)
	modelPwd   = regexp.MustCompile(`^[A-Za-z0-9+/]{22,256}$`)
)

// bundled tells whether one group has the mids of all m-lines that are live.
func (o modelOffer) bundled() bool {
	for _, group := range o.session.all("group") {
		words := append(strings.Fields(group), "")
		missing := 0
		for _, m := range o.lives() {
			if !slices.Contains(words[1:], m.first("mid")) {
				missing++
			}
		}
		if words[0] == "BUNDLE" && missing == 0 {
			return true
		}
	}
	return false
}

// checkOffer compares what became of an offer with the model: it is accepted where the model finds no fault, and is
// refused for one that the model finds as well; and its meaning is the same.
func checkOffer(t *testing.T, role media.Role, text string, got *offer, err error) {
	t.Helper()
	if !modelReads(text) {
		return
	}
	m := readModelOffer(text)
	faults := m.faults(role, text)
	switch {
	case err != nil:
		reason := strings.TrimPrefix(err.Error(), media.ErrBadOffer.Error()+": ")
		if reason != "not SDP" && !slices.Contains(faults, reason) {
			t.Fatalf("refused: %q; the model finds %q in\n%s", reason, faults, text)
		}
	case len(faults) > 0:
		t.Fatalf("accepted, where the model finds %q in\n%s", faults, text)
	default:
		have, want := *got, m.result(role)
		for i := range have.tracks {
			if p := &have.tracks[i].parity; p.pt == 0 {
				*p = parityFormat{} // 0 is none
			}
		}
		if a, b := fmt.Sprintf("%+v", have), fmt.Sprintf("%+v", want); a != b {
			t.Fatalf("it reads\n%s\nwant\n%s\nin\n%s", a, b, text)
		}
	}
}
