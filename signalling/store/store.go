// Package store keeps on disk what must outlive the server: its secret, the hashes of keys,
// what is known of streams and of rooms of files, and removed viewers. One bbolt file, one
// process; keys are files beside it, which other processes may add and remove.
//
// It owns the file and its errors. It never sees a key or a password in the clear except to
// hash it, and never decides who may do what.
package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/fanfare-relay/fanfare/signalling/token"
)

// Errors. Each text says what to do next; callers add the folder.
var (
	// ErrLocked: another process has the file open.
	ErrLocked = errors.New("the data folder is in use by another server; stop that one or choose another folder")
	// ErrUnwritable: the folder or the file cannot be made or written.
	ErrUnwritable = errors.New("the data folder cannot be written; check its owner and permissions or choose another folder")
	// ErrFull: no room left on the disk, or the quota is used up.
	ErrFull = errors.New("the disk of the data folder is full; free some room or choose another folder")
	// ErrCorrupt: the file is not a database, or a damaged one.
	ErrCorrupt = errors.New("the database is damaged; move the file away to start anew, or restore a copy of it")
	// ErrCorruptKey: a key's file is damaged.
	ErrCorruptKey = errors.New("the file of a key is damaged; remove it and make a new key")
	// ErrNoStream: there is no stream of that name.
	ErrNoStream = errors.New("no such stream")
	// ErrStreamExists: the name is taken.
	ErrStreamExists = errors.New("there is a stream of that name")
	// ErrNoRoom: there is no room of files of that name, or its time is over.
	ErrNoRoom = errors.New("no such room")
	// ErrRoomExists: the name is taken.
	ErrRoomExists = errors.New("there is a room of that name")
	// ErrTooManyRooms: MaxRooms are open.
	ErrTooManyRooms = errors.New("too many rooms are open")
)

// FileName is the database's name inside the data folder.
const FileName = "fanfare.db"

// lockWait is how long Open waits for another process to let go: a restart overlaps a little.
const lockWait = time.Second

// The buckets.
var (
	bucketMeta    = []byte("meta")
	bucketStreams = []byte("streams")
	bucketRemoved = []byte("removed")
	bucketRooms   = []byte("rooms")
	keySecret     = []byte("secret")
	keyVersion    = []byte("version")
)

// schemaVersion changes when an older program can no longer read the file.
const schemaVersion = "1"

// Store is the open database. It is safe for concurrent use.
type Store struct {
	db     *bolt.DB
	dir    string
	secret []byte
	// maxRooms is MaxRooms; a test makes it small.
	maxRooms int
}

// Open makes the folder and the file when they are missing, takes the lock, reads every record
// once so that damage shows now and not in the middle of a stream.
func Open(dir string) (*Store, error) { return open(dir, 0) }

// open has the size limit of the file as a parameter, so that a test can fill it.
func open(dir string, maxSize int) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the data folder cannot be made: %w (%s)", explain(err), dir)
	}
	s := &Store{dir: dir, maxRooms: MaxRooms}
	path := filepath.Join(dir, FileName)
	_, missing := os.Stat(path)
	err := guard(func() (err error) {
		s.db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWait, MaxSize: maxSize})
		return err
	})
	if err = explainOpen(err); err != nil {
		if errors.Is(missing, fs.ErrNotExist) && errors.Is(err, ErrFull) {
			// The beginning of a database is no database: it must not stand in the way once there is room.
			err = errors.Join(err, os.Remove(path))
		}
		return nil, fmt.Errorf("%w (%s)", err, path)
	}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("%w (%s)", err, path), s.Close())
	}
	return s, nil
}

func (s *Store) prepare() error {
	if err := s.view(readEverything); err != nil {
		return err
	}
	return s.update(s.initialise)
}

// readEverything visits each key and value; bbolt itself reads pages only when asked for.
func readEverything(tx *bolt.Tx) error {
	return tx.ForEach(func(_ []byte, b *bolt.Bucket) error {
		return b.ForEach(func(_, v []byte) error {
			if v != nil && !json.Valid(v) {
				return ErrCorrupt
			}
			return nil
		})
	})
}

func (s *Store) initialise(tx *bolt.Tx) error {
	for _, name := range [][]byte{bucketMeta, bucketStreams, bucketRemoved, bucketRooms} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(bucketMeta)
	if v := meta.Get(keyVersion); v == nil {
		if err := meta.Put(keyVersion, []byte(schemaVersion)); err != nil {
			return err
		}
	} else if string(v) != schemaVersion {
		return fmt.Errorf("%w: it was written by another version of this program (schema %s)", ErrCorrupt, v)
	}
	var secret []byte
	if v := meta.Get(keySecret); v != nil {
		if err := json.Unmarshal(v, &secret); err != nil || len(secret) != token.SecretSize {
			return ErrCorrupt
		}
	} else {
		secret = token.NewSecret()
		if err := put(meta, keySecret, secret); err != nil {
			return err
		}
	}
	s.secret = secret
	return nil
}

// Close lets go of the file.
func (s *Store) Close() error { return s.db.Close() }

// Secret returns the server's secret, token.SecretSize bytes. It must not be changed.
func (s *Store) Secret() []byte { return s.secret }

// Ready tells whether the store can be read.
func (s *Store) Ready() error {
	return s.view(func(tx *bolt.Tx) error {
		if tx.Bucket(bucketMeta) == nil {
			return ErrCorrupt
		}
		return nil
	})
}

func (s *Store) view(f func(*bolt.Tx) error) error {
	return explain(guard(func() error { return s.db.View(f) }))
}

func (s *Store) update(f func(*bolt.Tx) error) error {
	return explain(guard(func() error { return s.db.Update(f) }))
}

// guard turns bbolt's panics on a damaged file, and faults on pages beyond the end of a cut
// file, into ErrCorrupt.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, p)
		}
	}()
	return f()
}

// growFailed begins bbolt's error when the file cannot be made longer; it wraps no other.
const growFailed = "file resize error"

// explain turns errors of the system and of bbolt into the sentinels of this package.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return ErrLocked
	case isFull(err), errors.Is(err, bolterrors.ErrMaxSizeReached), strings.HasPrefix(err.Error(), growFailed):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, os.ErrPermission), isReadOnly(err):
		return fmt.Errorf("%w: %w", ErrUnwritable, err)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrInvalidMapping):
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// explainOpen adds what only opening can meet: bbolt has no sentinel for a file that is too
// short, and whatever the system does not object to must be wrong with the content.
func explainOpen(err error) error {
	if err = explain(err); err == nil {
		return nil
	}
	var system *fs.PathError
	for _, known := range []error{ErrLocked, ErrFull, ErrUnwritable, ErrCorrupt} {
		if errors.Is(err, known) {
			return err
		}
	}
	if errors.As(err, &system) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

func put(b *bolt.Bucket, key []byte, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return b.Put(key, data)
}

func get(b *bolt.Bucket, key []byte, into any) (found bool, err error) {
	data := b.Get(key)
	if data == nil {
		return false, nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return true, nil
}
