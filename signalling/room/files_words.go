package room

import (
	"encoding/base64"
	"time"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// receive carries out what an endpoint asks for.
func (r *Files) receive(in Receive, now time.Time) {
	_, member := r.members[in.Endpoint]
	_, entry := r.entries[in.Endpoint]
	if !member && !entry {
		return // it was put out while its message was under way
	}
	switch body := in.Message.(type) {
	case msg.Send:
		r.carry(in.Endpoint, body)
	case msg.Ping: // answered by the shell, which has the clock
	case msg.Hello:
		r.refuse(in.Endpoint, msg.CodeBadMessage, helloAgain)
	case msg.SetState, msg.ChangeLink, msg.SetAccess, msg.Relay, msg.AskFigures, msg.Figures:
		r.refuse(in.Endpoint, msg.CodeBadMessage, "This is not said in a room of files.")
	default:
		if in.Endpoint != r.owner {
			r.refuse(in.Endpoint, msg.CodeForbidden, "Only the uploader can do that.")
			return
		}
		r.order(body, now)
	}
}

// order carries out the word of the uploader.
func (r *Files) order(m msg.ClientMessage, now time.Time) {
	switch m := m.(type) {
	case msg.Stop:
		r.end(msg.CodeClosed, "The uploader has closed this room.")
	case msg.Remove:
		r.remove(m.Endpoint)
	case msg.SetFiles:
		r.emit(SaveFiles{By: r.owner, Terms: m.Terms})
	case msg.OpenCode:
		r.openCode(now)
	case msg.EndCode:
		if r.code.number != "" {
			r.endCode(msg.CodeEndAsked)
		}
	case msg.CodeFailed:
		r.codeFailed(m.Endpoint)
	}
}

// carry passes an envelope on between members; between the uploader and the antechamber only those
// of a short code's exchange.
func (r *Files) carry(from string, m msg.Send) {
	sender, fromEntry := r.entries[from]
	_, toEntry := r.entries[m.To]
	_, known := r.members[m.To]
	if fromEntry || toEntry {
		known = (from == r.owner || m.To == r.owner) && isExchange(m.Sealed)
	}
	if fromEntry {
		if sender.sent++; sender.sent > maxEntryEnvelopes || len(m.Sealed) > maxEntryEnvelope {
			delete(r.entries, from)
			r.turnAway(from, msg.CodeRate, "That was too much for a code. Please enter it again.")
			return
		}
	}
	if !known {
		r.send(from, msg.Undelivered{To: m.To, Code: msg.CodeNotFound})
		return
	}
	r.emit(Carry{From: from, To: m.To, Sealed: m.Sealed})
}

// isExchange tells whether an envelope is of kind 1 (docs/MESH.md, section 2), which its first byte says.
func isExchange(sealed string) bool {
	first, err := base64.RawURLEncoding.DecodeString(sealed[:min(len(sealed), 2)])
	return err == nil && len(first) == 1 && first[0] == 1
}

// remove puts a member out, and all that its page's identifier belongs to.
func (r *Files) remove(target string) {
	m, ok := r.members[target]
	if !ok || target == r.owner {
		r.refuse(r.owner, msg.CodeNotFound, "There is no such member any more.")
		return
	}
	viewer := m.viewer
	for _, id := range sorted(r.members) {
		if id == r.owner || id != target && (viewer == "" || r.members[id].viewer != viewer) {
			continue
		}
		r.remember(id)
		r.refuse(id, msg.CodeRemoved, "The uploader has removed you.")
		r.putOut(id)
	}
	if viewer != "" {
		r.remember(viewer)
	}
}

func (r *Files) remember(subject string) {
	if len(r.removed) < maxRemovedMembers {
		r.removed[subject] = true
	}
}
