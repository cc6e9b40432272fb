package lite

import (
	"encoding/binary"
	"slices"
	"testing"
)

// helloModel is the HelloReader, slow and obvious: it writes down every byte of the message that it hears.
type helloModel struct {
	begun   bool
	length  int          // of the message
	bytes   map[int]byte // by their place in it
	offsets map[int]bool // where fragments with any content began
	unsure  bool         // two fragments contradicted each other; nobody can tell which is right
}

// read is a datagram: records up to the first that is not whole, and in each of the first flight the pieces
// of a ClientHello that it begins with (RFC 6347 sections 4.1, 4.2.2 and 4.2.3).
func (m *helloModel) read(b []byte) (profiles []Profile, done bool) {
	for len(b) >= 13 && b[1] == 0xFE {
		end := 13 + int(b[11])<<8 + int(b[12])
		if end > len(b) {
			break
		}
		if handshake, firstEpoch := b[0] == 22, b[3] == 0 && b[4] == 0; handshake && firstEpoch {
			if !m.messages(b[13:end]) {
				return nil, true
			}
		}
		b = b[end:]
	}
	if !m.begun {
		return nil, false
	}
	body := []byte{}
	for i := range m.length {
		x, heard := m.bytes[i]
		if !heard {
			return nil, false
		}
		body = append(body, x)
	}
	return helloProfiles(body), true
}

// messages is false when one breaks the rules, or says more than a ClientHello could.
func (m *helloModel) messages(b []byte) bool {
	for len(b) > 0 && b[0] == 1 {
		if len(b) < 12 {
			return false
		}
		number := func(at int) int { return int(b[at])<<16 | int(b[at+1])<<8 | int(b[at+2]) }
		length, offset, size := number(1), number(6), number(9)
		if 12+size > len(b) || offset+size > length || length > 8192 {
			return false
		}
		if !m.begun || m.length != length { // another hello
			*m = helloModel{begun: true, length: length, bytes: map[int]byte{}, offsets: map[int]bool{}}
		}
		for i, x := range b[12 : 12+size] {
			if before, heard := m.bytes[offset+i]; heard && before != x {
				m.unsure = true
			}
			m.bytes[offset+i] = x
			m.offsets[offset] = true
		}
		if len(m.offsets) > 16 {
			return false
		}
		b = b[12+size:]
	}
	return true
}

// helloFields cuts a text into its fields.
type helloFields struct {
	left []byte
	bad  bool
}

func (f *helloFields) take(n int) []byte {
	if f.bad || n > len(f.left) {
		f.bad = true
		return nil
	}
	part := f.left[:n]
	f.left = f.left[n:]
	return part
}

func (f *helloFields) number(size int) (n int) {
	for _, x := range f.take(size) {
		n = n<<8 | int(x)
	}
	return n
}

// helloProfiles reads a ClientHello field by field (RFC 6347 section 4.2.1, RFC 5246 section 7.4.1.2) up to
// the first use_srtp (RFC 5764 section 4.1.1). Whether what is behind the profiles is in order, or half of
// one too many, is for the handshake to judge.
func helloProfiles(body []byte) (profiles []Profile) {
	hello := helloFields{left: body}
	hello.take(2)               // client_version
	hello.take(32)              // random
	hello.take(hello.number(1)) // session_id
	hello.take(hello.number(1)) // cookie
	hello.take(hello.number(2)) // cipher_suites
	hello.take(hello.number(1)) // compression_methods
	extensions := helloFields{left: hello.take(hello.number(2))}
	if hello.bad {
		return nil
	}
	for len(extensions.left) > 0 {
		kind := extensions.number(2)
		data := helloFields{left: extensions.take(extensions.number(2))}
		if extensions.bad {
			return nil
		}
		if kind != 14 {
			continue
		}
		list := helloFields{left: data.take(data.number(2))}
		for len(list.left) >= 2 {
			profiles = append(profiles, Profile(list.number(2)))
		}
		return profiles
	}
	return nil
}

// checkHello gives datagrams to the reader and to the model until both are done.
func checkHello(t *testing.T, datagrams ...[]byte) {
	t.Helper()
	var h HelloReader
	var m helloModel
	for i, b := range datagrams {
		got, done := h.Read(b)
		want, end := m.read(b)
		if done != end || len(got) > 0 && !done || !m.unsure && !slices.Equal(got, want) {
			t.Fatalf("datagram %d: %v, %v, want %v, %v\n% x", i, got, done, want, end, datagrams)
		}
		if done {
			break
		}
	}
	for _, b := range datagrams { // nobody reads on, but it would do no harm
		h.Read(b)
	}
}

