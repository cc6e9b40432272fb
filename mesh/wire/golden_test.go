package wire_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fanfare-relay/fanfare/mesh/meshtest"
	"github.com/fanfare-relay/fanfare/mesh/wire"
)

// goodFrame and badFrame are entries of mesh/testdata/frames.json.
type goodFrame struct {
	Name    string         `json:"name"`
	Channel string         `json:"channel"`
	Hex     meshtest.Hex   `json:"hex"`
	Frame   map[string]any `json:"frame"`
}

type badFrame struct {
	Name    string       `json:"name"`
	Channel string       `json:"channel"`
	Hex     meshtest.Hex `json:"hex"`
	Rule    string       `json:"rule"`
}

type framesFile struct {
	About string      `json:"about"`
	Good  []goodFrame `json:"good"`
	Bad   []badFrame  `json:"bad"`
}

func channels() map[string]wire.Channel {
	return map[string]wire.Channel{"control": wire.Control, "side control": wire.SideControl, "lane": wire.Lane}
}

func rules() map[string]error {
	return map[string]error{"type": wire.ErrType, "channel": wire.ErrChannel, "length": wire.ErrLength, "value": wire.ErrValue}
}

// sample is one good frame of each kind and of each border that a table can show in few bytes.
type sample struct {
	name, channel string
	frame         wire.Frame
}

func samples() []sample {
	hello := wire.Hello{Version: 1, Largest: 61440, Attempt: [16]byte(meshtest.Pattern(1, 16)), MAC: [32]byte(meshtest.Pattern(2, 32))}
	seed := hello
	seed.Seed, seed.Largest = true, 262144
	whole := wire.Leaf{
		Piece: 5, Leaf: 2, Size: 10, Root: [32]byte(meshtest.Pattern(3, 32)), Signature: [64]byte(meshtest.Pattern(4, 64)),
		Nodes: meshtest.Pattern(5, 64), Bytes: meshtest.Pattern(6, 10),
	}
	first, alone := whole, whole
	first.Bytes = first.Bytes[:7]
	alone.Piece, alone.Leaf, alone.Size, alone.Nodes, alone.Bytes = 0, 0, 1, []byte{}, []byte{0xff}
	six := whole
	six.Piece, six.Leaf, six.Nodes = 262143, 63, meshtest.Pattern(8, 192)
	return []sample{
		{"hello", "control", hello},
		{"hello of a seed", "control", seed},
		{"hello of a further connection", "side control", hello},
		{"first part of a manifest", "control", wire.Manifest{Total: 70, Offset: 0, Bytes: meshtest.Pattern(9, 60)}},
		{"last part of a manifest", "control", wire.Manifest{Total: 70, Offset: 60, Bytes: meshtest.Pattern(10, 10)}},
		{"last byte of the largest manifest", "control", wire.Manifest{Total: 4 << 20, Offset: 4<<20 - 1, Bytes: []byte{0}}},
		{"bitfield without pieces", "control", wire.Bitfield{Pieces: 0, Bits: []byte{}}},
		{"bitfield of one piece", "control", wire.Bitfield{Pieces: 1, Bits: []byte{0x80}}},
		{"bitfield of eight pieces", "control", wire.Bitfield{Pieces: 8, Bits: []byte{0x01}}},
		{"bitfield of eleven pieces", "control", wire.Bitfield{Pieces: 11, Bits: []byte{0xa5, 0xe0}}},
		{"have one piece", "control", wire.Have{Ranges: []wire.Range{{First: 0, Count: 1}}}},
		{"have ranges", "control", wire.Have{Ranges: []wire.Range{{First: 7, Count: 3}, {First: 1, Count: 1}, {First: 262143, Count: 1}}}},
		{"have all", "control", wire.Have{Ranges: []wire.Range{{First: 0, Count: 262144}}}},
		{"want a leaf", "control", wire.Want{Leaves: wire.Leaves{Piece: 3, First: 63, Count: 1}}},
		{"want a piece", "control", wire.Want{Leaves: wire.Leaves{Piece: 262143, First: 0, Count: 64}}},
		{"cancel", "control", wire.Cancel{Leaves: wire.Leaves{Piece: 3, First: 4, Count: 60}}},
		{"leaf", "lane", whole},
		{"leaf of a byte", "lane", alone},
		{"leaf with six nodes", "lane", six},
		{"first part of a leaf", "lane", first},
		{"last part of a leaf", "lane", wire.Leaf{Piece: 5, Leaf: 2, Size: 10, Offset: 7, Bytes: whole.Bytes[7:]}},
		{"reject", "control", wire.Reject{Leaves: wire.Leaves{Piece: 3, First: 4, Count: 5}, Reason: wire.NotHeld}},
		{"reject, the source has changed", "control", wire.Reject{Leaves: wire.Leaves{Piece: 3, First: 0, Count: 64}, Reason: wire.Changed}},
		{"stat", "control", wire.Stat{Held: 12, Up: 1_250_000, Down: 1<<32 - 1, State: wire.Running}},
		{"stat, complete", "control", wire.Stat{Held: 262144, State: wire.Complete}},
		{"stat, leaving", "control", wire.Stat{Held: 7, State: wire.Leaving}},
		{"revoke nobody", "control", wire.Revoke{List: revocation(1)}},
		{"revoke", "control", wire.Revoke{List: revocation(2, 1, 2, 1<<32-1)}},
		{"bye", "control", wire.Bye{Reason: wire.Done}},
		{"bye with a text", "control", wire.Bye{Reason: wire.TooManyPeers, Text: "\ufefftschüß 👋"}},
		{"bye with a long text", "control", wire.Bye{Reason: wire.GoesAway, Text: strings.Repeat("ü", 100)}},
		{"ping", "control", wire.Ping{Value: 1<<64 - 1}},
		{"pong", "control", wire.Pong{Value: 0x0102030405060708, Clock: 0x11121314151617}},
	}
}

