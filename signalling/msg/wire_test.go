package msg

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocumentedExamples decodes every JSON example of the protocol's document, and asks for one
// of each message.
func TestDocumentedExamples(t *testing.T) {
	text, err := os.ReadFile("../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(text, -1) {
		example := bytes.TrimSpace(m[1])
		decoded, err := decodeAny(example)
		if err != nil {
			t.Errorf("%s\n%v", example, err)
			continue
		}
		seen[decoded.Type()] = true
		again, err := Encode(decoded)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(generic(t, example), generic(t, again)); diff != "" {
			t.Errorf("the example loses something on its way (-document +again):\n%s", diff)
		}
	}
	for _, m := range ClientMessages() {
		if !seen[m.Type()] {
			t.Errorf("docs/PROTOCOL.md has no example of %q", m.Type())
		}
	}
	for _, m := range ServerMessages() {
		if !seen[m.Type()] {
			t.Errorf("docs/PROTOCOL.md has no example of %q", m.Type())
		}
	}
	for _, code := range codes() {
		if !bytes.Contains(text, []byte("| `"+string(code)+"` |")) {
			t.Errorf("docs/PROTOCOL.md does not explain the code %q", code)
		}
	}
}

func codes() []Code {
	return []Code{CodeBadMessage, CodeVersion, CodeUnauthorised, CodePassword, CodeForbidden, CodeRemoved, CodeNotFound,
		CodeRate, CodeTooLarge, CodeFull, CodeInternal, CodeShutdown, CodeExpired, CodeClosed}
}

func decodeAny(data []byte) (Message, error) {
	if m, err := DecodeClient(data); err == nil {
		return m, nil
	}
	return DecodeServer(data)
}

