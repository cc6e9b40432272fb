package sfu

import (
	"strings"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
)

// forwarded tells whether a header extension goes from publisher to viewer. Left out are
// those that belong to one hop (transport-cc, abs-send-time, mid and rid). The frame numbers of the
// dependency descriptor are rewritten at each change of source (dependency.go); what the relay fills in
// itself is in elements.go.
func forwarded(uri string, kind media.Kind) bool {
	switch uri {
	case ext.URIAbsCaptureTime:
		return true
	case ext.URIPlayoutDelay, ext.URIVideoOrientation, ext.URIDependency:
		return kind == media.KindVideo
	case ext.URIAudioLevel:
		return kind == media.KindAudio
	}
	return false
}

// extensionMap maps the publisher's extension ids to the viewer's, but for those that the relay fills in: own has the
// ids of those.
func extensionMap(publisher, viewer []extension, kind media.Kind, own ownIDs) ext.Map {
	var m ext.Map
	for _, p := range publisher {
		for _, v := range viewer {
			id := uint8(v.id)
			if p.uri == v.uri && forwarded(p.uri, kind) && p.id <= 255 && id != own.capture && id != own.playout {
				// A map that is full leaves the rest out, which is what it is for.
				_ = m.Set(uint8(p.id), id)
			}
		}
	}
	return m
}

// matchFormat finds the viewer's format for what a publisher sends. The profile must fit
// what the viewer's decoder was made for; among those the closest wins.
func matchFormat(source format, viewer []format) (format, bool) {
	best, score := format{}, 0
	for _, f := range viewer {
		if f.codec != source.codec {
			continue
		}
		if s := similarity(source, f); s > score {
			best, score = f, s
		}
	}
	return best, score > 0
}

// similarity is 0 for formats that do not go together.
func similarity(source, f format) int {
	switch source.codec {
	case media.CodecH264:
		return similarH264(source.fmtp, f.fmtp)
	case media.CodecVP9:
		return same(orDefault(fmtpValue(source.fmtp, "profile-id"), "0"), orDefault(fmtpValue(f.fmtp, "profile-id"), "0"))
	case media.CodecAV1:
		return same(orDefault(fmtpValue(source.fmtp, "profile"), "0"), orDefault(fmtpValue(f.fmtp, "profile"), "0"))
	case media.CodecOpus:
		// Stereo is signalled inside Opus; the fmtp only tells what the receiver prefers.
		return 1 + same(fmtpValue(source.fmtp, "stereo"), fmtpValue(f.fmtp, "stereo"))
	}
	return 1
}

func same(a, b string) int {
	if strings.EqualFold(a, b) {
		return 1
	}
	return 0
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// similarH264 compares packetization mode and profile (RFC 6184 section 8.1). A viewer of
// mode 1 reads mode 0 as well, not the other way round. Of the profiles the same one is
// best; a decoder for a higher one plays the lower ones.
func similarH264(source, viewer string) int {
	from, to := orDefault(fmtpValue(source, "packetization-mode"), "0"), orDefault(fmtpValue(viewer, "packetization-mode"), "0")
	if from != to && (from != "0" || to != "1") {
		return 0
	}
	have, want := h264Rank(source), h264Rank(viewer)
	if have > want {
		return 0
	}
	// 8 points for the same profile, less for each step that the viewer's is above it.
	return 2*(8-(want-have)) + same(from, to)
}

// h264Rank orders the profiles by what their decoders play: constrained baseline, baseline,
// main, high, and what is above. The default is baseline (RFC 6184 section 8.1).
func h264Rank(fmtp string) int {
	id := strings.ToLower(orDefault(fmtpValue(fmtp, "profile-level-id"), "42000a"))
	switch {
	case len(id) != 6:
		return 1
	case id[:2] == "42" && strings.ContainsRune("4567cdef", rune(id[2])): // constraint_set1_flag
		return 0
	case id[:2] == "42":
		return 1
	case id[:2] == "4d":
		return 2
	case id[:2] == "64":
		return 3
	default:
		return 4
	}
}
