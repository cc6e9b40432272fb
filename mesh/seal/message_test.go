package seal

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var messageErrors = map[error]string{ErrBadMessage: "bad", ErrTooLarge: "large"}

const (
	attempt16 = `"attempt":"oaKjAAAAAAAAAAAAAAAAAA"`
	finger32  = `"fingerprint":"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`
)

// badMessages are short enough for the golden file.
var badMessages = []struct {
	name, text string
	want       error
}{
	{"nothing", ``, ErrBadMessage},
	{"no object", `[]`, ErrBadMessage},
	{"null", `null`, ErrBadMessage},
	{"no type", `{}`, ErrBadMessage},
	{"type of another type", `{"type":1}`, ErrBadMessage},
	{"unknown type", `{"type":"nonsense"}`, ErrBadMessage},
	{"another case of type", `{"Type":"wait"}`, ErrBadMessage},
	{"another case of the type's name", `{"type":"Wait"}`, ErrBadMessage},
	{"unknown member", `{"type":"wait","why":1}`, ErrBadMessage},
	{"another case of a member", `{"type":"refused","Reason":"full"}`, ErrBadMessage},
	{"member of another type", `{"type":"refused","reason":1}`, ErrBadMessage},
	{"a null member", `{"type":"refused","reason":null}`, ErrBadMessage},
	{"a member that is missing", `{"type":"refused"}`, ErrBadMessage},
	{"text after it", `{"type":"wait"}{}`, ErrBadMessage},
	{"an unknown reason", `{"type":"refused","reason":"because"}`, ErrBadMessage},
	{"a short attempt", `{"type":"candidate","attempt":"oaKj","candidate":""}`, ErrBadMessage},
	{"an attempt with spare bits", `{"type":"candidate","attempt":"oaKjAAAAAAAAAAAAAAAAAB","candidate":""}`, ErrBadMessage},
	{"an attempt with padding", `{"type":"candidate","attempt":"oaKjAAAAAAAAAAAAAAAA==","candidate":""}`, ErrBadMessage},
	{"an attempt with a line break", `{"type":"candidate","attempt":"oaKjAAAAAAAAAAAAAAAAA\n","candidate":""}`, ErrBadMessage},
	{"a candidate of two lines", `{"type":"candidate",` + attempt16 + `,"candidate":"a\r\na=b"}`, ErrBadMessage},
	{"a long candidate", `{"type":"candidate",` + attempt16 + `,"candidate":"` + strings.Repeat("a", 513) + `"}`, ErrTooLarge},
	{"an ask without a name", `{"type":"ask",` + finger32 + `}`, ErrBadMessage},
	{"a name with a bell", `{"type":"ask",` + finger32 + `,"name":"a\u0007"}`, ErrBadMessage},
	{"a name that turns round", `{"type":"ask",` + finger32 + `,"name":"a\u202egpj"}`, ErrBadMessage},
	{"a name of two lines", `{"type":"ask",` + finger32 + `,"name":"a\u2028b"}`, ErrBadMessage},
	{"a long name", `{"type":"ask",` + finger32 + `,"name":"` + strings.Repeat("é", 65) + `"}`, ErrTooLarge},
	{"a long password", `{"type":"ask",` + finger32 + `,"name":"","password":"` + strings.Repeat("a", 257) + `"}`, ErrTooLarge},
	{"a lane too many", `{"type":"offer",` + attempt16 + `,"lane":4,"token":"` + strings.Repeat("A", 342) + `","sdp":"v=0"}`, ErrBadMessage},
	{"a negative lane", `{"type":"offer",` + attempt16 + `,"lane":-1,"token":"` + strings.Repeat("A", 342) + `","sdp":"v=0"}`, ErrBadMessage},
	{"half a lane", `{"type":"offer",` + attempt16 + `,"lane":0.5,"token":"` + strings.Repeat("A", 342) + `","sdp":"v=0"}`, ErrBadMessage},
	{"no SDP", `{"type":"answer",` + attempt16 + `,"token":"` + strings.Repeat("A", 342) + `","sdp":""}`, ErrBadMessage},
	{"a short token", `{"type":"token","token":"AAAA"}`, ErrBadMessage},
}

