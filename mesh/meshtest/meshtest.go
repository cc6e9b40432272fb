// Package meshtest holds the tests of the mesh to its golden files in mesh/testdata, which the tests
// of the TypeScript half read too. It is imported by tests only.
//
// A golden file is JSON; bytes are lower-case hex in text. A test makes the file's content anew from
// the program and compares; with the flag -update it writes the file instead.
package meshtest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files of mesh/testdata instead of comparing with them")

// Hex is bytes that are hex in JSON.
type Hex []byte

// MarshalText gives lower-case hex.
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// UnmarshalText reads hex.
func (h *Hex) UnmarshalText(text []byte) (err error) {
	*h, err = hex.AppendDecode(nil, text)
	return err
}

// Golden compares what the program makes with a golden file, or writes the file with -update. The
// name is that of the file in mesh/testdata; the test's package is a folder beside that.
func Golden(t *testing.T, name string, made any) {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(made); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("..", "testdata", name)
	if *update {
		if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if line, was, is := difference(kept, text.Bytes()); line > 0 {
		t.Errorf("mesh/testdata/%s, line %d: the file has %q, the program makes %q", name, line, was, is)
	}
}

// difference finds the first line, counted from 1, in which two texts differ; 0 where they are equal.
func difference(a, b []byte) (line int, inA, inB []byte) {
	linesA, linesB := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range max(len(linesA), len(linesB)) {
		inA, inB = nil, nil
		if i < len(linesA) {
			inA = linesA[i]
		}
		if i < len(linesB) {
			inB = linesB[i]
		}
		if i >= len(linesA) || i >= len(linesB) || !bytes.Equal(inA, inB) {
			return i + 1, inA, inB
		}
	}
	return 0, nil, nil
}

// Read reads a golden file into a value.
func Read(t *testing.T, name string, into any) {
	t.Helper()
	kept, err := os.ReadFile(filepath.Join("..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(kept))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("mesh/testdata/%s: %v", name, err)
	}
}

// Pattern is bytes that golden files describe instead of holding: byte i is (i×31 + seed) mod 251.
func Pattern(seed, length int) []byte {
	b := make([]byte, length)
	for i := range b {
		b[i] = byte((i*31 + seed) % 251)
	}
	return b
}
