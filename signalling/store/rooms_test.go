package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"github.com/fanfare-relay/fanfare/signalling/token"
)

func TestRoomsOutliveTheServer(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	want := Room{Owner: token.HashKey("k"), Members: 8, Expires: at.Add(time.Hour)}
	if err := s.CreateRoom("a", want, at); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateRoom("a", want, at); !errors.Is(err, ErrRoomExists) {
		t.Errorf("made twice: %v", err)
	}
	want.Verifier, want.Members = token.HashKey("join"), 9
	got, err := s.UpdateRoom("a", at, func(rec *Room) { rec.Verifier, rec.Members = want.Verifier, want.Members })
	if err != nil || got != want {
		t.Errorf("changed to %+v, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir)
	if got, found, err := s.Room("a", at); !found || err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v %v\n%s", found, err, cmp.Diff(want, got))
	}
	if err := s.DeleteRoom("a"); err != nil {
		t.Fatal(err)
	}
	if _, found, err := s.Room("a", at); found || err != nil {
		t.Errorf("it is still there: %v", err)
	}
	if _, err := s.UpdateRoom("a", at, func(*Room) {}); !errors.Is(err, ErrNoRoom) {
		t.Errorf("changed what is not there: %v", err)
	}
}

func TestRoomsWhoseTimeIsOver(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	if err := errors.Join(s.CreateRoom("short", Room{Expires: at.Add(time.Minute)}, at),
		s.CreateRoom("long", Room{Expires: at.Add(time.Hour)}, at)); err != nil {
		t.Fatal(err)
	}
	later := at.Add(time.Minute)
	if _, found, err := s.Room("short", later); found || err != nil {
		t.Errorf("found at its end: %v", err)
	}
	if _, err := s.UpdateRoom("short", later, func(r *Room) { r.Expires = at.Add(time.Hour) }); !errors.Is(err, ErrNoRoom) {
		t.Errorf("brought back: %v", err)
	}
	if err := s.CreateRoom("short", Room{Expires: at.Add(time.Hour), Members: 2}, later); err != nil {
		t.Errorf("the name is not free: %v", err)
	}
	if err := s.ForgetRooms(at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n := countRooms(t, s); n != 0 {
		t.Errorf("%d records are left", n)
	}
}

func countRooms(t *testing.T, s *Store) (n int) {
	t.Helper()
	err := s.view(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketRooms).ForEach(func(_, _ []byte) error { n++; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTooManyRooms(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	s.maxRooms = 3
	for i := range s.maxRooms {
		if err := s.CreateRoom(fmt.Sprint(i), Room{Expires: at.Add(time.Hour)}, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CreateRoom("one more", Room{Expires: at.Add(time.Hour)}, at); !errors.Is(err, ErrTooManyRooms) {
		t.Errorf("got %v", err)
	}
	if err := s.CreateRoom("an hour later", Room{Expires: at.Add(2 * time.Hour)}, at.Add(time.Hour)); err != nil {
		t.Errorf("rooms whose time is over still count: %v", err)
	}
}
