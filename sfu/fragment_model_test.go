package sfu

import (
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// modelFragment is what a trickle fragment says (RFC 8840 section 9), read line by line, with all the reasons for which it must
// be refused. Candidates are counted, whatever m-line they stand below; their end is nothing that the relay needs.
func modelFragment(text string) (f fragment, faults []string) {
	fault := func(is bool, reason string) {
		if is {
			faults = append(faults, reason)
		}
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	fault(len(text) > 65536 || len(lines) > 256, "too long")
	var ufrags, pwds []string
	for _, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		fault(line != "" && (len(line) < 2 || line[1:2] != "="), "a line without a type")
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case "a=ice-ufrag":
			ufrags = append(ufrags, value)
		case "a=ice-pwd":
			pwds = append(pwds, value)
		case "a=mid":
			f.mids = append(f.mids, media.MID(value))
		case "a=candidate":
			f.candidates++
		}
	}
	for _, values := range [][]string{ufrags, pwds} {
		for i, value := range values {
			// One that is empty is none, but does not follow one that is there.
			fault(i > 0 && values[i-1] != "" && value != values[i-1], "two sets of ICE credentials")
		}
	}
	f.ice = lite.Credentials{Ufrag: append(ufrags, "")[max(0, len(ufrags)-1)], Pwd: append(pwds, "")[max(0, len(pwds)-1)]}
	fault(f.ice.Pwd != "" && (!modelUfrag.MatchString(f.ice.Ufrag) || !modelPwd.MatchString(f.ice.Pwd)), "bad ICE credentials")
	fault(f.candidates > 64, "too many candidates")
	return f, faults
}

// checkFragment compares what became of a fragment with the model.
func checkFragment(t *testing.T, text string, got fragment, err error) {
	t.Helper()
	want, faults := modelFragment(text)
	switch {
	case err != nil:
		reason := strings.TrimPrefix(err.Error(), media.ErrBadFragment.Error()+": ")
		if !slices.Contains(faults, reason) || got.ice != (lite.Credentials{}) || got.candidates > 0 || len(got.mids) > 0 {
			t.Fatalf("refused: %q with %+v; the model finds %q in\n%s", reason, got, faults, text)
		}
	case len(faults) > 0:
		t.Fatalf("accepted, where the model finds %q in\n%s", faults, text)
	case got.ice != want.ice || got.candidates != want.candidates || !slices.Equal(got.mids, want.mids):
		t.Fatalf("it reads %+v, want %+v, in\n%s", got, want, text)
	}
}
