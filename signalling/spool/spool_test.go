package spool

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media/fragment"
)

// box makes one box of MP4.
func box(kind string, body ...[]byte) []byte {
	all := slices.Concat(body...)
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(8+len(all))), []byte(kind), all)
}

func zeros(n int) []byte { return make([]byte, n) }

// header is that of a recording with one track of pictures, whose samples are key frames unless they say otherwise.
func header() []byte {
	tkhd := box("tkhd", zeros(12), []byte{0, 0, 0, 1}, zeros(8))
	hdlr := box("hdlr", zeros(8), []byte("vide"), zeros(12))
	return slices.Concat(box("ftyp", []byte("iso5")), box("moov", box("trak", tkhd, box("mdia", hdlr))))
}

// group is a fragment of one picture.
func group(key bool, size int) []byte {
	flags := []byte{0, 1, 0, 0} // not a key frame
	if key {
		flags = zeros(4)
	}
	trun := box("trun", []byte{0, 0, 0, 4, 0, 0, 0, 1}, flags)
	return slices.Concat(box("moof", box("traf", box("tfhd", zeros(4), []byte{0, 0, 0, 1}), trun)), box("mdat", zeros(size)))
}

func record(t *testing.T, s *Spool) *Recording {
	t.Helper()
	r, err := s.Record("film", "one", "video/mp4")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func push(t *testing.T, r *Recording, n int, pieces ...[]byte) {
	t.Helper()
	if err := r.Push(n, slices.Concat(pieces...)); err != nil {
		t.Fatal(err)
	}
}

// read is all that a player has without waiting.
func read(t *testing.T, p *Player) []byte {
	t.Helper()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	var all []byte
	for {
		data, err := p.Next(gone)
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			return all
		}
		all = append(all, data...)
	}
}

func TestPlayersBeginWithTheLatestKeyFrame(t *testing.T) {
	r := record(t, New(1<<30))
	early := r.Play()
	if got := read(t, early); got != nil || r.Started() {
		t.Fatalf("there is something to play before anything has come: %d bytes", len(got))
	}
	push(t, r, 0, header(), group(true, 10), group(false, 20))
	push(t, r, 1, group(true, 30), group(false, 40))
	push(t, r, 1, []byte("a repeat of the same request"))
	if want := slices.Concat(header(), group(true, 30), group(false, 40)); !bytes.Equal(read(t, r.Play()), want) {
		t.Error("a newcomer does not begin with the latest key frame")
	}
	if want := slices.Concat(header(), group(true, 30), group(false, 40)); !bytes.Equal(read(t, early), want) {
		t.Error("who has waited does not begin with the latest key frame")
	}
	push(t, r, 2, group(false, 50))
	if !bytes.Equal(read(t, early), group(false, 50)) {
		t.Error("what follows does not follow")
	}
}

func TestPieces(t *testing.T) {
	r := record(t, New(1<<30))
	if err := r.Push(1, header()); !errors.Is(err, ErrOrder) {
		t.Errorf("a piece too early: %v", err)
	}
	if err := r.Push(0, []byte("no recording at all")); !errors.Is(err, ErrRecording) || !errors.Is(err, fragment.ErrFormat) {
		t.Errorf("garbage: %v", err)
	}
	r.Close()
	r.Close()
	if err := r.Push(1, nil); !errors.Is(err, ErrOver) {
		t.Errorf("after the end: %v", err)
	}
	if _, err := r.Play().Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("a player after the end: %v", err)
	}
}

func TestTheRingIsBounded(t *testing.T) {
	r := record(t, New(1<<30))
	push(t, r, 0, header(), group(true, 100))
	slow := r.Play()
	read(t, slow)
	for i := range 20 {
		push(t, r, 1+i, group(false, 1<<20-200))
	}
	if r.bytes > ringSize || len(r.parts) < 6 {
		t.Errorf("%d bytes are kept in %d parts", r.bytes, len(r.parts))
	}
	if _, err := slow.Next(t.Context()); !errors.Is(err, ErrBehind) {
		t.Errorf("a player that is too slow: %v", err)
	}
	if r.Started() {
		t.Error("the key frame is gone, and somebody may still begin")
	}
	push(t, r, 21, group(true, 100))
	if !r.Started() {
		t.Error("nobody may begin with a new key frame")
	}
}

func TestMemoryIsBoundedAndComesBack(t *testing.T) {
	s := New(2*recordingSize + 100)
	first, err := s.Record("a", "1", "")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Record("a", "1", ""); again != first || err != nil {
		t.Errorf("the same recording is another one (%v)", err)
	}
	second, err := s.Record("a", "2", "")
	if err != nil || s.Recording("a") != second {
		t.Fatalf("a newer recording does not take the place: %v", err)
	}
	if err := first.Push(0, nil); !errors.Is(err, ErrOver) {
		t.Errorf("the older one goes on: %v", err)
	}
	if _, err := s.Record("b", "1", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Record("c", "1", ""); !errors.Is(err, ErrFull) {
		t.Errorf("a third recording: %v", err)
	}
	if _, err := s.Store(101, strings.NewReader("")); !errors.Is(err, ErrFull) {
		t.Errorf("a file that does not fit: %v", err)
	}
	if _, err := s.Store(50, strings.NewReader("short")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that breaks off: %v", err)
	}
	id, err := s.Store(5, strings.NewReader("whole"))
	if data, _, ok := s.File(id); err != nil || !ok || string(data) != "whole" {
		t.Errorf("a file: %q, %v", data, err)
	}
	s.Close()
	if _, _, ok := s.File(id); ok || s.Recording("a") != nil || s.Left() != 2*recordingSize+100 {
		t.Errorf("%d bytes are left after the end", s.Left())
	}
}

func TestWhatIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1 << 30)
		r := record(t, s)
		id, err := s.Store(3, strings.NewReader("abc"))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(idle - time.Second)
		push(t, r, 0, header(), group(true, 1))
		p := r.Play()
		read(t, p)
		ended := make(chan error)
		go func() {
			_, err := p.Next(context.Background())
			ended <- err
		}()
		time.Sleep(idle - time.Second)
		if s.Recording("film") != r {
			t.Error("a recording is over although something came")
		}
		if err := <-ended; !errors.Is(err, io.EOF) {
			t.Errorf("the player: %v", err)
		}
		if s.Recording("film") != nil {
			t.Error("a recording without an uploader goes on")
		}
		if _, _, ok := s.File(id); !ok {
			t.Error("the file is gone too soon")
		}
		time.Sleep(FileLife)
		if _, _, ok := s.File(id); ok || s.Left() != 1<<30 {
			t.Error("the file is still there")
		}
	})
}
