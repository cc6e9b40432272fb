package msg

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Encode returns the message as one JSON object whose first member is "type".
func Encode(m Message) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", m.Type(), err)
	}
	out := append(make([]byte, 0, len(body)+len(`"type":"",`)+len(m.Type())), `{"type":"`...)
	out = append(append(out, m.Type()...), '"')
	if len(body) > len("{}") {
		out = append(out, ',')
	}
	return append(out, body[1:]...), nil
}

// DecodeClient reads one message of an endpoint and checks its limits. It is strict: unknown
// types, unknown members, another spelling of a member's case and text after the object are
// refused with ErrBadMessage, what is too long with ErrTooLarge. Of a Hello with another
// Version only the version is read, so that an old page learns that it must reload.
func DecodeClient(data []byte) (ClientMessage, error) {
	m, err := decode(data, clientTypes)
	if err != nil {
		return nil, err
	}
	c := m.(ClientMessage) // clientTypes holds nothing else
	if h, ok := c.(Hello); ok && h.Version != Version {
		return Hello{Version: h.Version}, nil
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	return c, nil
}

// DecodeServer reads one message of the server, as strictly as DecodeClient. It is for clients
// in Go and for tests.
func DecodeServer(data []byte) (ServerMessage, error) {
	m, err := decode(data, serverTypes)
	if err != nil {
		return nil, err
	}
	return m.(ServerMessage), nil // serverTypes holds nothing else
}

// shape is what decoding must know of one message type.
type shape struct {
	goType  reflect.Type
	members map[string]bool // exact names on the wire
}

var (
	clientTypes = shapes(ClientMessages())
	serverTypes = shapes(ServerMessages())
)

func shapes[M Message](list []M) map[string]shape {
	out := make(map[string]shape, len(list))
	for _, m := range list {
		t := reflect.TypeOf(m)
		members := make(map[string]bool, t.NumField())
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			members[name] = true
		}
		out[m.Type()] = shape{goType: t, members: members}
	}
	return out
}

func decode(data []byte, known map[string]shape) (Message, error) {
	if len(data) > MaxMessage {
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
	s, ok := known[name]
	if !ok {
		return nil, fmt.Errorf("%w: unknown type", ErrBadMessage)
	}
	delete(members, "type")
	return s.fill(name, members)
}

// fill makes a message of its members.
func (s shape) fill(name string, members map[string]json.RawMessage) (Message, error) {
	// A Hello of another version may have members that this one lacks.
	if name == (Hello{}).Type() {
		var version int
		if err := json.Unmarshal(members["version"], &version); err != nil {
			return nil, bad("version")
		}
		if version != Version {
			return Hello{Version: version}, nil
		}
	}
	for member := range members {
		if !s.members[member] {
			return nil, fmt.Errorf("%w: unknown member of %s", ErrBadMessage, name)
		}
	}
	rest, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrBadMessage, name)
	}
	dec := json.NewDecoder(bytes.NewReader(rest))
	dec.DisallowUnknownFields()
	into := reflect.New(s.goType)
	if err := dec.Decode(into.Interface()); err != nil {
		return nil, fmt.Errorf("%w: members of %s", ErrBadMessage, name)
	}
	return into.Elem().Interface().(Message), nil
}
