package pake

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"testing"

	"github.com/fanfare-relay/fanfare/mesh/meshtest"
)

// TestGolden compares one whole exchange, the vectors of RFC 9382 and the codes of the tests with
// mesh/testdata/pake.json, which the twin in TypeScript reads too.
func TestGolden(t *testing.T) {
	meshtest.Golden(t, "pake.json", map[string]any{
		"vectors": goldenVectors(), "codes": goldenCodes(), "exchange": goldenExchange(t), "check": goldenCheck(t),
	})
}

// goldenCheck is what the people of pair.json compare.
func goldenCheck(t *testing.T) map[string]any {
	t.Helper()
	var pair map[string]json.RawMessage
	meshtest.Read(t, "pair.json", &pair)
	var numbers [4]uint16
	if err := json.Unmarshal(pair["check"], &numbers); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"numbers": numbers, "words": CheckWords(numbers)}
}

func goldenVectors() (rows []map[string]string) {
	for _, v := range vectors {
		rows = append(rows, map[string]string{
			"a": v.a, "b": v.b, "w": v.w, "x": v.x, "y": v.y, "pA": v.pA, "pB": v.pB, "k": v.k,
			"ke": v.ke, "ka": v.ka, "kcA": v.kcA, "kcB": v.kcB, "cA": v.cA, "cB": v.cB,
		})
	}
	return rows
}

func goldenCodes() map[string]any {
	type bad struct {
		Text    string `json:"text"`
		Word    string `json:"word"` // "" when the form is wrong
		Nearest string `json:"nearest"`
	}
	var refused []bad
	for _, b := range badCodes {
		_, err := ParseCode(b.text)
		row, unknown := bad{Text: b.text}, (*UnknownWordError)(nil)
		if errors.As(err, &unknown) {
			row.Word, row.Nearest = unknown.Word, unknown.Nearest
		}
		refused = append(refused, row)
	}
	return map[string]any{
		"good": goodCodes, "are": "7-acorn-piano-zebra", "bad": refused,
		"random": map[string]any{"bytes": meshtest.Hex{0, 0x40, 0x20, 0x0c}, "code": "1-absorb-acorn-across"},
	}
}

func goldenExchange(t *testing.T) map[string]any {
	b := lay(t, "7-acorn-piano-zebra", "7-acorn-piano-zebra", place)
	var messages []meshtest.Hex
	got, _, _ := b.run(func(_ int, m []byte) []byte {
		messages = append(messages, bytes.Clone(m))
		return m
	})
	if got == nil {
		t.Fatal("no hand-over")
	}
	k, _ := agree(b.uploader.own, b.uploader.w, b.receiver.share[:], hexM)
	tt := transcript([]byte(identityA), []byte(identityB), b.receiver.share[:], b.uploader.share[:], k, b.uploader.w[:])
	hash := sha256.Sum256(tt)
	keys := b.uploader.keys
	return map[string]any{
		"code": b.guard.Code().String(), "room": place.Room, "receiver": place.Receiver, "uploader": place.Uploader,
		"w": meshtest.Hex(b.uploader.w[:]), "x": meshtest.Hex(b.receiver.own[:]), "y": meshtest.Hex(b.uploader.own[:]), "nonce": meshtest.Hex(b.uploader.nonce[:]),
		"secret": meshtest.Hex(secrets.Secret[:]), "key": meshtest.Hex(secrets.Key[:]), "messages": messages,
		"k": meshtest.Hex(k), "transcriptHash": meshtest.Hex(hash[:]), "ke": meshtest.Hex(keys.ke[:]), "kcA": meshtest.Hex(keys.kcA[:]), "kcB": meshtest.Hex(keys.kcB[:]),
		"additional": meshtest.Hex(place.additional()),
	}
}
