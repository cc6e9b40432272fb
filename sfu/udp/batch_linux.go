package udp

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// patience is how long one Flush waits in all for room in the socket's buffer. Media that
// is later than that is better lost, and its worker has other viewers to serve.
const patience = 5 * time.Millisecond

// sender sends a batch by sendmmsg, and runs in it by UDP_SEGMENT. Its tables are filled
// anew for each call; the pointers between them are set once.
//
// It enters by RawConn.Control, which holds the socket open but takes no lock:
// RawConn.Write would let one batch send at a time.
type sender struct {
	batch *Batch
	raw   syscall.RawConn
	send  func(fd uintptr) // s.sendAll, made once: a new one for each call would be allocated
	call  sendCall

	family  uint16
	headers [maxBatch]unix.Mmsghdr
	bytes   [maxBatch]unix.Iovec
	names   [maxBatch]unix.RawSockaddrInet6
	control [maxBatch]oobBuf
	first   [maxBatch]int // the first datagram of each message

	waited  time.Duration // of patience, in this Flush
	poll    [1]unix.PollFd
	retried int // the message that was last tried again after an earlier one's error
}

// sendCall is sendmmsg; tests put their own in its place.
type sendCall func(fd uintptr, messages []unix.Mmsghdr) (int, unix.Errno)

// sendmmsg does not tell the runtime that it enters the system: it never sleeps there (MSG_DONTWAIT), and is work like any
// other. When told, the runtime would take the processor away from a worker each time that a batch takes longer than
// 20 µs, which nearly all do, and wake another thread to look for work.
func sendmmsg(fd uintptr, messages []unix.Mmsghdr) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&messages[0])),
		uintptr(len(messages)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

// newSender returns nil for a socket that is not ours.
func newSender(b *Batch) *sender {
	if b.conn.udp == nil {
		return nil
	}
	raw, err := b.conn.udp.SyscallConn()
	if err != nil {
		return nil
	}
	s := &sender{batch: b, raw: raw, call: sendmmsg}
	s.send = s.sendAll
	if err := raw.Control(s.ask); err != nil || s.family == unix.AF_UNSPEC {
		return nil
	}
	for i := range s.headers {
		h := &s.headers[i].Hdr
		h.Name = (*byte)(unsafe.Pointer(&s.names[i]))
		h.Iov = &s.bytes[i]
		h.SetIovlen(1)
		h.Control = &s.control[i].b[0]
	}
	return s
}

// ask finds the family of the socket's addresses, and whether the kernel knows UDP_SEGMENT:
// one that does not would ignore it and send the whole run as one datagram.
func (s *sender) ask(fd uintptr) {
	domain, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil || (domain != unix.AF_INET && domain != unix.AF_INET6) {
		return
	}
	s.family = uint16(domain)
	if _, err := unix.GetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT); err != nil {
		s.batch.conn.SetSegments(false)
	}
}

// flush sends the batch's list. Only a closed socket is an error of Control.
func (s *sender) flush() {
	s.waited = 0
	if err := s.raw.Control(s.send); err != nil {
		s.batch.stats.Refused += uint64(len(s.batch.list))
	}
}

// sendAll sends everything in the list. After a message whose segments were refused the
// tables are filled anew, with its datagrams one by one.
func (s *sender) sendAll(fd uintptr) {
	for next, single := 0, 0; next < len(s.batch.list); {
		n := s.fill(next, single)
		next, single = s.sendTable(fd, n)
	}
}

// fill makes messages of the datagrams from next on, those before single one by one, and
// returns their number.
func (s *sender) fill(next, single int) (n int) {
	list := s.batch.list
	for segments := !s.batch.conn.noSegments.Load(); next < len(list); n++ {
		end := runEnd(list, next, segments && next >= single)
		s.put(n, list[next:end])
		s.first[n] = next
		next = end
	}
	return n
}

// put writes message i, which carries the datagrams of run.
func (s *sender) put(i int, run []outgoing) {
	h, o := &s.headers[i].Hdr, &run[0]
	s.bytes[i].Base = &s.batch.arena[o.start]
	s.bytes[i].SetLen(run[len(run)-1].end - o.start)
	h.Namelen = putName(&s.names[i], s.family, o.path.Remote)
	used := 0
	if info := s.batch.conn.info; info != noPktInfo && o.path.Local.IsValid() {
		used = len(putLocal(&s.control[i], info, o.path.Local))
	}
	if len(run) > 1 {
		used = putSegment(&s.control[i], used, o.size())
	}
	h.SetControllen(used)
}

// sendTable sends the first n messages. It returns the datagram to go on with, and the one
// before which there must be no segments: the list's end, but for a message whose segments
// were refused.
func (s *sender) sendTable(fd uintptr, n int) (next, single int) {
	s.retried = -1
	for i := 0; i < n; {
		s.batch.stats.Calls++
		sent, errno := s.call(fd, s.headers[i:n])
		if errno == 0 && sent > 0 {
			s.sent(i, i+sent, n)
			i += sent
			continue
		}
		switch first, end := s.first[i], s.end(i, n); {
		case s.again(fd, i, errno):
		case end-first > 1 && s.unsegmentable(errno):
			return first, end
		default:
			s.batch.stats.Refused += uint64(end - first)
			i++
		}
	}
	return len(s.batch.list), 0
}

// end is the datagram behind the last one of message i of n.
func (s *sender) end(i, n int) int {
	if i+1 < n {
		return s.first[i+1]
	}
	return len(s.batch.list)
}

func (s *sender) sent(from, to, n int) {
	for i := from; i < to; i++ {
		k := s.end(i, n) - s.first[i]
		s.batch.stats.Sent += uint64(k)
		s.batch.stats.Messages++
		if k > 1 {
			s.batch.stats.Segmented++
		}
	}
}

// again tells whether message i deserves another try after the error.
func (s *sender) again(fd uintptr, i int, errno unix.Errno) bool {
	switch errno {
	case unix.EINTR:
		return true
	case unix.EAGAIN, unix.ENOBUFS:
		return s.wait(fd)
	case unix.ECONNREFUSED:
		// The answer to an earlier datagram, to whomever: told once, then gone.
		first := s.retried != i
		s.retried = i
		return first
	}
	return false
}

// wait waits for room in the socket's buffer, while there is patience. It holds a thread
// for that time rather than going through Go's poller, whose deadline is one for the whole
// socket and so for all batches.
func (s *sender) wait(fd uintptr) bool {
	if s.waited >= patience {
		return false
	}
	start := time.Now()
	s.poll[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLOUT}
	_, _ = unix.Poll(s.poll[:], int((patience-s.waited+time.Millisecond-1)/time.Millisecond))
	// ENOBUFS comes from below the socket, which may be writable all the while: each try
	// costs something, so they end.
	s.waited += max(time.Since(start), patience/8)
	return true
}

// unsegmentable tells whether the error can be one of the segments, so that their datagrams
// have to be tried one by one.
func (s *sender) unsegmentable(errno unix.Errno) bool {
	switch errno {
	case unix.EIO, unix.ENOPROTOOPT: // no checksum offload on the way out; no such option
		s.batch.conn.SetSegments(false)
		return true
	case unix.EINVAL, unix.EMSGSIZE: // segments larger than the path's MTU
		return true
	}
	return false
}
