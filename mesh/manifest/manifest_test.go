package manifest_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

func TestCheck(t *testing.T) {
	one := func(f manifest.File) manifest.Manifest { return manifest.Manifest{Files: []manifest.File{f}} }
	many := func(n int) (m manifest.Manifest) {
		for i := range n {
			m.Files = append(m.Files, manifest.File{Path: fmt.Sprintf("%d", i), Size: 1})
		}
		return m
	}
	for _, c := range []struct {
		name string
		m    manifest.Manifest
		want error
	}{
		{"nothing", manifest.Manifest{}, manifest.ErrNothing},
		{"10,000 files", many(10_000), nil},
		{"10,001 files", many(10_001), manifest.ErrEntries},
		{"the longest text", manifest.Manifest{Text: strings.Repeat("x", 65536)}, nil},
		{"a text that is too long", manifest.Manifest{Text: strings.Repeat("x", 65537)}, manifest.ErrText},
		{"a text that is too long in bytes", manifest.Manifest{Text: strings.Repeat("ü", 32769)}, manifest.ErrText},
		{"a text that is not UTF-8", manifest.Manifest{Text: "\xff"}, manifest.ErrText},
		{"made before 1970", manifest.Manifest{Text: "x", Created: -1}, manifest.ErrTime},
		{"made too late", manifest.Manifest{Text: "x", Created: manifest.MaxTime + 1}, manifest.ErrTime},
		{"changed before 1970", one(manifest.File{Path: "a", Modified: -1}), manifest.ErrTime},
		{"changed too late", one(manifest.File{Path: "a", Modified: manifest.MaxTime + 1}), manifest.ErrTime},
		{"a size below zero", one(manifest.File{Path: "a", Size: -1}), manifest.ErrTotal},
		{"1 TiB", one(manifest.File{Path: "a", Size: 1 << 40}), nil},
		{"more than 1 TiB", one(manifest.File{Path: "a", Size: 1<<40 + 1}), manifest.ErrTotal},
		{"more than 1 TiB together", manifest.Manifest{Files: []manifest.File{{Path: "a", Size: 1 << 40}, {Path: "b", Size: 1}}}, manifest.ErrTotal},
		{"a sum that overflows", manifest.Manifest{Files: []manifest.File{{Path: "a", Size: 1 << 62}, {Path: "b", Size: 1 << 62}}}, manifest.ErrTotal},
		{"a bad path", one(manifest.File{Path: "../a"}), manifest.DotPart},
		{"a folder with a size", one(manifest.File{Path: "a/", Size: 1}), manifest.FolderSize},
	} {
		err := c.m.Check()
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if _, encoding := c.m.Encode(); !errors.Is(encoding, c.want) {
			t.Errorf("%s: Encode: %v, want %v", c.name, encoding, c.want)
		}
	}
}

func TestTooLarge(t *testing.T) {
	var m manifest.Manifest
	for i := range 10_000 {
		m.Files = append(m.Files, manifest.File{Path: fmt.Sprintf("%0255d/%0200d", i, i), Size: 1})
	}
	if _, err := m.Encode(); !errors.Is(err, manifest.ErrLarge) {
		t.Errorf("Encode: %v", err)
	}
	if _, err := manifest.Decode(make([]byte, manifest.MaxBlob)); !errors.Is(err, manifest.ErrLarge) {
		t.Errorf("Decode: %v", err)
	}
	if _, _, err := manifest.Open(make([]byte, manifest.MaxBlob+1), room, nil); !errors.Is(err, manifest.ErrLarge) {
		t.Errorf("Open: %v", err)
	}
}

// An array of more entries than allowed is refused by its head, before it is read.
func TestDecodeTooManyEntries(t *testing.T) {
	b := []byte("\xa1\x65files\x99\x27\x11")
	b = append(b, bytes.Repeat([]byte{0xa0}, 10_001)...)
	if _, err := manifest.Decode(b); !errors.Is(err, manifest.ErrEntries) {
		t.Errorf("%v", err)
	}
}