// revocation gives a list in the shape of docs/MESH.md, section 4; its signature is a pattern.
func revocation(version uint32, serials ...uint32) []byte {
	b := meshtest.Pattern(11, 16)
	b = binary.BigEndian.AppendUint32(b, version)
	b = binary.BigEndian.AppendUint16(b, uint16(len(serials)))
	for _, serial := range serials {
		b = binary.BigEndian.AppendUint32(b, serial)
	}
	return append(b, meshtest.Pattern(12, 64)...)
}

// fields are a frame's values by names, for the golden file.
func fields(f wire.Frame) map[string]any {
	m := map[string]any{"type": f.Type().String()}
	leaves := func(l wire.Leaves) { m["piece"], m["first"], m["count"] = l.Piece, l.First, l.Count }
	switch f := f.(type) {
	case wire.Hello:
		m["version"], m["seed"], m["largest"], m["attempt"], m["mac"] = f.Version, f.Seed, f.Largest, meshtest.Hex(f.Attempt[:]), meshtest.Hex(f.MAC[:])
	case wire.Manifest:
		m["total"], m["offset"], m["bytes"] = f.Total, f.Offset, meshtest.Hex(f.Bytes)
	case wire.Bitfield:
		m["pieces"], m["bits"] = f.Pieces, meshtest.Hex(f.Bits)
	case wire.Have:
		ranges := [][2]uint32{}
		for _, r := range f.Ranges {
			ranges = append(ranges, [2]uint32{r.First, r.Count})
		}
		m["ranges"] = ranges
	case wire.Want:
		leaves(f.Leaves)
	case wire.Cancel:
		leaves(f.Leaves)
	case wire.Leaf:
		m["piece"], m["leaf"], m["size"], m["offset"], m["bytes"] = f.Piece, f.Leaf, f.Size, f.Offset, meshtest.Hex(f.Bytes)
		if f.Offset == 0 {
			m["root"], m["signature"], m["nodes"] = meshtest.Hex(f.Root[:]), meshtest.Hex(f.Signature[:]), meshtest.Hex(f.Nodes)
		}
	case wire.Reject:
		leaves(f.Leaves)
		m["reason"] = f.Reason
	case wire.Stat:
		m["held"], m["up"], m["down"], m["state"] = f.Held, f.Up, f.Down, f.State
	case wire.Revoke:
		m["list"] = meshtest.Hex(f.List)
	case wire.Bye:
		m["reason"], m["text"] = f.Reason, f.Text
	case wire.Ping:
		m["value"] = fmt.Sprintf("%016x", f.Value)
	case wire.Pong:
		m["value"], m["clock"] = fmt.Sprintf("%016x", f.Value), f.Clock
	}
	return m
}

