package udp

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// BenchmarkBatch sends runs of several lengths over loopback to a reader, each run to a
// port of its own, at most one batch ahead of it.
func BenchmarkBatch(b *testing.B) {
	for _, run := range []int{1, 2, 4, 12} {
		b.Run(fmt.Sprintf("run=%d", run), func(b *testing.B) { benchmarkBatch(b, run, true) })
	}
	b.Run("run=12,plain", func(b *testing.B) { benchmarkBatch(b, 12, false) })
}

func benchmarkBatch(b *testing.B, run int, segments bool) {
	c := listen(b, "0.0.0.0:0")
	_ = c.SetDeadline(time.Time{})
	c.SetSegments(segments)
	paths, stop := sinks(b, 8)
	defer stop()
	batch, d := c.NewBatch(), make([]byte, 1200)
	b.ReportAllocs()
	b.SetBytes(1200)
	for n := 0; b.Loop(); n++ {
		batch.Add(append(batch.Room(), d...), paths[n/run%len(paths)])
	}
	batch.Flush()
	s := batch.Take()
	b.ReportMetric(float64(s.Sent)/float64(s.Calls), "datagrams/call")
	b.ReportMetric(float64(s.Refused), "refused")
}

// BenchmarkWriteMsg is the plain way to the same readers.
func BenchmarkWriteMsg(b *testing.B) {
	c := listen(b, "0.0.0.0:0")
	_ = c.SetDeadline(time.Time{})
	paths, stop := sinks(b, 8)
	defer stop()
	d := make([]byte, 1200)
	b.ReportAllocs()
	b.SetBytes(1200)
	for n := 0; b.Loop(); n++ {
		_, _ = c.WriteMsg(d, paths[n%len(paths)])
	}
}

// sinks are sockets whose datagrams are read and thrown away.
func sinks(b *testing.B, n int) (paths []Path, stop func()) {
	here := netip.MustParseAddr("127.0.0.1")
	var wg sync.WaitGroup
	var all []*Conn
	for range n {
		c := listen(b, "127.0.0.1:0")
		_ = c.SetDeadline(time.Time{})
		all, paths = append(all, c), append(paths, Path{Remote: netip.AddrPortFrom(here, c.Port()), Local: here})
		wg.Go(func() {
			for r := c.NewReader(); ; {
				if _, err := r.Read(); err != nil {
					return
				}
			}
		})
	}
	return paths, func() {
		for _, c := range all {
			_ = c.Close()
		}
		wg.Wait()
	}
}
