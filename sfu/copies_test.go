package sfu

import (
	"bytes"
	"testing"

	"github.com/fanfare-relay/fanfare/sfu/udp"
)

func TestCopies(t *testing.T) {
	c := newCopies()
	for _, size := range []int{0, 1, smallDatagram - 1, smallDatagram, smallDatagram + 1, maxDatagram} {
		b := bytes.Repeat([]byte{byte(size)}, size)
		d, other := c.lend(b, udp.Path{}), c.lend([]byte("another"), udp.Path{})
		if !bytes.Equal(d.data, b) || string(other.data) != "another" {
			t.Errorf("%d bytes came back as %d", size, len(d.data))
		}
		c.takeBack(d)
		c.takeBack(other)
	}
	if d := c.lend(make([]byte, maxDatagram+1), udp.Path{}); len(d.data) != maxDatagram {
		t.Errorf("%d bytes of one that is too long", len(d.data))
	}
	b, path := make([]byte, 100), udp.Path{}
	if n := testing.AllocsPerRun(1000, func() { c.takeBack(c.lend(b, path)) }); n >= 1 {
		t.Errorf("%v allocations a copy", n)
	}
}
