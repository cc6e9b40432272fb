// Package pake owns short codes of the file mesh (docs/MESH.md, section 3): their words, the
// exchange in which a code of 30 bits becomes a strong key, and the count that burns a code.
//
// The exchange is SPAKE2 (RFC 9382) on P-256 with SHA-256, HKDF and HMAC, with key confirmation
// and additional data. Receiver and Uploader are its two sides, as values: a message in, a message
// out. Random bytes and the time come from the caller; the package does no IO and waits for nobody.
package pake

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/big"

	"filippo.io/nistec"
)

// The constants of RFC 9382, section 4, for P-256, and the order of the curve.
const (
	hexM     = "02886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f"
	hexN     = "03d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49"
	hexOrder = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
)

const (
	pointSize   = 65
	confirmSize = sha256.Size
)

// scalar is a number modulo the order of the curve, big-endian.
type scalar [32]byte

func mustHex(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return b
}

// constant returns M or N.
func constant(text string) *nistec.P256Point {
	p, err := nistec.NewP256Point().SetBytes(mustHex(text))
	if err != nil {
		panic(err)
	}
	return p
}

// secretScalar is w of RFC 9382. The reduction takes a time that depends on the code by some
// nanoseconds; a code lives ten minutes and is computed with once a try.
func secretScalar(password, salt string) scalar {
	wide, err := hkdf.Key(sha256.New, []byte(password), []byte(salt), "fanfare mesh v1 code", 40)
	if err != nil { // only for more than 255 hashes
		panic(err)
	}
	order := new(big.Int).SetBytes(mustHex(hexOrder))
	var w scalar
	new(big.Int).Mod(new(big.Int).SetBytes(wide), order).FillBytes(w[:])
	return w
}

func times(p *nistec.P256Point, s scalar) *nistec.P256Point {
	out, err := nistec.NewP256Point().ScalarMult(p, s[:])
	if err != nil { // only for another length
		panic(err)
	}
	return out
}

// share is own·G + w·blind: pA with M, pB with N.
func share(own, w scalar, blind string) [pointSize]byte {
	public, err := nistec.NewP256Point().ScalarBaseMult(own[:])
	if err != nil { // only for another length
		panic(err)
	}
	b := public.Add(public, times(constant(blind), w)).Bytes()
	if len(b) != pointSize { // one in 2²⁵⁶: the sum is the identity
		return [pointSize]byte{}
	}
	return [pointSize]byte(b)
}

// agree is K = own·(theirs − w·blind), with the blind of the other side. It is false for bytes
// that are no point of the curve, and for a K that is the identity.
func agree(own, w scalar, theirs []byte, blind string) ([]byte, bool) {
	if len(theirs) != pointSize { // the identity and compressed points have other lengths
		return nil, false
	}
	p, err := nistec.NewP256Point().SetBytes(theirs)
	if err != nil {
		return nil, false
	}
	minus := times(constant(blind), w)
	minus.Negate(minus)
	k := times(p.Add(p, minus), own).Bytes()
	return k, len(k) == pointSize
}

// keys is the key schedule of RFC 9382, section 4.
type keys struct {
	ke, ka, kcA, kcB [16]byte
	cA, cB           [confirmSize]byte
}

// transcript is TT of RFC 9382, section 4.
func transcript(parts ...[]byte) []byte {
	var tt []byte
	for _, part := range parts {
		tt = binary.LittleEndian.AppendUint64(tt, uint64(len(part)))
		tt = append(tt, part...)
	}
	return tt
}

// schedule derives the keys from the transcript; additional is AAD.
func schedule(tt, additional []byte) keys {
	var k keys
	sum := sha256.Sum256(tt)
	copy(k.ke[:], sum[:16])
	copy(k.ka[:], sum[16:])
	confirm, err := hkdf.Key(sha256.New, k.ka[:], nil, "ConfirmationKeys"+string(additional), 32)
	if err != nil { // only for more than 255 hashes
		panic(err)
	}
	copy(k.kcA[:], confirm[:16])
	copy(k.kcB[:], confirm[16:])
	k.cA, k.cB = mac(k.kcA, tt), mac(k.kcB, tt)
	return k
}

func mac(key [16]byte, tt []byte) [confirmSize]byte {
	m := hmac.New(sha256.New, key[:])
	m.Write(tt)
	return [confirmSize]byte(m.Sum(nil))
}
