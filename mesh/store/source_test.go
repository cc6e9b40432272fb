package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

func TestSourceChanges(t *testing.T) {
	tests := map[string]func(name string) error{
		"longer":  func(name string) error { return os.Truncate(name, 50*64<<10) },
		"shorter": func(name string) error { return os.Truncate(name, 100) },
		"newer":   func(name string) error { return os.Chtimes(name, time.Time{}, time.Now().Add(time.Hour)) },
		"gone":    os.Remove,
	}
	for what, change := range tests {
		t.Run(what, func(t *testing.T) {
			src, name := big(t)
			if err := change(name); err != nil {
				t.Fatal(err)
			}
			err := src.ReadPiece(0, make([]byte, 64<<10))
			if about := (*FileError)(nil); !errors.Is(err, ErrChanged) || !errors.As(err, &about) || about.Path != "big.bin" {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestSourceSkips(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "d", "file"), []byte("1"))
	if err := os.Symlink("/", filepath.Join(dir, "d", "link")); err != nil {
		t.Skip("no symbolic links here")
	}
	var told []string
	src, err := OpenSource([]string{filepath.Join(dir, "d")}, func(p, why string) { told = append(told, filepath.Base(p)+": "+why) })
	if err != nil {
		t.Fatal(err)
	}
	if len(src.Files()) != 1 || !slices.Equal(told, []string{"link: it is a symbolic link"}) {
		t.Errorf("%v, %q", src.Files(), told)
	}
}

func TestSourceRefusesNames(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "d", "a:b"), nil)
	if _, err := OpenSource([]string{filepath.Join(dir, "d")}, noSkips(t)); !errors.Is(err, manifest.ForbiddenChar) {
		t.Errorf("%v", err)
	}
}