func TestDecodeRefuses(t *testing.T) {
	long := badMessages[:len(badMessages):len(badMessages)]
	long = append(long, []struct {
		name, text string
		want       error
	}{
		{"not UTF-8", "{\"type\":\"ask\"," + finger32 + ",\"name\":\"\xff\"}", ErrBadMessage},
		{"too long", `{"type":"wait"` + strings.Repeat(" ", MaxPlain) + `}`, ErrTooLarge},
		{"a long SDP", `{"type":"answer",` + attempt16 + `,"token":"` + strings.Repeat("A", 342) + `","sdp":"` + strings.Repeat("v", MaxSDP+1) + `"}`, ErrTooLarge},
	}...)
	for _, tt := range long {
		if m, err := Decode([]byte(tt.text)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %#v, %v, want %v", tt.name, m, err, tt.want)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		m    Message
		want error
	}{
		"a long SDP":            {Answer{SDP: strings.Repeat("v", MaxSDP+1)}, ErrTooLarge},
		"an SDP of controls":    {Answer{SDP: strings.Repeat("\x01", MaxSDP)}, ErrTooLarge}, // six bytes each in JSON
		"a reason of one's own": {Refused{Reason: "because"}, ErrBadMessage},
		"a name with a NUL":     {Ask{Name: "a\x00"}, ErrBadMessage},
	} {
		if _, err := Encode(tt.m); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestLargestMessagesFit(t *testing.T) {
	s := newScene(t)
	lines := strings.Repeat("a=candidate:1 1 UDP 1 192.0.2.7 9 typ host\r\n", MaxSDP/44)
	for _, m := range []Message{
		Offer{Lane: MaxLane, SDP: lines + strings.Repeat("&", MaxSDP-len(lines))},
		Candidate{Candidate: strings.Repeat("<", MaxCandidate)},
		Ask{Name: strings.Repeat("é", MaxName), Password: strings.Repeat("\"", MaxPassword)},
	} {
		if envelope, err := s.pair(t, s.ann, s.bob).Seal(seeded("nonce"), "a", "b", m); err != nil || len(envelope) > MaxEnvelope {
			t.Errorf("%s: %d bytes, %v", m.Type(), len(envelope), err)
		}
	}
}

func TestTypesAreUnique(t *testing.T) {
	if len(shapes) != len(Messages()) {
		t.Errorf("%d names for %d messages", len(shapes), len(Messages()))
	}
}

func TestCard(t *testing.T) {
	s := newScene(t)
	card, err := NewCard(s.signer, s.room, s.uploader.Public())
	if err != nil {
		t.Fatal(err)
	}
	k := s.signer.Public().Hash()
	if err := card.Verify(k, s.room); err != nil {
		t.Error(err)
	}
	if err := card.Verify(k, "another"); !errors.Is(err, ErrSignature) {
		t.Errorf("of another room: %v", err)
	}
	if err := card.Verify(KeyHash{1}, s.room); !errors.Is(err, ErrKey) {
		t.Errorf("of another link: %v", err)
	}
	swapped := card
	swapped.DH = s.bob.Public()
	if err := swapped.Verify(k, s.room); !errors.Is(err, ErrSignature) {
		t.Errorf("with another agreement key: %v", err)
	}
	swapped = card
	swapped.Key = s.bob.Public()
	if err := swapped.Verify(k, s.room); !errors.Is(err, ErrKey) {
		t.Errorf("with another signing key: %v", err)
	}
}

func FuzzMessage(f *testing.F) {
	for _, m := range goldenMessages(f, newScene(f)) {
		text, err := Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, bad := range badMessages {
		f.Add([]byte(bad.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Decode(text)
		if err != nil {
			return
		}
		again, err := Encode(m)
		if errors.Is(err, ErrTooLarge) {
			return // characters that JSON writes longer than they came
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if back, err := Decode(again); err != nil || cmp.Diff(m, back) != "" {
			t.Errorf("%q: %v\n%s", text, err, cmp.Diff(m, back))
		}
	})
}
