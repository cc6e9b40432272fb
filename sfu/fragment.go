package sfu

import (
	"fmt"
	"strings"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// maxFragmentLines bounds a trickle fragment: 64 candidates and some lines around them.
const maxFragmentLines = 256

// fragment is a checked trickle-ice-sdpfrag (RFC 8840 section 9).
type fragment struct {
	ice        lite.Credentials // without a password when the fragment has none
	mids       []media.MID
	candidates int
}

// parseFragment reads a PATCH body. Errors wrap media.ErrBadFragment.
func parseFragment(text string) (fragment, error) {
	var f fragment
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(text) > maxOfferBytes || len(lines) > maxFragmentLines {
		return f, badFragment("too long")
	}
	for _, line := range lines {
		if err := f.readLine(strings.TrimSuffix(line, "\r")); err != nil {
			return fragment{}, err
		}
	}
	if f.candidates > maxCandidates {
		return fragment{}, badFragment("too many candidates")
	}
	if f.ice.Pwd != "" && !f.ice.Valid() {
		return fragment{}, badFragment("bad ICE credentials")
	}
	return f, nil
}

func (f *fragment) readLine(line string) error {
	if line == "" {
		return nil
	}
	if len(line) < 2 || line[1] != '=' {
		return badFragment("a line without a type")
	}
	key, value, _ := strings.Cut(line[2:], ":")
	if line[0] != 'a' {
		return nil // m= and others carry nothing that is used
	}
	switch key {
	case "ice-ufrag":
		return once(&f.ice.Ufrag, value)
	case "ice-pwd":
		return once(&f.ice.Pwd, value)
	case "mid":
		f.mids = append(f.mids, media.MID(strings.Clone(value)))
	case "candidate":
		f.candidates++
	}
	return nil
}

// once takes a credential, which may be repeated in each m-section but not change.
func once(field *string, value string) error {
	if *field != "" && *field != value {
		return badFragment("two sets of ICE credentials")
	}
	*field = strings.Clone(value)
	return nil
}

func badFragment(reason string) error { return fmt.Errorf("%w: %s", media.ErrBadFragment, reason) }

// restarts tells whether the fragment asks for an ICE restart of a session whose remote
// credentials are current (RFC 9725 section 4.3.3).
func (f *fragment) restarts(current lite.Credentials) bool {
	return f.ice.Pwd != "" && f.ice != current
}

// checkMids makes sure that a fragment speaks of the session's own m-lines.
func (f *fragment) checkMids(tracks []media.MID) error {
	for _, mid := range f.mids {
		known := false
		for _, t := range tracks {
			known = known || t == mid
		}
		if !known {
			return badFragment("another session's m-line")
		}
	}
	return nil
}

// writeFragment is the answer to a viewer's ICE restart (RFC 9725 section 4.3.3): new credentials
// and the candidates, for the m-line that carries the bundle.
func writeFragment(kind media.Kind, mid media.MID, ice lite.Credentials, candidates []string) string {
	var b strings.Builder
	b.WriteString("a=ice-lite\r\n")
	fmt.Fprintf(&b, "a=group:BUNDLE %s\r\n", mid)
	fmt.Fprintf(&b, "m=%s 9 %s 0\r\na=mid:%s\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", kind, rtpProfile, mid, ice.Ufrag, ice.Pwd)
	for _, c := range candidates {
		b.WriteString("a=candidate:" + c + "\r\n")
	}
	b.WriteString("a=end-of-candidates\r\n")
	return b.String()
}
