package peer

import (
	"testing"

	"go.uber.org/goleak"
)

// A connection that never comes to anything leaves nothing behind.
func TestAbandonedConnection(t *testing.T) {
	id, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	n, err := newNetwork(Transport{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.close(); err != nil {
			t.Error(err)
		}
	}()
	c, err := newConn(n, id, nil, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.offer(); err != nil {
		t.Error(err)
	}
	c.close()
}
