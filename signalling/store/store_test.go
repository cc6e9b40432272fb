package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/crypto/bcrypt"

	"github.com/fanfare-relay/fanfare/signalling/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var at = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func mustOpen(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestEverythingOutlivesTheServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	s := mustOpen(t, dir)
	if has, err := s.HasPublishKey(); has || err != nil {
		t.Errorf("a new store has a publish key: %v %v", has, err)
	}
	secret := bytes.Clone(s.Secret())
	owner := token.HashKey("k")
	password, err := HashPassword("open sesame", bcrypt.MinCost)
	want := Stream{Owner: owner, Password: password, Embed: true, Title: "T", Created: at, Live: true, LastLive: at}
	if err := errors.Join(err, s.AddKey(owner, Key{Created: at}), s.CreateStream("a", want),
		s.Remove("a", "viewer:x", at), s.Close()); err != nil {
		t.Fatal(err)
	}

	s = mustOpen(t, dir)
	if !bytes.Equal(secret, s.Secret()) {
		t.Error("the secret changed")
	}
	if has, err := s.HasPublishKey(); !has || err != nil {
		t.Errorf("the publish key is gone: %v %v", has, err)
	}
	if _, found, err := s.Key(owner); !found || err != nil {
		t.Errorf("the key is gone: %v", err)
	}
	got, found, err := s.Stream("a")
	if !found || err != nil || !cmp.Equal(got, want) {
		t.Errorf("stream: %v %v %s", found, err, cmp.Diff(got, want))
	}
	if !got.PasswordMatches("open sesame") || got.PasswordMatches("open") || (Stream{}).PasswordMatches("") {
		t.Error("the password is judged wrongly")
	}
	if removed, err := s.Removed("a", "viewer:y", "viewer:x"); !removed || err != nil {
		t.Errorf("the removed viewer is forgotten: %v %v", removed, err)
	}
}

func TestStreamsAreMadeOnceAndChangedWhole(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	if err := s.CreateStream("a", Stream{}); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateStream("a", Stream{}); !errors.Is(err, ErrStreamExists) {
		t.Errorf("made twice: %v", err)
	}
	if err := s.UpdateStream("b", func(*Stream) {}); !errors.Is(err, ErrNoStream) {
		t.Errorf("changed what is not there: %v", err)
	}
	if err := s.UpdateStream("a", func(rec *Stream) { rec.Title = "new" }); err != nil {
		t.Fatal(err)
	}
	if rec, _, _ := s.Stream("a"); rec.Title != "new" {
		t.Errorf("title is %q", rec.Title)
	}
}

func TestRenameTakesKeysAndRemovedViewersAlong(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	bound, free := token.HashKey("bound"), token.HashKey("free")
	if err := errors.Join(s.CreateStream("old", Stream{Title: "T"}), s.CreateStream("taken", Stream{}),
		s.AddKey(bound, Key{Stream: "old"}), s.AddKey(free, Key{}), s.Remove("old", "v", at)); err != nil {
		t.Fatal(err)
	}
	if err := s.RenameStream("none", "x"); !errors.Is(err, ErrNoStream) {
		t.Errorf("renamed nothing: %v", err)
	}
	if err := s.RenameStream("old", "taken"); !errors.Is(err, ErrStreamExists) {
		t.Errorf("renamed over another: %v", err)
	}
	if err := s.RenameStream("old", "new"); err != nil {
		t.Fatal(err)
	}
	_, foundOld, _ := s.Stream("old")
	rec, _, _ := s.Stream("new")
	k, _, _ := s.Key(bound)
	f, _, _ := s.Key(free)
	removedOld, _ := s.Removed("old", "v")
	removedNew, _ := s.Removed("new", "v")
	got := fmt.Sprintln(foundOld, rec.Title, k.Stream, f.Stream == "", removedOld, removedNew)
	if want := "false T new true false true\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRemovedViewersAreBounded(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	list := removedList{}
	for i := range maxRemoved {
		list[fmt.Sprint("viewer:", i)] = at.Add(time.Duration(i) * time.Second)
	}
	if err := s.update(putRemoved("a", list)); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove("a", "viewer:last", at.Add(time.Hour*24)); err != nil {
		t.Fatal(err)
	}
	first, _ := s.Removed("a", "viewer:0")
	second, _ := s.Removed("a", "viewer:1")
	last, _ := s.Removed("a", "viewer:last")
	if first || !second || !last {
		t.Errorf("kept first %v, second %v, last %v; want the first forgotten", first, second, last)
	}
}

