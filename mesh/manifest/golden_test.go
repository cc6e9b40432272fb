package manifest_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/meshtest"
)

// goodManifest and badManifest are entries of mesh/testdata/manifests.json.
type goodManifest struct {
	Name      string       `json:"name"`
	Files     []goldenFile `json:"files"`
	Created   int64        `json:"created"`
	Text      string       `json:"text,omitempty"`
	CBOR      meshtest.Hex `json:"cbor"`
	ID        meshtest.Hex `json:"id"`
	Piece     int64        `json:"piece"`
	Pieces    int          `json:"pieces"`
	Signature meshtest.Hex `json:"signature"`
}

type goldenFile struct {
	Path     string `json:"path"`
	Size     int64  `json:"size"`
	Modified int64  `json:"mtime"`
}

type badManifest struct {
	Name string       `json:"name"`
	CBOR meshtest.Hex `json:"cbor"`
	Rule string       `json:"rule"`
}

type signedRoot struct {
	ID        meshtest.Hex `json:"id"`
	Piece     uint32       `json:"piece"`
	Root      meshtest.Hex `json:"root"`
	Message   meshtest.Hex `json:"message"`
	Signature meshtest.Hex `json:"signature"`
}

type manifestsFile struct {
	About     string         `json:"about"`
	Room      string         `json:"room"`
	PublicKey meshtest.Hex   `json:"publicKey"`
	Good      []goodManifest `json:"good"`
	Bad       []badManifest  `json:"bad"`
	Root      signedRoot     `json:"root"`
}

const room = "blue-harbour"

// rules names this package's errors in golden files; a path's rule is named by its own text.
func rules() map[string]error {
	return map[string]error{
		"form": manifest.ErrForm, "version": manifest.ErrVersion, "large": manifest.ErrLarge, "entries": manifest.ErrEntries,
		"nothing": manifest.ErrNothing, "total": manifest.ErrTotal, "time": manifest.ErrTime, "text": manifest.ErrText,
		"cut": manifest.ErrCut, "signature": manifest.ErrSignature,
	}
}

func ruleOf(name string) error {
	if err, ok := rules()[name]; ok {
		return err
	}
	return manifest.Rule(name)
}

// testKey is a key that everybody knows, so that golden files are always the same.
func testKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), meshtest.Pattern(1, 32))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signer signs without chance (RFC 6979), as r ‖ s.
func signer(t testing.TB) manifest.SignFunc {
	key := testKey(t)
	return func(message []byte) (signature [64]byte, err error) {
		sum := sha256.Sum256(message)
		der, err := key.Sign(nil, sum[:], crypto.SHA256)
		if err != nil {
			return signature, err
		}
		var rs struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(der, &rs); err != nil {
			return signature, err
		}
		rs.R.FillBytes(signature[:32])
		rs.S.FillBytes(signature[32:])
		return signature, nil
	}
}

