package udp

import (
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// receiver reads by recvmmsg. The pointers between its tables are set once, with the first
// read.
type receiver struct {
	reader  *Reader
	raw     syscall.RawConn
	receive func(fd uintptr) bool // r.once, made once: a new one for each call would be allocated

	headers [maxRead]unix.Mmsghdr
	bytes   [maxRead]unix.Iovec
	names   [maxRead]unix.RawSockaddrInet6
	control [maxRead]oobBuf

	used  int // messages whose lengths the last call has written over
	errno unix.Errno
}

// newReceiver returns nil for a socket that is not ours.
func newReceiver(r *Reader) *receiver {
	if r.conn.udp == nil {
		return nil
	}
	raw, err := r.conn.udp.SyscallConn()
	if err != nil {
		return nil
	}
	rc := &receiver{reader: r, raw: raw, used: maxRead}
	rc.receive = rc.once
	return rc
}

// read fills the reader's list, and returns how many datagrams came.
func (rc *receiver) read() (int, error) {
	rc.prepare()
	if err := rc.raw.Read(rc.receive); err != nil {
		return 0, err
	}
	if rc.errno != 0 {
		return 0, os.NewSyscallError("recvmmsg", rc.errno)
	}
	for i := range rc.used {
		rc.reader.list[i] = rc.message(i)
	}
	return rc.used, nil
}

// prepare sets the lengths that the kernel has written over.
func (rc *receiver) prepare() {
	for i := range rc.used {
		h := &rc.headers[i].Hdr
		if h.Iov == nil {
			h.Iov = &rc.bytes[i]
			h.SetIovlen(1)
			rc.bytes[i].Base = &rc.reader.place(i)[0]
			rc.bytes[i].SetLen(MaxDatagram)
			h.Name = (*byte)(unsafe.Pointer(&rc.names[i]))
			h.Control = &rc.control[i].b[0]
		}
		h.Namelen = unix.SizeofSockaddrInet6
		h.SetControllen(oobSpace)
	}
	rc.used = 0
}

// once reads what is there, and tells whether that was anything. As sendmmsg, it does not tell the runtime that it
// enters the system, where it never sleeps. When told behind a time in which nothing was to do, the runtime's watchdog
// looks every 20 µs for calls that last, and goes on for milliseconds: on one core it takes turns with the workers all
// the time.
func (rc *receiver) once(fd uintptr) bool {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&rc.headers[0])),
			maxRead, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		case 0:
			rc.used = int(n)
		}
		rc.errno = errno
		return true
	}
}

func (rc *receiver) message(i int) Message {
	local := rc.reader.conn.bound
	if rc.reader.conn.info != noPktInfo {
		local = netip.Addr{}
		if n := rc.headers[i].Hdr.Controllen; n > 0 {
			local = localOf(rc.control[i].b[:n])
		}
	}
	n := min(int(rc.headers[i].Len), MaxDatagram)
	return Message{
		Data: rc.reader.place(i)[:n:n],
		Path: Path{Remote: name(&rc.names[i]), Local: local},
	}
}
