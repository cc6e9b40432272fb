package lite

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// helloBody builds the body of a ClientHello with these extensions.
func helloBody(extensions ...[]byte) []byte {
	body := append([]byte{0xfe, 0xfd}, make([]byte, 32)...)
	body = append(body, 0, 0)                   // no session, no cookie
	body = append(body, 0, 2, 0xc0, 0x2b, 1, 0) // one suite, no compression
	all := slices.Concat(extensions...)
	return append(binary.BigEndian.AppendUint16(body, uint16(len(all))), all...)
}

func uint24(n int) []byte { return []byte{byte(n >> 16), byte(n >> 8), byte(n)} }

// helloRecord is a record with the part [from, to) of a ClientHello.
func helloRecord(body []byte, from, to int) []byte {
	message := slices.Concat([]byte{messageClientHello}, uint24(len(body)), []byte{0, 0}, uint24(from), uint24(to-from), body[from:to])
	record := append([]byte{recordHandshake, 0xfe, 0xff}, make([]byte, 8)...)
	return append(binary.BigEndian.AppendUint16(record, uint16(len(message))), message...)
}

func clientHello(extensions ...[]byte) []byte {
	body := helloBody(extensions...)
	return helloRecord(body, 0, len(body))
}

func srtpExtension(profiles ...Profile) []byte {
	e := binary.BigEndian.AppendUint16(nil, extensionUseSRTP)
	e = binary.BigEndian.AppendUint16(e, uint16(2*len(profiles)+3))
	e = binary.BigEndian.AppendUint16(e, uint16(2*len(profiles)))
	for _, p := range profiles {
		e = binary.BigEndian.AppendUint16(e, uint16(p))
	}
	return append(e, 0) // no MKI
}

func TestHelloReader(t *testing.T) {
	other := []byte{0, 23, 0, 0} // extended_master_secret
	both := clientHello(other, srtpExtension(ProfileCM, ProfileGCM))
	long := clientHello()
	copy(long[recordHeader+1:], uint24(maxHello+1))
	beyond := slices.Clone(both)
	copy(beyond[recordHeader+6:], uint24(1))
	for _, c := range []struct {
		name string
		b    []byte
		want []Profile
		done bool
	}{
		{"two profiles", both, []Profile{ProfileCM, ProfileGCM}, true},
		{"one, and more after it", clientHello(srtpExtension(ProfileGCM), other), []Profile{ProfileGCM}, true},
		{"an unknown one", clientHello(srtpExtension(0x7777)), []Profile{0x7777}, true},
		{"no use_srtp", clientHello(other), nil, true},
		{"no extensions", clientHello(), nil, true},
		{"an extension that is too long", clientHello([]byte{0, extensionUseSRTP, 0xff, 0xff}), nil, true},
		{"longer than any", long, nil, true},
		{"a fragment beyond the end", beyond, nil, true},
		{"cut short", both[:len(both)-1], nil, false},
		{"another message", append([]byte{recordHandshake, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1}, 2), nil, false},
		{"media", make([]byte, 40), nil, false},
		{"nothing", nil, nil, false},
	} {
		var h HelloReader
		if got, done := h.Read(c.b); !slices.Equal(got, c.want) || done != c.done {
			t.Errorf("%s: %v, %v, want %v, %v", c.name, got, done, c.want, c.done)
		}
	}
}

// Fragments come in any order, several in a datagram, and again with other cuts.
func TestHelloReaderFragments(t *testing.T) {
	want := []Profile{ProfileCM, ProfileGCM}
	share := append([]byte{0, 51, 5, 0}, make([]byte, 1280)...) // a post-quantum key share
	body := helloBody(share, srtpExtension(want...))
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var cuts [][]byte
		for from := 0; from < len(body); {
			to := min(len(body), from+200+rng.IntN(600))
			cuts = append(cuts, helloRecord(body, from, to))
			from = to
		}
		rng.Shuffle(len(cuts), func(i, j int) { cuts[i], cuts[j] = cuts[j], cuts[i] })
		var h HelloReader
		for i, cut := range cuts {
			h.Read(helloRecord(body, 0, 100)) // from an earlier try
			got, done := h.Read(cut)
			if last := i == len(cuts)-1; done != last || (last && !slices.Equal(got, want)) {
				t.Fatalf("seed %d, fragment %d of %d: %v, %v", seed, i, len(cuts), got, done)
			}
		}
		if got, done := new(HelloReader).Read(slices.Concat(cuts...)); !done || !slices.Equal(got, want) {
			t.Fatalf("seed %d, in one datagram: %v, %v", seed, got, done)
		}
	}
}

// Whoever sends a thousand fragments has them kept up to a limit.
func TestHelloReaderLimit(t *testing.T) {
	body := helloBody(make([]byte, 4000))
	var h HelloReader
	for from := 1; from < 3000; from++ {
		if _, done := h.Read(helloRecord(body, from, from+1)); done {
			if from > maxFragments+1 {
				t.Errorf("given up after %d fragments", from)
			}
			return
		}
	}
	t.Error("never given up")
}