func TestSealAndOpen(t *testing.T) {
	m := goodManifests()[5].Manifest
	blob, id, err := manifest.Seal(m, room, signer(t))
	if err != nil {
		t.Fatal(err)
	}
	got, gotID, err := manifest.Open(blob, room, verifier(t))
	if err != nil || gotID != id || manifest.IDOf(blob[64:]) != id {
		t.Fatalf("%x, %v; want %x", gotID, err, id)
	}
	if diff := cmp.Diff(m, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestOpenRefuses(t *testing.T) {
	blob, _, err := manifest.Seal(goodManifests()[0].Manifest, room, signer(t))
	if err != nil {
		t.Fatal(err)
	}
	changed := func(at int) []byte {
		b := bytes.Clone(blob)
		b[at] ^= 1
		return b
	}
	unsigned := func([]byte, [64]byte) bool { return true }
	for _, c := range []struct {
		name   string
		blob   []byte
		room   string
		verify manifest.VerifyFunc
		want   error
	}{
		{"the signature changed", changed(5), room, verifier(t), manifest.ErrSignature},
		{"the content changed", changed(len(blob) - 1), room, verifier(t), manifest.ErrSignature},
		{"of another room", blob, "green-harbour", verifier(t), manifest.ErrSignature},
		{"a signature alone", blob[:64], room, verifier(t), manifest.ErrSignature},
		{"less than a signature", blob[:63], room, unsigned, manifest.ErrSignature},
		{"nothing", nil, room, unsigned, manifest.ErrSignature},
		{"signed nonsense", append(bytes.Clone(blob[:64]), 0xff), room, unsigned, manifest.ErrForm},
	} {
		m, id, err := manifest.Open(c.blob, c.room, c.verify)
		if !errors.Is(err, c.want) || len(m.Files) > 0 || id != (manifest.ID{}) {
			t.Errorf("%s: %v, %v, want %v", c.name, m, err, c.want)
		}
	}
}

func TestSealTellsErrors(t *testing.T) {
	broken := errors.New("no key")
	fails := func([]byte) ([64]byte, error) { return [64]byte{}, broken }
	if blob, _, err := manifest.Seal(goodManifests()[0].Manifest, room, fails); !errors.Is(err, broken) || blob != nil {
		t.Errorf("%x, %v", blob, err)
	}
	if _, _, err := manifest.Seal(manifest.Manifest{}, room, fails); !errors.Is(err, manifest.ErrNothing) {
		t.Errorf("%v", err)
	}
}

// FuzzDecode: whatever is read keeps all rules, and is made again as the same bytes.
func FuzzDecode(f *testing.F) {
	for _, m := range goodManifests() {
		b, err := m.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := manifest.Decode(b)
		if err != nil {
			if len(m.Files) > 0 {
				t.Fatalf("a manifest beside the error %v", err)
			}
			return
		}
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		if again, err := m.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("made again as %x, %v", again, err)
		}
	})
}

// FuzzOpen: a blob with any byte changed is refused.
func FuzzOpen(f *testing.F) {
	blob, _, err := manifest.Seal(goodManifests()[5].Manifest, room, signer(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(0), byte(1))
	f.Add(uint16(64), byte(0x80))
	f.Fuzz(func(t *testing.T, at uint16, change byte) {
		b := bytes.Clone(blob)
		b[int(at)%len(b)] ^= change
		if _, _, err := manifest.Open(b, room, verifier(t)); (err == nil) != (change == 0) {
			t.Fatalf("byte %d changed by %02x: %v", at, change, err)
		}
	})
}

func BenchmarkOpenLarge(b *testing.B) {
	var m manifest.Manifest
	for i := range 10_000 {
		m.Files = append(m.Files, manifest.File{Path: fmt.Sprintf("folder %d/one of many files %d.jpg", i/100, i), Size: 100_000})
	}
	blob, _, err := manifest.Seal(m, room, signer(b))
	if err != nil {
		b.Fatal(err)
	}
	verify := verifier(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := manifest.Open(blob, room, verify); err != nil {
			b.Fatal(err)
		}
	}
}
