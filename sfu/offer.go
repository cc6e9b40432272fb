package sfu

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// Limits on an offer. They bound the work that one POST can cause.
const (
	maxOfferBytes   = 64 << 10
	maxMLines       = 16
	maxCandidates   = 64
	maxRIDs         = 4
	maxFormats      = 96 // Chromium offers about 45 for video
	maxExtensions   = 32
	maxFingerprints = 4
)

const rtpProfile = "UDP/TLS/RTP/SAVPF"

// offer is what an SDP offer that passed the checks says. Its strings are copies: none
// of them keeps the offer's text alive.
type offer struct {
	ice          lite.Credentials
	fingerprints []lite.Fingerprint
	mixed        bool // extmap-allow-mixed, RFC 8285 section 6
	passive      bool // setup:passive, RFC 4145 section 4: a publisher who insists on being the DTLS server
	// tracks has one element for each m-line, in the offer's order.
	tracks []trackOffer
}

// trackOffer is one m-line.
type trackOffer struct {
	mid     media.MID
	kind    media.Kind
	name    string // the m-line's media name, protocol and formats, for those that are not live
	proto   string
	rawFmts []string // of one that is not live
	live    bool     // not refused or inactive by the offerer
	formats []format
	parity  parityFormat
	exts    []extension
	rids    []media.RID
}

// hasRTX tells whether any of the formats can be repeated by RTX.
func (t *trackOffer) hasRTX() bool {
	return slices.ContainsFunc(t.formats, func(f format) bool { return f.rtx != 0 })
}

// repeatsAsSent tells whether any of the formats can be repeated, and not by RTX: such a packet
// is sent again as it was.
func (t *trackOffer) repeatsAsSent() bool {
	return slices.ContainsFunc(t.formats, func(f format) bool { return f.nack && f.rtx == 0 })
}

// transportID is the viewer's id of the transport-wide sequence number; 0 when no packet has one.
func (t *trackOffer) transportID() uint8 {
	if !slices.ContainsFunc(t.formats, format.numbered) {
		return 0
	}
	for _, e := range t.exts {
		if e.uri == ext.URITransportCC && e.id <= 14 {
			return uint8(e.id)
		}
	}
	return 0
}

// estimates tells whether the viewer gives feedback about its line for this track.
func (t *trackOffer) estimates() bool {
	return t.transportID() != 0 || slices.ContainsFunc(t.formats, func(f format) bool { return f.remb })
}

// format is one payload type of a codec of ours.
type format struct {
	pt       media.PayloadType
	codec    media.Codec
	channels int
	fmtp     string
	rtx      media.PayloadType // 0: none offered
	red      media.PayloadType // with what came before, 0: none offered
	feedback
}

// numbered tells whether the format's packets may have a transport-wide sequence number: the
// viewer's feedback speaks of it, and no packet is repeated as it was, under a number of long ago.
func (f format) numbered() bool { return f.transportCC && f.changes() }

// changes tells whether a packet may say what changes with time: none is repeated as it was.
func (f format) changes() bool { return f.rtx != 0 || !f.nack }

type extension struct {
	id  int
	uri string
}

// parseOffer reads an offer and checks that the role can be served with it. Errors wrap
// media.ErrBadOffer with a short stable reason that holds nothing of the offer's text.
func parseOffer(role media.Role, text string) (*offer, error) {
	if len(text) > maxOfferBytes {
		return nil, badOffer("too long")
	}
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(text); err != nil {
		return nil, badOffer("not SDP")
	}
	if err := checkSizes(&desc); err != nil {
		return nil, err
	}
	o := &offer{mixed: hasAttribute(desc.Attributes, "extmap-allow-mixed")}
	for _, m := range desc.MediaDescriptions {
		track, err := parseTrack(role, &desc, m)
		if err != nil {
			return nil, err
		}
		if role == media.RoleSubscriber && !o.mixed {
			track.exts = withoutLong(track.exts)
		}
		o.tracks = append(o.tracks, track)
	}
	if err := checkTracks(role, o); err != nil {
		return nil, err
	}
	if err := o.readTransport(role, &desc); err != nil {
		return nil, err
	}
	return o, nil
}

func badOffer(reason string) error { return fmt.Errorf("%w: %s", media.ErrBadOffer, reason) }

func checkSizes(desc *sdp.SessionDescription) error {
	switch {
	case len(desc.MediaDescriptions) == 0:
		return badOffer("no m-line")
	case len(desc.MediaDescriptions) > maxMLines:
		return badOffer("too many m-lines")
	}
	candidates := 0
	for _, m := range desc.MediaDescriptions {
		rids, exts := 0, 0
		for _, a := range m.Attributes {
			switch a.Key {
			case "candidate":
				candidates++
			case "rid":
				rids++
			case "extmap":
				exts++
			}
		}
		switch {
		case candidates > maxCandidates:
			return badOffer("too many candidates")
		case rids > maxRIDs:
			return badOffer("too many rids")
		case exts > maxExtensions:
			return badOffer("too many header extensions")
		case len(m.MediaName.Formats) > maxFormats:
			return badOffer("too many formats")
		}
	}
	return nil
}

