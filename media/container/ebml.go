package container

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// source reads a file forward from any position, through one buffer. Seeking inside the buffer is free.
type source struct {
	sec  *io.SectionReader
	buf  *bufio.Reader
	pos  int64
	size int64
}

func newSource(r io.ReaderAt, size int64) *source {
	sec := io.NewSectionReader(r, 0, size)
	return &source{sec: sec, buf: bufio.NewReaderSize(sec, 64<<10), size: size}
}

func (s *source) left() int64 { return s.size - s.pos }

// skip moves on by n bytes; past the end it stops at the end.
func (s *source) skip(n int64) {
	if n > s.left() || n < 0 {
		n = s.left()
	}
	s.pos += n
	if n <= int64(s.buf.Buffered()) {
		_, _ = s.buf.Discard(int(n))
		return
	}
	_, _ = s.sec.Seek(s.pos, io.SeekStart)
	s.buf.Reset(s.sec)
}

// bytes reads n bytes into fresh memory, which is only taken when the file is long enough.
func (s *source) bytes(n int64, limit int) ([]byte, error) {
	if n < 0 || n > int64(limit) {
		return nil, fmt.Errorf("%w: an element of %d bytes at %d", ErrDamaged, n, s.pos)
	}
	if n > s.left() {
		return nil, io.ErrUnexpectedEOF
	}
	b := make([]byte, n)
	return b, s.fill(b)
}

func (s *source) fill(b []byte) error {
	n, err := io.ReadFull(s.buf, b)
	s.pos += int64(n)
	return err
}

// ebmlHeader is an element's identifier and size; size is -1 when unknown (RFC 8794 section 6.2).
type ebmlHeader struct {
	id   uint32
	size int64
}

// header reads an EBML element header.
func (s *source) header() (ebmlHeader, error) {
	b, err := s.buf.Peek(12)
	if len(b) == 0 {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.EOF
		}
		return ebmlHeader{}, err
	}
	h, n := parseEBMLHeader(b)
	if n == 0 {
		if len(b) < 12 {
			return ebmlHeader{}, io.EOF
		}
		return ebmlHeader{}, fmt.Errorf("%w: no element at %d", ErrDamaged, s.pos)
	}
	s.skip(int64(n))
	return h, nil
}

// parseEBMLHeader returns the header and its length in bytes, 0 when there is none.
func parseEBMLHeader(b []byte) (ebmlHeader, int) {
	if len(b) == 0 {
		return ebmlHeader{}, 0
	}
	n := bits.LeadingZeros8(b[0]) + 1
	if n > 4 || len(b) < n {
		return ebmlHeader{}, 0
	}
	var h ebmlHeader
	for _, c := range b[:n] {
		h.id = h.id<<8 | uint32(c)
	}
	v, m := vint(b[n:])
	if m == 0 {
		return ebmlHeader{}, 0
	}
	h.size = v
	return h, n + m
}

// vint reads a variable-size integer (RFC 8794 section 4): its value, -1 when all its bits are set
// (unknown), and its length in bytes, 0 when there is none.
func vint(b []byte) (int64, int) {
	if len(b) == 0 || b[0] == 0 {
		return 0, 0
	}
	n := bits.LeadingZeros8(b[0]) + 1
	if len(b) < n {
		return 0, 0
	}
	v := uint64(b[0]) & (1<<(8-n) - 1)
	for _, c := range b[1:n] {
		v = v<<8 | uint64(c)
	}
	if v == 1<<(7*n)-1 {
		return -1, n
	}
	return int64(v), n
}

// eachElement walks the children in b and stops at the first thing that is no whole element.
func eachElement(b []byte, f func(id uint32, body []byte)) {
	for len(b) > 0 {
		h, n := parseEBMLHeader(b)
		if n == 0 || h.size < 0 || h.size > int64(len(b)-n) {
			return
		}
		f(h.id, b[n:n+int(h.size)])
		b = b[n+int(h.size):]
	}
}

// ebmlUint reads an unsigned integer element (RFC 8794 section 7.2).
func ebmlUint(b []byte) uint64 {
	if len(b) > 8 {
		return 0
	}
	var v uint64
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}
