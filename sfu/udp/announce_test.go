package udp

import (
	"net/netip"
	"slices"
	"testing"
)

func addrs(list ...string) (all []netip.Addr) {
	for _, s := range list {
		all = append(all, netip.MustParseAddr(s))
	}
	return all
}

func TestAnnounce(t *testing.T) {
	many := addrs("127.0.0.1", "::1")
	for i := range 20 {
		many = append(many, netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}))
	}
	rows := []struct {
		name        string
		all, routed []netip.Addr
		only4       bool
		want        []netip.Addr
	}{
		{"nothing", nil, nil, false, nil},
		{"loopback alone", addrs("127.0.0.1", "::1"), nil, false, addrs("127.0.0.1", "::1")},
		{
			"default route first, loopback last",
			addrs("::1", "127.0.0.1", "172.17.0.1", "2001:db8::5", "192.168.1.7"),
			addrs("192.168.1.7", "2001:db8::5"), false,
			addrs("192.168.1.7", "2001:db8::5", "172.17.0.1", "127.0.0.1", "::1"),
		},
		{
			"IPv4 socket", addrs("::1", "127.0.0.1", "2001:db8::5", "10.0.0.1"), nil, true,
			addrs("10.0.0.1", "127.0.0.1"),
		},
		{
			"useless ones", addrs("fe80::1%eth0", "169.254.1.1", "0.0.0.0", "ff02::1", "::ffff:10.0.0.1", "10.0.0.1"),
			nil, false, addrs("10.0.0.1"),
		},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if got := announce(r.all, r.routed, r.only4); !slices.Equal(got, r.want) {
				t.Errorf("got %v, want %v", got, r.want)
			}
		})
	}
	got := announce(many, nil, false)
	if len(got) != maxAnnounced || !slices.Equal(got[maxAnnounced-2:], addrs("127.0.0.1", "::1")) {
		t.Errorf("of many: %v", got)
	}
}

func TestLocalAddrs(t *testing.T) {
	one, err := listen(t, "127.0.0.1:0").LocalAddrs()
	if err != nil || !slices.Equal(one, addrs("127.0.0.1")) {
		t.Errorf("specific socket: %v, %v", one, err)
	}
	all, err := listen(t, "0.0.0.0:0").LocalAddrs()
	if err != nil || !slices.Contains(all, netip.MustParseAddr("127.0.0.1")) {
		t.Errorf("wildcard socket: %v, %v", all, err)
	}
	for i, a := range all {
		if a.IsLoopback() && i+1 < len(all) && !all[i+1].IsLoopback() {
			t.Errorf("loopback is not last in %v", all)
		}
	}
}
