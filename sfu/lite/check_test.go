package lite

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/stun/v3"
)

var (
	mine   = Credentials{"mine", "mine-password-mine-password"}
	theirs = Credentials{"theirs", "theirs-password-theirs"}
)

// question is a check as a browser sends it, with room for mistakes.
type question struct {
	user      string // default "mine:theirs"
	pwd       string // default mine.Pwd
	nominate  bool
	role      stun.AttrType // default ICE-CONTROLLING
	extra     []stun.Setter // before the integrity
	after     []stun.Setter // between integrity and fingerprint
	unsigned  bool
	noPrint   bool
	printBits []byte // XORed into the last bytes
}

func (q question) build(t testing.TB) []byte {
	t.Helper()
	if q.user == "" {
		q.user = "mine:theirs"
	}
	if q.pwd == "" {
		q.pwd = mine.Pwd
	}
	if q.role == 0 {
		q.role = stun.AttrICEControlling
	}
	set := []stun.Setter{stun.TransactionID, stun.BindingRequest, stun.NewUsername(q.user),
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{1, 2, 3, 4}},
		stun.RawAttribute{Type: q.role, Value: make([]byte, 8)},
		stun.RawAttribute{Type: 0xC057, Value: []byte{0, 1, 0, 2}}} // Chromium's network info
	if q.nominate {
		set = append(set, stun.RawAttribute{Type: stun.AttrUseCandidate})
	}
	set = append(set, q.extra...)
	if !q.unsigned {
		set = append(set, stun.NewShortTermIntegrity(q.pwd))
	}
	set = append(set, q.after...)
	if !q.noPrint {
		set = append(set, stun.Fingerprint)
	}
	b := build(t, set...)
	for i, x := range q.printBits {
		b[len(b)-1-i] ^= x
	}
	return b
}

func newLeg() *Leg { return New(Config{Local: mine, Remote: theirs}, start()) }

// ask sends a check and returns the answer, nil when there is none.
func ask(t *testing.T, l *Leg, q question, from Path, now time.Time, want DropReason, out *Out) *stun.Message {
	t.Helper()
	out.Reset()
	request := q.build(t)
	if got := l.Receive(request, from, now, out); got != want {
		t.Fatalf("dropped for %v, want %v", got, want)
	}
	if len(out.Send) == 0 {
		return nil
	}
	if len(out.Send) != 1 || out.Send[0].Path != from {
		t.Fatalf("answers %v", out.Send)
	}
	var m stun.Message
	if err := stun.Decode(out.Send[0].Data, &m); err != nil {
		t.Fatal(err)
	}
	if m.TransactionID != [12]byte(request[8:20]) {
		t.Error("another transaction")
	}
	if stun.Fingerprint.Check(&m) != nil {
		t.Error("the answer has no good fingerprint")
	}
	return &m
}

func kinds(out *Out) (list []EventKind) {
	for _, e := range out.Events {
		list = append(list, e.Kind)
	}
	return list
}

func TestCheckIsAnswered(t *testing.T) {
	for _, from := range []Path{
		somewhere(4000),
		{Remote: netip.MustParseAddrPort("[2001:db8::9]:4000"), Local: netip.MustParseAddr("2001:db8::1")},
	} {
		var out Out
		l := newLeg()
		m := ask(t, l, question{}, from, start(), DropNone, &out)
		var addr stun.XORMappedAddress
		if m == nil || m.Type != stun.BindingSuccess || addr.GetFrom(m) != nil {
			t.Fatalf("answer %v", m)
		}
		if got := netip.AddrPortFrom(netip.MustParseAddr(addr.IP.String()), uint16(addr.Port)); got != from.Remote {
			t.Errorf("mapped %v", got)
		}
		if err := stun.NewShortTermIntegrity(mine.Pwd).Check(m); err != nil {
			t.Error(err)
		}
		if !slices.Equal(kinds(&out), []EventKind{EventAddress}) || out.Events[0].Path != from {
			t.Errorf("events %v", out.Events)
		}
		ask(t, l, question{}, from, start(), DropNone, &out)
		if len(out.Events) != 0 {
			t.Errorf("the second check gave %v", out.Events)
		}
	}
}