// A client that hears nothing cuts its hello anew, into smaller pieces; some of the first time may have
// come, and end where none of the second time begins (RFC 6347 section 4.2.3).
func TestHelloReaderOverlap(t *testing.T) {
	want := []Profile{ProfileCM, ProfileGCM}
	body := helloBody(append([]byte{0, 51, 2, 0}, make([]byte, 512)...), srtpExtension(want...))
	n := len(body)
	for name, cuts := range map[string][][2]int{
		"the first was longer":  {{0, 300}, {0, 200}, {200, 400}, {400, n}},
		"the second was longer": {{300, n}, {0, 200}, {200, 400}, {400, n}},
		"one inside another":    {{200, 250}, {100, 400}, {400, n}, {0, 150}},
	} {
		var h HelloReader
		for i, cut := range cuts {
			got, done := h.Read(helloRecord(body, cut[0], cut[1]))
			if last := i == len(cuts)-1; done && !slices.Equal(got, want) || last && !done {
				t.Errorf("%s: piece %d: %v, %v", name, i, got, done)
			}
		}
	}
}

// A record may hold several messages, and so several pieces of one.
func TestHelloReaderOneRecord(t *testing.T) {
	want := []Profile{ProfileGCM}
	body := helloBody(srtpExtension(want...))
	record := slices.Concat(helloRecord(body, 0, 30), helloRecord(body, 30, len(body))[recordHeader:])
	binary.BigEndian.PutUint16(record[recordHeader-2:], uint16(len(record)-recordHeader))
	if got, done := new(HelloReader).Read(record); !done || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, done)
	}
}

// A record that is cut short does not take those before it along (RFC 6347 section 4.1.2.7).
func TestHelloReaderGarbageBehind(t *testing.T) {
	want := []Profile{ProfileGCM}
	hello := clientHello(srtpExtension(want...))
	for _, behind := range [][]byte{{0}, hello[:recordHeader], make([]byte, 40)} {
		if got, done := new(HelloReader).Read(slices.Concat(hello, behind)); !done || !slices.Equal(got, want) {
			t.Errorf("with % x behind: %v, %v", behind, got, done)
		}
	}
}

// A fragment without content is none of those that are counted.
func TestHelloReaderEmptyFragment(t *testing.T) {
	want := []Profile{ProfileGCM}
	body := helloBody(srtpExtension(want...))
	var h HelloReader
	h.Read(helloRecord(body, 40, 40))
	for i := range maxFragments {
		to := i + 1
		if to == maxFragments {
			to = len(body)
		}
		if got, done := h.Read(helloRecord(body, i, to)); done != (to == len(body)) || done && !slices.Equal(got, want) {
			t.Fatalf("piece %d: %v, %v", i, got, done)
		}
	}
}

// FuzzHelloReader: whatever comes, the reader and the model find the same in it.
func FuzzHelloReader(f *testing.F) {
	body := helloBody(srtpExtension(ProfileCM, ProfileGCM))
	f.Add(clientHello(srtpExtension(ProfileCM, ProfileGCM)), []byte{})
	f.Add(helloRecord(body, 0, 30), helloRecord(body, 30, len(body)))
	f.Add(helloRecord(body, 30, len(body)), helloRecord(body, 0, 30))
	f.Add([]byte{recordHandshake}, clientHello())
	f.Add(clientHello([]byte{0, 23, 0, 0}, srtpExtension(ProfileGCM)), []byte{})
	f.Add(clientHello(srtpExtension(ProfileGCM), srtpExtension(ProfileCM)), []byte{}) // the first counts
	f.Add(clientHello([]byte{0, extensionUseSRTP, 0, 5, 0, 3, 0, 7, 1}), []byte{})    // half a profile
	f.Add(clientHello([]byte{0, extensionUseSRTP, 0, 3, 0, 2, 0}), []byte{})          // less than it says
	f.Add(clientHello([]byte{0, extensionUseSRTP, 0, 9}), []byte{})                   // nor is there the extension
	f.Add(clientHello([]byte{0, 23, 0}), []byte{})
	for _, n := range []int{1, 33, 34, 35, 37, 39, 40} { // in the middle of each field
		f.Add(helloRecord(body[:n], 0, n), []byte{})
	}
	beyond := clientHello(srtpExtension(ProfileGCM))
	copy(beyond[recordHeader+6:], uint24(1))
	f.Add(beyond, []byte{})
	session := slices.Concat(body[:34], []byte{3, 1, 2, 3, 2, 4, 5}, body[36:])
	f.Add(helloRecord(session, 0, len(session)), []byte{})
	f.Fuzz(func(t *testing.T, a, b []byte) { checkHello(t, a, b) })
}
