package seal

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/meshtest"
)

var gateErrors = map[error]string{
	nil: "", ErrTokenExpired: "expired", ErrTokenRights: "rights", ErrTokenRoom: "room",
	ErrRevoked: "revoked", ErrSDP: "sdp", ErrHolder: "holder",
}

type gateCase struct {
	name    string
	token   SignedToken
	dh      PublicKey
	sdp     string
	now     time.Time
	revoked []uint32
	want    error
}

func gateCases(t testing.TB, s scene) []gateCase {
	token := s.token()
	good, dh := s.sign(t, token), s.ann.Public()
	print := token.Fingerprint.String()
	line := "a=fingerprint:sha-256 " + print + "\r\n"
	other := "a=fingerprint:sha-256 " + Fingerprint{1, 2, 4}.String() + "\r\n"
	sdp := "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\n" + line + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=setup:actpass\r\n"
	with := func(lines string) string { return strings.Replace(sdp, line, lines, 1) }
	return []gateCase{
		{"good", good, dh, sdp, s.now, nil, nil},
		{"others removed", good, dh, sdp, s.now, []uint32{6, 8}, nil},
		{"the certificate on two levels", good, dh, sdp + line, s.now, nil, nil},
		{"in lower case", good, dh, with(strings.ToLower(line)), s.now, nil, nil},
		{"lines without carriage returns", good, dh, strings.ReplaceAll(sdp, "\r", ""), s.now, nil, nil},
		{"removed", good, dh, sdp, s.now, []uint32{6, 7}, ErrRevoked},
		{"expired", good, dh, sdp, s.now.Add(time.Hour), nil, ErrTokenExpired},
		{"another peer's token", good, s.bob.Public(), sdp, s.now, nil, ErrHolder},
		{"another certificate", good, dh, with(other), s.now, nil, ErrHolder},
		{"another certificate as well", good, dh, sdp + other, s.now, nil, ErrSDP},
		{"another one first", good, dh, with(other + line), s.now, nil, ErrSDP},
		{"another one in capitals", good, dh, with("A=FINGERPRINT:SHA-256 " + Fingerprint{9}.String() + "\r\n" + line), s.now, nil, ErrSDP},
		{"another one behind a space", good, dh, sdp + " a=fingerprint :sha-256 " + Fingerprint{9}.String() + "\r\n", s.now, nil, ErrSDP},
		{"another hash", good, dh, with("a=fingerprint:sha-1 AB:CD\r\n"), s.now, nil, ErrSDP},
		{"another hash as well", good, dh, sdp + "a=fingerprint:sha-512 AB:CD\r\n", s.now, nil, ErrSDP},
		{"no certificate", good, dh, with(""), s.now, nil, ErrSDP},
		{"a short fingerprint", good, dh, with("a=fingerprint:sha-256 " + print[3:] + "\r\n"), s.now, nil, ErrSDP},
		{"a fingerprint of one digit", good, dh, with("a=fingerprint:sha-256 " + print[1:] + "\r\n"), s.now, nil, ErrSDP},
		{"nothing", good, dh, "", s.now, nil, ErrSDP},
	}
}

func TestGate(t *testing.T) {
	s := newScene(t)
	for _, c := range gateCases(t, s) {
		g := Gate{Room: s.room, Key: s.signer.Public().Hash(), Revoked: Revocations{Version: 1, Serials: c.revoked}}
		if _, err := g.Admit(c.token, c.dh, c.sdp, c.now, Receive); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	g := Gate{Room: s.room, Key: s.signer.Public().Hash()}
	if _, err := g.Admit(s.sign(t, s.token()), s.ann.Public(), "", s.now, Uploader); !errors.Is(err, ErrTokenRights) {
		t.Errorf("a receiver as the uploader: %v", err)
	}
}

func TestGoldenGate(t *testing.T) {
	s := newScene(t)
	type row struct {
		Name    string       `json:"name"`
		Token   meshtest.Hex `json:"token"`
		DH      meshtest.Hex `json:"dh"`
		SDP     string       `json:"sdp"`
		Now     int64        `json:"now"`
		Revoked []uint32     `json:"revoked"`
		Error   string       `json:"error"`
	}
	var rows []row
	for _, c := range gateCases(t, s) {
		rows = append(rows, row{c.name, c.token[:], c.dh[:], c.sdp, c.now.Unix(), append([]uint32{}, c.revoked...), gateErrors[c.want]})
	}
	k := s.signer.Public().Hash()
	meshtest.Golden(t, "gate.json", map[string]any{"room": s.room, "k": meshtest.Hex(k[:]), "need": Receive, "peers": rows})
}

func FuzzSDPFingerprint(f *testing.F) {
	for _, c := range gateCases(f, newScene(f)) {
		f.Add(c.sdp)
	}
	f.Fuzz(func(t *testing.T, sdp string) {
		got, err := SDPFingerprint(sdp)
		if err != nil {
			return
		}
		again, err := SDPFingerprint(sdp + "\na=fingerprint:sha-256 " + got.String())
		if err != nil || again != got {
			t.Errorf("%q: %v came back as %v, %v", sdp, got, again, err)
		}
	})
}
