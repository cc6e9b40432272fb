package store

import (
	"encoding/json"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/fanfare-relay/fanfare/signalling/token"
)

// MaxRooms is how many rooms of files are open at a time. One takes some 250 bytes.
const MaxRooms = 10_000

// Room is all that is kept of a room of files, until its time is over.
type Room struct {
	// Owner is the hash of the key that opened it, or of a secret of the uploader's own.
	Owner token.Hash `json:"owner"`
	// Verifier is the hash of what receivers show, zero until the uploader has told it.
	Verifier token.Hash `json:"verifier,omitzero"`
	Members  int        `json:"members"` // the most at a time
	Expires  time.Time  `json:"expires"`
}

// Room finds a room whose time is not over.
func (s *Store) Room(name string, now time.Time) (rec Room, found bool, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		found, err = getRoom(tx, name, now, &rec)
		return err
	})
	return rec, found, err
}

func getRoom(tx *bolt.Tx, name string, now time.Time, into *Room) (found bool, err error) {
	found, err = get(tx.Bucket(bucketRooms), []byte(name), into)
	return found && now.Before(into.Expires), err
}

// CreateRoom adds a room, and forgets those whose time is over; ErrRoomExists when the name is
// taken, ErrTooManyRooms.
func (s *Store) CreateRoom(name string, rec Room, now time.Time) error {
	return s.update(func(tx *bolt.Tx) error {
		open, err := forgetRooms(tx, now)
		b := tx.Bucket(bucketRooms)
		switch {
		case err != nil:
			return err
		case b.Get([]byte(name)) != nil:
			return ErrRoomExists
		case open >= s.maxRooms:
			return ErrTooManyRooms
		}
		return put(b, []byte(name), rec)
	})
}

// UpdateRoom changes a room in one step and returns what it is then; ErrNoRoom when there is none.
func (s *Store) UpdateRoom(name string, now time.Time, change func(*Room)) (rec Room, err error) {
	err = s.update(func(tx *bolt.Tx) error {
		found, err := getRoom(tx, name, now, &rec)
		if err != nil {
			return err
		}
		if !found {
			return ErrNoRoom
		}
		change(&rec)
		return put(tx.Bucket(bucketRooms), []byte(name), rec)
	})
	return rec, err
}

// DeleteRoom forgets a room.
func (s *Store) DeleteRoom(name string) error {
	return s.update(func(tx *bolt.Tx) error { return tx.Bucket(bucketRooms).Delete([]byte(name)) })
}

// ForgetRooms forgets the rooms whose time is over.
func (s *Store) ForgetRooms(now time.Time) error {
	return s.update(func(tx *bolt.Tx) error {
		_, err := forgetRooms(tx, now)
		return err
	})
}

// forgetRooms also tells how many are left.
func forgetRooms(tx *bolt.Tx, now time.Time) (left int, err error) {
	b := tx.Bucket(bucketRooms)
	var over [][]byte
	err = b.ForEach(func(name, data []byte) error {
		var rec Room
		if err := json.Unmarshal(data, &rec); err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		if now.Before(rec.Expires) {
			left++
		} else {
			over = append(over, clone(name))
		}
		return nil
	})
	for _, name := range over {
		if err == nil {
			err = b.Delete(name)
		}
	}
	return left, err
}