func generic(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTypesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range ClientMessages() {
		seen[m.Type()] = true
	}
	for _, m := range ServerMessages() {
		seen[m.Type()] = true
	}
	if want := len(ClientMessages()) + len(ServerMessages()); len(seen) != want {
		t.Errorf("%d names for %d messages", len(seen), want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	hello := `{"type":"hello","version":1,"room":{"kind":"stream","name":"a"},"role":"subscriber"`
	files := `{"type":"hello","version":1,"room":{"kind":"files","name":"a"}`
	number := `{"type":"hello","version":1,"room":{"kind":"files","name":""},"role":"subscriber","code":`
	for _, tt := range []struct {
		name, text string
		want       error
	}{
		{"nothing", ``, ErrBadMessage},
		{"no object", `[]`, ErrBadMessage},
		{"null", `null`, ErrBadMessage},
		{"no type", `{}`, ErrBadMessage},
		{"type of another type", `{"type":1}`, ErrBadMessage},
		{"unknown type", `{"type":"nonsense"}`, ErrBadMessage},
		{"a message of the server", `{"type":"viewers","count":1}`, ErrBadMessage},
		{"unknown member", `{"type":"stop","why":1}`, ErrBadMessage},
		{"another case of a member", `{"type":"remove","Endpoint":"a"}`, ErrBadMessage},
		{"another case of type", `{"Type":"stop"}`, ErrBadMessage},
		{"member of another type", `{"type":"remove","endpoint":1}`, ErrBadMessage},
		{"text after it", `{"type":"stop"}{}`, ErrBadMessage},
		{"not UTF-8", "{\"type\":\"set-state\",\"state\":\"live\",\"title\":\"\xff\"}", ErrBadMessage},
		{"too long", `{"type":"send","to":"a","sealed":"` + strings.Repeat("a", MaxMessage) + `"}`, ErrTooLarge},
		{"unknown member inside", `{"type":"hello","version":1,"room":{"kind":"stream","name":"a","x":1},"role":"subscriber"}`, ErrBadMessage},

		{"hello without version", `{"type":"hello"}`, ErrBadMessage},
		{"hello to no kind of room", `{"type":"hello","version":1,"room":{"kind":"chat","name":"a"},"role":"subscriber"}`, ErrBadMessage},
		{"hello to no name", `{"type":"hello","version":1,"room":{"kind":"stream","name":"a b"},"role":"subscriber"}`, ErrBadMessage},
		{"hello in no role", `{"type":"hello","version":1,"room":{"kind":"stream","name":"a"},"role":"king"}`, ErrBadMessage},
		{"hello of a short viewer", hello + `,"viewer":"short"}`, ErrBadMessage},
		{"hello with a long token", hello + `,"token":"` + strings.Repeat("a", maxSecret+1) + `"}`, ErrTooLarge},
		{"hello with a long password", hello + `,"password":"` + strings.Repeat("a", MaxPassword+1) + `"}`, ErrTooLarge},
		{"hello with a long resume", hello + `,"resume":"` + strings.Repeat("a", maxSecret+1) + `"}`, ErrTooLarge},
		{"hello of a stream with terms", `{"type":"hello","version":1,"room":{"kind":"stream","name":"a"},"role":"publisher","files":{}}`, ErrBadMessage},
		{"hello of a receiver with terms", files + `,"role":"subscriber","files":{}}`, ErrBadMessage},
		{"hello with a short verifier", files + `,"role":"publisher","files":{"verifier":"abc"}}`, ErrBadMessage},
		{"hello with a verifier of spare bits", files + `,"role":"publisher","files":{"verifier":"` + strings.Repeat("A", 42) + `B"}}`, ErrBadMessage},
		{"hello for one member", files + `,"role":"publisher","files":{"members":1}}`, ErrBadMessage},
		{"hello for 65 members", files + `,"role":"publisher","files":{"members":65}}`, ErrBadMessage},
		{"hello for a negative life", files + `,"role":"publisher","files":{"life":-1}}`, ErrBadMessage},
		{"hello for eight days", files + `,"role":"publisher","files":{"life":691200}}`, ErrBadMessage},
		{"hello with a name and a number", files + `,"role":"subscriber","code":"7"}`, ErrBadMessage},
		{"hello with number 0", number + `"0"}`, ErrBadMessage},
		{"hello with number 07", number + `"07"}`, ErrBadMessage},
		{"hello with number +7", number + `"+7"}`, ErrBadMessage},
		{"hello with five digits", number + `"10000"}`, ErrBadMessage},
		{"hello of an uploader with a number", strings.Replace(number, "subscriber", "publisher", 1) + `"7"}`, ErrBadMessage},
		{"terms that are too long", `{"type":"set-files","terms":{"life":604801}}`, ErrBadMessage},
		{"a failure of nobody", `{"type":"code-failed","endpoint":""}`, ErrBadMessage},
		{"relay without a token", `{"type":"relay","token":"","pair":"Yk1hK0fXn2vG7mQ9sLw3Ag"}`, ErrBadMessage},
		{"relay of a short pair", `{"type":"relay","token":"a","pair":"Yk1h"}`, ErrBadMessage},
		{"a state that is not for owners", `{"type":"set-state","state":"ended"}`, ErrBadMessage},
		{"a long title", `{"type":"set-state","state":"live","title":"` + strings.Repeat("ä", MaxTitle+1) + `"}`, ErrTooLarge},
		{"a title with a line", `{"type":"set-state","state":"live","title":"a\nb"}`, ErrBadMessage},
		{"a title that turns round", `{"type":"set-state","state":"live","title":"a\u202eb"}`, ErrBadMessage},
		{"a long new password", `{"type":"set-access","password":"` + strings.Repeat("a", MaxPassword+1) + `"}`, ErrTooLarge},
		{"remove nobody", `{"type":"remove","endpoint":""}`, ErrBadMessage},
		{"send to no endpoint", `{"type":"send","to":"<b>","sealed":"a"}`, ErrBadMessage},
		{"send nothing", `{"type":"send","to":"a","sealed":""}`, ErrBadMessage},
		{"send what is not base64url", `{"type":"send","to":"a","sealed":"a+b="}`, ErrBadMessage},
		{"figures by no route", `{"type":"figures","route":"post","pictures":1,"dropped":0,"stalls":0,"stalled":0,"delays":[]}`, ErrBadMessage},
		{"figures of fewer than no pictures", `{"type":"figures","route":"sfu","pictures":-1,"dropped":0,"stalls":0,"stalled":0,"delays":[]}`, ErrBadMessage},
		{"figures of a delay of a day", `{"type":"figures","route":"sfu","pictures":1,"dropped":0,"stalls":0,"stalled":0,"delays":[86400000]}`, ErrBadMessage},
		{"figures of too many delays", `{"type":"figures","route":"sfu","pictures":1,"dropped":0,"stalls":0,"stalled":0,"delays":[1` + strings.Repeat(",1", MaxDelays) + `]}`, ErrTooLarge},
		{"figures with words", `{"type":"figures","route":"sfu","device":"=1+1","pictures":1,"dropped":0,"stalls":0,"stalled":0,"delays":[]}`, ErrBadMessage},
		{"send too much", `{"type":"send","to":"a","sealed":"` + strings.Repeat("a", MaxSealed+1) + `"}`, ErrTooLarge},
	} {
		m, err := DecodeClient([]byte(tt.text))
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %v; want %v", tt.name, m, err, tt.want)
		}
	}
}

func TestAnotherVersionIsRead(t *testing.T) {
	m, err := DecodeClient([]byte(`{"type":"hello","version":7,"room":"new shape","novelty":true}`))
	if h, ok := m.(Hello); err != nil || !ok || h.Version != 7 {
		t.Errorf("%v %v", m, err)
	}
}

func TestCodeOf(t *testing.T) {
	for want, err := range map[Code]error{CodeBadMessage: bad("x"), CodeTooLarge: large("x"), CodeInternal: errors.New("x")} {
		if got := CodeOf(err); got != want {
			t.Errorf("CodeOf(%v) = %s", err, got)
		}
	}
}

// FuzzDecodeClient: what is taken can be written and is taken again, the same.
func FuzzDecodeClient(f *testing.F) {
	for _, m := range ClientMessages() {
		data, err := Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"type":"hello","version":1,"room":{"kind":"stream","name":"a"},"role":"subscriber"}`))
	f.Add([]byte(`{"type":"send","to":"a","sealed":"c2VhbGVk"}`))
	f.Add([]byte(`{"type":"set-access","password":"","embed":false}`))
	f.Add([]byte(`{"type":"hello","version":1,"room":{"kind":"files","name":""},"role":"publisher","files":{"members":9,"life":3600}}`))
	f.Add([]byte(`{"type":"hello","version":1,"room":{"kind":"files","name":""},"role":"subscriber","code":"42"}`))
	f.Add([]byte(`{"type":"relay","token":"a","pair":"Yk1hK0fXn2vG7mQ9sLw3Ag"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeClient(data)
		if err != nil {
			if CodeOf(err) == CodeInternal {
				t.Errorf("%q: %v is no error of this package", data, err)
			}
			return
		}
		again, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		if h, ok := m.(Hello); ok && h.Version != Version {
			return
		}
		back, err := DecodeClient(again)
		if err != nil || !cmp.Equal(m, back) {
			t.Errorf("%q came back as %v, %v", data, back, err)
		}
	})
}

func FuzzDecodeServer(f *testing.F) {
	for _, m := range ServerMessages() {
		data, err := Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeServer(data)
		if err != nil {
			return
		}
		if _, err := Encode(m); err != nil {
			t.Error(err)
		}
	})
}
