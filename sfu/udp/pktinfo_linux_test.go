package udp

import (
	"net/netip"
	"testing"
)

// FuzzLocalOf: control messages come from the kernel, but reading past them would be a
// crash all the same. What we write for sending reads back as the same address.
func FuzzLocalOf(f *testing.F) {
	for _, a := range addrs("127.0.0.1", "::1", "2001:db8::1") {
		var oob oobBuf
		f.Add(append([]byte(nil), putLocal(&oob, pktInfo6, a)...))
	}
	var oob oobBuf
	f.Add(append([]byte(nil), putLocal(&oob, pktInfo4, netip.MustParseAddr("10.1.2.3"))...))
	f.Fuzz(func(t *testing.T, b []byte) {
		a := localOf(b)
		if !a.IsValid() {
			return
		}
		var oob oobBuf
		if back := localOf(putLocal(&oob, pktInfo6, a)); back != a {
			t.Errorf("%v became %v", a, back)
		}
	})
}