// FuzzHelloFragments cuts a body as the fuzzer likes, four bytes a piece: where it begins and ends, and
// whether something is wrong with it.
func FuzzHelloFragments(f *testing.F) {
	body := helloBody(make([]byte, 100), srtpExtension(ProfileCM, ProfileGCM))
	copy(body[len(body)-113:], []byte{0, 51, 0, 96}) // a key share of the zeros
	n := byte(len(body))
	whole := []byte{0, 0, n, 0}
	f.Add(body, whole)
	f.Add(body, []byte{0, 0, 70, 0, 0, 70, n, 0})
	f.Add(body, []byte{0, 70, n, 0, 0, 0, 70, 0})
	f.Add(body, []byte{0, 0, 70, 1, 0, 70, n, 0})                         // two in a datagram
	f.Add(body, []byte{0, 0, 70, 2, 0, 70, n, 0})                         // two in a record
	f.Add(body, []byte{0, 0, 70, 2, 0, 70, n, 2, 0, 3, 9, 16})            // and another message behind them
	f.Add(body, []byte{0, 0, 90, 0, 0, 0, 40, 0, 0, 40, 99, 0, 0, 99, n}) // cut anew
	f.Add(body, []byte{0, 50, n, 0, 0, 90, n, 0, 0, 0, 60, 0})
	f.Add(body, []byte{0, 0, 70, 4, 0, 70, n, 0, 0, 0, 70, 0}) // another hello between
	f.Add(body, []byte{0, 0, 70, 8, 0, 70, n, 0})              // longer than its record
	f.Add(body, []byte{0, 0, 70, 16, 0, 70, n, 0})             // another message
	f.Add(body, []byte{0, 0, 70, 0, 0, 60, n, 32, 0, 70, n, 0})
	f.Add(body, []byte{0, 0, 70, 0, 0, 70, n, 64, 0, 70, n, 0}) // encrypted
	f.Add(body, []byte{0, 0, 70, 0, 0, 70, n, 128})             // with garbage behind
	f.Add(body, append([]byte{0, 9, 9, 0, 0, 9, 9, 4}, whole...))
	f.Add([]byte{}, whole)
	f.Add(make([]byte, 8193), []byte{0, 0, 1, 0})
	f.Add(append(body, make([]byte, 8192-len(body))...), []byte{0, 0, 255, 0, 0, 255, 0, 0, 31, 0, 1, 0})
	var many, enough []byte
	for i := range byte(17) {
		many = append(many, 0, i, i+1, 0)
		if i < 15 {
			enough = append(enough, 0, i, i+1, 0, 0, i+1, i+1, 0)
		}
	}
	f.Add(body, append(many, whole...))
	f.Add(body, append([]byte{0, 99, 99, 0}, append(enough, 0, 15, n, 0)...))
	f.Fuzz(func(t *testing.T, body, cuts []byte) {
		if len(body) > 1<<14 || len(cuts) > 200 {
			return
		}
		checkHello(t, cutHello(body, cuts)...)
	})
}

// cutHello makes datagrams of a body.
func cutHello(body, cuts []byte) (datagrams [][]byte) {
	var datagram, messages []byte
	for ; len(cuts) >= 4; cuts = cuts[4:] {
		from := min(int(cuts[0])<<8|int(cuts[1]), len(body))
		to := min(from&^0xFF|int(cuts[2]), len(body))
		if cuts[2] == 0 {
			to = len(body) // or all that is left
		}
		to = max(from, to)
		flags := cuts[3]
		messages = append(messages, helloMessage(body, from, to, flags)...)
		if flags&2 != 0 && len(cuts) >= 8 {
			continue // the next is in the same record
		}
		record := []byte{22, 0xFE, 0xFD, 0, flags >> 6 & 1, 0, 0, 0, 0, 0, 0}
		record = binary.BigEndian.AppendUint16(record, uint16(len(messages)))
		datagram = append(append(datagram, record...), messages...)
		messages = nil
		if flags&1 != 0 && len(cuts) >= 8 {
			continue // in the same datagram
		}
		if flags&128 != 0 {
			datagram = append(datagram, 22, 0xFE, 0xFD)
		}
		datagrams = append(datagrams, datagram)
		datagram = nil
	}
	return datagrams
}

// helloMessage is a piece of a ClientHello, or what the flags make of it.
func helloMessage(body []byte, from, to int, flags byte) []byte {
	kind, length, part := byte(1), len(body), slices.Clone(body[from:to])
	if flags&4 != 0 {
		length++
	}
	if flags&16 != 0 {
		kind = 2
	}
	if flags&32 != 0 && len(part) > 0 {
		part[0] ^= 1
	}
	size := len(part)
	if flags&8 != 0 {
		size++
	}
	return slices.Concat([]byte{kind}, uint24(length), []byte{0, 0}, uint24(from), uint24(size), part)
}