func verifier(t testing.TB) manifest.VerifyFunc {
	public := testKey(t).PublicKey
	return func(message []byte, signature [64]byte) bool {
		sum := sha256.Sum256(message)
		return ecdsa.Verify(&public, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	}
}

type named struct {
	name string
	manifest.Manifest
}

func goodManifests() []named {
	return []named{
		{"one file", manifest.Manifest{Files: []manifest.File{{Path: "a", Size: 1}}}},
		{"an empty file", manifest.Manifest{Files: []manifest.File{{Path: "empty.txt", Modified: 1_790_000_000}}, Created: 1_790_000_001}},
		{"an empty folder", manifest.Manifest{Files: []manifest.File{{Path: "nothing here/"}}, Created: 1}},
		{"a text alone", manifest.Manifest{Created: 1_790_000_000, Text: "\ufeffGrüße,\nfrom here 👋"}},
		{"numbers at the borders of their lengths", manifest.Manifest{Files: []manifest.File{
			{Path: "23", Size: 23, Modified: 24}, {Path: "255", Size: 255, Modified: 256}, {Path: "65535", Size: 65535, Modified: 65536},
			{Path: "4294967295", Size: 1<<32 - 1, Modified: 1 << 32},
		}, Created: 253_402_300_799}},
		{"a folder, unsorted", manifest.Manifest{Files: []manifest.File{
			{Path: "holiday/zebra.jpg", Size: 3_000_000, Modified: 1_700_000_000},
			{Path: "holiday/empty/", Modified: 1_700_000_001},
			{Path: "holiday/Äpfel/größe ½.txt", Size: 0, Modified: 1_700_000_002},
			{Path: "holiday/日本/写真.png", Size: 70_000_000, Modified: 0},
			{Path: "notes", Size: 12, Modified: 1_700_000_003},
		}, Created: 1_790_000_000, Text: "with a text"}},
		{"a large file", manifest.Manifest{Files: []manifest.File{{Path: "disk.img", Size: 20 << 30}}, Created: 1_790_000_000}},
		{"the largest", manifest.Manifest{Files: []manifest.File{{Path: "one", Size: 1 << 39}, {Path: "two", Size: 1 << 39}}}},
	}
}

// Parts of the smallest manifest in hex, in the order of RFC 8949 section 4.2.1.
const (
	hexVersion = "617601"
	hexLeaf    = "646c6561661a00010000"
	hexPath    = "64706174686161"
	hexSize    = "6473697a6501"
	hexTime    = "656d74696d6500"
	hexFile    = "a3" + hexPath + hexSize + hexTime
	hexFiles   = "6566696c657381" + hexFile
	hexPiece   = "6570696563651a00010000"
	hexCreated = "676372656174656400"
)

// badManifests break one rule each. The first is the good one that the others are made of.
func badManifests(t *testing.T) []badManifest {
	t.Helper()
	good := "a5" + hexVersion + hexLeaf + hexFiles + hexPiece + hexCreated
	with := func(old, replacement string) string {
		if strings.Count(good, old) != 1 {
			t.Fatalf("%s is not once in %s", old, good)
		}
		return strings.Replace(good, old, replacement, 1)
	}
	path := func(path string) string {
		if len(path) > 23 {
			t.Fatal("a longer text has a longer head in CBOR")
		}
		return with(hexPath, "6470617468"+hex.EncodeToString([]byte{0x60 + byte(len(path))})+hex.EncodeToString([]byte(path)))
	}
	two := func(a, b string) string {
		file := func(path string) string {
			return "a3" + "6470617468" + hex.EncodeToString([]byte{0x60 + byte(len(path))}) + hex.EncodeToString([]byte(path)) + hexSize + hexTime
		}
		return with("81"+hexFile, "82"+file(a)+file(b))
	}
	table := []struct{ name, rule, hex string }{
		{"nothing", "form", ""},
		{"cut", "form", good[:len(good)-2]},
		{"a byte behind the end", "form", good + "00"},
		{"an array", "form", "80"},
		{"null", "form", "f6"},
		{"no files", "form", "a4" + hexVersion + hexLeaf + hexPiece + hexCreated},
		{"files are null", "form", "a6" + hexVersion + hexLeaf + "64746578746161" + "6566696c6573f6" + hexPiece + hexCreated},
		{"a file is null", "form", with("81"+hexFile, "81f6")},
		{"a size is null", "form", with(hexSize, "6473697a65f6")},
		{"a size is a fraction", "form", with(hexSize, "6473697a65f93c00")},
		{"a size below zero", "form", with(hexSize, "6473697a6520")},
		{"a size is a text", "form", with(hexSize, "6473697a656131")},
		{"a size in more bytes than it needs", "form", with(hexSize, "6473697a651801")},
		{"a path is bytes", "form", with(hexPath, "64706174684161")},
		{"a path is not UTF-8", "form", with(hexPath, "647061746861ff")},
		{"a path in two chunks", "form", with(hexPath, "64706174687f61616161ff")},
		{"files without a length", "form", with("81"+hexFile, "9f"+hexFile+"ff")},
		{"the map without a length", "form", "bf" + good[2:] + "ff"},
		{"a length that is longer than it needs to be", "form", with("81"+hexFile, "9801"+hexFile)},
		{"more files told than there may be", "entries", with("81"+hexFile, "9a7fffffff"+hexFile)},
		{"more files told than there are", "form", with("81"+hexFile, "82"+hexFile)},
		{"keys in another order", "form", "a5" + hexLeaf + hexVersion + hexFiles + hexPiece + hexCreated},
		{"keys by their letters alone", "form", "a5" + hexCreated + hexFiles + hexLeaf + hexPiece + hexVersion},
		{"a file's keys in another order", "form", with(hexSize+hexTime, hexTime+hexSize)},
		{"a key twice", "form", "a6" + hexVersion + hexVersion + hexLeaf + hexFiles + hexPiece + hexCreated},
		{"a file's key twice", "form", with(hexFile, "a4"+hexPath+hexSize+hexSize+hexTime)},
		{"an unknown key", "form", "a6" + hexVersion + "617701" + hexLeaf + hexFiles + hexPiece + hexCreated},
		{"an unknown key of a file", "form", with(hexFile, "a4"+"616101"+hexPath+hexSize+hexTime)},
		{"a key in upper case", "form", with("6176", "6156")},
		{"a key that is a number", "form", "a6" + "0001" + good[2:]},
		{"a tag", "form", "d9d9f7" + good},
		{"a text that is empty", "form", "a6" + hexVersion + hexLeaf + "647465787460" + hexFiles + hexPiece + hexCreated},
		{"a text with half a surrogate pair", "form", "a6" + hexVersion + hexLeaf + "647465787463eda080" + hexFiles + hexPiece + hexCreated},
		{"version 0", "version", with(hexVersion, "617600")},
		{"version 2", "version", with(hexVersion, "617602")},
		{"nothing is shared", "nothing", with("81"+hexFile, "80")},
		{"another leaf", "cut", with(hexLeaf, "646c6561661a00020000")},
		{"another piece", "cut", with(hexPiece, "6570696563651a00020000")},
		{"more than 1 TiB", "total", with(hexSize, "6473697a651b0000010000000001")},
		{"the largest number", "total", with(hexSize, "6473697a651bffffffffffffffff")},
		{"a time after the year 9999", "time", with(hexTime, "656d74696d651b0000003afff44180")},
		{"made after the year 9999", "time", with(hexCreated, "67637265617465641b0000003afff44180")},
		{"up and out", "dot part", path("../etc/passwd")},
		{"from the root", "absolute", path("/etc/passwd")},
		{"an empty path", "empty part", path("")},
		{"a drive", "forbidden character", path("C:x")},
		{"a line break", "control character", path("a\nb")},
		{"text that runs backwards", "bidi control", path("a\u202egpj.exe")},
		{"a device", "device name", path("con.txt")},
		{"a letter in two characters", "not NFC", path("u\u0308")},
		{"a folder with a size", "folder with a size", path("a/")},
		{"two of one name", "duplicate", two("same", "Same")},
		{"a file that is a folder", "file as folder", two("a", "a/b")},
	}
	bad := make([]badManifest, len(table))
	for i, c := range table {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		bad[i] = badManifest{c.name, b, c.rule}
	}
	return bad
}

func TestGoldenManifests(t *testing.T) {
	public, err := testKey(t).PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	made := manifestsFile{
		About: "Manifests in CBOR with what follows from them, signed for the room by the key; and such as break one rule. " +
			"The signed root is of a piece of the first one.",
		Room: room, PublicKey: public, Bad: badManifests(t),
	}
	for _, m := range goodManifests() {
		blob, id, err := manifest.Seal(m.Manifest, room, signer(t))
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		g := goodManifest{
			Name: m.name, Files: []goldenFile{}, Created: m.Created, Text: m.Text, CBOR: blob[64:], ID: id[:],
			Piece: m.Layout().Piece(), Pieces: m.Layout().Pieces(), Signature: blob[:64],
		}
		for _, f := range m.Files {
			g.Files = append(g.Files, goldenFile{f.Path, f.Size, f.Modified})
		}
		made.Good = append(made.Good, g)
	}
	made.Root = signedRoot{ID: made.Good[0].ID, Piece: 0x01020304, Root: meshtest.Pattern(9, 32)}
	made.Root.Message = manifest.RootMessage(manifest.ID(made.Root.ID), made.Root.Piece, [32]byte(made.Root.Root))
	signature, err := signer(t)(made.Root.Message)
	if err != nil {
		t.Fatal(err)
	}
	made.Root.Signature = signature[:]
	meshtest.Golden(t, "manifests.json", made)
}

func TestReadGoldenManifests(t *testing.T) {
	var kept manifestsFile
	meshtest.Read(t, "manifests.json", &kept)
	for i, m := range goodManifests() {
		g := kept.Good[i]
		blob := append(bytes.Clone(g.Signature), g.CBOR...)
		got, id, err := manifest.Open(blob, kept.Room, verifier(t))
		if err != nil {
			t.Errorf("%s: %v", g.Name, err)
			continue
		}
		if diff := cmp.Diff(m.Manifest, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", g.Name, diff)
		}
		if !bytes.Equal(id[:], g.ID) || got.Layout().Piece() != g.Piece || got.Layout().Pieces() != g.Pieces {
			t.Errorf("%s: id %x, %d pieces of %d", g.Name, id, got.Layout().Pieces(), got.Layout().Piece())
		}
	}
	for _, bad := range kept.Bad {
		got, err := manifest.Decode(bad.CBOR)
		if !errors.Is(err, ruleOf(bad.Rule)) || len(got.Files) > 0 {
			t.Errorf("%s: %v, %v; want %q", bad.Name, got, err, bad.Rule)
		}
	}
}

// The text that the bad ones are made of is good, or they would prove nothing.
func TestBadManifestsAreMadeOfAGoodOne(t *testing.T) {
	b, err := hex.DecodeString("a5" + hexVersion + hexLeaf + hexFiles + hexPiece + hexCreated)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := manifest.Decode(b); err != nil || len(m.Files) != 1 {
		t.Errorf("%+v, %v", m, err)
	}
}
