package crowd

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v3"
)

var (
	ours   = credentials{"ours", "our-password-of-22-signs"}
	theirs = credentials{"them", "their-password-of-22-signs"}
	near   = netip.MustParseAddrPort("127.0.0.1:5000")
	far    = netip.MustParseAddrPort("192.0.2.1:5000")
)

func testAgent() *agent { return newAgent(ours, theirs, []netip.AddrPort{near, far}, [32]byte{1}) }

// read decodes what an agent sent and checks what a server would.
func read(t *testing.T, d datagram) *stun.Message {
	t.Helper()
	m := &stun.Message{Raw: d.b}
	if err := m.Decode(); err != nil {
		t.Fatal(err)
	}
	if err := stun.Fingerprint.Check(m); err != nil {
		t.Error(err)
	}
	if m.Type == stun.BindingRequest {
		name, _ := m.Get(stun.AttrUsername)
		if string(name) != "them:ours" || !m.Contains(stun.AttrICEControlling) || !m.Contains(stun.AttrPriority) {
			t.Errorf("check of %q: %v", name, m)
		}
		if err := stun.NewShortTermIntegrity(theirs.pwd).Check(m); err != nil {
			t.Error(err)
		}
	}
	return m
}

// success answers a check.
func success(t *testing.T, m *stun.Message, pwd string) []byte {
	t.Helper()
	b, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: near.Addr().AsSlice(), Port: 9}, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)
	if err != nil {
		t.Fatal(err)
	}
	return b.Raw
}

// TestAgent: checks all addresses, selects and nominates the first that answers, then asks for consent until it is lost.
func TestAgent(t *testing.T) {
	a, now := testAgent(), start()
	var out []datagram
	if next := a.tick(now, &out); len(out) != 2 || out[0].to != near || out[1].to != far || next != now.Add(checkFirst) {
		t.Fatalf("sent %v, next %v", out, next.Sub(now))
	}
	first := read(t, out[1])
	if first.Contains(stun.AttrUseCandidate) {
		t.Error("nominated before any answer")
	}
	out = nil
	a.receive(success(t, first, "a-wrong-password-of-22"), far, now, &out)
	if a.selected >= 0 || len(out) != 0 {
		t.Error("a forged answer was believed")
	}
	now = now.Add(20 * time.Millisecond)
	a.receive(success(t, first, theirs.pwd), far, now, &out)
	if a.to() != far || len(out) != 1 || out[0].to != far || a.roundTrip != 20*time.Millisecond {
		t.Fatalf("selected %v after %v, sent %v", a.to(), a.roundTrip, out)
	}
	nomination := read(t, out[0])
	if !nomination.Contains(stun.AttrUseCandidate) || a.nominated {
		t.Error("no nomination")
	}
	a.receive(success(t, first, theirs.pwd), far, now, &out) // the old one again
	a.receive(success(t, nomination, theirs.pwd), far, now, &out)
	if !a.nominated {
		t.Fatal("not nominated")
	}
	checks := 0
	for end := now.Add(time.Minute); now.Before(end) && !a.lost(now); {
		out = nil
		next := a.tick(now, &out)
		if len(out) > 1 || len(out) == 1 && out[0].to != far {
			t.Fatalf("sent %v", out)
		}
		checks += len(out)
		now = next
	}
	if checks < 5 || checks > 8 || !a.lost(now) {
		t.Errorf("%d checks, lost %v", checks, a.lost(now))
	}
}

// TestAgentRepeats: while nobody answers the checks come slower and slower.
func TestAgentRepeats(t *testing.T) {
	a, now := testAgent(), start()
	sent := 0
	for range 10 {
		var out []datagram
		now = a.tick(now, &out)
		sent += len(out)
	}
	if sent != 20 || now.Sub(start()) < 3*time.Second || a.lost(now) {
		t.Errorf("%d checks in %v", sent, now.Sub(start()))
	}
}

// TestAgentAnswers: a full agent's check is answered, a stranger's is not.
func TestAgentAnswers(t *testing.T) {
	a := testAgent()
	check := func(user, pwd string) []byte {
		m, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(user), stun.NewShortTermIntegrity(pwd), stun.Fingerprint)
		if err != nil {
			t.Fatal(err)
		}
		return m.Raw
	}
	for name, b := range map[string][]byte{
		"wrong name": check("ours:who", ours.pwd), "wrong key": check("ours:them", theirs.pwd), "none": {0, 1},
	} {
		var out []datagram
		if a.receive(b, far, start(), &out); len(out) != 0 {
			t.Errorf("%s: answered", name)
		}
	}
	var out []datagram
	a.receive(check("ours:them", ours.pwd), far, start(), &out)
	if len(out) != 1 || out[0].to != far {
		t.Fatalf("sent %v", out)
	}
	m := read(t, out[0])
	var mapped stun.XORMappedAddress
	if err := mapped.GetFrom(m); err != nil || mapped.Port != 5000 || m.Type != stun.BindingSuccess {
		t.Errorf("%v %v", m, err)
	}
	if err := stun.NewShortTermIntegrity(ours.pwd).Check(m); err != nil {
		t.Error(err)
	}
}

// FuzzAgent: nothing that a stranger sends selects an address, is answered, or breaks the agent.
func FuzzAgent(f *testing.F) {
	m, err := stun.Build(stun.TransactionID, stun.BindingSuccess, stun.NewShortTermIntegrity("x"), stun.Fingerprint)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.Raw)
	f.Add([]byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42})
	f.Fuzz(func(t *testing.T, b []byte) {
		a := testAgent()
		var out []datagram
		a.tick(start(), &out)
		out = nil
		a.receive(b, far, start(), &out)
		if a.selected >= 0 || len(out) != 0 {
			t.Errorf("selected %d, sent %v", a.selected, out)
		}
	})
}
