package udp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestReader: everything comes, in order, with both addresses, on all kinds of sockets.
func TestReader(t *testing.T) {
	type row struct{ listen, client, ask string }
	rows := []row{{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1"}, {"0.0.0.0:0", "127.0.0.1:0", "127.0.0.1"}}
	if hasIPv6() {
		rows = append(rows, row{"[::1]:0", "[::1]:0", "::1"}, row{":0", "[::1]:0", "::1"}, row{":0", "127.0.0.1:0", "127.0.0.1"})
	}
	for _, r := range rows {
		t.Run(r.listen+" at "+r.ask, func(t *testing.T) {
			c, peer := listen(t, r.listen), listen(t, r.client)
			ask := netip.MustParseAddr(r.ask)
			want := sized(append(repeat(maxRead+8, 60), 0, 1, MaxDatagram)...)
			b := peer.NewBatch()
			add(b, Path{Remote: netip.AddrPortFrom(ask, c.Port())}, want...)
			b.Flush()
			got, paths := take(t, c.NewReader(), len(want))
			if !slices.Equal(got, want) {
				t.Errorf("got %d datagrams, others than those sent", len(got))
			}
			for _, p := range paths {
				if p.Remote != pathTo(peer).Remote || p.Local.Is4In6() || (p.Local != ask && c.tellsLocal()) {
					t.Errorf("path %+v, want from %v at %v", p, pathTo(peer).Remote, ask)
				}
			}
		})
	}
}

// tellsLocal tells whether datagrams come with the address that was asked.
func (c *Conn) tellsLocal() bool { return c.bound.IsValid() || c.info != noPktInfo }

// TestReaderAnswers: what was read can be answered by a batch, from the address asked.
func TestReaderAnswers(t *testing.T) {
	c, peer := listen(t, "0.0.0.0:0"), listen(t, "127.0.0.1:0")
	ask := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), c.Port())
	if _, err := peer.WriteMsg([]byte("question"), Path{Remote: ask}); err != nil {
		t.Fatal(err)
	}
	list, err := c.NewReader().Read()
	if err != nil || len(list) != 1 {
		t.Fatalf("read %v, %v", list, err)
	}
	b := c.NewBatch()
	add(b, list[0].Path, "an", "sw", "er")
	b.Flush()
	got, paths := take(t, peer.NewReader(), 3)
	if strings.Join(got, "") != "answer" || paths[2].Remote != ask {
		t.Errorf("got %q from %v", got, paths)
	}
}

// TestReaderCuts: a datagram longer than the room is cut, and the next is whole.
func TestReaderCuts(t *testing.T) {
	c, peer := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	for _, n := range []int{MaxDatagram + 500, 9} {
		if _, err := peer.WriteMsg([]byte(strings.Repeat("x", n)), pathTo(c)); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := take(t, c.NewReader(), 2)
	if len(got[0]) != MaxDatagram || len(got[1]) != 9 {
		t.Errorf("got %d and %d bytes", len(got[0]), len(got[1]))
	}
}

func TestReaderErrors(t *testing.T) {
	c, peer := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	r := c.NewReader()
	_ = c.SetReadDeadline(time.Unix(1, 0))
	if list, err := r.Read(); !errors.Is(err, os.ErrDeadlineExceeded) || len(list) != 0 {
		t.Errorf("past the deadline: %v, %v", list, err)
	}
	_ = c.SetReadDeadline(time.Time{})
	if _, err := peer.WriteMsg([]byte("after the error"), pathTo(c)); err != nil {
		t.Fatal(err)
	}
	if got, _ := take(t, r, 1); got[0] != "after the error" {
		t.Errorf("got %q", got)
	}
	done := make(chan error)
	go func() {
		_, err := r.Read()
		done <- err
	}()
	_ = c.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("read while it is closed: %v", err)
	}
	if _, err := c.NewReader().Read(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
}
