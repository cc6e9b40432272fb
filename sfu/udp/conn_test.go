package udp

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

func listen(t testing.TB, addr string) *Conn {
	t.Helper()
	c, err := Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// hasIPv6 tells whether the machine has ::1, which a container may lack.
func hasIPv6() bool {
	c, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// TestAnswerFromAskedAddress asks one wildcard socket at several addresses; each answer
// must come from the address that was asked.
func TestAnswerFromAskedAddress(t *testing.T) {
	type row struct{ listen, client, ask string }
	rows := []row{
		{"0.0.0.0:0", "127.0.0.1:0", "127.0.0.1"},
		{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1"},
	}
	if hasIPv6() {
		rows = append(rows,
			row{":0", "127.0.0.1:0", "127.0.0.1"},
			row{"[::]:0", "[::1]:0", "::1"},
			row{"[::1]:0", "[::1]:0", "::1"})
	}
	if runtime.GOOS == "linux" { // all of 127/8 is loopback there
		rows = append(rows,
			row{"0.0.0.0:0", "127.0.0.1:0", "127.0.0.2"},
			row{"0.0.0.0:0", "127.0.0.3:0", "127.0.0.2"})
		if hasIPv6() {
			rows = append(rows, row{":0", "127.0.0.1:0", "127.0.0.2"})
		}
	}
	for _, r := range rows {
		t.Run(r.listen+" "+r.ask, func(t *testing.T) { ask(t, r.listen, r.client, r.ask) })
	}
}

func ask(t *testing.T, listenAt, client, at string) {
	server, peer := listen(t, listenAt), listen(t, client)
	to := netip.AddrPortFrom(netip.MustParseAddr(at), server.Port())
	if _, err := peer.WriteMsg([]byte("question"), Path{Remote: to}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1500)
	n, p, err := server.ReadMsg(b)
	if err != nil || string(b[:n]) != "question" {
		t.Fatalf("read %q, %v", b[:n], err)
	}
	if p.Remote.Addr().Is4In6() || p.Local.Is4In6() {
		t.Errorf("path %v is mapped", p)
	}
	tells := runtime.GOOS == "linux" || server.bound.IsValid()
	if want := to.Addr(); tells && p.Local != want {
		t.Errorf("asked at %v, want %v", p.Local, want)
	}
	if n, err := server.WriteMsg([]byte("answer"), p); n != len("answer") || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	n, back, err := peer.ReadMsg(b)
	if err != nil || string(b[:n]) != "answer" {
		t.Fatalf("read %q, %v", b[:n], err)
	}
	if back.Remote != to {
		t.Errorf("answered from %v, want %v", back.Remote, to)
	}
}

func TestListenErrors(t *testing.T) {
	for _, addr := range []string{"127.0.0.1", "127.0.0.1:http-no-such", "192.0.2.1:0"} {
		if c, err := Listen(addr); err == nil {
			_ = c.Close()
			t.Errorf("Listen(%q) succeeded", addr)
		}
	}
	first := listen(t, "127.0.0.1:0")
	if c, err := Listen(first.LocalAddr().String()); err == nil {
		_ = c.Close()
		t.Error("a port was taken twice")
	}
}

func TestClosed(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	done := make(chan error)
	go func() {
		_, _, err := c.ReadMsg(make([]byte, 10))
		done <- err
	}()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
}

// foreign hides that it is a *net.UDPConn.
type foreign struct{ net.PacketConn }

func TestForeignPacketConn(t *testing.T) {
	inner, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, peer := Wrap(foreign{inner}), listen(t, "127.0.0.1:0")
	defer func() { _ = c.Close() }()
	here := netip.MustParseAddr("127.0.0.1")
	if _, err := peer.WriteMsg([]byte("x"), Path{Remote: netip.AddrPortFrom(here, c.Port())}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	n, p, err := c.ReadMsg(b)
	if want := (Path{netip.AddrPortFrom(here, peer.Port()), here}); n != 1 || p != want || err != nil {
		t.Fatalf("read %d from %v, %v", n, p, err)
	}
	if _, err := c.WriteMsg([]byte("y"), p); err != nil {
		t.Fatal(err)
	}
	if n, from, err := peer.ReadFrom(b); n != 1 || from.String() != c.LocalAddr().String() || err != nil {
		t.Fatalf("read %d from %v, %v", n, from, err)
	}
}

// TestPacketConn uses the socket as pion does.
func TestPacketConn(t *testing.T) {
	var a, b net.PacketConn = listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	if _, err := a.WriteTo([]byte("hello"), b.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	n, from, err := b.ReadFrom(buf)
	if err != nil || string(buf[:n]) != "hello" || from.String() != a.LocalAddr().String() {
		t.Fatalf("read %q from %v, %v", buf[:n], from, err)
	}
}

// TestAllocations: nothing is allocated for a datagram on a Linux socket.
func TestAllocations(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("the plain fallback makes no promise")
		return
	}
	listens := []string{"0.0.0.0:0", "127.0.0.1:0"}
	if hasIPv6() {
		listens = append(listens, ":0")
	}
	for _, at := range listens {
		c, peer := listen(t, at), listen(t, "127.0.0.1:0")
		p := Path{Remote: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), c.Port())}
		out, in := make([]byte, 1200), make([]byte, 1500)
		allocs := testing.AllocsPerRun(200, func() {
			if _, err := peer.WriteMsg(out, p); err != nil {
				t.Fatal(err)
			}
			_, from, err := c.ReadMsg(in)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.WriteMsg(out, from); err != nil {
				t.Fatal(err)
			}
			if _, _, err := peer.ReadMsg(in); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %.1f allocations a round", at, allocs)
		}
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	c, peer := listen(b, "0.0.0.0:0"), listen(b, "127.0.0.1:0")
	_ = c.SetDeadline(time.Time{})
	_ = peer.SetDeadline(time.Time{})
	p := Path{Remote: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), c.Port())}
	buf := make([]byte, 1200)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = peer.WriteMsg(buf, p)
		_, from, _ := c.ReadMsg(buf)
		_, _ = c.WriteMsg(buf, from)
		_, _, _ = peer.ReadMsg(buf)
	}
}
