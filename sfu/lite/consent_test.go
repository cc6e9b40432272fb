package lite

import (
	"slices"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

func TestConnectDeadline(t *testing.T) {
	var out Out
	l := newLeg()
	at, why, ok := l.Deadline()
	if !ok || why != ReasonConnect || !at.Equal(start().Add(DefaultConnectTimeout)) {
		t.Fatalf("%v, %v, %v", at, why, ok)
	}
	l.Advance(at.Add(-1), &out)
	if l.Closed() {
		t.Error("closed early")
	}
	l.Advance(at, &out)
	if e := out.Events; !l.Closed() || len(e) != 1 || e[0].Kind != EventClosed || e[0].Close != media.CloseUnfinished {
		t.Errorf("events %v", e)
	}
	if _, _, ok := l.Deadline(); ok {
		t.Error("a closed leg has a deadline")
	}
	if got := l.Receive(question{}.build(t), somewhere(1), at, &out); got != DropClosed {
		t.Error(got)
	}
}

// TestConsent: an address lives 30 s from its last check, the leg as long as one does.
func TestConsent(t *testing.T) {
	v := connected(t, ProfileGCM)
	second := func(n int) time.Time { return start().Add(time.Duration(n) * time.Second) }
	b := somewhere(6000)
	ask(t, v.leg, question{}, b, second(10), DropNone, &v.out)
	at, why, _ := v.leg.Deadline()
	if why != ReasonConsent || !at.Equal(second(30)) {
		t.Fatalf("%v %v", at, why)
	}
	v.out.Reset()
	v.leg.Advance(second(29), &v.out)
	if len(v.out.Events) != 0 {
		t.Errorf("early: %v", v.out.Events)
	}
	v.leg.Advance(second(30), &v.out)
	if p, _ := v.leg.Path(); p != b || !slices.Equal(kinds(&v.out), []EventKind{EventAddressGone, EventPath}) {
		t.Errorf("media at %v, events %v", p, v.out.Events)
	}
	ask(t, v.leg, question{}, b, second(35), DropNone, &v.out)
	if at, _, _ := v.leg.Deadline(); !at.Equal(second(65)) {
		t.Errorf("consent until %v", at)
	}
	v.leg.Advance(second(65), &v.out)
	if e := v.out.Events; !v.leg.Closed() || len(e) != 1 || e[0].Close != media.CloseTimeout {
		t.Errorf("events %v", e)
	}
}

// TestConsentByReports: a peer that reports need not check (pion does not, while anything else
// passes); what is replayed keeps nothing alive.
func TestConsentByReports(t *testing.T) {
	v := connected(t, ProfileGCM)
	second := func(n int) time.Time { return start().Add(time.Duration(n) * time.Second) }
	report := v.sealed(t, 9)
	if got := v.leg.Receive(report, v.path, second(20), &v.out); got != DropNone {
		t.Fatal(got)
	}
	if got := v.leg.Receive(report, v.path, second(25), &v.out); got != DropRTCPReplay {
		t.Fatal(got)
	}
	if at, why, _ := v.leg.Deadline(); why != ReasonConsent || !at.Equal(second(50)) {
		t.Errorf("consent until %v, %v", at, why)
	}
	v.leg.Advance(second(49), &v.out)
	if v.leg.Closed() {
		t.Error("closed while it reported")
	}
	v.leg.Advance(second(50), &v.out)
	if !v.leg.Closed() {
		t.Error("still open without a sign of life for 30 s")
	}
}

// TestRestart: both credentials work until the peer nominates under the new ones.
func TestRestart(t *testing.T) {
	v := connected(t, ProfileGCM)
	newMine, newTheirs := Credentials{"newm", "new-password-new-password"}, Credentials{"newt", "new-password-of-theirs"}
	b := somewhere(6000)
	v.out.Reset()
	v.leg.Restart(newMine, newTheirs, &v.out)
	if len(v.out.Events) != 0 {
		t.Errorf("events %v", v.out.Events)
	}
	fresh := question{user: "newm:newt", pwd: newMine.Pwd}
	ask(t, v.leg, question{nominate: true}, v.path, start(), DropNone, &v.out)
	ask(t, v.leg, question{user: "newm:theirs", pwd: newMine.Pwd}, b, start(), DropSTUNUsername, &v.out)
	ask(t, v.leg, question{user: "newm:newt"}, b, start(), DropSTUNIntegrity, &v.out)
	ask(t, v.leg, fresh, b, start(), DropNone, &v.out)
	ask(t, v.leg, question{}, v.path, start(), DropNone, &v.out) // consent of the old path
	if p, _ := v.leg.Path(); p != v.path {
		t.Error("media moved before the nomination")
	}
	fresh.nominate = true
	ask(t, v.leg, fresh, b, start(), DropNone, &v.out)
	if p, _ := v.leg.Path(); p != b || !slices.Equal(kinds(&v.out), []EventKind{EventPath, EventUfragGone}) || v.out.Events[1].Ufrag != "mine" {
		t.Errorf("media at %v, events %v", p, v.out.Events)
	}
	ask(t, v.leg, question{}, v.path, start(), DropSTUNUsername, &v.out)
	v.out.Reset()
	v.leg.Restart(mine, theirs, &v.out)
	v.leg.Restart(mine, theirs, &v.out)
	if len(v.out.Events) != 1 || v.out.Events[0].Ufrag != "newm" {
		t.Errorf("two restarts gave %v", v.out.Events)
	}
}