// parseTrack reads one m-line. Those that the offerer has switched off (port 0 without
// bundle-only, or inactive) are kept as dead lines: an answer must repeat them.
func parseTrack(role media.Role, desc *sdp.SessionDescription, m *sdp.MediaDescription) (trackOffer, error) {
	t := trackOffer{
		mid:   media.MID(strings.Clone(attribute(m.Attributes, "mid"))),
		name:  strings.Clone(m.MediaName.Media),
		proto: strings.Clone(strings.Join(m.MediaName.Protos, "/")),
	}
	direction := trackDirection(desc, m)
	if direction == "inactive" || m.MediaName.Port.Value == 0 && !hasAttribute(m.Attributes, "bundle-only") {
		t.rawFmts = cloneAll(m.MediaName.Formats)
		return t, nil
	}
	t.live = true
	switch {
	case m.MediaName.Media == "audio":
		t.kind = media.KindAudio
	case m.MediaName.Media == "video":
		t.kind = media.KindVideo
	default:
		return t, badOffer("an m-line that is neither audio nor video")
	}
	if t.proto != rtpProfile {
		return t, badOffer("not " + rtpProfile)
	}
	if t.mid == "" || len(t.mid) > 32 || strings.ContainsAny(string(t.mid), " \t") {
		return t, badOffer("an m-line without mid")
	}
	if !hasAttribute(m.Attributes, "rtcp-mux") {
		return t, badOffer("no rtcp-mux")
	}
	if role == media.RolePublisher && direction == "recvonly" {
		return t, badOffer("a publisher's m-line that only receives")
	}
	if role == media.RoleSubscriber && direction == "sendonly" {
		return t, badOffer("a viewer's m-line that only sends")
	}
	t.formats, t.parity = parseFormats(m, t.kind)
	t.exts = parseExtensions(m)
	t.rids = parseRIDs(m)
	if len(t.formats) == 0 {
		return t, badOffer("no codec in common for " + t.kind.String())
	}
	return t, nil
}

// trackDirection returns the m-line's direction: its own, the session's, or sendrecv (RFC 8866 section 6.7).
func trackDirection(desc *sdp.SessionDescription, m *sdp.MediaDescription) string {
	for _, attrs := range [][]sdp.Attribute{m.Attributes, desc.Attributes} {
		for _, a := range attrs {
			switch a.Key {
			case "sendrecv", "sendonly", "recvonly", "inactive":
				return a.Key
			}
		}
	}
	return "sendrecv"
}

// checkTracks allows one audio and one video m-line: WHIP and WHEP have no renegotiation
// that could make use of more, and an m-line that is not served fails the whole offer.
func checkTracks(role media.Role, o *offer) error {
	var seen [3]int
	mids := map[media.MID]bool{}
	for i := range o.tracks {
		t := &o.tracks[i]
		if !t.live {
			continue
		}
		seen[t.kind]++
		if mids[t.mid] {
			return badOffer("a mid that is used twice")
		}
		mids[t.mid] = true
		if len(t.rids) > 0 && (role != media.RolePublisher || t.kind != media.KindVideo) {
			return badOffer("rids where none can be served")
		}
	}
	switch {
	case seen[media.KindAudio]+seen[media.KindVideo] == 0:
		return badOffer("no m-line that can be served")
	case seen[media.KindAudio] > 1 || seen[media.KindVideo] > 1:
		return badOffer("more than one m-line of a kind")
	}
	return nil
}

// readTransport reads ICE and DTLS parameters from the first live m-line, which carries
// the bundle (RFC 9143 section 7.2.1), or from the session level.
func (o *offer) readTransport(role media.Role, desc *sdp.SessionDescription) error {
	first := -1
	live := 0
	for i := range o.tracks {
		if !o.tracks[i].live {
			continue
		}
		live++
		if first < 0 {
			first = i
		}
	}
	if live > 1 && !bundled(desc, o.tracks) {
		return badOffer("no BUNDLE of all m-lines")
	}
	own := desc.MediaDescriptions[first].Attributes
	either := func(key string) string { return cmp.Or(attribute(own, key), attribute(desc.Attributes, key)) }
	o.ice = lite.Credentials{Ufrag: strings.Clone(either("ice-ufrag")), Pwd: strings.Clone(either("ice-pwd"))}
	o.passive = either("setup") == "passive"
	switch {
	case !o.ice.Valid():
		return badOffer("no ICE credentials")
	case hasAttribute(desc.Attributes, "ice-lite"):
		return badOffer("an ICE-lite offerer")
	case role == media.RoleSubscriber && o.passive:
		return badOffer("setup:passive, which is the relay's own role")
	}
	o.readFingerprints(own)
	o.readFingerprints(desc.Attributes)
	if len(o.fingerprints) == 0 {
		return badOffer("no fingerprint")
	}
	return nil
}

func (o *offer) readFingerprints(attrs []sdp.Attribute) {
	for i := range attrs {
		if attrs[i].Key != "fingerprint" || len(o.fingerprints) == maxFingerprints {
			continue
		}
		if f, err := lite.ParseFingerprint(attrs[i].Value); err == nil { // others use hashes that are not sound
			o.fingerprints = append(o.fingerprints, f)
		}
	}
}

// bundled tells whether one BUNDLE group holds every live m-line.
func bundled(desc *sdp.SessionDescription, tracks []trackOffer) bool {
	for _, a := range desc.Attributes {
		fields := strings.Fields(a.Value)
		if a.Key != "group" || len(fields) == 0 || fields[0] != "BUNDLE" {
			continue
		}
		all := true
		for i := range tracks {
			all = all && (!tracks[i].live || slices.Contains(fields[1:], string(tracks[i].mid)))
		}
		if all {
			return true
		}
	}
	return false
}

func attribute(attrs []sdp.Attribute, key string) string {
	for _, a := range attrs {
		if a.Key == key {
			return a.Value
		}
	}
	return ""
}

func hasAttribute(attrs []sdp.Attribute, key string) bool {
	return slices.ContainsFunc(attrs, func(a sdp.Attribute) bool { return a.Key == key })
}

func cloneAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.Clone(s)
	}
	return out
}
