package store

import (
	"errors"
	"io/fs"
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

// TestSourceThatCannotBeRead: what is below a folder and cannot be opened is left out, and said; what is named itself
// is an error. Nothing of it is shared, since nobody would ever get it.
func TestSourceThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "d", "file"), []byte("1"))
	put(t, filepath.Join(dir, "d", "secret"), []byte("2"))
	put(t, filepath.Join(dir, "d", "shut", "inside"), []byte("3"))
	refuses := func(p string) (*os.File, error) {
		if name := filepath.Base(p); name == "secret" || name == "shut" {
			return nil, &fs.PathError{Op: "open", Path: p, Err: fs.ErrPermission}
		}
		return os.Open(p)
	}
	var told []string
	note := func(p, why string) { told = append(told, filepath.Base(p)+": "+why) }
	src, err := openSource(refuses, []string{filepath.Join(dir, "d")}, note)
	if err != nil {
		t.Fatal(err)
	}
	if files := src.Files(); len(files) != 1 || files[0].Path != "d/file" {
		t.Errorf("shared: %+v", files)
	}
	if want := []string{"secret: permission denied", "shut: permission denied"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	for _, named := range []string{"secret", "shut"} {
		var about *FileError
		if _, err := openSource(refuses, []string{filepath.Join(dir, "d", named)}, note); !errors.Is(err, fs.ErrPermission) || !errors.As(err, &about) {
			t.Errorf("%s, named itself: %v", named, err)
		}
	}
}

// TestSourceByALink: a symbolic link that is named itself is followed.
func TestSourceByALink(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "d", "file"), []byte("1"))
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "d"), link); err != nil {
		t.Skip("no symbolic links here")
	}
	src, err := OpenSource([]string{link}, noSkips(t))
	if err != nil {
		t.Fatal(err)
	}
	if files := src.Files(); len(files) != 1 || files[0].Path != "link/file" {
		t.Errorf("shared: %+v", files)
	}
}

func TestSourceRefusesNames(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "d", "a:b"), nil)
	if _, err := OpenSource([]string{filepath.Join(dir, "d")}, noSkips(t)); !errors.Is(err, manifest.ForbiddenChar) {
		t.Errorf("%v", err)
	}
}
