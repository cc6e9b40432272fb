package seal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Encode returns the message as one JSON object whose first member is "type". It fails as Check
// does, or with ErrTooLarge when it is longer than MaxPlain.
func Encode(m Message) ([]byte, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // six bytes for each & of an SDP
	if err := encoder.Encode(m); err != nil {
		return nil, fmt.Errorf("encode %s: %w", m.Type(), err)
	}
	members := bytes.TrimPrefix(bytes.TrimSpace(body.Bytes()), []byte("{"))
	out := fmt.Appendf(nil, `{"type":%q`, m.Type())
	if !bytes.Equal(members, []byte("}")) {
		out = append(out, ',')
	}
	if out = append(out, members...); len(out) > MaxPlain {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(out))
	}
	return out, nil
}

// shape is what decoding must know of one message type.
type shape struct {
	goType   reflect.Type
	required map[string]bool // exact names on the wire → must be there
}

var shapes = func() map[string]shape {
	out := make(map[string]shape)
	for _, m := range Messages() {
		s := shape{goType: reflect.TypeOf(m), required: make(map[string]bool)}
		for i := range s.goType.NumField() {
			name, options, _ := strings.Cut(s.goType.Field(i).Tag.Get("json"), ",")
			s.required[name] = options != "omitempty"
		}
		out[m.Type()] = s
	}
	return out
}()

// Decode reads one message and checks its limits. It is strict: unknown types, unknown members,
// another spelling of a member's case, members that are missing or null, and text after the object
// are refused with ErrBadMessage, what is too long with ErrTooLarge.
func Decode(data []byte) (Message, error) {
	if len(data) > MaxPlain {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(data))
	}
	// encoding/json replaces bad UTF-8 in silence; a name must not change on its way.
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrBadMessage)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, fmt.Errorf("%w: not a JSON object", ErrBadMessage)
	}
	var name string
	if err := json.Unmarshal(members["type"], &name); err != nil {
		return nil, fmt.Errorf("%w: no type", ErrBadMessage)
	}
	s, ok := shapes[name]
	if !ok {
		return nil, fmt.Errorf("%w: unknown type", ErrBadMessage)
	}
	delete(members, "type")
	return s.fill(name, members)
}

// fill makes a message of its members.
func (s shape) fill(name string, members map[string]json.RawMessage) (Message, error) {
	for member, value := range members {
		if _, known := s.required[member]; !known || bytes.Equal(value, []byte("null")) {
			return nil, fmt.Errorf("%w: a member of %s", ErrBadMessage, name)
		}
	}
	for member, required := range s.required {
		if _, there := members[member]; required && !there {
			return nil, bad(member)
		}
	}
	rest, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrBadMessage, name)
	}
	into := reflect.New(s.goType)
	if err := json.Unmarshal(rest, into.Interface()); err != nil {
		return nil, fmt.Errorf("%w: members of %s", ErrBadMessage, name)
	}
	m := into.Elem().Interface().(Message) // shapes holds nothing else
	return m, m.Check()
}
