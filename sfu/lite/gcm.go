package lite

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"unsafe"

	"github.com/fanfare-relay/fanfare/sfu/prefetch"
)

// gcmTag is the length of the authentication tag (RFC 7714 section 13.2).
const gcmTag = 16

// gcmCipher is AEAD_AES_128_GCM (RFC 7714). nonce and data live here because arguments
// of an interface's methods would be allocated anew for each packet.
type gcmCipher struct {
	// What every packet looks at comes first.
	rtp            cipher.AEAD
	rtpSalt, nonce [12]byte

	rtcpOut, rtcpIn         cipher.AEAD
	rtcpOutSalt, rtcpInSalt [12]byte
	data                    [12]byte
}

func newGCMCipher(k *exportedKeys) (*gcmCipher, error) {
	g := &gcmCipher{}
	for _, d := range []struct {
		from      *masterKey
		key, salt byte
		aead      *cipher.AEAD
		to        *[12]byte
	}{
		{&k.server, labelRTPKey, labelRTPSalt, &g.rtp, &g.rtpSalt},
		{&k.server, labelRTCPKey, labelRTCPSalt, &g.rtcpOut, &g.rtcpOutSalt},
		{&k.client, labelRTCPKey, labelRTCPSalt, &g.rtcpIn, &g.rtcpInSalt},
	} {
		key, err := d.from.derive(d.key, 16)
		if err != nil {
			return nil, err
		}
		salt, err := d.from.derive(d.salt, 12)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		if *d.aead, err = cipher.NewGCM(block); err != nil {
			return nil, err
		}
		copy(d.to[:], salt)
	}
	return g, nil
}

// setNonce is salt XOR (0, SSRC, index), the index in the last six bytes (RFC 7714
// sections 8.1 and 9.1).
func (g *gcmCipher) setNonce(salt *[12]byte, ssrc uint32, index uint64) {
	be := binary.BigEndian
	// Two words hold all of it but for the last four bytes of the index.
	be.PutUint64(g.nonce[:], be.Uint64(salt[:])^uint64(ssrc)<<16^index>>32)
	be.PutUint32(g.nonce[8:], be.Uint32(salt[8:])^uint32(index))
}

func (g *gcmCipher) appendMemory(dst []prefetch.Range) []prefetch.Range {
	return append(dst, prefetch.Head(g, unsafe.Offsetof(g.rtcpOut)), prefetch.Behind(g.rtp))
}

func (g *gcmCipher) sealRTP(dst, header, payload []byte, ssrc uint32, index uint64) []byte {
	g.setNonce(&g.rtpSalt, ssrc, index)
	return g.rtp.Seal(append(dst, header...), g.nonce[:], payload, header)
}

func (g *gcmCipher) sealRTCP(dst, packet []byte, ssrc, index uint32) []byte {
	g.setNonce(&g.rtcpOutSalt, ssrc, uint64(index))
	trailer := index | srtcpEncrypted
	copy(g.data[:], packet[:rtcpHeader])
	binary.BigEndian.PutUint32(g.data[rtcpHeader:], trailer)
	dst = g.rtcpOut.Seal(append(dst, packet[:rtcpHeader]...), g.nonce[:], packet[rtcpHeader:], g.data[:])
	return binary.BigEndian.AppendUint32(dst, trailer)
}

func (g *gcmCipher) rtcpTrailer(packet []byte) (uint32, bool) {
	if len(packet) < rtcpHeader+gcmTag+srtcpIndex {
		return 0, false
	}
	return binary.BigEndian.Uint32(packet[len(packet)-srtcpIndex:]), true
}

func (g *gcmCipher) openRTCP(dst, packet []byte, ssrc, index uint32) ([]byte, bool) {
	g.setNonce(&g.rtcpInSalt, ssrc, uint64(index))
	end := len(packet) - srtcpIndex
	copy(g.data[:], packet[:rtcpHeader])
	copy(g.data[rtcpHeader:], packet[end:])
	plain, err := g.rtcpIn.Open(append(dst, packet[:rtcpHeader]...), g.nonce[:], packet[rtcpHeader:end], g.data[:])
	return plain, err == nil
}
