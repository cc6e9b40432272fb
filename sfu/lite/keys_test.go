package lite

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestKeyDerivation uses the vectors of RFC 3711 appendix B.3.
func TestKeyDerivation(t *testing.T) {
	var m masterKey
	copy(m.key[:], unhex(t, "E1F97A0D3E018BE0D64FA32C06DE4139"))
	copy(m.salt[:], unhex(t, "0EC675AD498AFEEBB6960B3AABE6"))
	for _, r := range []struct {
		label byte
		want  string
	}{
		{labelRTPKey, "C61E7A93744F39EE10734AFE3FF7A087"},
		{labelRTPSalt, "30CBBC08863D8C85D49DB34A9AE1"},
		{labelRTPAuth, `CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCE
			E049646C43D9327AD175578EF72270986371C10C9A369AC2F94A8C5FBCDDDC25
			6D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2`},
	} {
		want := unhex(t, r.want)
		if got, err := m.derive(r.label, len(want)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("label %d: %X, %v", r.label, got, err)
		}
	}
}

// TestCounterMode uses the key stream of RFC 3711 appendix B.2.
func TestCounterMode(t *testing.T) {
	block, err := aes.NewCipher(unhex(t, "2B7E151628AED2A6ABF7158809CF4F3C"))
	if err != nil {
		t.Fatal(err)
	}
	d := cmDirection{block: block}
	copy(d.salt[:], unhex(t, "F0F1F2F3F4F5F6F7F8F9FAFBFCFD"))
	got := make([]byte, 48)
	new(cmCipher).crypt(&d, got, got, 0, 0)
	want := unhex(t, "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0")
	if !bytes.Equal(got, want) {
		t.Errorf("%X", got)
	}
}

// gcmWith makes a cipher with given session keys.
func gcmWith(t *testing.T, key, salt []byte) *gcmCipher {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	s := [12]byte(salt)
	return &gcmCipher{rtp: aead, rtcpOut: aead, rtcpIn: aead, rtpSalt: s, rtcpOutSalt: s, rtcpInSalt: s}
}

// TestGCMVectors uses the vectors of RFC 7714 sections 16.1.1 and 17.1.
func TestGCMVectors(t *testing.T) {
	g := gcmWith(t, unhex(t, "000102030405060708090a0b0c0d0e0f"), unhex(t, "517569642070726f2071756f"))
	plain := unhex(t, `8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
		69736120 696e2070 61727465 73207472 6573`)
	want := unhex(t, `8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5
		0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce`)
	if got := g.sealRTP(nil, plain[:12], plain[12:], 0x5501a0b2, 0xf17b); !bytes.Equal(got, want) {
		t.Errorf("RTP %x", got)
	}
	report := unhex(t, `81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
		deadbeef deadbeef deadbeef deadbeef deadbeef`)
	want = unhex(t, `81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d
		c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4`)
	if got := g.sealRTCP(nil, report, 0x4d617273, 0x5d4); !bytes.Equal(got, want) {
		t.Errorf("RTCP %x", got)
	}
	if got, ok := g.openRTCP(nil, want, 0x4d617273, 0x5d4); !ok || !bytes.Equal(got, report) {
		t.Errorf("opened %x, %v", got, ok)
	}
}
