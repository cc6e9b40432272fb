package udp

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
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

// pathTo is the way to a socket of this machine, by the address that it is bound to.
func pathTo(c *Conn) Path {
	a, _ := addrPort(c.LocalAddr())
	return Path{Remote: a}
}

// add puts datagrams into the batch.
func add(b *Batch, p Path, list ...string) {
	for _, s := range list {
		b.Add(append(b.Room(), s...), p)
	}
}

// sized makes datagrams that differ, of the given sizes.
func sized(sizes ...int) (list []string) {
	for i, n := range sizes {
		s := fmt.Sprintf("%04d:%s", i, strings.Repeat(string(rune('a'+i%26)), n))
		list = append(list, s[:n])
	}
	return list
}

// Whoever asks hears of each flush, when all that was added before is out.
func TestBatchTellsWhenSent(t *testing.T) {
	from, to := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	b, path := from.NewBatch(), pathTo(to)
	var told []uint64
	b.OnSent(func() { told = append(told, b.stats.Sent) })
	add(b, path, sized(repeat(maxBatch, 50)...)...)
	if told != nil {
		t.Errorf("told before anything is out: %d", told)
	}
	add(b, path, "one more")
	b.Flush()
	b.Flush() // nothing is there
	if want := []uint64{maxBatch, maxBatch + 1}; !slices.Equal(told, want) {
		t.Errorf("told when %d were out, want %d", told, want)
	}
}

func repeat(n, size int) []int { return slices.Repeat([]int{size}, n) }

// TestBatchSends sends runs of all shapes over all kinds of sockets: everything arrives as
// it was, in order, from the address that was named.
func TestBatchSends(t *testing.T) {
	shapes := map[string][]string{
		"one":                    sized(1200),
		"equal":                  sized(repeat(12, 1200)...),
		"last shorter":           sized(1200, 1200, 1200, 300),
		"two runs":               sized(900, 900, 500, 500),
		"growing":                sized(100, 200, 300),
		"empty ones":             sized(0, 0, 10, 0, 10),
		"more than 64 segments":  sized(repeat(90, 20)...),
		"more than 65,507 bytes": sized(repeat(60, 1400)...),
		"more than a batch":      sized(repeat(maxBatch+20, 50)...),
		"large ones":             sized(repeat(20, MaxDatagram)...),
	}
	type row struct{ from, to, local string }
	rows := []row{{"127.0.0.1:0", "127.0.0.1:0", ""}, {"0.0.0.0:0", "127.0.0.1:0", ""}}
	if runtime.GOOS == "linux" { // elsewhere 127.0.0.2 is not there
		rows = append(rows, row{"0.0.0.0:0", "127.0.0.1:0", "127.0.0.2"})
	}
	if hasIPv6() {
		rows = append(rows, row{"[::1]:0", "[::1]:0", ""}, row{":0", "[::1]:0", "::1"}, row{":0", "127.0.0.1:0", ""})
		if runtime.GOOS == "linux" {
			rows = append(rows, row{":0", "127.0.0.1:0", "127.0.0.2"})
		}
	}
	for _, r := range rows {
		from, to := listen(t, r.from), listen(t, r.to)
		p := pathTo(to)
		if r.local != "" {
			p.Local = netip.MustParseAddr(r.local)
		}
		b, reader := from.NewBatch(), to.NewReader()
		for name, want := range shapes {
			t.Run(fmt.Sprintf("%s to %s by %q/%s", r.from, r.to, r.local, name), func(t *testing.T) {
				add(b, p, want...)
				b.Flush()
				checkArrived(t, reader, want, from.Port(), p.Local)
				if s := b.Take(); int(s.Sent) != len(want) || s.Refused != 0 || b.Len() != 0 {
					t.Errorf("counted %+v, %d wait", s, b.Len())
				}
			})
		}
	}
}

func checkArrived(t *testing.T, r *Reader, want []string, port uint16, local netip.Addr) {
	t.Helper()
	got, paths := take(t, r, len(want))
	if !slices.Equal(got, want) {
		t.Errorf("got %d datagrams, others than the %d sent", len(got), len(want))
	}
	for _, p := range paths {
		if p.Remote.Port() != port || (local.IsValid() && p.Remote.Addr() != local) {
			t.Errorf("came from %v, want %v:%d", p.Remote, local, port)
		}
	}
}

// TestBatchCalls: runs go out segmented, and everything in one call.
func TestBatchCalls(t *testing.T) {
	c, one, two := listen(t, "0.0.0.0:0"), listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	b := c.NewBatch()
	if b.sender == nil || c.noSegments.Load() {
		t.Log("no batches in this system")
		return
	}
	fill := func() {
		add(b, pathTo(one), sized(1200, 1200, 1200, 700)...)
		add(b, pathTo(two), sized(1200, 1200, 100, 1200)...)
		if b.Len() != 8 {
			t.Errorf("%d wait, want 8", b.Len())
		}
		b.Flush()
	}
	fill()
	if s, want := b.Take(), (BatchStats{Sent: 8, Calls: 1, Messages: 3, Segmented: 2}); s != want {
		t.Errorf("counted %+v, want %+v", s, want)
	}
	c.SetSegments(false)
	fill()
	if s, want := b.Take(), (BatchStats{Sent: 8, Calls: 1, Messages: 8}); s != want {
		t.Errorf("without segments: %+v, want %+v", s, want)
	}
	b.Flush()
	if s := b.Take(); s != (BatchStats{}) {
		t.Errorf("an empty batch: %+v", s)
	}
	take(t, one.NewReader(), 8)
	take(t, two.NewReader(), 8)
}

