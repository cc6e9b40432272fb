package peer

import (
	"crypto/rand"
	"encoding/base64"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// TestServerCallsItsPeerTheUploader: who is told so asks nobody and gets nothing, also when that peer seals a card as
// well as it can. When the server tells the truth again it comes in as if nothing had been.
func TestServerCallsItsPeerTheUploader(t *testing.T) {
	t.Parallel()
	for _, way := range waysIn {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			m := way.middle(t)
			link := way.link(m)
			bob := m.fetch("bob", link, seeds)
			way.letIn(m)
			m.finishes(bob)
			own := m.intrude("bob")
			await[Opened](own)
			uploader, impostor := endpointOf(m.sender), endpointOf(own)
			m.evil.become(func(e *evilServer) { e.tells = calls(impostor, uploader) })
			ann := m.fetch("ann", link, seeds)
			await[Opened](ann)
			for told := false; !told; pauseFor(t, time.Millisecond) {
				ann.swarm.call(func() {
					real := ann.swarm.members[uploader]
					told = ann.swarm.uploaderAt == impostor && real != nil && real.card != nil
				})
			}
			if st := ann.Status(); st.Stall != NoCard || len(st.Peers) > 0 || st.Total > 0 {
				t.Errorf("with an impostor: %+v", st)
			}
			m.check(bob)
			m.evil.become(func(e *evilServer) { e.tells = addsMembers })
			// Of a card that opened she would find that it is not the link's, and end.
			m.evil.says(endpointOf(ann), m.forgedCard(own, ann), msg.Files{Owner: uploader})
			way.letIn(m)
			m.finishes(ann)
			m.check(ann, bob)
			m.outside(own)
		})
	}
}

// calls has the server name one endpoint as the uploader in another's place, to all but these two.
func calls(impostor, uploader string) func(string, msg.ServerMessage) msg.ServerMessage {
	return func(to string, m msg.ServerMessage) msg.ServerMessage {
		m = addsMembers(to, m)
		if to == impostor || to == uploader {
			return m
		}
		switch said := m.(type) {
		case msg.Welcome:
			said.Files.Owner = impostor // decoded for this member alone
			return said
		case msg.Files:
			said.Owner = impostor
			return said
		case msg.Members:
			for i, one := range said.Joined {
				switch one.Endpoint {
				case impostor:
					said.Joined[i].Role = msg.RolePublisher
				case uploader:
					said.Joined[i].Role = msg.RoleSubscriber
				}
			}
			return said
		}
		return m
	}
}

// forgedCard is one of the server's own peer, signed by a key of its own and sealed by what it takes for the secret.
func (m *middle) forgedCard(own, to *someone) msg.Deliver {
	m.t.Helper()
	key, err := seal.NewSigningKey(rand.Reader)
	if err != nil {
		m.t.Fatal(err)
	}
	card, err := seal.NewCard(key, own.link.Room, m.own.dh.Public())
	if err != nil {
		m.t.Fatal(err)
	}
	sealed, err := own.swarm.keys.Seal(rand.Reader, endpointOf(own), endpointOf(to), card)
	if err != nil {
		m.t.Fatal(err)
	}
	return msg.Deliver{From: endpointOf(own), Sealed: base64.RawURLEncoding.EncodeToString(sealed)}
}