func TestChecksRefused(t *testing.T) {
	required := stun.RawAttribute{Type: 0x0003, Value: make([]byte, 4)}
	rows := []struct {
		name string
		q    question
		want DropReason
		code stun.ErrorCode // 0: no answer
	}{
		{"wrong password", question{pwd: "wrong"}, DropSTUNIntegrity, 0},
		{"unsigned", question{unsigned: true}, DropSTUNIntegrity, 0},
		{"the peer's own ufrag first", question{user: "theirs:mine"}, DropSTUNUsername, 0},
		{"another peer", question{user: "mine:others"}, DropSTUNUsername, 0},
		{"another leg", question{user: "other:theirs"}, DropSTUNUsername, 0},
		{"no colon", question{user: "mine"}, DropSTUNUsername, 0},
		{"no fingerprint", question{noPrint: true}, DropSTUNMalformed, 0},
		{"bad fingerprint", question{printBits: []byte{1}}, DropSTUNMalformed, 0},
		{"role conflict", question{role: stun.AttrICEControlled}, DropSTUNRole, stun.CodeRoleConflict},
		{"must be understood", question{extra: []stun.Setter{required}}, DropSTUNAttribute, stun.CodeUnknownAttribute},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			var out Out
			l := newLeg()
			m := ask(t, l, r.q, somewhere(1), start(), r.want, &out)
			if (m == nil) != (r.code == 0) || len(out.Events) != 0 || len(l.addresses) != 0 {
				t.Fatalf("answer %v, events %v", m, out.Events)
			}
			if m == nil {
				return
			}
			var code stun.ErrorCodeAttribute
			if err := code.GetFrom(m); err != nil || code.Code != r.code || m.Type != stun.BindingError {
				t.Errorf("code %v, %v", code, err)
			}
			if err := stun.NewShortTermIntegrity(mine.Pwd).Check(m); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOtherSTUN(t *testing.T) {
	var out Out
	l := newLeg()
	indication := build(t, stun.TransactionID, stun.NewType(stun.MethodBinding, stun.ClassIndication), stun.Fingerprint)
	success := build(t, stun.TransactionID, stun.BindingSuccess, stun.NewShortTermIntegrity(theirs.Pwd), stun.Fingerprint)
	allocate := build(t, stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), stun.Fingerprint)
	for _, r := range []struct {
		b    []byte
		want DropReason
	}{{indication, DropNone}, {success, DropSTUNType}, {allocate, DropSTUNType}, {allocate[:30], DropSTUNMalformed}} {
		if got := l.Receive(r.b, somewhere(1), start(), &out); got != r.want {
			t.Errorf("got %v, want %v", got, r.want)
		}
	}
	if len(out.Send)+len(out.Events)+len(l.addresses) != 0 {
		t.Error("something came of it")
	}
}

// TestUnsignedNomination: an attribute after the integrity is not authentic.
func TestUnsignedNomination(t *testing.T) {
	var out Out
	l := newLeg()
	after := []stun.Setter{stun.RawAttribute{Type: stun.AttrUseCandidate}}
	ask(t, l, question{after: after}, somewhere(1), start(), DropNone, &out)
	if l.nominated {
		t.Error("nominated by an attribute that anyone could have added")
	}
}

// TestNomination: before one, media goes to the checked address; then the newest wins.
func TestNomination(t *testing.T) {
	v := connected(t, ProfileGCM)
	a, b := v.path, somewhere(6000)
	path := func() Path { p, _ := v.leg.Path(); return p }
	ask(t, v.leg, question{}, b, start(), DropNone, &v.out)
	if path() != a {
		t.Error("a mere check moved the media")
	}
	ask(t, v.leg, question{nominate: true}, b, start(), DropNone, &v.out)
	if path() != b || !slices.Equal(kinds(&v.out), []EventKind{EventPath}) || v.out.Events[0].Path != b {
		t.Errorf("nominated, media at %v, events %v", path(), v.out.Events)
	}
	ask(t, v.leg, question{nominate: true}, a, start(), DropNone, &v.out)
	if path() != a {
		t.Error("the newest nomination did not win")
	}
}

// TestReportMovesMedia: Firefox does not nominate anew after its NAT has changed the
// port. A report from a checked address moves the media, a replay or an old one does not.
func TestReportMovesMedia(t *testing.T) {
	v := connected(t, ProfileGCM)
	a, b := v.path, somewhere(6000)
	ask(t, v.leg, question{nominate: true}, a, start(), DropNone, &v.out)
	old, late, fresh := v.sealed(t, 1), v.sealed(t, 1), v.sealed(t, 1)
	receive := func(r []byte, from Path, want DropReason, at Path) {
		t.Helper()
		v.out.Reset()
		if got := v.leg.Receive(r, from, start(), &v.out); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
		if p, _ := v.leg.Path(); p != at {
			t.Errorf("media goes to %v, want %v", p, at)
		}
	}
	receive(old, a, DropNone, a)
	ask(t, v.leg, question{}, b, start(), DropNone, &v.out) // b is checked now
	receive(old, b, DropRTCPReplay, a)
	receive(fresh, b, DropNone, b)
	receive(late, a, DropNone, b) // overtaken on the way
	receive(v.sealed(t, 1), a, DropNone, a)
}

// TestProbe: a report from an address without a check is authentic but proves no
// consent; our own check does, in one round trip.
func TestProbe(t *testing.T) {
	v := connected(t, ProfileGCM)
	b := somewhere(6000)
	v.out.Reset()
	now := start()
	if got := v.leg.Receive(v.sealed(t, 1), b, now, &v.out); got != DropUncheckedAddress {
		t.Fatal(got)
	}
	if p, _ := v.leg.Path(); p != v.path || len(v.out.RTCP) != 0 || len(v.out.Send) != 1 || v.out.Send[0].Path != b {
		t.Fatalf("media at %v, %d sent", p, len(v.out.Send))
	}
	probe := v.out.Send[0].Data
	var m stun.Message
	var name stun.Username
	if stun.Decode(probe, &m) != nil || m.Type != stun.BindingRequest || name.GetFrom(&m) != nil ||
		name.String() != "theirs:mine" || !m.Contains(stun.AttrICEControlled) || !m.Contains(stun.AttrPriority) {
		t.Fatalf("probe %v", &m)
	}
	if stun.NewShortTermIntegrity(theirs.Pwd).Check(&m) != nil || stun.Fingerprint.Check(&m) != nil {
		t.Error("the browser would not answer it")
	}
	if !slices.Equal(kinds(&v.out), []EventKind{EventSender, EventProbe}) || v.out.Events[1].Path != b {
		t.Errorf("events %v", v.out.Events)
	}
	v.out.Reset()
	v.leg.Receive(v.sealed(t, 1), b, now, &v.out)
	if len(v.out.Send) != 0 {
		t.Error("probed twice at once")
	}
	answer := func(pwd string, id stun.Setter) []byte {
		return build(t, id, stun.BindingSuccess, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)
	}
	refuse := func(b []byte, from Path, want DropReason) {
		t.Helper()
		if got := v.leg.Receive(b, from, now, &v.out); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
		if p, _ := v.leg.Path(); p != v.path {
			t.Error("media moved")
		}
	}
	refuse(answer("guessed", &m), b, DropSTUNIntegrity)
	refuse(answer(theirs.Pwd, stun.TransactionID), b, DropSTUNType)
	refuse(answer(theirs.Pwd, &m), somewhere(7000), DropSTUNType)
	v.out.Reset()
	good := answer(theirs.Pwd, &m)
	if got := v.leg.Receive(good, b, now, &v.out); got != DropNone {
		t.Fatal(got)
	}
	if p, _ := v.leg.Path(); p != b || !slices.Equal(kinds(&v.out), []EventKind{EventAddress, EventPath}) {
		t.Errorf("media at %v, events %v", p, v.out.Events)
	}
	if got := v.leg.Receive(good, b, now, &v.out); got != DropSTUNType {
		t.Errorf("the answer counted twice: %v", got)
	}
	v.leg.forget(v.leg.find(b), &v.out)
	if got := v.leg.Receive(good, b, now, &v.out); got != DropSTUNType {
		t.Errorf("the answer counts again after its address has gone: %v", got)
	}
	for i, want := range [][]EventKind{{EventProbe}, nil, {EventAddressGone, EventProbe}} {
		v.out.Reset()
		now = now.Add(probeInterval)
		v.leg.Receive(v.sealed(t, 1), somewhere(8000+uint16(i/2)), now, &v.out)
		if len(v.out.Send) != 1 || !slices.Equal(kinds(&v.out), want) {
			t.Errorf("probe %d: %d sent, events %v", i, len(v.out.Send), v.out.Events)
		}
	}
	if v.out.Events[0].Path != somewhere(8000) {
		t.Errorf("gave up %v", v.out.Events[0].Path)
	}
}

// TestAddressLimit: the table keeps eight addresses and never loses the one with media.
func TestAddressLimit(t *testing.T) {
	v := connected(t, ProfileGCM)
	gone := map[Path]bool{}
	for i := range 40 {
		ask(t, v.leg, question{}, somewhere(uint16(6000+i)), start().Add(time.Duration(i)*time.Millisecond), DropNone, &v.out)
		for _, e := range v.out.Events {
			if e.Kind == EventAddressGone {
				gone[e.Path] = true
			}
		}
	}
	if len(v.leg.addresses) != MaxAddresses || len(gone) != 41-MaxAddresses || gone[v.path] {
		t.Errorf("%d addresses, %d gone", len(v.leg.addresses), len(gone))
	}
}

func TestDropNames(t *testing.T) {
	seen := map[string]bool{}
	for d := range NumDropReasons {
		if name := d.String(); name == "" || seen[name] {
			t.Errorf("reason %d has the name %q", d, name)
		}
		seen[d.String()] = true
	}
	if NumDropReasons.String() != "unknown" {
		t.Error("an unknown reason has no name")
	}
}