// TestBatchRefusals: what the system refuses is counted, and costs nothing else. (A
// datagram to port 0 is refused at once, and so is an IPv6 peer on an IPv4 socket.)
func TestBatchRefusals(t *testing.T) {
	nowhere := Path{Remote: netip.MustParseAddrPort("127.0.0.1:0")}
	other := Path{Remote: netip.MustParseAddrPort("[::1]:9")}
	c, peer := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	for _, segments := range []bool{true, false} {
		c.SetSegments(segments)
		b := c.NewBatch()
		want := sized(100, 100, 100, 40, 40, 30)
		add(b, nowhere, sized(100)...)
		add(b, pathTo(peer), want[:3]...)
		add(b, nowhere, sized(100, 100)...)
		add(b, pathTo(peer), want[3:5]...)
		add(b, other, sized(100, 100)...)
		add(b, pathTo(peer), want[5:]...)
		add(b, nowhere, sized(50)...)
		b.Flush()
		if s := b.Take(); int(s.Sent) != len(want) || s.Refused != 6 {
			t.Errorf("segments %v: counted %+v", segments, s)
		}
		if got, _ := take(t, peer.NewReader(), len(want)); !slices.Equal(got, want) {
			t.Errorf("segments %v: got %q", segments, got)
		}
	}
}

func TestBatchOutgrown(t *testing.T) {
	c, peer := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	b := c.NewBatch()
	b.Add(append(b.Room(), make([]byte, 2*arenaSize)...), pathTo(peer))
	b.Add(nil, pathTo(peer))
	b.Add([]byte("of elsewhere"), pathTo(peer))
	add(b, pathTo(peer), "good")
	b.Flush()
	if s := b.Take(); s.Sent != 1 || s.Refused != 3 {
		t.Errorf("counted %+v", s)
	}
	if got, _ := take(t, peer.NewReader(), 1); got[0] != "good" {
		t.Errorf("got %q", got)
	}
}

func TestBatchClosed(t *testing.T) {
	c, peer := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	b := c.NewBatch()
	_ = c.Close()
	add(b, pathTo(peer), "a", "b")
	b.Flush()
	if s := b.Take(); s.Refused != 2 || s.Sent != 0 || b.Len() != 0 {
		t.Errorf("counted %+v, %d wait", s, b.Len())
	}
	add(c.NewBatch(), pathTo(peer), "made after the end")
}

func TestBatchForeign(t *testing.T) {
	inner, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, peer := Wrap(foreign{inner}), listen(t, "127.0.0.1:0")
	defer func() { _ = c.Close() }()
	want := sized(100, 100, 30)
	b := c.NewBatch()
	add(b, pathTo(peer), want...)
	b.Flush()
	if s, all := b.Take(), (BatchStats{Sent: 3, Calls: 3, Messages: 3}); s != all {
		t.Errorf("counted %+v", s)
	}
	if got, _ := take(t, peer.NewReader(), 3); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	back := peer.NewBatch()
	add(back, pathTo(c), want...)
	back.Flush()
	if got, _ := take(t, c.NewReader(), 3); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// TestBatchesTogether sends from two goroutines on one socket.
func TestBatchesTogether(t *testing.T) {
	const rounds, run = 20, 3
	c := listen(t, "0.0.0.0:0")
	var wg sync.WaitGroup
	for range 2 {
		peer := listen(t, "127.0.0.1:0")
		wg.Go(func() {
			b, r := c.NewBatch(), peer.NewReader()
			for range rounds {
				want := sized(repeat(run, 1000)...)
				add(b, pathTo(peer), want...)
				b.Flush()
				var got []string
				for len(got) < run {
					list, err := r.Read()
					if err != nil {
						t.Errorf("read: %v", err)
						return
					}
					for _, m := range list {
						got = append(got, string(m.Data))
					}
				}
				if !slices.Equal(got, want) {
					t.Error("got something else")
				}
			}
			if s := b.Take(); s.Sent != rounds*run {
				t.Errorf("counted %+v", s)
			}
		})
	}
	wg.Wait()
}

// TestBatchAllocations: nothing is allocated for a datagram on a Linux socket, either way.
func TestBatchAllocations(t *testing.T) {
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
		b, r := c.NewBatch(), peer.NewReader()
		d, p := make([]byte, 1000), pathTo(peer)
		p.Local = netip.MustParseAddr("127.0.0.1")
		allocs := testing.AllocsPerRun(200, func() {
			for i := range 6 {
				b.Add(append(b.Room(), d[:1000-i/4]...), p)
			}
			b.Flush()
			for n := 0; n < 6; {
				list, err := r.Read()
				if err != nil {
					t.Fatal(err)
				}
				n += len(list)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %.1f allocations a round", at, allocs)
		}
	}
}
