package seal

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

var revokeErrors = map[error]string{nil: "", ErrRevokeForm: "form", ErrRevokeRoom: "room", ErrRevokeSignature: "signature"}

type revokeCase struct {
	name string
	list []byte
	key  PublicKey
	room string
	want error
}

func revokeCases(t testing.TB, s scene) []revokeCase {
	write := func(version uint32, serials ...uint32) []byte {
		b, err := Revocations{Version: version, Serials: serials}.Sign(s.signer, s.room)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key, some := s.signer.Public(), write(3, 2, 7, 4_000_000_000)
	with := func(at int, b ...byte) []byte {
		changed := bytes.Clone(some)
		copy(changed[at:], b)
		return changed
	}
	return []revokeCase{
		{"none", write(0), key, s.room, nil},
		{"some", some, key, s.room, nil},
		{"of another room", some, key, "another", ErrRevokeRoom},
		{"of another uploader", some, s.ann.Public(), s.room, ErrRevokeSignature},
		{"a key off the curve", some, PublicKey{4}, s.room, ErrRevokeSignature},
		{"another version", with(19, 4), key, s.room, ErrRevokeSignature},
		{"another serial", with(25, 3), key, s.room, ErrRevokeSignature},
		{"not ascending", with(25, 9), key, s.room, ErrRevokeForm},
		{"twice the same", with(25, 7), key, s.room, ErrRevokeForm},
		{"the uploader's", with(25, 0), key, s.room, ErrRevokeForm},
		{"fewer than said", with(21, 4), key, s.room, ErrRevokeForm},
		{"more than said", with(21, 2), key, s.room, ErrRevokeForm},
		{"bytes behind", append(bytes.Clone(some), 0), key, s.room, ErrRevokeForm},
		{"cut", some[:len(some)-1], key, s.room, ErrRevokeForm},
		{"nothing", nil, key, s.room, ErrRevokeForm},
	}
}

func TestRevocations(t *testing.T) {
	s := newScene(t)
	for _, c := range revokeCases(t, s) {
		r, err := VerifyRevocations(c.list, c.key, c.room)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if c.name == "some" && (r.Version != 3 || !r.Has(7) || r.Has(3) || r.Has(0) || !r.Has(4_000_000_000)) {
			t.Errorf("%+v", r)
		}
	}
}

func TestRevocationsTampered(t *testing.T) {
	s := newScene(t)
	good, err := Revocations{Version: 3, Serials: []uint32{2, 7}}.Sign(s.signer, s.room)
	if err != nil {
		t.Fatal(err)
	}
	everyByte(good, func(at int, changed []byte) {
		if _, err := VerifyRevocations(changed, s.signer.Public(), s.room); err == nil {
			t.Errorf("list with byte %d changed is good", at)
		}
	})
}

func TestRevocationsHaveALimit(t *testing.T) {
	s := newScene(t)
	serials := make([]uint32, MaxRevoked)
	for i := range serials {
		serials[i] = uint32(i) + 1
	}
	full := Revocations{Version: 1, Serials: serials}
	list, err := full.Sign(s.signer, s.room)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := VerifyRevocations(list, s.signer.Public(), s.room); err != nil || !slices.Equal(r.Serials, serials) {
		t.Errorf("a full list: %d serials, %v", len(r.Serials), err)
	}
	full.Serials = append(full.Serials, MaxRevoked+1)
	if _, err := full.Sign(s.signer, s.room); !errors.Is(err, ErrRevokeForm) {
		t.Errorf("one too many: %v", err)
	}
}

func FuzzRevocations(f *testing.F) {
	s := newScene(f)
	var good [][]byte
	for _, c := range revokeCases(f, s) {
		f.Add(c.list)
		if c.want == nil {
			good = append(good, c.list)
		}
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		_, err := VerifyRevocations(list, s.signer.Public(), s.room)
		signed := slices.ContainsFunc(good, func(g []byte) bool { return bytes.Equal(g, list) })
		if err == nil && !signed {
			t.Error("a list that nobody signed is good")
		}
	})
}