// TestKeysBesideARunningServer: keys are made, listed and revoked without the database, which is locked.
func TestKeysBesideARunningServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if all, err := Keys(dir); len(all) != 0 || err != nil {
		t.Errorf("keys of no folder: %v %v", all, err)
	}
	early, late := token.HashKey("early"), token.HashKey("late")
	if err := AddKey(dir, early, Key{Created: at}); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, dir)
	if has, err := s.HasPublishKey(); !has || err != nil {
		t.Errorf("the key made before the start is not known: %v %v", has, err)
	}
	if _, found, err := s.Key(late); found || err != nil {
		t.Errorf("an unknown key is found: %v %v", found, err)
	}
	if err := AddKey(dir, late, Key{Stream: "s", Created: at.Add(1)}); err != nil {
		t.Fatal(err)
	}
	k, found, err := s.Key(late)
	if !found || err != nil || k.Stream != "s" {
		t.Errorf("the key made beside the running server: %+v %v %v", k, found, err)
	}
	all, err := Keys(dir)
	if want := []KnownKey{{early, Key{Created: at}}, {late, Key{Stream: "s", Created: at.Add(1)}}}; err != nil || !cmp.Equal(all, want) {
		t.Errorf("list: %v %s", err, cmp.Diff(all, want))
	}
	if err := RevokeKey(dir, early); err != nil {
		t.Fatal(err)
	}
	if has, err := s.HasPublishKey(); has || err != nil {
		t.Errorf("a revoked key counts: %v %v", has, err)
	}
	if err := RevokeKey(dir, early); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("revoked twice: %v", err)
	}
}

func TestDamagedKey(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	good, bad := token.HashKey("good"), token.HashKey("bad")
	if err := errors.Join(s.AddKey(good, Key{}), s.AddKey(bad, Key{}), os.WriteFile(keyFile(s.dir, bad), []byte("{"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Key(bad); !errors.Is(err, ErrCorruptKey) {
		t.Errorf("the damaged key: %v", err)
	}
	if _, found, err := s.Key(good); !found || err != nil {
		t.Errorf("the good key: %v %v", found, err)
	}
	if _, err := s.HasPublishKey(); !errors.Is(err, ErrCorruptKey) || !strings.Contains(err.Error(), bad.String()) {
		t.Errorf("the start: %v", err)
	}
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir)
	if _, err := Open(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v", err)
	}
}

func TestUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir() // a folder where the database should be
	if err := os.Mkdir(filepath.Join(folder, FileName), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below"), folder} {
		if _, err := Open(dir); !errors.Is(err, ErrUnwritable) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if err := explain(&fs.PathError{Op: "open", Err: fs.ErrPermission}); !errors.Is(err, ErrUnwritable) {
		t.Errorf("no permission: %v", err)
	}
}

func TestFull(t *testing.T) {
	if err := explain(&fs.PathError{Op: "write", Err: noRoom}); !errors.Is(err, ErrFull) {
		t.Errorf("no room on the disk: %v", err)
	}
	if err := explain(fmt.Errorf("file resize error: %s", noRoom)); !errors.Is(err, ErrFull) {
		t.Errorf("no room to grow: %v", err)
	}
	s, err := open(t.TempDir(), 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for i := 0; ; i++ {
		err := s.CreateStream(fmt.Sprint(i), Stream{Title: string(make([]byte, 1000))})
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil || i > 1000 {
			t.Fatalf("after %d streams: %v", i, err)
		}
	}
	if _, found, err := s.Stream("0"); !found || err != nil {
		t.Errorf("a full store cannot be read: %v %v", found, err)
	}
}

// TestDamage cuts and scribbles over a good file: the answer is an error, or the data that
// the damage left alone, but never the end of the process.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	for i := range 200 {
		if err := s.CreateStream(fmt.Sprint(i), Stream{Title: fmt.Sprint("title ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}

	random := rand.New(rand.NewPCG(1, 2))
	damaged := map[string][]byte{
		"text":       []byte("this is not a database at all, only a line of text"),
		"zeros":      make([]byte, len(whole)),
		"cut short":  whole[:len(whole)/2],
		"one page":   whole[:os.Getpagesize()],
		"three":      whole[:3*os.Getpagesize()],
		"few bytes":  whole[:10],
		"noise":      noise(random, bytes.Clone(whole), len(whole)),
		"meta pages": noise(random, bytes.Clone(whole), 2*os.Getpagesize()),
	}
	mustFail := len(damaged)
	for i := range 40 {
		b := bytes.Clone(whole)
		from := random.IntN(len(b) - 512)
		noise(random, b[from:], 64)
		damaged[fmt.Sprint("scribble ", i)] = b
	}
	for name, data := range damaged {
		err := useDamaged(t, data)
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			mustFail--
		}
	}
	if mustFail > 0 {
		t.Errorf("%d kinds of gross damage went unnoticed", mustFail)
	}
}

func noise(random *rand.Rand, b []byte, n int) []byte {
	for i := range min(n, len(b)) {
		b[i] = byte(random.Uint32())
	}
	return b
}

func useDamaged(t *testing.T, data []byte) error {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, FileName), data, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	_, _, err = s.Stream("100")
	return errors.Join(err, s.Ready(), s.CreateStream("new", Stream{}))
}
