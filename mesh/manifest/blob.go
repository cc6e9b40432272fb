package manifest

import "encoding/binary"

const signatureSize = 64

// SignFunc signs a message with the uploader's key: ECDSA with P-256 and SHA-256, as r ‖ s.
type SignFunc func(message []byte) (signature [signatureSize]byte, err error)

// VerifyFunc checks a signature with the key that the link names.
type VerifyFunc func(message []byte, signature [signatureSize]byte) bool

// Seal gives the blob that receivers get, signature[64] ‖ CBOR, and the ID. The signature binds the
// manifest to the room.
func Seal(m Manifest, room string, sign SignFunc) (blob []byte, id ID, err error) {
	encoded, err := m.Encode()
	if err != nil {
		return nil, ID{}, err
	}
	signature, err := sign(signed(room, encoded))
	if err != nil {
		return nil, ID{}, err
	}
	return append(signature[:], encoded...), IDOf(encoded), nil
}

// Open checks a blob and reads it. Nothing of it is looked at before its signature is found good.
func Open(blob []byte, room string, verify VerifyFunc) (Manifest, ID, error) {
	if len(blob) > MaxBlob {
		return Manifest{}, ID{}, ErrLarge
	}
	if len(blob) < signatureSize {
		return Manifest{}, ID{}, ErrSignature
	}
	signature, encoded := [signatureSize]byte(blob), blob[signatureSize:]
	if !verify(signed(room, encoded), signature) {
		return Manifest{}, ID{}, ErrSignature
	}
	m, err := Decode(encoded)
	if err != nil {
		return Manifest{}, ID{}, err
	}
	return m, IDOf(encoded), nil
}

// signed is what the uploader signs of a manifest.
func signed(room string, encoded []byte) []byte {
	const what = "fanfare manifest v1"
	message := make([]byte, 0, len(what)+1+len(room)+1+len(encoded))
	message = append(append(message, what...), 0)
	message = append(append(message, room...), 0)
	return append(message, encoded...)
}

// RootMessage is what the uploader signs of a piece: that its tree in this manifest has this root.
func RootMessage(id ID, piece uint32, root [32]byte) []byte {
	message := append([]byte("fanfare root v1"), 0)
	message = append(message, id[:]...)
	message = binary.BigEndian.AppendUint32(message, piece)
	return append(message, root[:]...)
}
