package udp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is the CPU time, user and system, of this thread: on a busy machine it says
// more than the clock on the wall. The receiver's share of loopback is in it.
func threadTime() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_THREAD, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkBatch sends runs of several lengths over loopback to readers, each run to a
// port of its own.
func BenchmarkBatch(b *testing.B) {
	for _, run := range []int{1, 2, 4, 12} {
		for _, segments := range []bool{true, false} {
			if run == 1 && !segments {
				continue // the same as with segments
			}
			b.Run(fmt.Sprintf("run=%d/segments=%v", run, segments), func(b *testing.B) {
				benchmarkBatch(b, run, segments)
			})
		}
	}
}

func benchmarkBatch(b *testing.B, run int, segments bool) {
	c := listen(b, "0.0.0.0:0")
	c.SetSegments(segments)
	paths, stop := sinks(b, 8)
	defer stop()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	batch, d := c.NewBatch(), make([]byte, 1200)
	b.ReportAllocs()
	start := threadTime()
	for n := 0; b.Loop(); n++ {
		batch.Add(append(batch.Room(), d...), paths[n/run%len(paths)])
	}
	batch.Flush()
	s := batch.Take()
	b.ReportMetric(float64(threadTime()-start)/float64(s.Sent), "cpu-ns/datagram")
	b.ReportMetric(float64(s.Sent)/float64(s.Calls), "datagrams/call")
	b.ReportMetric(float64(s.Refused), "refused")
}

// BenchmarkWriteMsg is the plain way to the same readers.
func BenchmarkWriteMsg(b *testing.B) {
	c := listen(b, "0.0.0.0:0")
	_ = c.SetDeadline(time.Time{})
	paths, stop := sinks(b, 8)
	defer stop()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	d := make([]byte, 1200)
	b.ReportAllocs()
	start := threadTime()
	for n := 0; b.Loop(); n++ {
		_, _ = c.WriteMsg(d, paths[n%len(paths)])
	}
	b.ReportMetric(float64(threadTime()-start)/float64(b.N), "cpu-ns/datagram")
}

// BenchmarkReader reads what a batch has sent just before, 24 datagrams a round.
func BenchmarkReader(b *testing.B) {
	for _, way := range []string{"Read", "ReadMsg"} {
		b.Run(way, func(b *testing.B) {
			c, peer := listen(b, "0.0.0.0:0"), listen(b, "127.0.0.1:0")
			_ = c.SetDeadline(time.Time{})
			read := readBy(c.NewReader())
			if way == "ReadMsg" {
				read = readSingly(c)
			}
			benchmarkReader(b, peer.NewBatch(), loopback(c), read)
		})
	}
}

func loopback(c *Conn) Path {
	return Path{Remote: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), c.Port())}
}

// readBy and readSingly return ways to read at least one datagram, and say how many it was.
func readBy(r *Reader) func() int {
	return func() int {
		list, _ := r.Read()
		return len(list)
	}
}

func readSingly(c *Conn) func() int {
	buf := make([]byte, MaxDatagram)
	return func() int {
		_, _, _ = c.ReadMsg(buf)
		return 1
	}
}

func benchmarkReader(b *testing.B, batch *Batch, to Path, read func() int) {
	const round = 24
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	d, spent := make([]byte, 1200), time.Duration(0)
	for b.Loop() {
		for range round {
			batch.Add(append(batch.Room(), d...), to)
		}
		batch.Flush()
		start := threadTime()
		for n := 0; n < round; {
			n += read()
		}
		spent += threadTime() - start
	}
	b.ReportMetric(float64(spent)/float64(round*b.N), "cpu-ns/datagram")
}

// BenchmarkSockets compares workers that share one socket with workers that have one each
// on the same port (SO_REUSEPORT). Each worker has a core of its own. The receivers' buffers are full
// and nobody reads them, so that the cores have nothing but the sending to do; with
// UDP_BENCH_TO ("address:port") in the environment it goes there instead, and to ports above.
func BenchmarkSockets(b *testing.B) {
	for _, run := range []int{1, 4} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("run=%d/workers=%d/shared", run, workers), func(b *testing.B) {
				c := listen(b, "0.0.0.0:0")
				benchmarkSockets(b, run, []*Conn{c, c}[:workers])
			})
		}
		b.Run(fmt.Sprintf("run=%d/workers=2/own", run), func(b *testing.B) {
			one := reusable(b, "0.0.0.0:0")
			benchmarkSockets(b, run, []*Conn{one, reusable(b, fmt.Sprintf("0.0.0.0:%d", one.Port()))})
		})
	}
}

func benchmarkSockets(b *testing.B, run int, conns []*Conn) {
	paths := deaf(b, 8)
	var wg sync.WaitGroup
	spent, stats := make([]time.Duration, len(conns)), make([]BatchStats, len(conns))
	b.ResetTimer()
	for i, c := range conns {
		wg.Go(func() {
			runtime.LockOSThread() // for good: the thread and its core go with the goroutine
			var core unix.CPUSet
			core.Set(i)
			_ = unix.SchedSetaffinity(0, &core)
			batch, d := c.NewBatch(), make([]byte, 1200)
			start := threadTime()
			for n := range b.N / len(conns) {
				batch.Add(append(batch.Room(), d...), paths[n/run%len(paths)])
			}
			batch.Flush()
			spent[i], stats[i] = threadTime()-start, batch.Take()
		})
	}
	wg.Wait()
	total, refused := time.Duration(0), uint64(0)
	for i := range conns {
		total += spent[i]
		refused += stats[i].Refused
	}
	b.ReportMetric(float64(total)/float64(b.N), "cpu-ns/datagram")
	b.ReportMetric(float64(refused), "refused")
}

// deaf are addresses where nobody reads.
func deaf(b *testing.B, n int) (paths []Path) {
	here := netip.MustParseAddr("127.0.0.1")
	to, err := netip.ParseAddrPort(os.Getenv("UDP_BENCH_TO"))
	for i := range n {
		if err != nil {
			to = netip.AddrPortFrom(here, listen(b, "127.0.0.1:0").Port())
		} else {
			to = netip.AddrPortFrom(to.Addr(), to.Port()+uint16(i))
		}
		paths = append(paths, Path{Remote: to})
	}
	return paths
}

func reusable(b *testing.B, addr string) *Conn {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		})
	}}
	pc, err := config.ListenPacket(context.Background(), "udp4", addr)
	if err != nil {
		b.Fatal(err)
	}
	c := Wrap(pc)
	b.Cleanup(func() { _ = c.Close() })
	return c
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
