package signalling

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// fate asks by PATCH, as a client does whose connection is silent, and by DELETE.
func (r *rig) fate(location, bearer string) (patch, del *http.Response) {
	r.t.Helper()
	headers := []string{"Content-Type", typeFragment, "If-Match", `"etag-` + string(sessionOf(location)) + `"`}
	if bearer != "" {
		headers = append(headers, "Authorization", "Bearer "+bearer)
	}
	patch = r.ask(http.MethodPatch, location, strings.NewReader("a=end-of-candidates"), headers...)
	return patch, r.ask(http.MethodDelete, location, nil, headers...)
}

// checkFate compares both answers; words is part of the detail, "" for a 404.
func checkFate(t *testing.T, r *rig, name, location, bearer, words string) {
	t.Helper()
	patch, del := r.fate(location, bearer)
	for _, res := range []*http.Response{patch, del} {
		text := describe(res)
		status, problem := http.StatusNotFound, "session"
		if words != "" {
			status, problem = http.StatusGone, "gone"
		}
		if res.StatusCode != status || !strings.Contains(text, words) {
			t.Errorf("%s: %s, want %d and %q", name, text, status, words)
		}
		checkProblem(t, res, problem)
	}
}

// TestSessionsEndedForGood: whoever was sent away by a decision is told so; whoever merely broke off
// may come back.
func TestSessionsEndedForGood(t *testing.T) {
	r := serve(t, unlimited)
	owner, ow := r.join(r.ownerHello("a"))
	viewer, vw := r.join(viewerHello("a"))
	first := r.publish("a")
	second := r.offer(ow.MediaURL, ow.MediaToken).Header.Get("Location")
	r.plane.connect(sessionOf(second))
	checkFate(t, r, "replaced", first, r.key, "newer publisher")
	if patch, del := r.fate(first, ""); patch.StatusCode != http.StatusUnauthorized || del.StatusCode != http.StatusUnauthorized {
		t.Errorf("without the key: %s, %s", describe(patch), describe(del))
	}
	if patch, _ := r.fate(strings.Replace(first, "/a/", "/b/", 1), r.key); patch.StatusCode != http.StatusNotFound {
		t.Errorf("under another stream: %s", describe(patch))
	}

	watched := r.offer(vw.MediaURL, vw.MediaToken).Header.Get("Location")
	removed := watched
	owner.say(msg.Remove{Endpoint: vw.Endpoint})
	await[msg.Error](viewer)
	checkFate(t, r, "removed", removed, vw.MediaToken, "removed you")

	if err := r.plane.Close(sessionOf(second), media.CloseTimeout); err != nil {
		t.Fatal(err)
	}
	checkFate(t, r, "broken", second, ow.MediaToken, "")
	third := r.offer(ow.MediaURL, ow.MediaToken).Header.Get("Location")
	r.plane.connect(sessionOf(third))
	awaitThat(owner, func(m msg.State) bool { return m.State == msg.StateLive })
	owner.say(msg.Stop{})
	owner.awaitState(msg.StateEnded)
	checkFate(t, r, "stopped", third, ow.MediaToken, "ended this stream")

	fourth := r.publish("a")
	owner2, _ := r.join(r.ownerHello("a"))
	owner2.say(msg.ChangeLink{})
	await[msg.Moved](owner2)
	checkFate(t, r, "link changed", fourth, r.key, "changed the link")
}

// TestSessionThatIsJustBeingEnded: the data plane knows before the hub does; the answer waits for it.
func TestSessionThatIsJustBeingEnded(t *testing.T) {
	r := serve(t, unlimited)
	location := r.publish("a")
	id := sessionOf(location)
	r.plane.mu.Lock()
	delete(r.plane.sessions, id)
	r.plane.mu.Unlock()
	r.plane.missed = func() {
		go r.plane.tell(media.Event{Kind: media.EventDisconnected, Session: id, Stream: "a", Role: media.RolePublisher, Reason: media.CloseReplaced})
	}
	res, _ := r.fate(location, r.key)
	if res.StatusCode != http.StatusGone {
		t.Errorf("answered %s", describe(res))
	}
}

func TestEndingsAreForgotten(t *testing.T) {
	var e endings
	now := time.UnixMilli(0)
	for i := range maxEndings + 10 {
		e.note(media.SessionID(fmt.Sprint(i)), session{}, media.CloseEnded, now.Add(time.Duration(i)))
	}
	e.note("broken", session{}, media.CloseFailed, now)
	if _, found := e.find("broken", now); found {
		t.Error("a session that broke is remembered as ended for good")
	}
	if _, found := e.find("9", now); found || len(e.byID) != maxEndings || len(e.order) != maxEndings {
		t.Errorf("%d and %d are remembered", len(e.byID), len(e.order))
	}
	last := media.SessionID(fmt.Sprint(maxEndings + 9))
	if s, found := e.find(last, now.Add(endingKept)); !found || s.ended != media.CloseEnded {
		t.Errorf("the last one: %+v %v", s, found)
	}
	later := now.Add(endingKept + time.Second)
	if _, found := e.find(last, later); found {
		t.Error("remembered for more than an hour")
	}
	e.note("new", session{}, media.CloseReplaced, later)
	if len(e.byID) != 1 || len(e.order) != 1 {
		t.Errorf("%d and %d are remembered after an hour", len(e.byID), len(e.order))
	}
}
