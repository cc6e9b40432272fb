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
		kinds := []msg.RoomKind{msg.RoomStream, msg.RoomFiles}
		config := Config{Kind: kinds[len(facts)%2], State: msg.StateAway}
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
