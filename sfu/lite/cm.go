package lite

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the profile is made of it
	"encoding/binary"
	"hash"

	"github.com/fanfare-relay/fanfare/sfu/prefetch"
)

// cmTag is the length of the authentication tag (RFC 5764 section 4.1.2).
const cmTag = 10

// cmCipher is AES128_CM_HMAC_SHA1_80 (RFC 3711), for clients without GCM. The standard
// library's counter mode allocates its state (512 bytes) for each packet; making the key
// stream block by block would spare that and take three times as long.
type cmCipher struct {
	rtp, rtcpOut, rtcpIn cmDirection
	iv                   [16]byte
	sum                  [sha1.Size]byte
	word                 [4]byte
}

// cmDirection is the keys of one protocol in one direction.
type cmDirection struct {
	block cipher.Block
	mac   hash.Hash
	salt  [14]byte
}

func newCMCipher(k *exportedKeys) (*cmCipher, error) {
	c := &cmCipher{}
	for _, d := range []struct {
		from *masterKey
		base byte // the labels of one protocol follow each other: key, auth, salt
		to   *cmDirection
	}{
		{&k.server, labelRTPKey, &c.rtp},
		{&k.server, labelRTCPKey, &c.rtcpOut},
		{&k.client, labelRTCPKey, &c.rtcpIn},
	} {
		if err := d.to.init(d.from, d.base); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (d *cmDirection) init(from *masterKey, base byte) error {
	key, err := from.derive(base, 16)
	if err != nil {
		return err
	}
	auth, err := from.derive(base+1, 20)
	if err != nil {
		return err
	}
	salt, err := from.derive(base+2, 14)
	if err != nil {
		return err
	}
	copy(d.salt[:], salt)
	d.mac = hmac.New(sha1.New, auth)
	d.block, err = aes.NewCipher(key)
	return err
}

// crypt encrypts or decrypts: counter mode from salt·2^16 XOR SSRC·2^64 XOR index·2^16
// (RFC 3711 section 4.1.1).
func (c *cmCipher) crypt(d *cmDirection, dst, src []byte, ssrc uint32, index uint64) {
	c.iv = [16]byte{}
	copy(c.iv[:], d.salt[:])
	for i := range 4 {
		c.iv[4+i] ^= byte(ssrc >> (24 - 8*i))
	}
	for i := range 6 {
		c.iv[8+i] ^= byte(index >> (40 - 8*i))
	}
	cipher.NewCTR(d.block, c.iv[:]).XORKeyStream(dst, src)
}

// tag is the HMAC of b and, for RTP, of the rollover counter after it.
func (c *cmCipher) tag(d *cmDirection, b, after []byte) []byte {
	d.mac.Reset()
	d.mac.Write(b)
	d.mac.Write(after)
	return d.mac.Sum(c.sum[:0])[:cmTag]
}

// extend lengthens dst by n bytes whose content does not matter.
func extend(dst []byte, n int) []byte {
	if len(dst)+n <= cap(dst) {
		return dst[:len(dst)+n]
	}
	return append(dst, make([]byte, n)...)
}

func (c *cmCipher) appendMemory(dst []prefetch.Range) []prefetch.Range {
	return append(dst, prefetch.Of(&c.rtp), prefetch.Behind(c.rtp.block), prefetch.Behind(c.rtp.mac))
}

func (c *cmCipher) sealRTP(dst, header, payload []byte, ssrc uint32, index uint64) []byte {
	start := len(dst)
	dst = append(dst, header...)
	body := len(dst)
	dst = extend(dst, len(payload))
	c.crypt(&c.rtp, dst[body:], payload, ssrc, index)
	binary.BigEndian.PutUint32(c.word[:], uint32(index>>16))
	return append(dst, c.tag(&c.rtp, dst[start:], c.word[:])...)
}

func (c *cmCipher) sealRTCP(dst, packet []byte, ssrc, index uint32) []byte {
	start := len(dst)
	dst = append(dst, packet[:rtcpHeader]...)
	dst = extend(dst, len(packet)-rtcpHeader)
	c.crypt(&c.rtcpOut, dst[start+rtcpHeader:], packet[rtcpHeader:], ssrc, uint64(index))
	dst = binary.BigEndian.AppendUint32(dst, index|srtcpEncrypted)
	return append(dst, c.tag(&c.rtcpOut, dst[start:], nil)...)
}

func (c *cmCipher) rtcpTrailer(packet []byte) (uint32, bool) {
	if len(packet) < rtcpHeader+srtcpIndex+cmTag {
		return 0, false
	}
	return binary.BigEndian.Uint32(packet[len(packet)-cmTag-srtcpIndex:]), true
}

func (c *cmCipher) openRTCP(dst, packet []byte, ssrc, index uint32) ([]byte, bool) {
	end := len(packet) - cmTag
	if !hmac.Equal(c.tag(&c.rtcpIn, packet[:end], nil), packet[end:]) {
		return dst, false
	}
	start := len(dst)
	dst = append(dst, packet[:end-srtcpIndex]...)
	body := dst[start+rtcpHeader:]
	c.crypt(&c.rtcpIn, body, body, ssrc, uint64(index))
	return dst, true
}
