package lite

import (
	"testing"

	"github.com/pion/dtls/v3"
)

// TestSmallDatagrams: a client whose flights come in many small datagrams, the hello as well, as Firefox's does
// with a key share of the post-quantum kind in it.
func TestSmallDatagrams(t *testing.T) {
	for _, mtu := range []int{60, 100, 200, 400} {
		x := newExchange(t, dtls.WithMTU(mtu))
		x.check()
		if err := x.connect(); err != nil {
			t.Fatalf("at most %d bytes: %v", mtu, err)
		}
		x.talk()
	}
}
