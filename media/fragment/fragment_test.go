package fragment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
)

// el makes an element with a size of eight bytes; open leaves its size unknown.
func el(id uint32, body ...[]byte) []byte {
	all := slices.Concat(body...)
	return slices.Concat(idBytes(id), []byte{0x01}, binary.BigEndian.AppendUint64(nil, uint64(len(all)))[1:], all)
}

func open(id uint32, body ...[]byte) []byte {
	return slices.Concat(append([][]byte{idBytes(id), {0xFF}}, body...)...)
}

func idBytes(id uint32) []byte {
	return bytes.TrimLeft(binary.BigEndian.AppendUint32(nil, id), "\x00")
}

func block(track byte, key bool) []byte {
	flags := byte(0)
	if key {
		flags = 0x80
	}
	return el(idSimpleBlock, []byte{0x80 | track, 0, 0, flags}, bytes.Repeat([]byte{7}, 50))
}

func group(track byte, refers bool) []byte {
	body := [][]byte{el(idBlock, []byte{0x80 | track, 0, 0, 0, 1, 2, 3})}
	if refers {
		body = append(body, el(idReference, []byte{1}))
	}
	return el(idBlockGroup, body...)
}

func track(number, kind byte) []byte {
	return el(idTrackEntry, el(idTrackNumber, []byte{number}), el(idTrackType, []byte{kind}))
}

func webmStart(tracks ...[]byte) []byte {
	return slices.Concat(el(idEBML, []byte("webm")), open(idSegment, el(idInfo, []byte{1}), el(idTracks, tracks...)))
}

var clusterTime = el(0xE7, []byte{0})

func bx(kind string, body ...[]byte) []byte {
	all := slices.Concat(body...)
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(8+len(all))), []byte(kind), all)
}

func words(list ...uint32) (b []byte) {
	for _, w := range list {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

func mp4Start() []byte {
	tkhd := bx("tkhd", words(0, 0, 0, 1, 0, 0))
	hdlr := bx("hdlr", words(0, 0), []byte("vide"), words(0, 0, 0))
	trex := bx("trex", words(0, 1, 1, 0, 0, notSync))
	sound := bx("trak", bx("tkhd", words(0, 0, 0, 2, 0, 0)), bx("mdia", bx("hdlr", words(0, 0), []byte("soun"), words(0, 0, 0))))
	return slices.Concat(bx("ftyp", []byte("iso5")), bx("moov", bx("trak", tkhd, bx("mdia", hdlr)), sound, bx("mvex", trex)))
}

func moof(trafs ...[]byte) []byte {
	return bx("moof", append([][]byte{bx("mfhd", words(0, 1))}, trafs...)...)
}

func traf(track uint32, trun ...[]byte) []byte {
	return bx("traf", append([][]byte{bx("tfhd", words(0, track))}, trun...)...)
}

// cutAll pushes in pieces of a size, and returns the parts and where those begin that are Key or end Init.
func cutAll(t *testing.T, data []byte, piece int) (parts []Part, keys []int, init int, err error) {
	t.Helper()
	var s Splitter
	at := 0
	for chunk := range slices.Chunk(data, piece) {
		got, pushed := s.Push(chunk)
		for _, p := range got {
			if p.Key {
				keys = append(keys, at)
			}
			if p.Init {
				init = at + len(p.Data)
			}
			at += len(p.Data)
			parts = append(parts, p)
		}
		if pushed != nil {
			return parts, keys, init, pushed
		}
	}
	return parts, keys, init, nil
}

func joined(parts []Part) (all []byte) {
	for _, p := range parts {
		all = append(all, p.Data...)
	}
	return all
}

func TestCuts(t *testing.T) {
	both := webmStart(track(1, 1), track(2, 2))
	sound := webmStart(track(1, 2))
	key, delta := block(1, true), block(1, false)
	trunKey := bx("trun", words(trunFirstFlags, 1, 0))
	trunDefault := bx("trun", words(0, 1))
	trunEach := bx("trun", words(trunOffset|trunDuration|trunFlags, 1, 99, 10, 0))
	tests := []struct {
		name string
		// pieces stand one after the other; keys are those that a player can begin with.
		pieces [][]byte
		keys   []int
	}{
		{"clusters with sizes", [][]byte{both, el(idCluster, clusterTime, block(2, true), key, delta), el(idCluster, clusterTime, delta), el(idCluster, clusterTime, key)}, []int{1, 3}},
		{"clusters without sizes", [][]byte{both, open(idCluster, clusterTime, key, delta), open(idCluster, clusterTime, delta), open(idCluster, clusterTime, key)}, []int{1, 3}},
		{"a cluster of sound alone in between", [][]byte{both, el(idCluster, clusterTime, key), el(idCluster, clusterTime, block(2, true)), el(idCues, []byte{1}), el(idCluster, clusterTime, key)}, []int{1, 4}},
		{"sound alone", [][]byte{sound, el(idCluster, clusterTime, block(1, true)), open(idCluster, clusterTime, block(1, true))}, []int{1, 2}},
		{"groups of blocks", [][]byte{both, el(idCluster, clusterTime, group(2, false), group(1, false)), el(idCluster, group(1, true))}, []int{1}},
		{"MP4", [][]byte{mp4Start(), moof(traf(1, trunKey)), bx("mdat", []byte("picture")), moof(traf(1, trunDefault)), bx("mdat", []byte("next")), moof(traf(2, trunDefault), traf(1, trunEach)), bx("mdat")}, []int{1, 5}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data := slices.Concat(test.pieces...)
			var want []int
			at := 0
			for i, p := range test.pieces {
				if slices.Contains(test.keys, i) {
					want = append(want, at)
				}
				at += len(p)
			}
			for _, piece := range []int{1, 7, 64, len(data)} {
				parts, keys, init, err := cutAll(t, data, piece)
				if err != nil || !slices.Equal(keys, want) || init != len(test.pieces[0]) {
					t.Fatalf("pieces of %d: begins at %v, header of %d (%v); want %v, %d", piece, keys, init, err, want, len(test.pieces[0]))
				}
				if got := joined(parts); !bytes.Equal(got, data[:len(got)]) || len(got) < len(data)-MaxHeld {
					t.Fatalf("pieces of %d: other bytes come out", piece)
				}
			}
		})
	}
}

func TestRefused(t *testing.T) {
	both := webmStart(track(1, 1))
	tests := []struct {
		name string
		data []byte
		want error
	}{
		{"something else", []byte("GIF89a  and more"), ErrFormat},
		{"zeros", make([]byte, 32), ErrFormat},
		{"media before tracks", slices.Concat(el(idEBML), open(idSegment, el(idCluster, clusterTime))), ErrFormat},
		{"garbage between", slices.Concat(both, []byte{0, 0, 0, 0}), ErrFormat},
		{"a header without end", slices.Concat(el(idEBML), open(idSegment), bytes.Repeat(el(0xEC, make([]byte, 60_000)), 3)), ErrTooLarge},
		{"tracks of a gigabyte", slices.Concat(el(idEBML), open(idSegment), idBytes(idTracks), []byte{0x08, 0x40, 0, 0, 0}), ErrTooLarge},
		{"an MP4 file", slices.Concat(bx("ftyp", []byte("isom")), bx("mdat", []byte{1})), ErrFormat},
		{"a fragment without a movie", slices.Concat(bx("ftyp", []byte("isom")), moof()), ErrFormat},
		{"a fragment's head of a gigabyte", slices.Concat(mp4Start(), words(1<<30), []byte("moof")), ErrTooLarge},
		{"a box that is too long for its parent", slices.Concat(bx("ftyp", []byte("isom")), bx("moov", words(100), []byte("trak"))), ErrFormat},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var s Splitter
			_, err := s.Push(test.data)
			if !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			if _, again := s.Push([]byte{1}); !errors.Is(again, test.want) {
				t.Errorf("the next push says %v", again)
			}
		})
	}
}