// badFrames are messages that are refused, each for one rule.
func badFrames() []badFrame {
	const (
		attempt = "0123456789abcdef0123456789abcdef"
		mac     = attempt + attempt
		hash    = mac
		sig     = hash + hash
		room    = attempt
	)
	list := func(count string, serials ...string) string {
		return "0a" + room + "00000001" + count + strings.Join(serials, "") + sig
	}
	serials := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("%08x", i+1))
		}
		return all
	}
	table := []struct{ name, channel, rule, hex string }{
		{"nothing", "control", "length", ""},
		{"type 0", "control", "type", "00"},
		{"type behind the last", "control", "type", "0e0000000000000000"},
		{"a leaf on control", "control", "channel", "07" + "00000000" + "0000" + "00000001" + "00000000" + "00" + hash + sig + "ff"},
		{"a ping on a lane", "lane", "channel", "0c0000000000000000"},
		{"a want on a further connection", "side control", "channel", "05" + "00000000" + "0000" + "0001"},
		{"an unknown type on a lane", "lane", "type", "7f"},
		{"hello, version 0", "control", "value", "01" + "00" + "00" + "0000f000" + attempt + mac},
		{"hello, version 2", "control", "value", "01" + "02" + "00" + "0000f000" + attempt + mac},
		{"hello, unknown flag", "control", "value", "01" + "01" + "02" + "0000f000" + attempt + mac},
		{"hello, messages too small", "control", "value", "01" + "01" + "00" + "00003fff" + attempt + mac},
		{"hello, messages too large", "control", "value", "01" + "01" + "00" + "00040001" + attempt + mac},
		{"hello, cut", "control", "length", "01" + "01" + "00" + "0000f000" + attempt + mac[2:]},
		{"hello, a byte more", "control", "length", "01" + "01" + "00" + "0000f000" + attempt + mac + "00"},
		{"manifest, no bytes", "control", "length", "02" + "00000046" + "00000000"},
		{"manifest, cut", "control", "length", "02" + "00000046" + "000000"},
		{"manifest, no more than a signature", "control", "value", "02" + "00000040" + "00000000" + "ff"},
		{"manifest, too large", "control", "value", "02" + "00400001" + "00000000" + "ff"},
		{"manifest, behind its end", "control", "value", "02" + "00000046" + "00000045" + "ffff"},
		{"manifest, offset near the end of numbers", "control", "value", "02" + "00000046" + "ffffffff" + "ffff"},
		{"bitfield, cut", "control", "length", "03" + "000000"},
		{"bitfield, a byte too few", "control", "length", "03" + "00000009" + "ff"},
		{"bitfield, a byte too many", "control", "length", "03" + "00000008" + "ffff"},
		{"bitfield, a byte for no pieces", "control", "length", "03" + "00000000" + "00"},
		{"bitfield, spare bit", "control", "value", "03" + "00000009" + "ff" + "c0"},
		{"bitfield, last spare bit", "control", "value", "03" + "00000001" + "81"},
		{"bitfield, too many pieces", "control", "value", "03" + "00040001"},
		{"bitfield, most pieces there are numbers for", "control", "value", "03" + "ffffffff"},
		{"have nothing", "control", "length", "04"},
		{"have, cut", "control", "length", "04" + "00000000" + "000001"},
		{"have, cut in the second range", "control", "length", "04" + "00000000" + "00000001" + "00000002"},
		{"have, empty range", "control", "value", "04" + "00000000" + "00000001" + "00000005" + "00000000"},
		{"have, behind the last piece", "control", "value", "04" + "0003ffff" + "00000002"},
		{"have, more than there are numbers for", "control", "value", "04" + "ffffffff" + "ffffffff"},
		{"have, too many ranges", "control", "length", "04" + strings.Repeat("00000000"+"00000001", 1025)},
		{"want, cut", "control", "length", "05" + "00000000" + "0000" + "00"},
		{"want, a byte more", "control", "length", "05" + "00000000" + "0000" + "0001" + "00"},
		{"want, no leaf", "control", "value", "05" + "00000000" + "0000" + "0000"},
		{"want, behind the last leaf", "control", "value", "05" + "00000000" + "003f" + "0002"},
		{"want, far behind", "control", "value", "05" + "00000000" + "ffff" + "ffff"},
		{"want, no such piece", "control", "value", "05" + "00040000" + "0000" + "0001"},
		{"cancel, no leaf", "control", "value", "06" + "00000000" + "0000" + "0000"},
		{"cancel, 65 leaves", "control", "value", "06" + "00000000" + "0000" + "0041"},
		{"leaf, cut in its head", "lane", "length", "07" + "00000000" + "0000" + "00000001" + "0000"},
		{"leaf, cut in its proof", "lane", "length", "07" + "00000000" + "0000" + "00000001" + "00000000" + "01" + hash + sig + hash[2:]},
		{"leaf, no bytes", "lane", "length", "07" + "00000000" + "0000" + "00000001" + "00000000" + "01" + hash + sig + hash},
		{"leaf, size 0", "lane", "value", "07" + "00000000" + "0000" + "00000000" + "00000000" + "00" + hash + sig + "ff"},
		{"leaf, size 65537", "lane", "value", "07" + "00000000" + "0000" + "00010001" + "00000000" + "00" + hash + sig + "ff"},
		{"leaf, more bytes than its size", "lane", "value", "07" + "00000000" + "0000" + "00000001" + "00000000" + "00" + hash + sig + "ffff"},
		{"leaf, part behind its end", "lane", "value", "07" + "00000000" + "0000" + "00000002" + "00000001" + "00" + "ffff"},
		{"leaf, part at its end", "lane", "value", "07" + "00000000" + "0000" + "00000002" + "00000002" + "00" + "ff"},
		{"leaf, offset near the end of numbers", "lane", "value", "07" + "00000000" + "0000" + "00000002" + "ffffffff" + "00" + "ffff"},
		{"leaf, seven nodes", "lane", "value", "07" + "00000000" + "0000" + "00000001" + "00000000" + "07" + hash + sig + strings.Repeat(hash, 7) + "ff"},
		{"leaf, nodes in a later part", "lane", "value", "07" + "00000000" + "0000" + "00000028" + "00000001" + "01" + hash + "ff"},
		{"leaf, no such leaf", "lane", "value", "07" + "00000000" + "0040" + "00000001" + "00000000" + "00" + hash + sig + "ff"},
		{"leaf, no such piece", "lane", "value", "07" + "00040000" + "0000" + "00000001" + "00000000" + "00" + hash + sig + "ff"},
		{"reject, cut", "control", "length", "08" + "00000000" + "0000" + "0001"},
		{"reject, reason 0", "control", "value", "08" + "00000000" + "0000" + "0001" + "00"},
		{"reject, reason 5", "control", "value", "08" + "00000000" + "0000" + "0001" + "05"},
		{"reject, no leaf", "control", "value", "08" + "00000000" + "0000" + "0000" + "01"},
		{"stat, cut", "control", "length", "09" + "00000000" + "00000000" + "00000000"},
		{"stat, state 7", "control", "value", "09" + "00000000" + "00000000" + "00000000" + "07"},
		{"stat, too many pieces", "control", "value", "09" + "00040001" + "00000000" + "00000000" + "00"},
		{"revoke, cut", "control", "length", "0a" + room + "00000001" + "0000" + sig[2:]},
		{"revoke, fewer serials than told", "control", "length", list("0002", "00000001")},
		{"revoke, more serials than told", "control", "length", list("0001", "00000001", "00000002")},
		{"revoke, the uploader", "control", "value", list("0001", "00000000")},
		{"revoke, falling", "control", "value", list("0002", "00000002", "00000001")},
		{"revoke, twice the same", "control", "value", list("0002", "00000002", "00000002")},
		{"revoke, 1001 serials", "control", "value", list("03e9", serials(1001)...)},
		{"bye, no reason", "control", "length", "0b"},
		{"bye, reason 7", "control", "value", "0b" + "07"},
		{"bye, text too long", "control", "length", "0b" + "00" + strings.Repeat("61", 201)},
		{"bye, text not UTF-8", "control", "value", "0b" + "00" + "61ff"},
		{"bye, half a surrogate pair", "control", "value", "0b" + "00" + "eda080"},
		{"bye, a line break", "control", "value", "0b" + "00" + "610a62"},
		{"bye, an escape of the upper half", "control", "value", "0b" + "00" + "c29b"},
		{"ping, cut", "control", "length", "0c" + "00000000000000"},
		{"pong, a clock that is no number of a page", "control", "value", "0d" + "0000000000000000" + "0020000000000000"},
		{"pong, a byte more", "control", "length", "0d" + "0000000000000000" + "000000000000000000"},
	}
	bad := make([]badFrame, len(table))
	for i, c := range table {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			panic(fmt.Sprintf("%s: %v", c.name, err))
		}
		bad[i] = badFrame{c.name, c.channel, b, c.rule}
	}
	return bad
}

