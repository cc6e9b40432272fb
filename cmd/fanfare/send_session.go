package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/peer"
	"github.com/fanfare-relay/fanfare/mesh/seal"
)

// sendSession is what makes two runs of send the same transfer: while the files are the same, the link
// from before goes on. It lies in the user's configuration folder, readable by the user alone.
type sendSession struct {
	Server   string    `json:"server"`
	Room     string    `json:"room"`
	Secret   []byte    `json:"secret"`
	Signing  []byte    `json:"signing"`
	Identity []byte    `json:"identity"`
	Owner    string    `json:"owner"` // what the server knows us by, where it asks for no key
	Created  int64     `json:"created"`
	Expires  time.Time `json:"expires"`
	Shared   string    `json:"shared"` // hash of the manifest
	Removed  []removed `json:"removed,omitempty"`

	file     string // where it is kept; empty where there is no place for it
	manifest manifest.Manifest
	key      seal.SigningKey
	identity peer.Identity
	resumed  bool
}

// removed is a receiver whom the person has put out.
type removed struct {
	Key     []byte   `json:"key"`
	Serial  uint32   `json:"serial"`
	Earlier []uint32 `json:"earlier,omitempty"`
}

// openSession finds the session of the same files and server, or makes one.
func openSession(server string, paths []string, m manifest.Manifest, life time.Duration, anew bool) (sendSession, error) {
	file, err := sessionFile(server, paths, m.Text)
	if err != nil {
		return newSession(server, m, life) // no folder for it: a restart then makes a new link
	}
	if !anew {
		if s, err := readSession(file, m); err == nil {
			return s, nil
		}
	}
	s, err := newSession(server, m, life)
	if err != nil {
		return s, err
	}
	s.file = file
	return s, s.write()
}

// sessionFile is named by what was asked for, not by what is in the files.
func sessionFile(server string, paths []string, text string) (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	asked := []string{server, text}
	for _, p := range paths {
		absolute, err := filepath.Abs(p)
		if err != nil {
			return "", err
		}
		asked = append(asked, absolute)
	}
	b, err := json.Marshal(asked)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return filepath.Join(dir, "fanfare", "sends", hex.EncodeToString(sum[:16])+".json"), nil
}

var errOtherFiles = errors.New("the files are not those of the session")

// readSession reads a session that is still good for the same files.
func readSession(file string, m manifest.Manifest) (sendSession, error) {
	var s sendSession
	b, err := os.ReadFile(file)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, err
	}
	m.Created = s.Created
	shared, err := hashOf(m)
	if err != nil {
		return s, err
	}
	if shared != s.Shared || time.Until(s.Expires) < time.Minute {
		return s, errOtherFiles
	}
	s.file, s.manifest, s.resumed = file, m, true
	return s, s.parse()
}

func newSession(server string, m manifest.Manifest, life time.Duration) (sendSession, error) {
	now := time.Now()
	m.Created = now.Unix()
	s := sendSession{Server: server, Created: m.Created, Expires: now.Add(life).Truncate(time.Second), manifest: m}
	var err error
	if s.Shared, err = hashOf(m); err != nil {
		return s, err
	}
	secret, err := seal.NewSecret(rand.Reader)
	if err != nil {
		return s, err
	}
	key, err := seal.NewSigningKey(rand.Reader)
	if err != nil {
		return s, err
	}
	identity, err := peer.NewIdentity()
	if err != nil {
		return s, err
	}
	s.Room, s.Owner, s.Secret = newStreamName(), newStreamName(), secret[:]
	if s.Signing, err = key.Bytes(); err != nil {
		return s, err
	}
	if s.Identity, err = identity.Bytes(); err != nil {
		return s, err
	}
	return s, s.parse()
}

func hashOf(m manifest.Manifest) (string, error) {
	b, err := m.Encode()
	if err != nil {
		return "", err
	}
	id := manifest.IDOf(b)
	return hex.EncodeToString(id[:]), nil
}

func (s *sendSession) parse() (err error) {
	if len(s.Secret) != len(seal.Secret{}) {
		return errOtherFiles
	}
	for _, one := range s.Removed {
		if len(one.Key) != len(seal.PublicKey{}) {
			return errOtherFiles
		}
	}
	if s.key, err = seal.ParseSigningKey(s.Signing); err != nil {
		return err
	}
	s.identity, err = peer.ParseIdentity(s.Identity)
	return err
}

// outside are those who were removed.
func (s *sendSession) outside() (all []peer.Removed) {
	for _, one := range s.Removed {
		all = append(all, peer.Removed{Key: seal.PublicKey(one.Key), Serial: one.Serial, Earlier: one.Earlier})
	}
	return all
}

// remove keeps somebody outside in later runs, too.
func (s *sendSession) remove(one peer.Removed) error {
	s.Removed = append(s.Removed, removed{one.Key[:], one.Serial, one.Earlier})
	return s.write()
}

// write keeps the session, whole or not at all.
func (s *sendSession) write() error {
	if s.file == "" {
		return nil
	}
	file := s.file
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("cannot keep the link for a restart: %w", err)
	}
	if err := os.WriteFile(file+".new", b, 0o600); err != nil {
		return fmt.Errorf("cannot keep the link for a restart: %w", err)
	}
	return os.Rename(file+".new", file)
}

func (s *sendSession) link() seal.Link {
	return seal.Link{Server: s.Server, Room: s.Room, Secret: seal.Secret(s.Secret), Key: s.key.Public().Hash()}
}
