package udp

import (
	"cmp"
	"net/netip"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// segmented tells whether a message is to be cut.
func segmented(m *unix.Mmsghdr) bool {
	oob := unsafe.Slice(m.Hdr.Control, m.Hdr.Controllen)
	for len(oob) > 0 {
		h, _, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return false
		}
		if h.Level == unix.SOL_UDP && h.Type == unix.UDP_SEGMENT {
			return true
		}
		oob = rest
	}
	return false
}

// refusing is sendmmsg on a system that refuses some messages with errno: as the kernel
// does, it sends those before it and tells the error when it comes first.
func refusing(errno unix.Errno, refuse func(*unix.Mmsghdr) bool) sendCall {
	return func(fd uintptr, messages []unix.Mmsghdr) (int, unix.Errno) {
		n := 0
		for n < len(messages) && !refuse(&messages[n]) {
			n++
		}
		if n == 0 {
			return 0, errno
		}
		return sendmmsg(fd, messages[:n])
	}
}

// TestBatchWithoutSegments: a device that cannot cut, or a path that is too narrow for the
// segments, gets the same datagrams one by one.
func TestBatchWithoutSegments(t *testing.T) {
	rows := []struct {
		name  string
		errno unix.Errno
		off   bool // for the socket from then on
	}{
		{"no checksum offload", unix.EIO, true},
		{"no such option", unix.ENOPROTOOPT, true},
		{"segment over the MTU", unix.EINVAL, false},
		{"segment over the MTU, newer kernels", unix.EMSGSIZE, false},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			c, peer, wide := listen(t, "0.0.0.0:0"), listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
			b := c.NewBatch()
			narrow := peer.Port()
			b.sender.call = refusing(r.errno, func(m *unix.Mmsghdr) bool {
				to := (*unix.RawSockaddrInet4)(unsafe.Pointer(m.Hdr.Name))
				return segmented(m) && (r.off || port(&to.Port) == narrow)
			})
			want := sized(5, 1000, 1000, 400, 400, 400)
			send := func() {
				add(b, pathTo(wide), sized(100, 100)...)
				add(b, pathTo(peer), want...)
				add(b, pathTo(wide), sized(100, 100)...)
				b.Flush()
			}
			send()
			checkArrived(t, peer.NewReader(), want, c.Port(), netip.Addr{})
			s := b.Take()
			if int(s.Sent) != len(want)+4 || s.Refused != 0 || c.noSegments.Load() != r.off {
				t.Errorf("counted %+v, segments off: %v", s, c.noSegments.Load())
			}
			send()
			checkArrived(t, peer.NewReader(), want, c.Port(), netip.Addr{})
			switch s := b.Take(); {
			case r.off && (s.Calls != 1 || s.Segmented != 0):
				t.Errorf("afterwards: %+v", s)
			case !r.off && s.Segmented != 2:
				t.Errorf("the wide path: %+v", s)
			}
			take(t, wide.NewReader(), 8)
		})
	}
}

// TestBatchErrors injects errors for a number of calls.
func TestBatchErrors(t *testing.T) {
	rows := []struct {
		name    string
		errno   unix.Errno
		times   int
		refused int
	}{
		{"interrupted", unix.EINTR, 3, 0},
		{"buffer full for a while", unix.EAGAIN, 2, 0},
		{"no memory for a while", unix.ENOBUFS, 2, 0},
		{"an old error shows up", unix.ECONNREFUSED, 1, 0},
		{"refused indeed", unix.ECONNREFUSED, 2, 1},
		{"buffer full for good", unix.EAGAIN, 1 << 30, 4},
		{"no memory for good", unix.ENOBUFS, 1 << 30, 4},
		{"forbidden", unix.EPERM, 1, 1},
		{"no route", unix.ENETUNREACH, 1 << 30, 4},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			c, peer := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
			b, left := c.NewBatch(), r.times
			b.sender.call = func(fd uintptr, messages []unix.Mmsghdr) (int, unix.Errno) {
				if left--; left >= 0 {
					return 0, r.errno
				}
				return sendmmsg(fd, messages)
			}
			want := sized(10, 20, 30, 40)
			add(b, pathTo(peer), want...)
			b.Flush()
			if s := b.Take(); int(s.Sent) != len(want)-r.refused || int(s.Refused) != r.refused {
				t.Errorf("counted %+v", s)
			}
			if r.refused < len(want) {
				if got, _ := take(t, peer.NewReader(), len(want)-r.refused); !slices.Equal(got, want[r.refused:]) {
					t.Errorf("got %q", got)
				}
			}
		})
	}
}

// TestBatchSwitchStays: a batch that is made after segments went off does not bring them
// back. (On a kernel that does not know them a run would go out in one piece.)
func TestBatchSwitchStays(t *testing.T) {
	c, peer := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	c.SetSegments(false)
	b := c.NewBatch()
	b.sender.call = refusing(unix.EIO, segmented)
	add(b, pathTo(peer), sized(10, 10)...)
	b.Flush()
	if s, want := b.Take(), (BatchStats{Sent: 2, Calls: 1, Messages: 2}); s != want {
		t.Errorf("counted %+v, want %+v", s, want)
	}
}

func TestNames(t *testing.T) {
	rows := []struct {
		addr   string
		family uint16
		ok     bool
		back   string // where it is not addr
	}{
		{"10.1.2.3:4567", unix.AF_INET, true, ""},
		{"10.1.2.3:4567", unix.AF_INET6, true, ""},
		{"[2001:db8::1]:4567", unix.AF_INET6, true, ""},
		{"[2001:db8::1]:4567", unix.AF_INET, false, ""},
		{"[fe80::1%7]:9", unix.AF_INET6, true, ""},
		{"[fe80::1%lo]:9", unix.AF_INET6, true, "[fe80::1%1]:9"},
		{"[fe80::1%no-such]:9", unix.AF_INET6, true, "[fe80::1]:9"},
	}
	for _, r := range rows {
		to := unix.RawSockaddrInet6{Scope_id: 99, Flowinfo: 99} // of the last use
		n := putName(&to, r.family, netip.MustParseAddrPort(r.addr))
		if ok := n >= unix.SizeofSockaddrInet4; ok != r.ok {
			t.Errorf("%s: length %d", r.addr, n)
		} else if want := cmp.Or(r.back, r.addr); ok && name(&to).String() != want {
			t.Errorf("%s became %s, want %s", r.addr, name(&to), want)
		}
	}
}
