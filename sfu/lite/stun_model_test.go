package lite

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // MESSAGE-INTEGRITY is made of it
	"encoding/binary"
	"hash/crc32"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/pion/stun/v3"
)

// stunModel is a STUN message as RFC 8489 sections 5 and 14 describe it.
type stunModel struct {
	raw   []byte
	kind  int // of the message; -1 for what is no STUN
	list  []stunModelAttribute
	whole bool // all of it can be read; else list is what stands before the damage
}

type stunModelAttribute struct {
	at    int // where in the message it begins
	kind  int
	value []byte
}

func readSTUN(b []byte) stunModel {
	m := stunModel{raw: b, kind: -1}
	if len(b) < 20 || !bytes.Equal(b[4:8], []byte{0x21, 0x12, 0xA4, 0x42}) || len(b)%4 != 0 {
		return m
	}
	number := func(at int) int { return int(b[at])<<8 | int(b[at+1]) }
	if 20+number(2) != len(b) {
		return m
	}
	m.kind = number(0)
	at := 20
	for at+4 <= len(b) {
		end := at + 4 + number(at+2)
		if end > len(b) {
			break
		}
		m.list = append(m.list, stunModelAttribute{at: at, kind: number(at), value: b[at+4 : end]})
		for end%4 != 0 {
			end++ // padding
		}
		at = end
	}
	m.whole = at == len(b)
	return m
}

// first is the first attribute of a kind: others may be ignored (section 14).
func (m stunModel) first(kind int) (stunModelAttribute, bool) {
	i := slices.IndexFunc(m.list, func(a stunModelAttribute) bool { return a.kind == kind })
	if i < 0 {
		return stunModelAttribute{}, false
	}
	return m.list[i], true
}

// ufrag is ours in the USERNAME of a Binding request. Who asks needs not more than that, so what stands
// behind it may be damaged.
func (m stunModel) ufrag() string {
	name, named := m.first(0x0006)
	ours, _, two := strings.Cut(string(name.value), ":")
	if m.kind != 1 || !named || !two {
		return ""
	}
	return ours
}

// plain tells whether it is a Binding request that wants nothing but its address, and whether that is to be
// marked by a FINGERPRINT, since it has one (be it right or not).
func (m stunModel) plain() (ok, marked bool) {
	for _, a := range m.list {
		if a.kind < 0x8000 {
			return false, false // it must be understood
		}
		marked = marked || a.kind == 0x8028
	}
	return m.kind == 1 && m.whole, marked
}

// printed tells whether the one FINGERPRINT is the last attribute and right (section 14.7).
func (m stunModel) printed() bool {
	a, ok := m.first(0x8028)
	if !ok || !m.whole || a.at != len(m.raw)-8 || len(a.value) != 4 {
		return false
	}
	return binary.BigEndian.Uint32(a.value) == crc32.ChecksumIEEE(m.raw[:a.at])^0x5354554E
}

// signed tells whether the first MESSAGE-INTEGRITY is right (section 14.5): made with the password, of all
// before it, with a length as if it were the last attribute.
func (m stunModel) signed(pwd string) bool {
	a, ok := m.first(0x0008)
	return ok && bytes.Equal(a.value, stunHMAC(m.raw[:a.at], pwd))
}

func stunHMAC(before []byte, pwd string) []byte {
	text := bytes.Clone(before)
	binary.BigEndian.PutUint16(text[2:], uint16(len(before)+24-20))
	mac := hmac.New(sha1.New, []byte(pwd))
	mac.Write(text)
	return mac.Sum(nil)
}

// stunVerdict is what a leg makes of a message.
type stunVerdict struct {
	reason    DropReason
	code      stun.ErrorCode // of the answer; 0: success, when reason is DropNone
	unknown   []int
	answered  bool
	nominated bool
	old       bool // under the credentials of before a restart
}

