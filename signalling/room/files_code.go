package room

import (
	"fmt"
	"time"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// tell is what the uploader hears of its short code.
func (c shortCode) tell() msg.ShortCode {
	return msg.ShortCode{Number: c.number, Until: c.until.UnixMilli(), Failures: c.failures}
}

// openCode asks the shell for a number: numbers belong to the whole server.
func (r *Files) openCode(now time.Time) {
	r.codes.dirty = true
	if !r.codes.fire(now) {
		wait := int((r.codes.next.Sub(now) + time.Second - 1) / time.Second)
		r.sendOwner(msg.Error{Code: msg.CodeRate, Text: "That was too fast. Please wait a moment.", RetryAfter: wait})
		return
	}
	if r.code.number != "" {
		r.endCode(msg.CodeEndAsked)
	}
	r.emit(TakeNumber{By: r.owner})
}

func (r *Files) numberTaken(in NumberTaken) {
	r.code = shortCode{number: in.Number, until: in.Until}
	r.sendOwner(r.code.tell())
}

// endCode gives the number back. Who came in just before the ten minutes were over may finish.
func (r *Files) endCode(why msg.CodeEnd) {
	r.sendOwner(msg.CodeEnded{Number: r.code.number, Reason: why})
	r.emit(FreeNumber{r.code.number})
	r.code = shortCode{}
	if why != msg.CodeEndExpired {
		r.emptyAntechamber(msg.CodeNotFound, "This code is no longer good. Ask for a new one.")
	}
}

// codeFailed counts: whoever guesses has five tries at 30 bits, whatever their addresses.
func (r *Files) codeFailed(endpoint string) {
	if _, ok := r.entries[endpoint]; ok {
		delete(r.entries, endpoint)
		r.turnAway(endpoint, msg.CodePassword, "That is not the right code.")
	}
	if r.code.number == "" {
		return
	}
	if r.code.failures++; r.code.failures >= msg.MaxCodeFailures {
		r.endCode(msg.CodeEndFailures)
		return
	}
	r.sendOwner(r.code.tell())
}

// enter lets somebody who knows the number into the antechamber.
func (r *Files) enter(in Join, now time.Time) {
	switch {
	case r.code.number == "":
		r.turnAway(in.Endpoint, msg.CodeNotFound, "This code is no longer good. Ask for a new one.")
	case r.owner == "":
		r.turnAway(in.Endpoint, msg.CodeNotFound, "Whoever made this code is not there. Please try again in a moment.")
	case len(r.entries) >= msg.MaxEntries:
		r.turnAway(in.Endpoint, msg.CodeFull, fmt.Sprintf("%d others are using this code. Please try again in a moment.", msg.MaxEntries))
	default:
		r.entries[in.Endpoint] = &entry{until: now.Add(msg.EntryLife * time.Second)}
		r.emit(Admit{Endpoint: in.Endpoint, Files: &msg.Files{
			Owner: r.owner, Expires: r.expires.UnixMilli(), Members: r.limit, Entry: true,
		}})
	}
}

func (r *Files) emptyAntechamber(c msg.Code, text string) {
	for _, id := range sorted(r.entries) {
		delete(r.entries, id)
		r.turnAway(id, c, text)
	}
}
