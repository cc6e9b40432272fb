package pake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file in mesh/testdata")

// octets is written as hex.
type octets []byte

func (o octets) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, o), nil }

// TestGolden compares one whole exchange, the vectors of RFC 9382 and the codes of the tests with
// mesh/testdata/pake.json, which the twin in TypeScript reads too.
func TestGolden(t *testing.T) {
	var got bytes.Buffer
	encoder := json.NewEncoder(&got)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(map[string]any{
		"vectors": goldenVectors(), "codes": goldenCodes(), "exchange": goldenExchange(t),
	}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("..", "testdata", "pake.json")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("pake.json is not what the code makes; if that is meant, run: go test ./mesh/pake -update")
	}
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
		"random": map[string]any{"bytes": octets{0, 0x40, 0x20, 0x0c}, "code": "1-absorb-acorn-across"},
	}
}

func goldenExchange(t *testing.T) map[string]any {
	b := lay(t, "7-acorn-piano-zebra", "7-acorn-piano-zebra", place)
	var messages []octets
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
		"w": octets(b.uploader.w[:]), "x": octets(b.receiver.own[:]), "y": octets(b.uploader.own[:]), "nonce": octets(b.uploader.nonce[:]),
		"secret": octets(secrets.Secret[:]), "key": octets(secrets.Key[:]), "messages": messages,
		"k": octets(k), "transcriptHash": octets(hash[:]), "ke": octets(keys.ke[:]), "kcA": octets(keys.kcA[:]), "kcB": octets(keys.kcB[:]),
		"additional": octets(place.additional()),
	}
}
