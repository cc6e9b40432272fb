package main

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	headerBytes = 20 // RTP with one header extension
	flushAfter  = 64 // messages a call
	warmUp      = 500 * time.Millisecond
	settle      = 200 * time.Millisecond
)

// sender seals into an arena and sends it when it is full.
type sender struct {
	fd      int
	viewers []viewer
	plain   [2048]byte // a payload: what is in it makes no difference
	arena   []byte
	used    int
	list    [flushAfter]mmsghdr
	vectors [flushAfter]unix.Iovec
	control [flushAfter][]byte
	waiting int
	sent    window
}

// viewer is a destination with its own key.
type viewer struct {
	aead   cipher.AEAD
	header [headerBytes]byte
	nonce  [12]byte
	count  uint64
	addr   unix.RawSockaddrInet4
}

// measure sends to the ports that it reads first, and reads in the end how much came.
func measure(o options, in io.Reader) (figures, error) {
	reports := bufio.NewReaderSize(in, 1<<20)
	ports, err := readNumbers(reports)
	if err != nil {
		return figures{}, err
	}
	if len(ports) != o.viewers {
		return figures{}, fmt.Errorf("the reader has %d sockets, not %d", len(ports), o.viewers)
	}
	s, err := newSender(ports)
	if err != nil {
		return figures{}, err
	}
	// A long stream, so that messages are cut at ever other places.
	var sizes []int
	for range 10 {
		sizes = append(sizes, stream()...)
	}
	w, err := s.run(messages(sizes, o.batch), o)
	if err != nil {
		return figures{}, err
	}
	// To the last socket of a sweep, when there is room for it: all that was sent before is read by then.
	time.Sleep(settle)
	if err := unix.Sendto(s.fd, []byte(farewell), 0, &unix.SockaddrInet4{Port: ports[len(ports)-1], Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return figures{}, fmt.Errorf("sendto: %w", err)
	}
	received, err := readNumbers(reports)
	if err != nil || len(received) != 1 {
		return figures{}, fmt.Errorf("the reader does not say what came: %w", err)
	}
	return figuresOf(o, w, s.sent.packets, uint64(received[0])), nil
}

// readNumbers reads one line as fmt.Println writes a slice or a number.
func readNumbers(r *bufio.Reader) ([]int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the reader: %w", err)
	}
	var all []int
	for _, word := range strings.Fields(strings.Trim(strings.TrimSpace(line), "[]")) {
		n, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("the reader: %w", err)
		}
		all = append(all, n)
	}
	return all, nil
}

func newSender(ports []int) (*sender, error) {
	fd, _, err := socket()
	if err != nil {
		return nil, err
	}
	s := &sender{fd: fd, arena: make([]byte, 256<<10), viewers: make([]viewer, len(ports))}
	for i := range s.viewers {
		if err := s.viewers[i].open(ports[i]); err != nil {
			return nil, err
		}
	}
	for i := range s.list {
		s.control[i] = make([]byte, unix.CmsgSpace(2))
		c := (*unix.Cmsghdr)(unsafe.Pointer(&s.control[i][0]))
		c.Level, c.Type = unix.SOL_UDP, unix.UDP_SEGMENT
		c.SetLen(unix.CmsgLen(2))
		h := &s.list[i].hdr
		h.Iov, h.Control = &s.vectors[i], &s.control[i][0]
		h.SetIovlen(1)
		h.Namelen = unix.SizeofSockaddrInet4
	}
	return s, nil
}

func (v *viewer) open(port int) error {
	var key [16]byte
	_, _ = rand.Read(key[:]) // never fails, says crypto/rand
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return err
	}
	if v.aead, err = cipher.NewGCM(block); err != nil {
		return err
	}
	v.header[0], v.header[1] = 0x90, 96
	v.addr = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: [4]byte{127, 0, 0, 1}}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&v.addr.Port))[:], uint16(port))
	return nil
}

// run sends message after message to all viewers at the rate of the stream, and measures after the warming-up.
func (s *sender) run(plan [][]int, o options) (window, error) {
	began := time.Now()
	next := began
	var before window
	for i := 0; ; i++ {
		now := time.Now()
		if before.took == 0 && now.Sub(began) >= warmUp {
			before = s.look(now.Sub(began))
		}
		if now.Sub(began) >= warmUp+o.during {
			return s.look(now.Sub(began)).sub(before), nil
		}
		sizes := plan[i%len(plan)]
		for v := range s.viewers {
			if err := s.queue(&s.viewers[v], sizes); err != nil {
				return window{}, err
			}
		}
		if err := s.flush(); err != nil {
			return window{}, err
		}
		if o.rate > 0 {
			next = next.Add(time.Duration(float64(len(sizes)) / o.rate * float64(time.Second)))
			time.Sleep(time.Until(next))
		}
	}
}

// look is what was sent so far and the processor time of this process.
func (s *sender) look(since time.Duration) window {
	w := s.sent
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // fails for arguments that are none only
	w.user, w.system, w.took = time.Duration(u.Utime.Nano()), time.Duration(u.Stime.Nano()), since
	return w
}

// queue seals a message into the arena.
func (s *sender) queue(v *viewer, sizes []int) error {
	segment := sizes[0] + headerBytes + v.aead.Overhead()
	if s.waiting == flushAfter || s.used+len(sizes)*segment > len(s.arena) {
		if err := s.flush(); err != nil {
			return err
		}
	}
	begin := s.used
	for _, size := range sizes {
		v.count++
		binary.BigEndian.PutUint16(v.header[2:], uint16(v.count))
		binary.BigEndian.PutUint64(v.nonce[4:], v.count)
		packet := append(s.arena[s.used:s.used:len(s.arena)], v.header[:]...)
		packet = v.aead.Seal(packet, v.nonce[:], s.plain[:size], v.header[:])
		s.used += len(packet)
	}
	i := s.waiting
	s.vectors[i].Base = &s.arena[begin]
	s.vectors[i].SetLen(s.used - begin)
	h := &s.list[i].hdr
	h.Name = (*byte)(unsafe.Pointer(&v.addr))
	h.SetControllen(0)
	if len(sizes) > 1 {
		*(*uint16)(unsafe.Pointer(&s.control[i][unix.CmsgLen(0)])) = uint16(segment)
		h.SetControllen(len(s.control[i]))
	}
	s.waiting++
	s.sent.messages++
	s.sent.packets += uint64(len(sizes))
	s.sent.bytes += uint64(s.used - begin)
	return nil
}

// flush sends what waits.
func (s *sender) flush() error {
	for done := 0; done < s.waiting; {
		n, err := mmsg(unix.SYS_SENDMMSG, s.fd, s.list[done:s.waiting], 0)
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("sendmmsg: %w", err)
		}
		done += n
	}
	s.waiting, s.used = 0, 0
	return nil
}