// check is what a leg with these credentials, the current ones first, has to make of it.
func (m stunModel) check(pairs []credentialPair) (v stunVerdict) {
	if !m.printed() {
		return stunVerdict{reason: DropSTUNMalformed}
	}
	switch m.kind {
	case 0x0001: // request
	case 0x0011: // indication
		return stunVerdict{}
	default: // answers too: these legs have asked nothing
		return stunVerdict{reason: DropSTUNType}
	}
	controlled := false
	name := ""
	for i, a := range m.list {
		if a.kind == 0x0008 {
			break // what follows is not authentic
		}
		switch known := slices.ContainsFunc(m.list[:i], func(b stunModelAttribute) bool { return b.kind == a.kind }); a.kind {
		case 0x0006: // USERNAME
			if !known {
				name = string(a.value)
			}
		case 0x0024: // PRIORITY
		case 0x0025: // USE-CANDIDATE
			v.nominated = true
		case 0x8029: // ICE-CONTROLLED
			controlled = true
		case 0x0020, 0x8020: // XOR-MAPPED-ADDRESS, now and before RFC 5389: known, but means nothing here
		default:
			if a.kind < 0x8000 && !known && len(v.unknown) < 8 {
				v.unknown = append(v.unknown, a.kind)
			}
		}
	}
	i := slices.IndexFunc(pairs, func(p credentialPair) bool { return name == p.local.Ufrag+":"+p.remote.Ufrag })
	switch {
	case i < 0:
		return stunVerdict{reason: DropSTUNUsername}
	case !m.signed(pairs[i].local.Pwd):
		return stunVerdict{reason: DropSTUNIntegrity}
	case len(v.unknown) > 0:
		return stunVerdict{reason: DropSTUNAttribute, answered: true, code: 420, unknown: v.unknown, old: i > 0}
	case controlled:
		return stunVerdict{reason: DropSTUNRole, answered: true, code: 487, old: i > 0}
	}
	v.answered, v.old = true, i > 0
	return v
}

// checkAgainstPion holds the model's reading against that of pion, which knows no damage and takes more
// behind the message.
func (m stunModel) checkAgainstPion(t *testing.T) {
	t.Helper()
	var p stun.Message
	if stun.Decode(m.raw, &p) != nil || int(p.Length)+20 != len(m.raw) {
		if m.kind >= 0 && m.whole {
			t.Fatalf("only the model reads % x", m.raw)
		}
		return
	}
	if m.kind < 0 || !m.whole || len(m.list) != len(p.Attributes) {
		t.Fatalf("only pion reads % x", m.raw)
	}
	for i, a := range m.list {
		same := a.kind == int(p.Attributes[i].Type) || a.kind == 0x8020
		if !same || !bytes.Equal(a.value, p.Attributes[i].Value) {
			t.Fatalf("attribute %d: %v, pion has %v", i, a, p.Attributes[i])
		}
	}
}

// checkPlain compares the answer to a plain question with the one that pion would give.
func (m stunModel) checkPlain(t *testing.T, from netip.AddrPort) {
	t.Helper()
	got, ok := AppendBindingResponse([]byte("before"), m.raw, from)
	plain, marked := m.plain()
	want := []byte("before")
	if plain {
		set := []stun.Setter{stun.NewTransactionIDSetter([12]byte(m.raw[8:20])), stun.BindingSuccess,
			&stun.XORMappedAddress{IP: net.IP(from.Addr().AsSlice()), Port: int(from.Port())}}
		if marked {
			set = append(set, stun.Fingerprint)
		}
		want = append(want, build(t, set...)...)
	}
	if ok != plain || !bytes.Equal(got, want) {
		t.Errorf("% x\nfor % x, %v\nwant % x, %v", got, m.raw, ok, want, plain)
	}
}

// checkLeg gives the message to a leg.
func (m stunModel) checkLeg(t *testing.T, restarted bool) {
	t.Helper()
	l, pairs, out := newLeg(), []credentialPair{{mine, theirs}}, Out{}
	if restarted {
		l.Restart(mineAnew, theirsAnew, &out)
		pairs = []credentialPair{{mineAnew, theirsAnew}, {mine, theirs}}
	}
	before := bytes.Clone(m.raw)
	want := m.check(pairs)
	got := l.Receive(m.raw, somewhere(1), start(), &out)
	if got != want.reason || !bytes.Equal(before, m.raw) {
		t.Fatalf("restarted %v: %v, want %v, of % x", restarted, got, want.reason, m.raw)
	}
	passed := want.answered && want.reason == DropNone
	if l.knows(somewhere(1)) != passed || l.nominated != (passed && want.nominated) {
		t.Errorf("known %v, nominated %v, want %+v", l.knows(somewhere(1)), l.nominated, want)
	}
	kinds, events := kinds(&out), []EventKind(nil)
	if passed {
		events = append(events, EventAddress)
	}
	if passed && want.nominated && restarted && !want.old {
		events = append(events, EventUfragGone)
	}
	if !slices.Equal(kinds, events) {
		t.Errorf("events %v, want %v", kinds, events)
	}
	if len(out.Send) > 1 || want.answered != (len(out.Send) == 1) {
		t.Fatalf("%d answers, want %+v", len(out.Send), want)
	}
	if want.answered {
		pwd := pairs[0].local.Pwd
		if want.old {
			pwd = mine.Pwd
		}
		checkAnswer(t, m, readSTUN(out.Send[0].Data), want, pwd)
	}
}

