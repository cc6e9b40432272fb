package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFileIsFresh(t *testing.T) {
	parsed, err := parse("..")
	if err != nil {
		t.Fatal(err)
	}
	want, err := render(parsed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.FromSlash("../../../web/src/signal/msg.gen.ts"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("web/src/signal/msg.gen.ts is stale, run go generate ./signalling/msg:\n%s", diff)
	}
}

func TestOutputIsStable(t *testing.T) {
	parsed, err := parse("..")
	if err != nil {
		t.Fatal(err)
	}
	first, err := render(parsed)
	if err != nil {
		t.Fatal(err)
	}
	second, err := render(parsed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(first), string(second)); diff != "" {
		t.Error(diff)
	}
}

func TestScreaming(t *testing.T) {
	for in, want := range map[string]string{"Version": "VERSION", "MaxSealed": "MAX_SEALED"} {
		if got := screaming(in); got != want {
			t.Errorf("screaming(%q) = %q, want %q", in, got, want)
		}
	}
}
