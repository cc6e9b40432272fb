package signalling

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/room"
	"github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

const (
	// minOwnSecret is the shortest secret of an uploader's own, in characters: 128 bits in base64url.
	minOwnSecret = 22
	// filesResumeLife is how long an endpoint of a room of files keeps its identifier: as long as the
	// longest room. The room's record decides whether it is let in.
	filesResumeLife = msg.MaxFilesLife * time.Second
)

// numbers are the short codes' of all rooms.
type numbers struct {
	mu  sync.Mutex
	all room.Numbers
}

func (n *numbers) find(number string, now time.Time) (name string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.all.Find(number, now)
}

func (n *numbers) take(name string, until, now time.Time) (number string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.all.Take(name, until, rand.Uint64(), now)
}

func (n *numbers) free(name, number string, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all.Free(name, number, now)
}

// admitUploader lets in whoever opens a room of files, or opened it.
func (s *Server) admitUploader(w *welcome, h msg.Hello, from who, now time.Time) (grant, *problem) {
	resumed := s.resumes(h, now)
	proof, keyless, p := s.gate.uploader(h.Token, resumed, s.cfg.OpenFiles)
	if p != nil {
		return grant{}, p
	}
	if w.room.Name == "" {
		w.room.Name = token.NewName()
	}
	rec, found, err := s.cfg.Store.Room(w.room.Name, now)
	switch {
	case err != nil:
		return grant{}, problemOf(err)
	case found && !rec.Owner.Equal(proof):
		return grant{}, problemForeign.with("A room of this name belongs to somebody else. Choose another name.")
	case found:
		return grant{proof: proof}, s.newVerifier(w.room.Name, rec, h.Files, now)
	case h.Files == nil:
		return grant{}, problemStream.with("There is no such room any more.")
	}
	if keyless {
		if d := s.meters.opened.take(from.household, now); d > 0 {
			return grant{}, problemRate.after(d)
		}
	}
	return grant{proof: proof}, s.openRoom(w.room.Name, proof, *h.Files, now)
}

// uploader tells what the uploader is known by: the hash of a publish key, or, where everybody may
// open rooms, of a secret of its own or of nothing at all. Its resume token stands for either.
func (g *gate) uploader(bearer string, resumed *token.Capability, open bool) (proof token.Hash, keyless bool, p *problem) {
	switch {
	case bearer != "":
		proof = token.HashKey(bearer)
	case resumed != nil:
		proof = resumed.Proof
	case open:
		return token.HashKey(token.NewID()), true, nil
	default:
		return proof, false, problemKey.with("Sharing files needs the publish key here.")
	}
	bound, p := g.key(proof)
	switch {
	case p == nil && bound != "":
		return proof, false, problemForeign.with("This key belongs to one stream.")
	case p != nil && p.Name == problemKey.Name && open && (bearer == "" || len(bearer) >= minOwnSecret):
		return proof, true, nil
	}
	return proof, false, p
}

// openRoom makes the record of a new room.
func (s *Server) openRoom(name string, owner token.Hash, terms msg.FilesTerms, now time.Time) *problem {
	rec := store.Room{Owner: owner, Members: msg.MaxFilesMembers, Expires: now.Add(msg.FilesLife * time.Second).UTC()}
	apply(&rec, terms, now)
	err := s.cfg.Store.CreateRoom(name, rec, now)
	switch {
	case errors.Is(err, store.ErrRoomExists):
		return problemForeign.with("A room of this name belongs to somebody else. Choose another name.")
	case errors.Is(err, store.ErrTooManyRooms):
		return problemBusy.with("This server has too many open rooms. Try again later.")
	case err != nil:
		return problemOf(err)
	}
	s.log.Info("files room opened", "room", name, "until", rec.Expires)
	return nil
}

// newVerifier follows an uploader who came back with another link.
func (s *Server) newVerifier(name string, rec store.Room, terms *msg.FilesTerms, now time.Time) *problem {
	if terms == nil || terms.Verifier == "" || verifierOf(terms.Verifier).Equal(rec.Verifier) {
		return nil
	}
	_, err := s.cfg.Store.UpdateRoom(name, now, func(rec *store.Room) { rec.Verifier = verifierOf(terms.Verifier) })
	if err != nil {
		return problemOf(err)
	}
	return nil
}

// apply changes what the terms name.
func apply(rec *store.Room, terms msg.FilesTerms, now time.Time) {
	if terms.Verifier != "" {
		rec.Verifier = verifierOf(terms.Verifier)
	}
	if terms.Members != 0 {
		rec.Members = terms.Members
	}
	if terms.Life != 0 {
		rec.Expires = now.Add(time.Duration(terms.Life) * time.Second).UTC()
	}
}

// verifierOf decodes what msg has checked.
func verifierOf(text string) (h token.Hash) {
	b, _ := base64.RawURLEncoding.DecodeString(text)
	copy(h[:], b)
	return h
}

