package script

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlay(t *testing.T) {
	const text = `# A comment,
# of two lines.

say one
# not said
say two
----
old

silence
----
`
	const want = `# A comment,
# of two lines.

say one
# not said
say two
----
one
two

silence
----
`
	do := func(command string) string {
		if what, ok := strings.CutPrefix(command, "say "); ok {
			return what + "\n"
		}
		return ""
	}
	if diff := cmp.Diff(want, play(text, do)); diff != "" {
		t.Errorf("played (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, play(want, do)); diff != "" {
		t.Errorf("played again (-want +got):\n%s", diff)
	}
}

func TestNumbers(t *testing.T) {
	name, options, args, err := Numbers("ask size=12  4 5")
	if name != "ask" || !cmp.Equal(options, map[string]int{"size": 12}) || !cmp.Equal(args, []int{4, 5}) || err != nil {
		t.Errorf("%q %v %v %v", name, options, args, err)
	}
	if _, _, _, err := Numbers("ask size=x"); err == nil {
		t.Error("x is a number")
	}
}
