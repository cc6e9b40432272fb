package manifest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// form is the map of docs/MESH.md, section 5. The encoder puts the keys in the order of their bytes
// (RFC 8949 section 4.2.1), whatever their order here.
type form struct {
	Version uint64 `cbor:"v"`
	Files   []file `cbor:"files"`
	Leaf    uint64 `cbor:"leaf"`
	Piece   uint64 `cbor:"piece"`
	Created uint64 `cbor:"created"`
	Text    string `cbor:"text,omitempty"`
}

type file struct {
	Path     string `cbor:"path"`
	Size     uint64 `cbor:"size"`
	Modified uint64 `cbor:"mtime"`
}

// Encode checks m and gives its CBOR.
func (m Manifest) Encode() ([]byte, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	f := form{
		Version: Version,
		Files:   make([]file, len(m.Files)),
		Leaf:    LeafSize,
		Piece:   uint64(PieceSize(m.Total())),
		Created: uint64(m.Created),
		Text:    m.Text,
	}
	for i, entry := range m.Files {
		f.Files[i] = file{entry.Path, uint64(entry.Size), uint64(entry.Modified)}
	}
	b, err := f.encode()
	if err == nil && len(b) > MaxBlob-signatureSize {
		return nil, ErrLarge
	}
	return b, err
}

func (f form) encode() ([]byte, error) {
	options := cbor.CoreDetEncOptions()
	options.NilContainers = cbor.NilContainerAsEmpty // no null in the place of "files"
	mode, err := options.EncMode()
	if err != nil {
		return nil, err
	}
	return mode.Marshal(f)
}

// Decode reads the CBOR of a manifest and checks it. Bytes that Encode would not have made are
// refused: so an ID names one manifest, and a manifest has one ID.
func Decode(b []byte) (Manifest, error) {
	if len(b) > MaxBlob-signatureSize {
		return Manifest{}, ErrLarge
	}
	f, err := decodeForm(b)
	if err != nil {
		return Manifest{}, err
	}
	m, err := f.manifest()
	if err != nil {
		return Manifest{}, err
	}
	if f.Leaf != LeafSize || f.Piece != uint64(PieceSize(m.Total())) {
		return Manifest{}, ErrCut
	}
	return m, nil
}

// decodeForm is strict twice: the decoder refuses what it can name (unknown and doubled keys, tags,
// indefinite lengths, bytes behind the end), and what encodes to other bytes is not in the one form.
func decodeForm(b []byte) (form, error) {
	mode, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		UTF8:              cbor.UTF8RejectInvalid,
		MaxNestedLevels:   4,
		MaxArrayElements:  MaxEntries,
		MaxMapPairs:       16,
	}.DecMode()
	if err != nil {
		return form{}, err
	}
	var f form
	if err := mode.Unmarshal(b, &f); err != nil {
		if tooMany := (*cbor.MaxArrayElementsError)(nil); errors.As(err, &tooMany) {
			return form{}, ErrEntries
		}
		return form{}, fmt.Errorf("%w: %w", ErrForm, err)
	}
	again, err := f.encode()
	if err != nil {
		return form{}, err
	}
	if !bytes.Equal(again, b) {
		return form{}, fmt.Errorf("%w: it encodes to other bytes", ErrForm)
	}
	if f.Version != Version {
		return form{}, ErrVersion
	}
	return f, nil
}

// manifest checks what came. Numbers are bounded before they change their type.
func (f form) manifest() (Manifest, error) {
	if f.Created > MaxTime {
		return Manifest{}, ErrTime
	}
	m := Manifest{Files: make([]File, len(f.Files)), Created: int64(f.Created), Text: f.Text}
	for i, entry := range f.Files {
		if entry.Modified > MaxTime {
			return Manifest{}, ErrTime
		}
		if entry.Size > MaxTotal {
			return Manifest{}, ErrTotal
		}
		m.Files[i] = File{entry.Path, int64(entry.Size), int64(entry.Modified)}
	}
	return m, m.Check()
}

// IDOf is the ID of a manifest in its CBOR.
func IDOf(encoded []byte) ID { return sha256.Sum256(encoded) }
