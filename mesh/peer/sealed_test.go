package peer

import (
	"bytes"
	"errors"
	"testing"

	"github.com/fanfare-relay/fanfare/mesh/meshtest"
	"github.com/fanfare-relay/fanfare/mesh/seal"
)

// goldenSide is a peer of pair.json.
type goldenSide struct {
	Private meshtest.Hex `json:"private"`
	Public  meshtest.Hex `json:"public"`
}

// goldenPair is what the two of pair.json share, from both sides.
func goldenPair(t *testing.T) (low, high seal.Pair) {
	t.Helper()
	var file struct {
		Secret                                                                  meshtest.Hex `json:"secret"`
		Room                                                                    string       `json:"room"`
		Low, High                                                               goldenSide
		X, SealUp, SealDown, MacUp, MacDown, Export, Exported, Check, BadPublic any
	}
	meshtest.Read(t, "pair.json", &file)
	of := func(own, other goldenSide) seal.Pair {
		key, err := seal.ParseAgreementKey(own.Private)
		if err != nil {
			t.Fatal(err)
		}
		pair, err := key.Pair(seal.PublicKey(other.Public), seal.Secret(file.Secret), file.Room)
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	return of(file.Low, file.High), of(file.High, file.Low)
}

type goldenSealed struct {
	Sender  string       `json:"sender"`
	Channel byte         `json:"channel"`
	Frame   meshtest.Hex `json:"frame"`
	Sealed  meshtest.Hex `json:"sealed"`
}

type goldenTampered struct {
	Name   string       `json:"name"`
	Sealed meshtest.Hex `json:"sealed"` // in the place of the first message of low
}

// TestGoldenRelay: the keys of an attempt, the messages of both directions in their order, and what does not
// open are those of mesh/testdata/relay.json, which the twin in TypeScript makes and reads, too.
func TestGoldenRelay(t *testing.T) {
	low, high := goldenPair(t)
	attempt := seal.Attempt{0xa1, 0xa2, 0xa3, 15: 0xaf}
	keys := low.Export("fanfare mesh v1 relay\x00"+string(attempt[:]), 64)
	ends := map[string]*sides{"low": newSides(t, low, attempt), "high": newSides(t, high, attempt)}
	other := map[string]string{"low": "high", "high": "low"}
	var messages []goldenSealed
	for _, m := range []goldenSealed{
		{Sender: "low", Frame: meshtest.Pattern(1, 54)}, {Sender: "high", Frame: meshtest.Pattern(2, 54)},
		{Sender: "low", Channel: 1, Frame: meshtest.Pattern(3, 200)}, {Sender: "low", Frame: meshtest.Hex{0x0c}},
		{Sender: "high", Channel: 1, Frame: meshtest.Pattern(4, 1)}, {Sender: "low", Channel: 1, Frame: meshtest.Hex{}},
	} {
		m.Sealed = ends[m.Sender].out.seal(m.Channel, m.Frame)
		messages = append(messages, m)
		channel, frame, err := ends[other[m.Sender]].in.open(bytes.Clone(m.Sealed))
		if err != nil || channel != m.Channel || !bytes.Equal(frame, m.Frame) {
			t.Errorf("what %s sends arrives as %d %x: %v", m.Sender, channel, frame, err)
		}
	}
	h := seal.Hello{Attempt: attempt, Lane: relayLane, Offerer: seal.Fingerprint{1}, Answerer: seal.Fingerprint{2}}
	mac := low.HelloMAC(h)
	meshtest.Golden(t, "relay.json", map[string]any{
		"pair": "the keys of pair.json", "attempt": meshtest.Hex(attempt[:]),
		"up": meshtest.Hex(keys[:32]), "down": meshtest.Hex(keys[32:]), "messages": messages,
		"hello": map[string]any{
			"sender": "low", "lane": relayLane, "offerer": meshtest.Hex(h.Offerer[:]), "answerer": meshtest.Hex(h.Answerer[:]),
			"mac": meshtest.Hex(mac[:]),
		},
		"bad": tampered(t, low, high, attempt),
	})
}

// sides are the two directions as one peer has them.
type sides struct{ out, in sealer }

func newSides(t *testing.T, pair seal.Pair, attempt seal.Attempt) *sides {
	t.Helper()
	out, in, err := relaySealers(pair, attempt)
	if err != nil {
		t.Fatal(err)
	}
	return &sides{out, in}
}

// tampered is what a server may put in the place of the first message, and none of it opens.
func tampered(t *testing.T, low, high seal.Pair, attempt seal.Attempt) []goldenTampered {
	t.Helper()
	from := func(pair seal.Pair, attempt seal.Attempt) *sides { return newSides(t, pair, attempt) }
	good := from(low, attempt).out.seal(0, meshtest.Pattern(1, 54))
	changed := bytes.Clone(good)
	changed[3] ^= 1
	late := from(low, attempt)
	late.out.seal(0, meshtest.Pattern(1, 54))
	another := attempt
	another[15] ^= 1
	empty := from(low, attempt)
	rows := []goldenTampered{
		{"a bit changed", changed}, {"cut", good[:len(good)-1]}, {"a byte more", append(bytes.Clone(good), 0)},
		{"less than a seal", good[:15]}, {"nothing", meshtest.Hex{}},
		{"the second message", late.out.seal(0, meshtest.Pattern(1, 54))},
		{"sent back", from(high, attempt).out.seal(0, meshtest.Pattern(1, 54))},
		{"of another attempt", from(low, another).out.seal(0, meshtest.Pattern(1, 54))},
		{"a channel that there is not", from(low, attempt).out.seal(2, meshtest.Pattern(1, 54))},
		{"no channel", empty.out.aead.Seal(nil, empty.out.nonce(), nil, nil)},
	}
	for _, row := range rows {
		if _, _, err := from(high, attempt).in.open(bytes.Clone(row.Sealed)); !errors.Is(err, errSealed) {
			t.Errorf("%s: %v", row.Name, err)
		}
	}
	return rows
}
