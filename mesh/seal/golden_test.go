package seal

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/meshtest"
)

// seeded is a source of bytes that are the same in every run.
func seeded(seed string) *rand.ChaCha8 {
	var s [32]byte
	copy(s[:], seed)
	return rand.NewChaCha8(s)
}

// scene is what most tests need: a room, its uploader, two receivers.
type scene struct {
	room               string
	secret             Secret
	keys               RoomKeys
	signer             SigningKey
	uploader, ann, bob AgreementKey
	now                time.Time
}

func newScene(t testing.TB) scene {
	t.Helper()
	random := seeded("scene")
	s := scene{room: "q1fWtdUkFzvGxmW8mVQnDg", now: time.Unix(1_790_000_000, 0)}
	var errs [6]error
	s.secret, errs[0] = NewSecret(random)
	s.keys, errs[1] = s.secret.Keys(s.room)
	s.signer, errs[2] = NewSigningKey(random)
	s.uploader, errs[3] = NewAgreementKey(random)
	s.ann, errs[4] = NewAgreementKey(random)
	s.bob, errs[5] = NewAgreementKey(random)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s scene) pair(t testing.TB, own, other AgreementKey) Pair {
	t.Helper()
	p, err := own.Pair(other.Public(), s.secret, s.room)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// token is Ann's.
func (s scene) token() Token {
	return Token{
		Room: IDOf(s.room), Serial: 7, Expiry: uint64(s.now.Unix()) + 3600, Rights: Receive | PassOn,
		DH: s.ann.Public(), Fingerprint: Fingerprint{1, 2, 3},
	}
}

func (s scene) sign(t testing.TB, token Token) SignedToken {
	t.Helper()
	signed, err := token.Sign(s.signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

type goldenKeys struct {
	Secret   meshtest.Hex `json:"secret"`
	Room     string       `json:"room"`
	Join     meshtest.Hex `json:"join"`
	Verifier meshtest.Hex `json:"verifier"`
	Group    meshtest.Hex `json:"group"`
}

type goldenLink struct {
	Text   string       `json:"text"`
	Server string       `json:"server"`
	Room   string       `json:"room"`
	Secret meshtest.Hex `json:"secret"`
	Key    meshtest.Hex `json:"key"`
}

type goldenBad struct {
	Name  string `json:"name,omitempty"`
	Text  string `json:"text"`
	Error string `json:"error"`
}

func TestGoldenKeys(t *testing.T) {
	var file struct {
		Keys  []goldenKeys `json:"keys"`
		Links struct {
			Good []goldenLink `json:"good"`
			Bad  []goldenBad  `json:"bad"`
		} `json:"links"`
	}
	random := seeded("keys")
	for _, room := range []string{"q1fWtdUkFzvGxmW8mVQnDg", "a", "holiday_2026-11"} {
		secret, err := NewSecret(random)
		if err != nil {
			t.Fatal(err)
		}
		k, err := secret.Keys(room)
		if err != nil {
			t.Fatal(err)
		}
		file.Keys = append(file.Keys, goldenKeys{secret[:], room, k.Join[:], k.Verifier[:], k.group[:]})
	}
	for _, text := range goodLinks {
		l, err := ParseLink(text)
		if err != nil {
			t.Fatal(err)
		}
		file.Links.Good = append(file.Links.Good, goldenLink{text, l.Server, l.Room, l.Secret[:], l.Key[:]})
	}
	for _, bad := range badLinks {
		file.Links.Bad = append(file.Links.Bad, goldenBad{"", bad.text, linkErrors[bad.want]})
	}
	meshtest.Golden(t, "keys.json", file)
}

func TestGoldenPair(t *testing.T) {
	s := newScene(t)
	low, high := s.ann, s.bob
	if high.Public().Less(low.Public()) {
		low, high = high, low
	}
	lowPublic, highPublic := low.Public(), high.Public()
	x, err := low.private.ECDH(high.private.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	k := schedulePair(x, s.secret, s.room, lowPublic, highPublic)
	p := s.pair(t, low, high)
	check, err := p.Check()
	if err != nil {
		t.Fatal(err)
	}
	meshtest.Golden(t, "pair.json", map[string]any{
		"secret": meshtest.Hex(s.secret[:]), "room": s.room,
		"low":  map[string]meshtest.Hex{"private": low.Bytes(), "public": lowPublic[:]},
		"high": map[string]meshtest.Hex{"private": high.Bytes(), "public": highPublic[:]},
		"x":    meshtest.Hex(x), "sealUp": meshtest.Hex(k.sealUp[:]), "sealDown": meshtest.Hex(k.sealDown[:]),
		"macUp": meshtest.Hex(k.macUp[:]), "macDown": meshtest.Hex(k.macDown[:]), "export": meshtest.Hex(k.export[:]),
		"exported":  map[string]any{"label": "fanfare test", "bytes": meshtest.Hex(p.Export("fanfare test", 40))},
		"check":     check,
		"badPublic": badPublicKeys(low),
	})
}

// badPublicKeys lists what Pair refuses in the place of the other side's key.
func badPublicKeys(own AgreementKey) map[string]meshtest.Hex {
	public := own.Public()
	off := public
	off[64] ^= 1
	compressed := append([]byte{2 + public[64]&1}, public[1:33]...)
	tooLarge := append([]byte{4}, bytes.Repeat([]byte{0xff}, 64)...)
	return map[string]meshtest.Hex{
		"the own key": public[:], "not on the curve": off[:], "compressed": compressed,
		"the identity": make([]byte, 65), "over the field": tooLarge,
	}
}

type goldenEnvelope struct {
	Sender   string       `json:"sender,omitempty"` // "low" or "high" of pair.json
	From     string       `json:"from"`
	To       string       `json:"to"`
	Nonce    meshtest.Hex `json:"nonce"`
	Plain    string       `json:"plain"`
	Envelope meshtest.Hex `json:"envelope"`
}

// goldenMessages is one of each, in good order.
func goldenMessages(t testing.TB, s scene) []Message {
	card, err := NewCard(s.signer, s.room, s.uploader.Public())
	if err != nil {
		t.Fatal(err)
	}
	token := s.sign(t, s.token())
	attempt := Attempt{0xa1, 0xa2, 0xa3}
	return []Message{
		card, Ask{Fingerprint: Fingerprint{1, 2, 3}, Name: "Ann’s laptop"},
		Ask{Fingerprint: Fingerprint{1, 2, 3}, Name: "", Password: "open <sesame> & go"},
		Wait{}, Admit{Token: token}, Refused{Reason: ReasonFull},
		Offer{Attempt: attempt, Lane: 3, Token: token, SDP: "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\n"},
		Answer{Attempt: attempt, Token: token, SDP: "v=0\r\n"},
		Candidate{Attempt: attempt, Candidate: "candidate:1 1 UDP 2130706431 192.0.2.7 40000 typ host"},
		Candidate{Attempt: attempt},
		Key{DH: s.ann.Public()},
	}
}

func TestGoldenEnvelopes(t *testing.T) {
	s := newScene(t)
	random := seeded("envelopes")
	low, high := s.pair(t, s.ann, s.bob), s.pair(t, s.bob, s.ann)
	if !low.Lower() {
		low, high = high, low
	}
	var file struct {
		Pair     string           `json:"pair"`
		Card     map[string]any   `json:"card"`
		Group    []goldenEnvelope `json:"group"`
		Pairs    []goldenEnvelope `json:"pairs"`
		Messages []goldenBad      `json:"badMessages"`
	}
	file.Pair = "the keys of pair.json"
	for i, m := range goldenMessages(t, s) {
		plain, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		nonce := make([]byte, nonceSize)
		_, _ = random.Read(nonce)
		e := goldenEnvelope{From: "5vTn0aQe2rUj8kYp1dZx6g", To: "0h8kGq1Yy3bWm5t2nXc7Lw", Nonce: nonce, Plain: string(plain)}
		if forGroup(m) {
			e.Envelope, err = s.keys.Seal(bytes.NewReader(nonce), e.From, e.To, m)
			file.Group = append(file.Group, e)
		}
		if card, ok := m.(Card); ok {
			k := card.Key.Hash()
			file.Card = map[string]any{"room": s.room, "secret": meshtest.Hex(s.secret[:]), "k": meshtest.Hex(k[:]),
				"key": meshtest.Hex(card.Key[:]), "dh": meshtest.Hex(card.DH[:]), "signature": meshtest.Hex(card.Signature[:]),
				"signingKey": must(s.signer.Bytes())}
		}
		if !forGroup(m) {
			from := low
			if e.Sender = "low"; i%2 == 0 {
				e.Sender, from, e.From, e.To = "high", high, e.To, e.From
			}
			e.Envelope, err = from.Seal(bytes.NewReader(nonce), e.From, e.To, m)
			file.Pairs = append(file.Pairs, e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range badMessages {
		file.Messages = append(file.Messages, goldenBad{bad.name, bad.text, messageErrors[bad.want]})
	}
	meshtest.Golden(t, "envelopes.json", file)
}

func must(b []byte, err error) meshtest.Hex {
	if err != nil {
		panic(err)
	}
	return b
}

func TestGoldenHello(t *testing.T) {
	s := newScene(t)
	low, high := s.pair(t, s.ann, s.bob), s.pair(t, s.bob, s.ann)
	if !low.Lower() {
		low, high = high, low
	}
	type row struct {
		Sender   string       `json:"sender"`
		Attempt  meshtest.Hex `json:"attempt"`
		Lane     uint8        `json:"lane"`
		Offerer  meshtest.Hex `json:"offerer"`
		Answerer meshtest.Hex `json:"answerer"`
		MAC      meshtest.Hex `json:"mac"`
	}
	var rows []row
	for lane := range uint8(4) {
		h := Hello{Attempt: Attempt{9, 8, 7, lane}, Lane: lane, Offerer: Fingerprint{1}, Answerer: Fingerprint{2}}
		sender, p := "low", low
		if lane%2 == 1 {
			sender, p = "high", high
		}
		m := p.HelloMAC(h)
		rows = append(rows, row{sender, h.Attempt[:], lane, h.Offerer[:], h.Answerer[:], m[:]})
	}
	meshtest.Golden(t, "hello.json", map[string]any{"pair": "the keys of pair.json", "hellos": rows})
}

type goldenToken struct {
	Name  string       `json:"name"`
	Token meshtest.Hex `json:"token"`
	Room  string       `json:"room"`
	K     meshtest.Hex `json:"k"`
	Now   int64        `json:"now"`
	Need  Rights       `json:"need"`
	// Error is "" for a good one, whose members follow.
	Error       string       `json:"error"`
	Serial      uint32       `json:"serial"`
	Expiry      uint64       `json:"expiry"`
	Rights      Rights       `json:"rights"`
	DH          meshtest.Hex `json:"dh,omitempty"`
	Fingerprint meshtest.Hex `json:"fingerprint,omitempty"`
}

func TestGoldenTokens(t *testing.T) {
	s := newScene(t)
	var rows []goldenToken
	for _, c := range tokenCases(t, s) {
		row := goldenToken{Name: c.name, Token: c.token[:], Room: c.room, K: c.k[:], Now: c.now.Unix(), Need: c.need, Error: tokenErrors[c.want]}
		if token, err := c.token.Verify(c.k, c.room, c.now, c.need); err == nil {
			row.Serial, row.Expiry, row.Rights = token.Serial, token.Expiry, token.Rights
			row.DH, row.Fingerprint = token.DH[:], token.Fingerprint[:]
		}
		rows = append(rows, row)
	}
	meshtest.Golden(t, "tokens.json", map[string]any{"signingKey": must(s.signer.Bytes()), "tokens": rows})
}

func TestGoldenRevocations(t *testing.T) {
	s := newScene(t)
	type row struct {
		Name    string       `json:"name"`
		List    meshtest.Hex `json:"list"`
		Key     meshtest.Hex `json:"key"`
		Room    string       `json:"room"`
		Error   string       `json:"error"`
		Version uint32       `json:"version"`
		Serials []uint32     `json:"serials"`
	}
	var rows []row
	for _, c := range revokeCases(t, s) {
		r, _ := VerifyRevocations(c.list, c.key, c.room)
		rows = append(rows, row{c.name, c.list, c.key[:], c.room, revokeErrors[c.want], r.Version, r.Serials})
	}
	meshtest.Golden(t, "revoke.json", map[string]any{"signingKey": must(s.signer.Bytes()), "lists": rows})
}
