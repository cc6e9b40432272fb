package peer

import (
	"encoding/base64"
	"testing"

	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// longEnvelope is more bytes than a token takes, and less than a description of a connection.
const longEnvelope = 700

// TestServerDropsEnvelopes: a server that keeps back what peers seal for each other, from the first word on or from a
// later one, gets them to nothing, however receivers come in.
func TestServerDropsEnvelopes(t *testing.T) {
	t.Parallel()
	for _, drop := range []struct {
		name         string
		keeps        func(ofUploader bool, sealed []byte) bool
		asked, token bool // whether it lets the question through, and the answer
		stall        Stall
	}{
		{"all questions", func(ofUploader bool, _ []byte) bool { return !ofUploader }, false, false, NoToken},
		{"all answers", func(ofUploader bool, _ []byte) bool { return ofUploader }, true, false, NoToken},
		{"all that is long", func(_ bool, sealed []byte) bool { return len(sealed) > longEnvelope }, true, true, NotLinked},
	} {
		for _, way := range waysIn {
			t.Run(drop.name+" "+way.name, func(t *testing.T) {
				t.Parallel()
				m := way.middle(t)
				link := way.link(m)
				kept := m.keepsBack(drop.keeps)
				ann := m.fetch("ann", link, nil)
				in := []*someone{}
				if drop.asked {
					way.letIn(m)
					await[Admitted](m.sender)
					in = append(in, ann)
				}
				if drop.token {
					await[Admitted](ann)
				}
				<-kept
				if st := ann.Status(); st.Stall != drop.stall || len(st.Peers) > 0 || st.Total > 0 {
					t.Errorf("%+v", st)
				}
				m.check(in...)
				for len(m.sender.events) > 0 {
					if asked, ok := (<-m.sender.events).(Asked); ok {
						t.Errorf("the person is asked about %q", asked.Name)
					}
				}
			})
		}
	}
}

// keepsBack has the server deliver no envelope of a pair that keeps says, and tells when there was one.
func (m *middle) keepsBack(keeps func(ofUploader bool, sealed []byte) bool) (kept <-chan struct{}) {
	uploader, first := endpointOf(m.sender), make(chan struct{}, 1)
	m.evil.become(func(e *evilServer) {
		e.delivers = func(d msg.Deliver) []msg.Deliver {
			sealed, _ := base64.RawURLEncoding.DecodeString(d.Sealed)
			if sealed[0] != seal.KindPair || !keeps(d.From == uploader, sealed) {
				return honestly(d)
			}
			select {
			case first <- struct{}{}:
			default:
			}
			return nil
		}
	})
	return first
}
