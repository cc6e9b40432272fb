package peer

import (
	"encoding/binary"
	"testing"

	"github.com/pion/stun"
)

// message is a STUN indication with the attributes given as type and bytes.
func message(attributes ...any) []byte {
	b := binary.BigEndian.AppendUint16(nil, 0x0017) // Data indication
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, stunCookie)
	b = append(b, make([]byte, 12)...)
	for i := 0; i < len(attributes); i += 2 {
		value := attributes[i+1].([]byte)
		b = binary.BigEndian.AppendUint16(b, uint16(attributes[i].(int)))
		b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
		b = append(b, value...)
		b = append(b, make([]byte, (4-len(value)%4)%4)...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-stunHeader))
	return b
}

func TestShortAddress(t *testing.T) {
	t.Parallel()
	address := []byte{0, 1, 0x12, 0x34, 1, 2, 3, 4}
	for name, c := range map[string]struct {
		b    []byte
		want bool
	}{
		"an address":                        {message(0x0012, address), false},
		"an address of no bytes":            {message(0x0012, []byte{}), true},
		"of one":                            {message(0x0012, []byte{0}), true},
		"of seven":                          {message(0x0012, address[:7]), true},
		"the second is cut":                 {message(0x0012, address, 0x0020, []byte{}), true},
		"by its number in a draft":          {message(0x0013, []byte("datum"), 0x8020, []byte{}), true},
		"behind another attribute":          {message(0x0013, []byte("datum"), 0x0016, []byte{}), true},
		"another attribute without bytes":   {message(0x001A, []byte{}), false},
		"no message":                        {[]byte("fifty bytes of something that is no message at all"), false},
		"less than a header":                {message()[:19], false},
		"an attribute that is not all here": {message(0x0013, address)[:26], false},
		"nothing":                           {nil, false},
	} {
		if got := shortAddress(c.b); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// FuzzShortAddress: what is let through does not end the process in pion's reader of addresses.
func FuzzShortAddress(f *testing.F) {
	f.Add(message(0x0012, []byte{}))
	f.Add(message(0x0012, []byte{0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18}))
	f.Add(message(0x0013, []byte("datum"), 0x0020, []byte{0}))
	f.Add(message(0x8020, []byte{}))
	f.Add([]byte("\xd8\x17\x00\x04!\x12\xa4B\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x12\x00\x00")) // pion goes by the cookie alone
	f.Fuzz(func(t *testing.T, b []byte) {
		if shortAddress(b) {
			return
		}
		m := &stun.Message{Raw: append(make([]byte, 0, len(b)), b...)}
		if m.Decode() != nil {
			return
		}
		for _, kind := range []stun.AttrType{stun.AttrXORMappedAddress, stun.AttrXORPeerAddress, stun.AttrXORRelayedAddress} {
			var a stun.XORMappedAddress
			_ = a.GetFromAs(m, kind) // an error is good, a panic is not
		}
	})
}
