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
	c, err := newConn(newAPI(Transport{Loopback: true}), id, nil, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.offer(); err != nil {
		t.Error(err)
	}
	c.close()
}