// checkAnswer reads the answer of a leg to m.
func checkAnswer(t *testing.T, m, answer stunModel, want stunVerdict, pwd string) {
	t.Helper()
	if !bytes.Equal(answer.raw[8:20], m.raw[8:20]) || !answer.signed(pwd) || !answer.printed() {
		t.Errorf("bad answer % x", answer.raw)
	}
	if want.code == 0 {
		a, ok := answer.first(0x0020)
		x := []byte{0, 1, 0x21, 0x12 ^ 1, 203 ^ 0x21, 0 ^ 0x12, 113 ^ 0xA4, 7 ^ 0x42} // 203.0.113.7:1
		if answer.kind != 0x0101 || !ok || !bytes.Equal(a.value, x) {
			t.Errorf("address % x in % x", a.value, answer.raw)
		}
		return
	}
	code, ok := answer.first(0x0009)
	if answer.kind != 0x0111 || !ok || int(code.value[2])*100+int(code.value[3]) != int(want.code) {
		t.Errorf("code % x in % x, want %d", code.value, answer.raw, want.code)
	}
	list, told := answer.first(0x000A)
	var kinds []byte
	for _, k := range want.unknown {
		kinds = append(kinds, byte(k>>8), byte(k))
	}
	if told != (len(kinds) > 0) || !bytes.Equal(list.value, kinds) {
		t.Errorf("unknown % x, want % x", list.value, kinds)
	}
}

var (
	mineAnew   = Credentials{"anew", "anew-password-anew-password"}
	theirsAnew = Credentials{"others", "others-password-others"}
)

// How stunMessage makes a message of attributes; 0 leaves bytes as they are.
const (
	stunWrap  = 1 << iota // put a header before
	stunSign              // with MESSAGE-INTEGRITY
	stunAnew              // by the password of after a restart
	stunAfter             // USE-CANDIDATE and USERNAME behind it
	stunPrint             // with FINGERPRINT
	stunNoRequest
	stunIndication
	stunLonger // with four bytes behind, of which the fingerprint knows
)

func stunMessage(b []byte, how uint8) []byte {
	if how&stunWrap == 0 {
		return b
	}
	kind := []byte{0, 1}
	if how&stunNoRequest != 0 {
		kind = []byte{1, 1} // success
	}
	if how&stunIndication != 0 {
		kind = []byte{0, 0x11}
	}
	m := slices.Concat(kind, []byte{0, 0, 0x21, 0x12, 0xA4, 0x42}, []byte("transaction!"), b)
	if how&stunSign != 0 {
		pwd := mine.Pwd
		if how&stunAnew != 0 {
			pwd = mineAnew.Pwd
		}
		m = slices.Concat(m, []byte{0, 8, 0, 20}, stunHMAC(m, pwd))
	}
	if how&stunAfter != 0 {
		m = append(m, 0, 0x25, 0, 0, 0, 6, 0, 3, 'm', ':', 't', 0)
	}
	if how&stunPrint == 0 {
		binary.BigEndian.PutUint16(m[2:], uint16(len(m)-20))
		return m
	}
	binary.BigEndian.PutUint16(m[2:], uint16(len(m)+8-20))
	m = append(m, 0x80, 0x28, 0, 4)
	covered := m[:len(m)-4]
	if how&stunLonger != 0 {
		covered = m
	}
	m = binary.BigEndian.AppendUint32(m, crc32.ChecksumIEEE(covered)^0x5354554E)
	if how&stunLonger != 0 {
		m = append(m, 0, 0, 0, 0)
	}
	return m
}

