package wire_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/mesh/meshtest"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// largeLeaf is the largest frame of a lane.
func largeLeaf() wire.Leaf {
	return wire.Leaf{
		Piece: 9, Leaf: 33, Size: wire.LeafSize, Root: [32]byte(meshtest.Pattern(1, 32)), Signature: [64]byte(meshtest.Pattern(2, 64)),
		Nodes: meshtest.Pattern(3, 192), Bytes: meshtest.Pattern(4, wire.LeafSize),
	}
}

func TestLargestFrames(t *testing.T) {
	ranges := make([]wire.Range, wire.MaxRanges)
	for i := range ranges {
		ranges[i] = wire.Range{First: uint32(2 * i), Count: 1}
	}
	serials := make([]uint32, wire.MaxRevoked)
	for i := range serials {
		serials[i] = uint32(i + 1)
	}
	for _, s := range []sample{
		{"leaf", "lane", largeLeaf()},
		{"have", "control", wire.Have{Ranges: ranges}},
		{"bitfield", "control", wire.Bitfield{Pieces: wire.MaxPieces, Bits: bytes.Repeat([]byte{0xff}, wire.MaxPieces/8)}},
		{"manifest", "control", wire.Manifest{Total: wire.MaxBlob, Offset: 7, Bytes: make([]byte, wire.MaxMessage-9)}},
		{"revoke", "control", wire.Revoke{List: revocation(1, serials...)}},
		{"bye", "control", wire.Bye{Text: strings.Repeat("x", wire.MaxText)}},
	} {
		b := wire.Append(nil, s.frame)
		got, err := wire.Parse(b, channels()[s.channel])
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if !bytes.Equal(wire.Append(nil, got), b) {
			t.Errorf("%s: made again as other bytes", s.name)
		}
	}
}

func TestMessageTooLarge(t *testing.T) {
	b := wire.Append(nil, wire.Manifest{Total: wire.MaxBlob, Bytes: make([]byte, wire.MaxMessage-9)})
	if _, err := wire.Parse(append(b, 0), wire.Control); !errors.Is(err, wire.ErrLength) {
		t.Errorf("%v", err)
	}
}

// What Parse would refuse, Append does not make.
func TestAppendPanics(t *testing.T) {
	proof := largeLeaf()
	proof.Offset, proof.Bytes = 1, proof.Bytes[:1]
	odd := largeLeaf()
	odd.Nodes = odd.Nodes[:31]
	for name, f := range map[string]wire.Frame{
		"version":                 wire.Hello{Largest: wire.MinMessage},
		"no bytes":                wire.Manifest{Total: 70},
		"spare bits":              wire.Bitfield{Pieces: 1, Bits: []byte{0xff}},
		"no range":                wire.Have{},
		"no leaf":                 wire.Want{},
		"reason":                  wire.Reject{Leaves: wire.Leaves{Count: 1}},
		"proof in a later part":   proof,
		"a node that is no hash":  odd,
		"state":                   wire.Stat{State: 9},
		"no list":                 wire.Revoke{},
		"text with a line break":  wire.Bye{Text: "a\nb"},
		"text that is too long":   wire.Bye{Text: strings.Repeat("x", 201)},
		"cancel behind the piece": wire.Cancel{Leaves: wire.Leaves{First: 64, Count: 1}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: made", name)
				}
			}()
			wire.Append(nil, f)
		}()
	}
}

func TestParseLeaf(t *testing.T) {
	for _, s := range samples() {
		b := wire.Append(nil, s.frame)
		got, err := wire.ParseLeaf(b)
		if leaf, isLeaf := s.frame.(wire.Leaf); !isLeaf {
			if !errors.Is(err, wire.ErrChannel) {
				t.Errorf("%s: %v", s.name, err)
			}
		} else if err != nil || !bytes.Equal(got.Bytes, leaf.Bytes) || got.Whole() != (int(leaf.Size) == len(leaf.Bytes)) {
			t.Errorf("%s: %+v, %v", s.name, got, err)
		}
	}
	for _, bad := range badFrames() {
		if bad.Rule == "channel" && bad.Channel == "control" {
			continue // a good leaf, but for the channel
		}
		if _, err := wire.ParseLeaf(bad.Hex); err == nil {
			t.Errorf("%s: taken", bad.Name)
		} else if bad.Channel == "lane" && !errors.Is(err, rules()[bad.Rule]) {
			t.Errorf("%s: %v, want %q", bad.Name, err, bad.Rule)
		}
	}
}