// A file that another program has made: whoever begins at a cut has a key frame first.
func TestCutsOfAFile(t *testing.T) {
	data, err := os.ReadFile("../../cmd/fanfare/demo/demo.webm")
	if err != nil {
		t.Fatal(err)
	}
	parts, keys, init, err := cutAll(t, data, 4096)
	if err != nil || len(keys) == 0 || !bytes.Equal(joined(parts), data) {
		t.Fatalf("%d cuts, %v", len(keys), err)
	}
	for _, at := range keys {
		from := slices.Concat(data[:init], data[at:])
		r, err := container.New(bytes.NewReader(from), int64(len(from)))
		if err != nil {
			t.Fatal(err)
		}
		for {
			f, err := r.Next()
			if err != nil {
				t.Fatalf("no picture after the cut at %d: %v", at, err)
			}
			if r.Tracks()[f.Track].Codec.Kind() != media.KindVideo {
				continue
			}
			if !f.Key {
				t.Fatalf("the cut at %d begins with no key frame", at)
			}
			break
		}
	}
}

// Whatever comes, in whatever pieces: it comes out as it was, in the same parts, and little is kept.
func FuzzPush(f *testing.F) {
	f.Add(slices.Concat(webmStart(track(1, 1), track(2, 2)), el(idCluster, clusterTime, block(2, true), block(1, true)), open(idCluster, group(1, false))), 7)
	f.Add(slices.Concat(mp4Start(), moof(traf(1, bx("trun", words(trunFirstFlags, 1, 0)))), bx("mdat", []byte("x"))), 3)
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		if piece <= 0 || piece > len(data) {
			piece = max(1, len(data))
		}
		parts, keys, init, err := cutAll(t, data, piece)
		if got := joined(parts); !bytes.HasPrefix(data, got) {
			t.Fatal("other bytes come out")
		}
		whole, wholeKeys, wholeInit, wholeErr := cutAll(t, data, max(1, len(data)))
		if err == nil && wholeErr == nil {
			if !bytes.Equal(joined(parts), joined(whole)) || !slices.Equal(keys, wholeKeys) || init != wholeInit {
				t.Fatalf("pieces of %d: %d bytes, begins %v, header %d; at once: %d, %v, %d",
					piece, len(joined(parts)), keys, init, len(joined(whole)), wholeKeys, wholeInit)
			}
		}
	})
}