// stunSeeds are attributes of checks, and how messages are made of them.
func stunSeeds(add func(b []byte, how uint8)) {
	attribute := func(kind uint16, value string) []byte {
		b := binary.BigEndian.AppendUint16(nil, kind)
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(value))), value...)
		return append(b, make([]byte, -len(b)&3)...)
	}
	user, anew := attribute(6, "mine:theirs"), attribute(6, "anew:others")
	other, priority, nominate := attribute(6, "mine:strange"), attribute(0x24, "1234"), attribute(0x25, "")
	controlled, unknown, optional := attribute(0x8029, "12345678"), attribute(3, "1234"), attribute(0xC057, "abc")
	mapped, older := attribute(0x20, "12345678"), attribute(0x8020, "12345678")
	const good = stunWrap | stunSign | stunPrint
	for _, parts := range [][][]byte{
		{user}, {user, priority, optional}, {user, nominate}, {controlled, user}, {user, unknown},
		{unknown, user, attribute(5, ""), unknown, controlled}, {other}, {user, other}, {other, user}, {nominate},
		{attribute(6, "mine")}, {attribute(6, ":theirs")}, {attribute(6, "mine:theirs:")}, {attribute(6, "")},
		{user, mapped}, {user, older}, {user, {0, 3, 0, 9, 1, 2, 3, 4}}, {{0, 3, 0, 9, 1, 2, 3, 4}, user}, {user, {1, 2, 3}},
		{user, attribute(8, "12345678901234567890")}, {user, attribute(8, "1")}, {user, attribute(0x8028, "1234")}, {{}},
	} {
		b := slices.Concat(parts...)
		for _, how := range []uint8{good, good | stunAfter, good | stunAnew, stunWrap | stunPrint, stunWrap | stunSign, good | stunLonger} {
			add(b, how)
		}
	}
	many := user
	for kind := range uint16(10) {
		many = append(many, attribute(0x4000+kind, "")...)
	}
	for _, b := range [][]byte{anew, slices.Concat(anew, nominate), slices.Concat(anew, unknown), many} {
		add(b, good|stunAnew)
		add(b, good)
	}
	add(user, good|stunNoRequest)
	add(user, good|stunIndication)
	add(optional, stunWrap)
	add(optional, stunWrap|stunPrint)
	add(slices.Concat(optional, attribute(0x8028, "1234"), optional), stunWrap)
}

// TestFirstUsername: of two names the demultiplexer and the leg take the same (RFC 8489 section 14).
func TestFirstUsername(t *testing.T) {
	for _, r := range []struct {
		first, second string
		want          DropReason
	}{
		{"mine:theirs", "mine:theirs", DropNone},
		{"mine:theirs", "other:theirs", DropNone},
		{"other:theirs", "mine:theirs", DropSTUNUsername},
	} {
		var out Out
		q := question{user: r.first, extra: []stun.Setter{stun.NewUsername(r.second)}}
		ask(t, newLeg(), q, somewhere(1), start(), r.want, &out)
		if ufrag, _ := LocalUfrag(q.build(t)); string(ufrag)+":theirs" != r.first {
			t.Errorf("of %q the demultiplexer takes %q", r.first, ufrag)
		}
	}
}

// TestKnownButUnexpected: an attribute that we know and that means nothing in a check is ignored, and so is
// its number of old, which need not even be understood (RFC 8489 section 6.3).
func TestKnownButUnexpected(t *testing.T) {
	for _, kind := range []stun.AttrType{stun.AttrXORMappedAddress, 0x8020} {
		var out Out
		extra := []stun.Setter{stun.RawAttribute{Type: kind, Value: make([]byte, 8)}}
		ask(t, newLeg(), question{extra: extra}, somewhere(1), start(), DropNone, &out)
	}
}

// TestBytesBehindSTUN: a datagram is one message, even when its fingerprint knows of more.
func TestBytesBehindSTUN(t *testing.T) {
	user := []byte{0, 6, 0, 11, 'm', 'i', 'n', 'e', ':', 't', 'h', 'e', 'i', 'r', 's', 0}
	for how, want := range map[uint8]DropReason{0: DropNone, stunLonger: DropSTUNMalformed} {
		var out Out
		b := stunMessage(user, stunWrap|stunSign|stunPrint|how)
		if got := newLeg().Receive(b, somewhere(1), start(), &out); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}
