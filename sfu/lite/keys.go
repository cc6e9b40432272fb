package lite

import (
	"crypto/aes"
	"encoding/binary"
)

// Profile is an SRTP protection profile (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
type Profile uint16

// The profiles that a leg speaks, in order of preference.
const (
	ProfileGCM Profile = 0x0007 // AEAD_AES_128_GCM
	ProfileCM  Profile = 0x0001 // AES128_CM_HMAC_SHA1_80
)

// String returns the registered name.
func (p Profile) String() string {
	switch p {
	case ProfileGCM:
		return "AEAD_AES_128_GCM"
	case ProfileCM:
		return "AES128_CM_HMAC_SHA1_80"
	}
	return "none"
}

// saltLen is the length of the master and session salts in bytes.
func (p Profile) saltLen() int {
	if p == ProfileGCM {
		return 12
	}
	return 14
}

// exportedKeys are the master keys and salts of RFC 5764 section 4.2; salts of the GCM
// profile fill 12 of the 14 bytes, which is also how its key derivation wants them
// (RFC 7714 section 11).
type exportedKeys struct {
	client, server masterKey
}

// masterKey is the key and salt of one direction.
type masterKey struct {
	key  [16]byte
	salt [14]byte
}

// exportLen is how many bytes of keying material the profile takes.
func (p Profile) exportLen() int { return 2 * (16 + p.saltLen()) }

// split cuts keying material into its four parts.
func (p Profile) split(material []byte) (k exportedKeys) {
	n := p.saltLen()
	copy(k.client.key[:], material)
	copy(k.server.key[:], material[16:])
	copy(k.client.salt[:n], material[32:])
	copy(k.server.salt[:n], material[32+n:])
	return k
}

// The labels of key derivation (RFC 3711 section 4.3.2).
const (
	labelRTPKey byte = iota
	labelRTPAuth
	labelRTPSalt
	labelRTCPKey
	labelRTCPAuth
	labelRTCPSalt
)

// derive makes a session key of n bytes with AES-CM as the PRF and no re-keying
// (RFC 3711 section 4.3.3).
func (m *masterKey) derive(label byte, n int) ([]byte, error) {
	block, err := aes.NewCipher(m.key[:])
	if err != nil {
		return nil, err
	}
	var in [16]byte
	copy(in[:], m.salt[:])
	in[7] ^= label
	var out []byte
	for i := uint16(0); len(out) < n; i++ {
		binary.BigEndian.PutUint16(in[14:], i)
		out = append(out, make([]byte, 16)...)
		block.Encrypt(out[len(out)-16:], in[:])
	}
	return out[:n], nil
}
