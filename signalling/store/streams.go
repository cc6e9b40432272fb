package store

import (
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/crypto/bcrypt"

	"github.com/fanfare-relay/fanfare/signalling/token"
)

// Stream is what is kept of a stream.
type Stream struct {
	// Owner is the hash of the key that made the stream.
	Owner token.Hash `json:"owner"`
	// Password is the hash of the viewer password, empty when there is none.
	Password []byte    `json:"password,omitempty"`
	Embed    bool      `json:"embed,omitempty"`
	Title    string    `json:"title,omitempty"`
	Created  time.Time `json:"created"`
	// Live is set from the first media until the stream is ended by its owner: after a restart
	// of the server such a stream is "back in a moment".
	Live     bool      `json:"live,omitempty"`
	LastLive time.Time `json:"lastLive,omitzero"`
}

// PasswordCost makes a guess take some 50 ms of a core. One more doubles that for guessers and
// for the server.
const PasswordCost = bcrypt.DefaultCost

// HashPassword hashes a viewer password of at most 72 bytes with bcrypt; people choose
// passwords, so that a guess must cost something. "" stays nil: no password.
func HashPassword(password string, cost int) ([]byte, error) {
	if password == "" {
		return nil, nil
	}
	return bcrypt.GenerateFromPassword([]byte(password), cost)
}

// PasswordMatches tells whether this password opens the stream. It takes as long as hashing did.
func (s Stream) PasswordMatches(password string) bool {
	return bcrypt.CompareHashAndPassword(s.Password, []byte(password)) == nil
}

// Stream finds a stream by name.
func (s *Store) Stream(name string) (rec Stream, found bool, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		found, err = get(tx.Bucket(bucketStreams), []byte(name), &rec)
		return err
	})
	return rec, found, err
}

// CreateStream adds a stream; ErrStreamExists when the name is taken.
func (s *Store) CreateStream(name string, rec Stream) error {
	return s.update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketStreams)
		if b.Get([]byte(name)) != nil {
			return ErrStreamExists
		}
		return put(b, []byte(name), rec)
	})
}

// UpdateStream changes a stream in one step; ErrNoStream when there is none.
func (s *Store) UpdateStream(name string, change func(*Stream)) error {
	return s.update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketStreams)
		var rec Stream
		if found, err := get(b, []byte(name), &rec); err != nil || !found {
			return errors.Join(err, missing(found))
		}
		change(&rec)
		return put(b, []byte(name), rec)
	})
}

// DropUnused forgets a stream that was never live; any other stays.
func (s *Store) DropUnused(name string) error {
	return s.update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketStreams)
		var rec Stream
		found, err := get(b, []byte(name), &rec)
		if err != nil || !found || !rec.LastLive.IsZero() {
			return err
		}
		return b.Delete([]byte(name))
	})
}

func missing(found bool) error {
	if found {
		return nil
	}
	return ErrNoStream
}

// RenameStream moves a stream, its keys and its removed viewers to a new name. Keys go first:
// if the power fails in between, they open nothing, and the old name stays closed to them.
func (s *Store) RenameStream(from, to string) error {
	err := s.view(func(tx *bolt.Tx) error {
		_, err := movable(tx, from, to)
		return err
	})
	if err != nil {
		return err
	}
	if err = s.rebindKeys(from, to); err == nil {
		err = s.update(func(tx *bolt.Tx) error { return move(tx, from, to) })
	}
	if err != nil {
		err = errors.Join(err, s.rebindKeys(to, from))
	}
	return err
}

func move(tx *bolt.Tx, from, to string) error {
	rec, err := movable(tx, from, to)
	if err != nil {
		return err
	}
	streams := tx.Bucket(bucketStreams)
	return errors.Join(streams.Put([]byte(to), rec), streams.Delete([]byte(from)), moveRemoved(tx.Bucket(bucketRemoved), from, to))
}

// movable returns the record of a stream that may get the new name.
func movable(tx *bolt.Tx, from, to string) ([]byte, error) {
	streams := tx.Bucket(bucketStreams)
	rec := clone(streams.Get([]byte(from)))
	switch {
	case rec == nil:
		return nil, ErrNoStream
	case streams.Get([]byte(to)) != nil:
		return nil, ErrStreamExists
	}
	return rec, nil
}

// maxRemoved bounds the removed viewers of one stream; the one removed longest ago is forgotten first.
const maxRemoved = 10_000

// removedList is kept as one value a stream: subject → when.
type removedList map[string]time.Time

// Remove remembers that this subject (a viewer identifier or an address) may not watch the stream.
func (s *Store) Remove(stream, subject string, at time.Time) error {
	return s.update(func(tx *bolt.Tx) error {
		b, list := tx.Bucket(bucketRemoved), removedList{}
		if _, err := get(b, []byte(stream), &list); err != nil {
			return err
		}
		list[subject] = at
		if len(list) > maxRemoved {
			oldest := subject
			for other, when := range list {
				if when.Before(list[oldest]) {
					oldest = other
				}
			}
			delete(list, oldest)
		}
		return put(b, []byte(stream), list)
	})
}

// Removed tells whether one of the subjects was removed from the stream.
func (s *Store) Removed(stream string, subjects ...string) (removed bool, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		list := removedList{}
		if _, err := get(tx.Bucket(bucketRemoved), []byte(stream), &list); err != nil {
			return err
		}
		for _, subject := range subjects {
			if _, ok := list[subject]; ok {
				removed = true
			}
		}
		return nil
	})
	return removed, err
}

func moveRemoved(b *bolt.Bucket, from, to string) error {
	list := clone(b.Get([]byte(from)))
	if list == nil {
		return nil
	}
	return errors.Join(b.Put([]byte(to), list), b.Delete([]byte(from)))
}

// clone copies a value out of the page that bbolt may reuse.
func clone(v []byte) []byte {
	if v == nil {
		return nil
	}
	return append([]byte{}, v...)
}