func TestGoldenFrames(t *testing.T) {
	made := framesFile{
		About: "Messages as docs/MESH.md, section 6, has them. A bad one breaks one rule: its type is unknown, it does not " +
			"belong on its channel, its length is wrong, or a value is not allowed. Hex where bytes are meant; u64 are hex too.",
		Bad: badFrames(),
	}
	for _, s := range samples() {
		made.Good = append(made.Good, goodFrame{s.name, s.channel, wire.Append(nil, s.frame), fields(s.frame)})
	}
	meshtest.Golden(t, "frames.json", made)
}

// The golden file is read from disk, so that what the other half reads is what is tested.
func TestParseGoldenFrames(t *testing.T) {
	var kept framesFile
	meshtest.Read(t, "frames.json", &kept)
	want := samples()
	if len(kept.Good) != len(want) {
		t.Fatalf("%d good frames in the file, %d in the test", len(kept.Good), len(want))
	}
	for i, good := range kept.Good {
		got, err := wire.Parse(good.Hex, channels()[good.Channel])
		if err != nil {
			t.Errorf("%s: %v", good.Name, err)
			continue
		}
		if diff := cmp.Diff(want[i].frame, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", good.Name, diff)
		}
		if again := wire.Append([]byte("x"), got); !bytes.Equal(again[1:], good.Hex) {
			t.Errorf("%s: made again as %x", good.Name, again[1:])
		}
	}
	for _, bad := range kept.Bad {
		frame, err := wire.Parse(bad.Hex, channels()[bad.Channel])
		if !errors.Is(err, rules()[bad.Rule]) || frame != nil {
			t.Errorf("%s: %v, %v; want %q", bad.Name, frame, err, bad.Rule)
		}
	}
}

// Every frame that is cut anywhere, and every one with a byte more, is refused or is another frame of
// the same type whose length is free.
func TestCutFrames(t *testing.T) {
	free := map[wire.Type]bool{wire.TypeManifest: true, wire.TypeHave: true, wire.TypeLeaf: true, wire.TypeBye: true}
	for _, s := range samples() {
		b := wire.Append(nil, s.frame)
		for n := range len(b) {
			if got, err := wire.Parse(b[:n], channels()[s.channel]); err == nil && !free[got.Type()] {
				t.Errorf("%s cut to %d bytes: %+v", s.name, n, got)
			}
		}
	}
}
