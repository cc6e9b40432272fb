package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/fanfare-relay/fanfare/signalling/token"
)

// Key is what is known of a key; the key itself is known to its holder alone.
type Key struct {
	// Stream binds a stream key to one stream; "" is a publish key, good for new streams.
	Stream  string    `json:"stream,omitempty"`
	Created time.Time `json:"created"`
}

// waitingFolder holds keys that were made beside a running server, which alone may write the
// database. One file a key, named by the key's hash: a server that meets an unknown key looks
// for its file, and nobody can find a file without the key.
const waitingFolder = "new-keys"

// LeaveKey puts a key where the server of this data folder, running or not, takes it in:
// a running one when the key is first shown, others when they start.
func LeaveKey(dir string, h token.Hash, k Key) error {
	folder := filepath.Join(dir, waitingFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("%w (%s)", explain(err), folder)
	}
	data, err := json.Marshal(k)
	if err != nil {
		return err
	}
	// Under its own name only when whole, so that no server reads half a key.
	draft := filepath.Join(folder, h.String()+".draft")
	if err := os.WriteFile(draft, data, 0o600); err != nil {
		return fmt.Errorf("%w (%s)", explain(err), draft)
	}
	if err := os.Rename(draft, filepath.Join(folder, h.String())); err != nil {
		return fmt.Errorf("%w (%s)", explain(err), folder)
	}
	return nil
}

// AddKey stores the hash of a key.
func (s *Store) AddKey(h token.Hash, k Key) error {
	return s.update(func(tx *bolt.Tx) error { return put(tx.Bucket(bucketKeys), []byte(h.String()), k) })
}

// Key finds a key by its hash, also among those that were left for the running server.
func (s *Store) Key(h token.Hash) (k Key, found bool, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		found, err = get(tx.Bucket(bucketKeys), []byte(h.String()), &k)
		return err
	})
	if found || err != nil {
		return k, found, err
	}
	return s.takeKey(h)
}

// HasPublishKey tells whether any key may make streams: if not, this is a first start.
func (s *Store) HasPublishKey() (found bool, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketKeys).ForEach(func(_, v []byte) error {
			var k Key
			if err := json.Unmarshal(v, &k); err != nil {
				return fmt.Errorf("%w: %w", ErrCorrupt, err)
			}
			found = found || k.Stream == ""
			return nil
		})
	})
	return found, err
}

// takeIn takes in every waiting key.
func (s *Store) takeIn() error {
	files, err := os.ReadDir(filepath.Join(s.dir, waitingFolder))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return explain(err)
	}
	for _, f := range files {
		var h token.Hash
		if strings.HasSuffix(f.Name(), ".draft") || h.UnmarshalText([]byte(f.Name())) != nil {
			continue
		}
		if _, _, err := s.takeKey(h); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) takeKey(h token.Hash) (k Key, found bool, err error) {
	path := filepath.Join(s.dir, waitingFolder, h.String())
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return k, false, nil
	}
	if err != nil {
		return k, false, explain(err)
	}
	if err := json.Unmarshal(data, &k); err != nil {
		return k, false, fmt.Errorf("%w: %s", ErrCorrupt, path)
	}
	if err := s.AddKey(h, k); err != nil {
		return k, false, err
	}
	// The key is in the database now; a file that cannot be removed does no harm.
	_ = os.Remove(path)
	return k, true, nil
}
