package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fanfare-relay/fanfare/signalling/token"
)

// Key is what is known of a key; the key itself is known to its holder alone.
type Key struct {
	// Stream binds a stream key to one stream; "" is a publish key, good for new streams.
	Stream  string    `json:"stream,omitempty"`
	Created time.Time `json:"created"`
}

// KnownKey is a key with its hash.
type KnownKey struct {
	Hash token.Hash
	Key
}

// keysFolder holds one file a key, named by the key's hash, and not records of the database:
// that one is locked by a running server, beside which keys are made, listed and revoked.
const keysFolder = "keys"

func keyFile(dir string, h token.Hash) string { return filepath.Join(dir, keysFolder, h.String()) }

// AddKey stores the hash of a key in a data folder. A running server knows it at once.
func AddKey(dir string, h token.Hash, k Key) error {
	path := keyFile(dir, h)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("%w (%s)", explain(err), filepath.Dir(path))
	}
	data, err := json.Marshal(k)
	if err != nil {
		return err
	}
	// Under its own name only when whole, so that no server reads half a key.
	draft := path + ".draft"
	if err := writeThrough(draft, data); err != nil {
		return fmt.Errorf("%w (%s)", explain(err), draft)
	}
	if err := os.Rename(draft, path); err != nil {
		return fmt.Errorf("%w (%s)", explain(err), path)
	}
	return nil
}

// writeThrough returns when the data are on the disk: a key is shown once, so it must not be lost.
func writeThrough(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Keys lists the keys of a data folder, oldest first.
func Keys(dir string) ([]KnownKey, error) {
	files, err := os.ReadDir(filepath.Join(dir, keysFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain(err)
	}
	var out []KnownKey
	for _, f := range files {
		var h token.Hash
		if h.UnmarshalText([]byte(f.Name())) != nil {
			continue // a draft, or something that is not ours
		}
		k, found, err := readKey(dir, h)
		if err != nil {
			return nil, err
		}
		if found {
			out = append(out, KnownKey{h, k})
		}
	}
	slices.SortStableFunc(out, func(a, b KnownKey) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Hash.String(), b.Hash.String()))
	})
	return out, nil
}

// RevokeKey forgets a key. A running server refuses it, and every token made from it, from now on.
func RevokeKey(dir string, h token.Hash) error {
	if err := os.Remove(keyFile(dir, h)); err != nil {
		return fmt.Errorf("%w (%s)", explain(err), keyFile(dir, h))
	}
	return nil
}

func readKey(dir string, h token.Hash) (k Key, found bool, err error) {
	data, err := os.ReadFile(keyFile(dir, h))
	if errors.Is(err, fs.ErrNotExist) {
		return k, false, nil
	}
	if err != nil {
		return k, false, explain(err)
	}
	if err := json.Unmarshal(data, &k); err != nil {
		return k, false, fmt.Errorf("%w: %s", ErrCorruptKey, keyFile(dir, h))
	}
	return k, true, nil
}

// AddKey stores the hash of a key.
func (s *Store) AddKey(h token.Hash, k Key) error { return AddKey(s.dir, h, k) }

// RevokeKey forgets a key.
func (s *Store) RevokeKey(h token.Hash) error { return RevokeKey(s.dir, h) }

// Key finds a key by its hash.
func (s *Store) Key(h token.Hash) (k Key, found bool, err error) { return readKey(s.dir, h) }

// HasPublishKey tells whether any key may make streams: if not, this is a first start.
func (s *Store) HasPublishKey() (bool, error) {
	all, err := Keys(s.dir)
	return slices.ContainsFunc(all, func(k KnownKey) bool { return k.Stream == "" }), err
}

// rebindKeys binds the keys of one stream to another name.
func (s *Store) rebindKeys(from, to string) error {
	all, err := Keys(s.dir)
	if err != nil {
		return err
	}
	for _, k := range all {
		if k.Stream == from {
			k.Stream = to
			err = errors.Join(err, s.AddKey(k.Hash, k.Key))
		}
	}
	return err
}
