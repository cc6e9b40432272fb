package crowd

import (
	"net"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// supported: see New.
const supported = true

// receiveBuffer is asked for in bytes: more than a second of a good stream, as the kernel counts (it doubles).
const receiveBuffer = 512 << 10

// prepare sets up a new socket: room for a burst, and receive times.
func prepare(conn *net.UDPConn) error {
	return control(conn, func(fd int) error {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	})
}

func control(conn *net.UDPConn, f func(fd int) error) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// detach takes the socket out of the runtime's care, so that packets wake nobody, and connects it to the server. runs: what was
// sent as one message and cut by the kernel may come as one; a kernel that cannot do so cuts it.
func detach(conn *net.UDPConn, to netip.AddrPort, runs bool) (fd int, err error) {
	err = control(conn, func(old int) error {
		fd, err = unix.FcntlInt(uintptr(old), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return -1, err
	}
	_ = conn.Close()
	if runs {
		_ = unix.SetsockoptInt(fd, unix.SOL_UDP, unix.UDP_GRO, 1)
	}
	if to.Addr().Is4() {
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
	} else {
		err = unix.Connect(fd, &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()})
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// untime ends receive times on a socket that does not need them.
func untime(fd int) { _ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 0) }

// overflowed is how many datagrams, or runs of them, the kernel has thrown away because the socket was not read in time.
func overflowed(fd int) uint64 {
	const memInfoDrops = 8 // SK_MEMINFO_DROPS
	var info [9]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 || size < uint32(unsafe.Sizeof(info)) {
		return 0
	}
	return uint64(info[memInfoDrops])
}

func send(fd int, b []byte) { _, _ = unix.Write(fd, b) } // what gets lost is said again

func closeSocket(fd int) { _ = unix.Close(fd) }

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
}

// batchSize is the number of datagrams that one call takes: more than a sweep's worth, even of a key frame.
const batchSize = 32

// controlSpace holds the control messages of a receive time and of a run.
const controlSpace = 64

// batch is where datagrams are received. It is of one goroutine.
type batch struct {
	size    int // bytes of a message that are kept
	headers [batchSize]mmsghdr
	vectors [batchSize]unix.Iovec
	control [batchSize][controlSpace / 8]uint64
	memory  []byte
	taken   int
}

func newBatch(size int) *batch {
	b := &batch{size: size, memory: make([]byte, batchSize*size), taken: batchSize}
	for i := range b.headers {
		b.vectors[i].Base = &b.memory[i*size]
		b.vectors[i].SetLen(size)
		h := &b.headers[i].hdr
		h.Iov = &b.vectors[i]
		h.SetIovlen(1)
		h.Control = (*byte)(unsafe.Pointer(&b.control[i]))
	}
	return b
}

// receive takes what waits at a socket, without waiting itself. It returns the number of messages.
func (b *batch) receive(fd int) int {
	for i := range b.taken {
		b.headers[i].hdr.SetControllen(controlSpace)
	}
	// It never blocks, so the scheduler need not know of it.
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.headers)), batchSize,
		unix.MSG_DONTWAIT|unix.MSG_TRUNC, 0, 0)
	if errno != 0 {
		b.taken = 0
		return 0
	}
	b.taken = int(n)
	return b.taken
}

// at returns a received message as far as it was kept, its true length, that of each datagram in it but the last, and when it
// arrived, or now when the kernel did not say.
func (b *batch) at(i int, now time.Time) (data []byte, size, each int, at time.Time) {
	h := &b.headers[i]
	size, each, at = int(h.len), int(h.len), now
	data = b.memory[i*b.size : i*b.size+min(size, b.size)]
	rest := unsafe.Slice((*byte)(unsafe.Pointer(&b.control[i])), controlSpace)[:min(controlSpace, int(h.hdr.Controllen))]
	for len(rest) >= unix.CmsgLen(0) {
		c := (*unix.Cmsghdr)(unsafe.Pointer(&rest[0]))
		value := rest[unix.CmsgLen(0):min(len(rest), max(unix.CmsgLen(0), int(c.Len)))]
		switch {
		case c.Level == unix.SOL_SOCKET && c.Type == unix.SO_TIMESTAMPNS && len(value) >= int(unsafe.Sizeof(unix.Timespec{})):
			at = time.Unix((*unix.Timespec)(unsafe.Pointer(&value[0])).Unix())
		case c.Level == unix.SOL_UDP && c.Type == unix.UDP_GRO && len(value) >= 4:
			each = max(1, int(*(*int32)(unsafe.Pointer(&value[0]))))
		}
		rest = rest[min(len(rest), unix.CmsgSpace(len(value))):]
	}
	return data, size, each, at
}
