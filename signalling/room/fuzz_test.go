package room

import (
	"fmt"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// FuzzStep drives two rooms with the same facts in any order: they must do the same, never ask
// for a tick in the past, count no fewer than no viewers, and come to rest.
func FuzzStep(f *testing.F) {
	f.Add([]byte{0, 0, 1, 4, 16, 22, 34, 3, 5, 6, 7, 8, 9, 10, 11, 12})
	f.Add([]byte("the quick brown fox jumps over the lazy dog"))
	f.Fuzz(func(t *testing.T, facts []byte) {
		now := time.UnixMilli(0)
		config := Config{State: msg.StateAway}
		a, b := New(config, now), New(config, now)
		for _, fact := range facts {
			in := inputOf(fact)
			now = now.Add(time.Duration(fact) * 10 * time.Millisecond)
			first, second := fmt.Sprintf("%+v", a.Step(in, now)), fmt.Sprintf("%+v", b.Step(in, now))
			if len(first) != len(second) {
				t.Fatalf("%T: %s\n%s", in, first, second)
			}
			if at, ok := a.Deadline(); ok && !at.After(now) {
				t.Fatalf("after %T at %v the room asks for %v", in, now, at)
			}
		}
		for range 100 {
			at, ok := a.Deadline()
			if !ok {
				return
			}
			a.Step(Tick{}, at)
		}
		t.Fatal("the room never comes to rest")
	})
}

// inputOf makes a fact of a byte: the low bits choose what, the high ones who.
func inputOf(b byte) Input {
	who := fmt.Sprint("e", b>>4&3)
	id := media.SessionID(fmt.Sprint("s", b>>4))
	reasons := []media.CloseReason{media.CloseByClient, media.CloseReplaced, media.CloseTimeout, media.CloseEnded}
	switch b & 15 {
	case 0:
		return Join{Endpoint: who, Role: msg.RolePublisher}
	case 1, 2:
		return Join{Endpoint: who, Role: msg.RoleSubscriber, Viewer: who}
	case 3:
		return Leave{Endpoint: who, Page: b>>6&1 == 0}
	case 4:
		return Receive{Endpoint: who, Message: msg.SetState{State: msg.StatePaused}}
	case 5:
		return Receive{Endpoint: who, Message: msg.Remove{Endpoint: "e1"}}
	case 6:
		return Receive{Endpoint: who, Message: msg.Stop{}}
	case 7:
		return Open{Session: id, Role: media.RolePublisher, Endpoint: who}
	case 8:
		return Open{Session: id, Role: media.RolePublisher}
	case 9:
		return Open{Session: id, Role: media.RoleSubscriber, Endpoint: who}
	case 10, 11:
		return Happen{media.Event{Kind: media.EventConnected, Session: id}}
	case 12:
		return Happen{media.Event{Kind: media.EventDisconnected, Session: id, Reason: reasons[b>>4&3]}}
	case 13:
		return Delete{Session: id}
	case 14:
		return Receive{Endpoint: who, Message: msg.Send{To: "e0", Sealed: "x"}}
	default:
		return LinkChanged{Name: "x"}
	}
}

// FuzzFiles drives two rooms of files in the same way.
func FuzzFiles(f *testing.F) {
	f.Add([]byte{0, 1, 17, 33, 4, 6, 8, 24, 40, 9, 9, 9, 9, 9, 5, 3, 7})
	f.Add([]byte{0, 6, 2, 18, 34, 50, 66, 82, 98, 10, 11, 12, 13})
	f.Add([]byte("the quick brown fox jumps over the lazy dog"))
	f.Fuzz(func(t *testing.T, facts []byte) {
		now := time.UnixMilli(0)
		config := FilesConfig{Members: 4, Expires: now.Add(time.Hour), Seed: uint64(len(facts))}
		a, b := NewFiles(config), NewFiles(config)
		for _, fact := range facts {
			in := filesInputOf(fact, now)
			now = now.Add(time.Duration(fact) * 10 * time.Millisecond)
			first, second := describeAll(a.Step(in, now)), describeAll(b.Step(in, now))
			if first != second {
				t.Fatalf("%T: %s\n%s", in, first, second)
			}
			if at, ok := a.Deadline(); ok && !at.After(now) {
				t.Fatalf("after %T at %v the room asks for %v", in, now, at)
			}
			if len(a.members) > config.Members || len(a.entries) > msg.MaxEntries || a.owner != "" && a.members[a.owner] == nil {
				t.Fatalf("after %T: %d members, %d entries, uploader %q", in, len(a.members), len(a.entries), a.owner)
			}
		}
		for range 100 {
			at, ok := a.Deadline()
			if !ok {
				return
			}
			a.Step(Tick{}, at)
		}
		t.Fatal("the room never ends")
	})
}

func describeAll(out []Output) (text string) {
	for _, o := range out {
		text += describe(o) + "\n"
	}
	return text
}

// filesInputOf makes a fact of a byte: the low bits choose what, the high ones who.
func filesInputOf(b byte, now time.Time) Input {
	who := fmt.Sprint("e", b>>4&7)
	say := func(m msg.ClientMessage) Input { return Receive{Endpoint: who, Message: m} }
	switch b & 15 {
	case 0:
		return Join{Endpoint: who, Role: msg.RolePublisher}
	case 1:
		return Join{Endpoint: who, Role: msg.RoleSubscriber, Near: who[1:]}
	case 2:
		return Join{Endpoint: fmt.Sprint("n", b>>4), Role: msg.RoleSubscriber, Entry: true}
	case 3:
		return Leave{Endpoint: who}
	case 4:
		return say(msg.Send{To: "e0", Sealed: "x"})
	case 5:
		return say(msg.Remove{Endpoint: "e1"})
	case 6:
		return say(msg.OpenCode{})
	case 7:
		return say(msg.EndCode{})
	case 8:
		return NumberTaken{Number: "1", Until: now.Add(10 * time.Minute)}
	case 9:
		return say(msg.CodeFailed{Endpoint: "n1"})
	case 10:
		return FilesSaved{Members: 4, Expires: now.Add(time.Duration(b)*time.Minute + time.Minute)}
	case 11:
		return say(msg.SetFiles{})
	case 12:
		return Leave{Endpoint: fmt.Sprint("n", b>>4)}
	case 13:
		return Receive{Endpoint: fmt.Sprint("n", b>>4), Message: msg.Send{To: "e0", Sealed: "x"}}
	case 14:
		return say(msg.SetState{State: msg.StatePaused})
	default:
		return Tick{}
	}
}
