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

// FuzzHelloReader: whatever comes, what is found stands in the datagrams.
func FuzzHelloReader(f *testing.F) {
	body := helloBody(srtpExtension(ProfileCM, ProfileGCM))
	f.Add(clientHello(srtpExtension(ProfileCM, ProfileGCM)), []byte{})
	f.Add(helloRecord(body, 0, 30), helloRecord(body, 30, len(body)))
	f.Add(helloRecord(body, 30, len(body)), helloRecord(body, 0, 30))
	f.Add([]byte{recordHandshake}, clientHello())
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var h HelloReader
		for _, datagram := range [][]byte{a, b} {
			profiles, done := h.Read(datagram)
			if len(profiles) > 0 && !done {
				t.Fatal("profiles before the end")
			}
			if 2*len(profiles) > len(a)+len(b) {
				t.Fatalf("%d profiles in %d bytes", len(profiles), len(a)+len(b))
			}
		}
	})
}