func TestLeavesCostNoAllocation(t *testing.T) {
	b := wire.Append(nil, largeLeaf())
	if n := testing.AllocsPerRun(100, func() {
		if f, err := wire.ParseLeaf(b); err != nil || &f.Bytes[0] != &b[len(b)-wire.LeafSize] {
			t.Errorf("%v, or the bytes are no part of the message", err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// What a frame's slices are appended to must not run over into what follows in the message.
func TestNodesEndWhereBytesBegin(t *testing.T) {
	f, err := wire.ParseLeaf(wire.Append(nil, largeLeaf()))
	if err != nil {
		t.Fatal(err)
	}
	_ = append(f.Nodes, 0xee)
	if !bytes.Equal(f.Bytes, largeLeaf().Bytes) {
		t.Error("appending to the nodes changed the bytes")
	}
}

func TestBitfieldHas(t *testing.T) {
	f := wire.Bitfield{Pieces: 11, Bits: []byte{0xa5, 0xe0}}
	for piece := range uint32(13) {
		want := piece < 11 && []bool{true, false, true, false, false, true, false, true, true, true, true}[piece]
		if f.Has(piece) != want {
			t.Errorf("piece %d: %v", piece, !want)
		}
	}
}

func TestTypeNames(t *testing.T) {
	for _, c := range []struct {
		t    wire.Type
		want string
	}{{wire.TypeHello, "HELLO"}, {wire.TypePong, "PONG"}, {0, "frame 0x00"}, {0x0e, "frame 0x0e"}} {
		if got := c.t.String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// Faults of the kinds that a line or a bad peer makes: whatever comes of a frame, it is refused or is
// a frame in its one form. Only a hash can tell whether its content is right.
func TestInjectedFaults(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	all := samples()
	for range 20_000 {
		s := all[chance.IntN(len(all))]
		b := wire.Append(nil, s.frame)
		switch chance.IntN(3) {
		case 0:
			b[chance.IntN(len(b))] ^= 1 << chance.IntN(8)
		case 1:
			b = b[:chance.IntN(len(b))]
		default:
			b = append(b, b[chance.IntN(len(b)):]...)
		}
		for _, channel := range channels() {
			if f, err := wire.Parse(b, channel); err == nil && !bytes.Equal(wire.Append(nil, f), b) {
				t.Fatalf("%x is read as %+v", b, f)
			}
		}
	}
}

// FuzzParse: whatever is read is made again as the same bytes, on each channel.
func FuzzParse(f *testing.F) {
	for _, s := range samples() {
		f.Add(wire.Append(nil, s.frame))
	}
	for _, bad := range badFrames() {
		f.Add([]byte(bad.Hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, channel := range channels() {
			frame, err := wire.Parse(b, channel)
			if err != nil {
				if frame != nil {
					t.Fatalf("%s: a frame beside the error %v", name, err)
				}
				continue
			}
			if again := wire.Append(nil, frame); !bytes.Equal(again, b) {
				t.Fatalf("%s: %+v is made as %x", name, frame, again)
			}
			leaf, err := wire.ParseLeaf(b)
			if isLeaf := frame.Type() == wire.TypeLeaf; isLeaf != (err == nil) || isLeaf && !bytes.Equal(wire.Append(nil, leaf), b) {
				t.Fatalf("ParseLeaf: %+v, %v", leaf, err)
			}
		}
	})
}

func BenchmarkParseLeaf(b *testing.B) {
	message := wire.Append(nil, largeLeaf())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.ParseLeaf(message); err != nil {
			b.Fatal(err)
		}
	}
}
