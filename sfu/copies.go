package sfu

import (
	"sync"

	"github.com/fanfare-relay/fanfare/sfu/udp"
)

// smallDatagram is room for most of what viewers send, and they wait by the hundred: feedback about a tenth of a second has some
// hundred bytes, a connectivity check no more.
const smallDatagram = 256

// copies lends memory for datagrams that wait for somebody.
type copies struct {
	small, large sync.Pool // of *[smallDatagram]byte and of *[maxDatagram]byte
}

// datagram is a lent copy of what came in.
type datagram struct {
	data []byte
	path udp.Path
}

func newCopies() *copies {
	return &copies{
		small: sync.Pool{New: func() any { return new([smallDatagram]byte) }},
		large: sync.Pool{New: func() any { return new([maxDatagram]byte) }},
	}
}

// lend copies b, of which no more than maxDatagram bytes are kept.
func (c *copies) lend(b []byte, path udp.Path) datagram {
	var room []byte
	if len(b) <= smallDatagram {
		room = c.small.Get().(*[smallDatagram]byte)[:]
	} else {
		room = c.large.Get().(*[maxDatagram]byte)[:]
	}
	return datagram{data: room[:copy(room, b)], path: path}
}

// takeBack ends the use of a copy.
func (c *copies) takeBack(d datagram) {
	if cap(d.data) == smallDatagram {
		c.small.Put((*[smallDatagram]byte)(d.data[:smallDatagram]))
	} else {
		c.large.Put((*[maxDatagram]byte)(d.data[:maxDatagram]))
	}
}
