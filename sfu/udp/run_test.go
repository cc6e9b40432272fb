package udp

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// TestRunEnd: see TestRunsModel for what holds always; these are the limits.
func TestRunEnd(t *testing.T) {
	a, b := Path{Remote: netip.MustParseAddrPort("10.0.0.1:1")}, Path{Remote: netip.MustParseAddrPort("10.0.0.1:2")}
	rows := []struct {
		name  string
		list  []outgoing
		first int
		want  int
	}{
		{"one", lay(a, 5), 0, 1},
		{"equal", lay(a, 5, 5, 5), 0, 3},
		{"from the middle", lay(a, 5, 5, 5), 1, 3},
		{"shorter last", lay(a, 5, 5, 3, 3), 0, 3},
		{"larger follows", lay(a, 5, 6, 6), 0, 1},
		{"empty first", lay(a, 0, 0), 0, 1},
		{"empty follows", lay(a, 5, 0, 5), 0, 1},
		{"another path", append(lay(a, 5, 5), lay(b, 5)...), 0, 2},
		{"segments", lay(a, repeat(maxSegments+1, 10)...), 0, maxSegments},
		{"bytes", lay(a, repeat(60, 1310)...), 0, 50},
		{"bytes to the last", lay(a, append(repeat(50, 1310), 7, 1)...), 0, 51},
	}
	for _, r := range rows {
		if got := runEnd(r.list, r.first, true); got != r.want {
			t.Errorf("%s: ends at %d, want %d", r.name, got, r.want)
		}
		if got := runEnd(r.list, r.first, false); got != r.first+1 {
			t.Errorf("%s, without segments: ends at %d", r.name, got)
		}
	}
}

// lay makes datagrams that follow each other in an arena.
func lay(p Path, sizes ...int) (list []outgoing) {
	at := 0
	for _, n := range sizes {
		list = append(list, outgoing{start: at, end: at + n, path: p})
		at += n
	}
	return list
}

// TestRunsModel cuts messages as the kernel does, and compares with the datagrams.
func TestRunsModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	arena := make([]byte, arenaSize)
	for i := range arena {
		arena[i] = byte(rng.Uint32())
	}
	for range 200 {
		var list []outgoing
		size := rng.IntN(1500)
		for at := 0; len(list) < maxBatch && at+MaxDatagram < len(arena); {
			if rng.IntN(8) == 0 {
				size = rng.IntN(1500)
			}
			p := Path{Remote: netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(rng.IntN(12)/11))}
			list = append(list, outgoing{start: at, end: at + size, path: p})
			at += size
		}
		cutLikeKernel(t, arena, list)
	}
}

func cutLikeKernel(t *testing.T, arena []byte, list []outgoing) {
	t.Helper()
	for first := 0; first < len(list); {
		end := runEnd(list, first, true)
		message := arena[list[first].start:list[end-1].end]
		if len(message) > maxMessage || end-first > maxSegments {
			t.Fatalf("a message of %d bytes, %d datagrams", len(message), end-first)
		}
		for ; first < end; first++ {
			o := &list[first]
			n := min(list[end-1].end-o.start, max(o.size(), 1), len(message))
			if n != o.size() || !bytes.Equal(message[:n], arena[o.start:o.end]) {
				t.Fatalf("datagram %d was cut to %d bytes, is of %d", first, n, o.size())
			}
			message = message[n:]
		}
	}
}
