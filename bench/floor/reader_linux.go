package main

import (
	"errors"
	"fmt"
	"io"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of sendmmsg(2) and recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte // the kernel's struct is aligned to 8 bytes
}

// mmsg is sendmmsg or recvmmsg, by the number of the call.
func mmsg(call uintptr, fd int, list []mmsghdr, flags int) (int, error) {
	n, _, errno := unix.Syscall6(call, uintptr(fd), uintptr(unsafe.Pointer(&list[0])), uintptr(len(list)), uintptr(flags), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// farewell is shorter than any sealed packet: the sender has ended.
const farewell = "end"

// How often the reader looks at its sockets, and how long it waits for a first or a further packet. It does not sleep in
// the kernel on any of them, as the load client does not: the sender would pay for waking it.
const (
	sweepEvery = 3 * time.Millisecond
	patience   = 20 * time.Second
)

var errSilence = errors.New("nothing came")

// reader is one socket a viewer.
type reader struct {
	sockets []int
	ports   []int
	list    [32]mmsghdr
	vectors [32]unix.Iovec
	buffers [32][2048]byte
}

// receive counts what comes until the farewell.
func receive(o options, said io.Writer) error {
	r, err := newReader(o.viewers)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(said, r.ports); err != nil {
		return err
	}
	received, err := r.count()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(said, received)
	return err
}

func newReader(viewers int) (*reader, error) {
	r := &reader{}
	for i := range r.list {
		r.vectors[i] = unix.Iovec{Base: &r.buffers[i][0]}
		r.vectors[i].SetLen(len(r.buffers[i]))
		r.list[i].hdr.Iov = &r.vectors[i]
		r.list[i].hdr.SetIovlen(1)
	}
	for range viewers {
		fd, port, err := socket()
		if err != nil {
			return nil, err
		}
		r.sockets, r.ports = append(r.sockets, fd), append(r.ports, port)
	}
	return r, nil
}

// socket is a UDP socket on loopback with room for bursts.
func socket() (fd, port int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, 0, fmt.Errorf("socket: %w", err)
	}
	for _, option := range []int{unix.SO_RCVBUF, unix.SO_SNDBUF} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 1<<20); err != nil {
			return 0, 0, fmt.Errorf("buffer of a socket: %w", err)
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, 0, fmt.Errorf("bind: %w", err)
	}
	own, err := unix.Getsockname(fd)
	if err != nil {
		return 0, 0, fmt.Errorf("getsockname: %w", err)
	}
	return fd, own.(*unix.SockaddrInet4).Port, nil
}

// count sweeps over the sockets until the farewell has come.
func (r *reader) count() (received uint64, err error) {
	last := time.Now()
	for over := false; !over; {
		before := received
		for _, fd := range r.sockets {
			got, end, err := r.drain(fd)
			if err != nil {
				return received, err
			}
			received += got
			over = over || end
		}
		now := time.Now()
		if received > before {
			last = now
		} else if now.Sub(last) > patience {
			return received, errSilence
		}
		time.Sleep(sweepEvery)
	}
	return received, nil
}

// drain empties a socket. over tells that the farewell has come.
func (r *reader) drain(fd int) (received uint64, over bool, err error) {
	for {
		n, err := mmsg(unix.SYS_RECVMMSG, fd, r.list[:], unix.MSG_DONTWAIT)
		switch {
		case err == unix.EAGAIN:
			return received, over, nil
		case err == unix.EINTR:
			continue
		case err != nil:
			return received, over, fmt.Errorf("recvmmsg: %w", err)
		}
		for i := range r.list[:n] {
			if r.list[i].n == uint32(len(farewell)) {
				over = true
				continue
			}
			received++
		}
		if n < len(r.list) {
			return received, over, nil
		}
	}
}