// admitReceiver lets in whoever knows the room's secret, or the number of its short code.
func (s *Server) admitReceiver(w *welcome, h msg.Hello, from who, now time.Time) (grant, *problem) {
	if h.Code != "" {
		return grant{}, s.admitEntry(w, h.Code, from, now)
	}
	if w.room.Name == "" {
		return grant{}, problemName.with(problemName.Detail)
	}
	rec, found, err := s.cfg.Store.Room(w.room.Name, now)
	switch {
	case err != nil:
		return grant{}, problemOf(err)
	case !found, rec.Verifier.IsZero():
		return grant{}, problemStream.with("There is no such room. It may have ended; ask whoever sent the link.")
	}
	if c := s.resumes(h, now); c != nil && c.Proof.Equal(rec.Verifier) {
		return grant{proof: rec.Verifier}, nil
	}
	if d := s.meters.wrong.wait(from.household, now); d > 0 {
		return grant{}, problemRate.after(d)
	}
	if !joins(h.Password, rec.Verifier) {
		s.meters.wrong.spend(from.household, now)
		return grant{}, problemPassword.with("This link is not the right one for this room. Check that it was copied whole.")
	}
	return grant{proof: rec.Verifier}, nil
}

// joins compares the hash of what a receiver shows, in constant time.
func joins(password string, verifier token.Hash) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(password)
	return err == nil && len(b) == sha256.Size && token.Hash(sha256.Sum256(b)).Equal(verifier)
}

// admitEntry finds the room of a number. Whoever guesses numbers meets the limits of passwords.
func (s *Server) admitEntry(w *welcome, number string, from who, now time.Time) *problem {
	d := max(s.meters.wrong.wait(from.household, now), s.meters.numbers.take(from.household, now))
	if d > 0 {
		return problemRate.after(d)
	}
	name, ok := s.numbers.find(number, now)
	if !ok {
		s.meters.wrong.spend(from.household, now)
		return problemStream.with("This code is not known here, or no longer. Check it, or ask for a new one.")
	}
	w.room.Name, w.entry = name, true
	return nil
}

// issueFiles makes the tokens of a member of a room of files.
func (s *Server) issueFiles(w *welcome, c token.Capability, now time.Time) (err error) {
	if w.resume, err = s.gate.signFor(filesResumeLife, token.KindResume, c, now); err != nil || s.relay == nil {
		return err
	}
	// It opens nothing to whoever is not in the room at that moment, so that it need not end sooner.
	w.relay, err = s.gate.signFor(filesResumeLife, token.KindRelay, c, now)
	return err
}

// near is equal for members of one room behind one address, and for nobody else: the key is the
// server's, and the room is in it, so that the same address looks different elsewhere.
func (s *Server) near(key roomKey, household string) string {
	if key.kind != msg.RoomFiles {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(s.blind("near", key.name, household))
}

// blind makes 8 bytes of texts without NUL, from which nobody else can tell anything.
func (s *Server) blind(texts ...string) []byte {
	m := hmac.New(sha256.New, s.cfg.Store.Secret())
	m.Write([]byte("fanfare files v1\x00" + strings.Join(texts, "\x00")))
	return m.Sum(nil)[:8]
}

// filesConfig is what the store knows of a room of files. One that ended while somebody was on the
// way in is over at once.
func (s *Server) filesConfig(name string, now time.Time) room.FilesConfig {
	rec, found, err := s.cfg.Store.Room(name, now)
	if err != nil {
		s.log.Error("the room's record cannot be read", "room", name, "err", err)
	}
	// The same after a restart, which peers that are connected should not notice.
	seed := binary.BigEndian.Uint64(s.blind("seed", name))
	c := room.FilesConfig{Members: rec.Members, Expires: rec.Expires, Seed: seed}
	if !found {
		c.Expires = now
	}
	return c
}

// carryOutFiles does what only rooms of files ask for.
func (s *Server) carryOutFiles(r *liveRoom, o room.Output) {
	name, now := r.key.name, time.Now()
	switch o := o.(type) {
	case room.SaveFiles:
		rec, err := s.cfg.Store.UpdateRoom(name, now, func(rec *store.Room) { apply(rec, o.Terms, now) })
		if err != nil {
			s.log.Error("the room's record cannot be written", "room", name, "err", err)
			s.tellFailure(r, o.By, err)
			return
		}
		s.step(r, room.FilesSaved{Members: rec.Members, Expires: rec.Expires})
	case room.TakeNumber:
		until := now.Add(msg.CodeLife * time.Second)
		number, ok := s.numbers.take(name, until, now)
		if !ok {
			s.tellFailure(r, o.By, problemBusy.with("There is no free code at the moment. Try again in a few minutes."))
			return
		}
		s.step(r, room.NumberTaken{Number: number, Until: until})
	case room.FreeNumber:
		s.numbers.free(name, o.Number, now)
	case room.PutOut:
		s.relay.putOut(name, o.Endpoint)
	case room.EndRoom:
		s.log.Info("files room ended", "room", name, "reason", o.Reason)
		if err := s.cfg.Store.DeleteRoom(name); err != nil {
			s.log.Error("the room's record cannot be removed", "room", name, "err", err)
		}
	}
}
