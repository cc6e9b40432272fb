package udp

import (
	"net/netip"
	"testing"
)

// take reads n datagrams by a Reader.
func take(t testing.TB, r *Reader, n int) (got []string, paths []Path) {
	t.Helper()
	for len(got) < n {
		list, err := r.Read()
		if err != nil {
			t.Fatalf("after %d of %d datagrams: %v", len(got), n, err)
		}
		for _, m := range list {
			got, paths = append(got, string(m.Data)), append(paths, m.Path)
		}
	}
	return got, paths
}

func loopback(c *Conn) Path {
	return Path{Remote: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), c.Port())}
}

func TestBatchSends(t *testing.T) {
	c, peer := listen(t, "0.0.0.0:0"), listen(t, "127.0.0.1:0")
	b := c.NewBatch()
	for _, s := range []string{"one", "two", "three", "x"} {
		b.Add(append(b.Room(), s...), loopback(peer))
	}
	if b.Len() != 4 {
		t.Errorf("%d wait, want 4", b.Len())
	}
	b.Flush()
	if s := b.Take(); s.Sent != 4 || s.Refused != 0 || b.Len() != 0 {
		t.Errorf("counted %+v, %d wait", s, b.Len())
	}
	got, _ := take(t, peer.NewReader(), 4)
	for i, want := range []string{"one", "two", "three", "x"} {
		if got[i] != want {
			t.Errorf("datagram %d is %q, want %q", i, got[i], want)
		}
	}
}
