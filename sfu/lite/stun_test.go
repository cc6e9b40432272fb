package lite

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"github.com/pion/stun/v3"
)

func build(t testing.TB, setters ...stun.Setter) []byte {
	t.Helper()
	m, err := stun.Build(setters...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

func TestClassify(t *testing.T) {
	rows := []struct {
		b    []byte
		want Kind
	}{
		{nil, KindUnknown},
		{[]byte{0}, KindUnknown},
		{[]byte{0, 1}, KindSTUN},
		{[]byte{3, 0}, KindSTUN},
		{[]byte{4, 0}, KindUnknown},
		{[]byte{19, 0}, KindUnknown},
		{[]byte{20, 0xFE}, KindDTLS},
		{[]byte{63, 0xFE}, KindDTLS},
		{[]byte{64, 0}, KindUnknown},
		{[]byte{0x80, 96}, KindRTP},
		{[]byte{0x80, 96 | 0x80}, KindRTP},
		{[]byte{0x80, 191}, KindRTP},
		{[]byte{0x80, 192}, KindRTCP},
		{[]byte{0x80, 201}, KindRTCP},
		{[]byte{0xBF, 223}, KindRTCP},
		{[]byte{0x80, 224}, KindRTP},
		{[]byte{0xC0, 201}, KindUnknown},
	}
	for _, r := range rows {
		got := Classify(r.b)
		if got != r.want {
			t.Errorf("Classify(%v) = %d, want %d", r.b, got, r.want)
		}
		if IsSTUN(r.b) != (got == KindSTUN) || IsDTLS(r.b) != (got == KindDTLS) ||
			IsRTP(r.b) != (got == KindRTP) || IsRTCP(r.b) != (got == KindRTCP) {
			t.Errorf("the Is functions differ for %v", r.b)
		}
	}
}

func TestLocalUfrag(t *testing.T) {
	named := build(t, stun.TransactionID, stun.BindingRequest, stun.NewUsername("mine:theirs"), stun.Fingerprint)
	rows := []struct {
		name string
		b    []byte
		want string
	}{
		{"check", named, "mine"},
		{"empty", nil, ""},
		{"plain", build(t, stun.TransactionID, stun.BindingRequest), ""},
		{"response", build(t, stun.TransactionID, stun.BindingSuccess, stun.NewUsername("mine:theirs")), ""},
		{"no colon", build(t, stun.TransactionID, stun.BindingRequest, stun.NewUsername("mine")), ""},
		{"empty part", build(t, stun.TransactionID, stun.BindingRequest, stun.NewUsername(":theirs")), ""},
		{"cut", named[:len(named)-1], ""},
		{"longer", append(bytes.Clone(named), 0, 0, 0, 0), ""},
	}
	for _, r := range rows {
		got, ok := LocalUfrag(r.b)
		if string(got) != r.want || ok != (r.want != "") {
			t.Errorf("%s: %q, %v", r.name, got, ok)
		}
	}
	if n := testing.AllocsPerRun(100, func() { LocalUfrag(named) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestBindingResponse(t *testing.T) {
	v4 := netip.MustParseAddrPort("203.0.113.7:4711")
	v6 := netip.MustParseAddrPort("[2001:db8::7]:4711")
	for _, from := range []netip.AddrPort{v4, v6, netip.MustParseAddrPort("[::ffff:203.0.113.7]:4711")} {
		for _, with := range [][]stun.Setter{
			{stun.TransactionID, stun.BindingRequest},
			{stun.TransactionID, stun.BindingRequest, stun.Fingerprint},
			{stun.TransactionID, stun.BindingRequest, stun.NewSoftware("client"), stun.Fingerprint},
		} {
			checkBindingResponse(t, build(t, with...), from)
		}
	}
}

func checkBindingResponse(t *testing.T, request []byte, from netip.AddrPort) {
	t.Helper()
	out, ok := AppendBindingResponse([]byte("before"), request, from)
	if !ok || !bytes.HasPrefix(out, []byte("before")) {
		t.Fatalf("no answer to %x", request)
	}
	out = out[len("before"):]
	var m stun.Message
	var addr stun.XORMappedAddress
	if err := stun.Decode(out, &m); err != nil {
		t.Fatal(err)
	}
	if err := addr.GetFrom(&m); err != nil || !addr.IP.Equal(net.IP(from.Addr().AsSlice())) || addr.Port != int(from.Port()) {
		t.Errorf("mapped %v, %v; want %v", addr, err, from)
	}
	if m.Type != stun.BindingSuccess || !bytes.Equal(m.TransactionID[:], request[8:20]) {
		t.Errorf("answered by %v", &m)
	}
	var q stun.Message
	if err := stun.Decode(request, &q); err != nil {
		t.Fatal(err)
	}
	if q.Contains(stun.AttrFingerprint) != (stun.Fingerprint.Check(&m) == nil) {
		t.Error("a fingerprint must be there exactly when asked with one")
	}
}

// No answer is more than twice its question: as payload, and on the wire with the headers of IP and
// UDP. There is one exception: the shortest question over IPv6, which is the one that browsers
// ask, keeps the bound on the wire only, because the address that it asks for is long.
func TestBindingResponseSize(t *testing.T) {
	const v4, v6 = "203.0.113.7:4711", "[2001:db8::7]:4711"
	bare := build(t, stun.TransactionID, stun.BindingRequest)
	marked := build(t, stun.TransactionID, stun.BindingRequest, stun.Fingerprint)
	named := build(t, stun.TransactionID, stun.BindingRequest, stun.NewSoftware(""))
	for _, r := range []struct {
		what, from       string
		question         []byte
		headers          int
		asked, answered  int // payloads, in bytes
		payloadIsBounded bool
	}{
		{"bare, IPv4", v4, bare, 20 + 8, 20, 32, true},
		{"bare, IPv4 on a socket of both", "[::ffff:203.0.113.7]:4711", bare, 20 + 8, 20, 32, true},
		{"bare, IPv6", v6, bare, 40 + 8, 20, 44, false},
		{"fingerprint, IPv4", v4, marked, 20 + 8, 28, 40, true},
		{"fingerprint, IPv6", v6, marked, 40 + 8, 28, 52, true},
		{"the shortest attribute, IPv6", v6, named, 40 + 8, 24, 44, true},
	} {
		out, ok := AppendBindingResponse(nil, r.question, netip.MustParseAddrPort(r.from))
		if !ok || len(r.question) != r.asked || len(out) != r.answered {
			t.Errorf("%s: %d bytes for %d, want %d for %d", r.what, len(out), len(r.question), r.answered, r.asked)
		}
		if len(out)+r.headers > 2*(len(r.question)+r.headers) {
			t.Errorf("%s: %d bytes on the wire for %d", r.what, len(out)+r.headers, len(r.question)+r.headers)
		}
		if r.payloadIsBounded && len(out) > 2*len(r.question) {
			t.Errorf("%s: payload of %d bytes for %d", r.what, len(out), len(r.question))
		}
	}
}

func TestNoBindingResponse(t *testing.T) {
	from := netip.MustParseAddrPort("203.0.113.7:4711")
	plain := build(t, stun.TransactionID, stun.BindingRequest)
	oldCookie := bytes.Clone(plain)
	oldCookie[4] = 0
	for name, b := range map[string][]byte{
		"empty":          nil,
		"check":          build(t, stun.TransactionID, stun.BindingRequest, stun.NewUsername("a:b")),
		"success":        build(t, stun.TransactionID, stun.BindingSuccess),
		"change request": build(t, stun.TransactionID, stun.BindingRequest, stun.RawAttribute{Type: stun.AttrChangeRequest, Value: make([]byte, 4)}),
		"no cookie":      oldCookie,
		"cut":            plain[:19],
		"long":           append(bytes.Clone(plain), 1, 2, 3, 4),
	} {
		if out, ok := AppendBindingResponse(nil, b, from); ok || len(out) != 0 {
			t.Errorf("%s was answered", name)
		}
	}
	if _, ok := AppendBindingResponse(nil, plain, netip.AddrPort{}); ok {
		t.Error("answered nobody")
	}
}

// FuzzSTUN: the demultiplexer, the server of plain questions and the legs make of a message what the model
// makes of it.
func FuzzSTUN(f *testing.F) {
	f.Add(build(f, stun.TransactionID, stun.BindingRequest), uint8(0))
	f.Add(build(f, stun.TransactionID, stun.BindingRequest, stun.NewUsername("mine:theirs"), stun.Fingerprint), uint8(0))
	f.Add([]byte{0, 1, 0, 4, 0x21, 0x12, 0xA4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 255, 255}, uint8(0))
	f.Add(question{nominate: true}.build(f), uint8(0))
	f.Add(append(question{}.build(f), 0, 0, 0, 0), uint8(0))
	stunSeeds(func(b []byte, how uint8) { f.Add(b, how) })
	v4, v6 := netip.MustParseAddrPort("203.0.113.7:4711"), netip.MustParseAddrPort("[2001:db8::7]:4711")
	f.Fuzz(func(t *testing.T, b []byte, how uint8) {
		if len(b) > 2000 {
			return
		}
		b = stunMessage(b, how)
		m := readSTUN(b)
		m.checkAgainstPion(t)
		ufrag, named := LocalUfrag(b)
		if string(ufrag) != m.ufrag() || named != (m.ufrag() != "") {
			t.Errorf("ufrag %q, %v, want %q", ufrag, named, m.ufrag())
		}
		for _, from := range []netip.AddrPort{v4, v6} {
			m.checkPlain(t, from)
		}
		if Classify(b) == KindSTUN {
			m.checkLeg(t, false)
			m.checkLeg(t, true)
		}
		out, plain := AppendBindingResponse(nil, b, v6)
		if named && plain {
			t.Error("both a check and a plain request")
		}
		// On the wire for the shortest question, else as payload too, see TestBindingResponseSize.
		if plain && (len(out)+48 > 2*(len(b)+48) || len(b) > stunHeader && len(out) > 2*len(b) || !stun.IsMessage(out)) {
			t.Errorf("%x for %x", out, b)
		}
		if short, ok := AppendBindingResponse(nil, b, v4); ok && len(short) > 2*len(b) {
			t.Errorf("IPv4: %x for %x", short, b)
		}
	})
}
