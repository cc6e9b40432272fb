package peer

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"

	"github.com/fanfare-relay/fanfare/mesh/seal"
)

// Messages on the server's relay, sealed (docs/MESH.md, section 9).

// relayLaneChannel is the lane's number in a message; that of control is 0.
const relayLaneChannel = 1

// sealer counts the messages of one direction: a key must not seal two under one number.
type sealer struct {
	aead  cipher.AEAD
	count uint64
}

func newSealer(key []byte) (sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCM(block)
	return sealer{aead: aead}, err
}

func (s *sealer) nonce() []byte {
	nonce := binary.BigEndian.AppendUint64(make([]byte, 4, 12), s.count)
	s.count++
	return nonce
}

// seal makes the direction's next message of a channel's frame.
func (s *sealer) seal(channel byte, frame []byte) []byte {
	plain := append(append(make([]byte, 0, 1+len(frame)+s.aead.Overhead()), channel), frame...)
	return s.aead.Seal(plain[:0], s.nonce(), plain, nil)
}

var errSealed = errors.New("a message on the relay that does not open")

// open reads the direction's next message, in its own bytes. It fails with errSealed; then the server has
// tampered.
func (s *sealer) open(sealed []byte) (channel byte, frame []byte, err error) {
	plain, err := s.aead.Open(sealed[:0], s.nonce(), sealed, nil)
	if err != nil || len(plain) == 0 || plain[0] > relayLaneChannel {
		return 0, nil, errSealed
	}
	return plain[0], plain[1:], nil
}

// relaySealers are those of this side of an attempt: what it sends, and what comes.
func relaySealers(pair seal.Pair, attempt seal.Attempt) (out, in sealer, err error) {
	const key = 32
	keys := pair.Export("fanfare mesh v1 relay\x00"+string(attempt[:]), 2*key)
	if !pair.Lower() {
		keys = append(keys[key:], keys[:key]...)
	}
	if out, err = newSealer(keys[:key]); err == nil {
		in, err = newSealer(keys[key:])
	}
	return out, in, err
}
