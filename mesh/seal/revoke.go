package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// MaxRevoked is the number of serials in one list.
const MaxRevoked = 1000

// The reasons to refuse a list of revocations.
var (
	ErrRevokeForm      = errors.New("not a list of revocations")
	ErrRevokeRoom      = errors.New("the list of revocations is for another room")
	ErrRevokeSignature = errors.New("the list of revocations was changed")
)

// Revocations lists the tokens that the uploader took back. A list of a higher version takes the
// place of one of a lower; version 0 with no serials is what holds before there is any.
type Revocations struct {
	Version uint32
	Serials []uint32 // ascending, never 0
}

// Has tells whether a token was taken back.
func (r Revocations) Has(serial uint32) bool {
	_, found := slices.BinarySearch(r.Serials, serial)
	return found
}

const (
	revokeHead    = 16 + 4 + 2 // room, version, count
	revokeContext = "fanfare revoke v1\x00"
)

// Sign writes the list for a room and signs it. It fails with ErrRevokeForm when the serials are
// not ascending, more than MaxRevoked, or the uploader's own.
func (r Revocations) Sign(key SigningKey, room string) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	id := IDOf(room)
	b := append(make([]byte, 0, revokeHead+4*len(r.Serials)+len(Signature{})), id[:]...)
	b = binary.BigEndian.AppendUint32(b, r.Version)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Serials)))
	for _, serial := range r.Serials {
		b = binary.BigEndian.AppendUint32(b, serial)
	}
	signature, err := key.Sign([]byte(revokeContext), b)
	return append(b, signature[:]...), err
}

func (r Revocations) check() error {
	if len(r.Serials) > MaxRevoked {
		return fmt.Errorf("%w: %d serials", ErrRevokeForm, len(r.Serials))
	}
	before := uint32(0)
	for _, serial := range r.Serials {
		if serial <= before {
			return fmt.Errorf("%w: serial %d after %d", ErrRevokeForm, serial, before)
		}
		before = serial
	}
	return nil
}

// VerifyRevocations reads a list that is signed by key, which must be the one that hashes to K.
// It fails with ErrRevokeForm, ErrRevokeRoom or ErrRevokeSignature.
func VerifyRevocations(b []byte, key PublicKey, room string) (Revocations, error) {
	const around = revokeHead + len(Signature{})
	if len(b) < around || len(b) != around+4*int(binary.BigEndian.Uint16(b[20:])) {
		return Revocations{}, fmt.Errorf("%w: %d bytes", ErrRevokeForm, len(b))
	}
	body := b[:len(b)-len(Signature{})]
	r := Revocations{Version: binary.BigEndian.Uint32(b[16:])}
	for at := revokeHead; at < len(body); at += 4 {
		r.Serials = append(r.Serials, binary.BigEndian.Uint32(b[at:]))
	}
	if err := r.check(); err != nil {
		return Revocations{}, err
	}
	if RoomID(b) != IDOf(room) {
		return Revocations{}, ErrRevokeRoom
	}
	if Verify(key, Signature(b[len(body):]), []byte(revokeContext), body) != nil {
		return Revocations{}, ErrRevokeSignature
	}
	return r, nil
}
