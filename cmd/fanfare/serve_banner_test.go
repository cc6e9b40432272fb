package main

import (
	"net/netip"
	"strings"
	"testing"
)

// TestSecureWords: whoever opens the printed address on the server's own machine gets a page without
// camera, so the words beside it say which name is secure there, and only where that name works.
func TestSecureWords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		host, public, flag string
		here, elsewhere    bool
	}{
		"as installed":      {"", "http://192.0.2.7:8080", "", true, true},
		"every IPv4":        {"0.0.0.0", "http://192.0.2.7:8080", "", true, true},
		"one address":       {"192.0.2.7", "http://192.0.2.7:8080", "", false, true},
		"a name of its own": {"", "http://live.example.org", "http://live.example.org", false, true},
		"behind TLS":        {"", "https://live.example.org", "https://live.example.org", false, false},
		"this machine only": {"127.0.0.1", "http://127.0.0.1:8080", "", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serving{addrs: addresses{host: c.host, port: 8080, public: c.public, lan: []netip.Addr{netip.MustParseAddr("192.0.2.7")}}}
			s.cmd = &serveCmd{PublicURL: c.flag}
			var out strings.Builder
			if err := s.banner(&out); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(out.String(), "write localhost in place of 192.0.2.7"); got != c.here {
				t.Errorf("words about this machine: %v, want %v\n%s", got, c.here, out.String())
			}
			if got := strings.Contains(out.String(), "--tls-self"); got != c.elsewhere {
				t.Errorf("words about other machines: %v, want %v\n%s", got, c.elsewhere, out.String())
			}
		})
	}
}

func TestBannerNeverSendsAPhoneToItself(t *testing.T) {
	for public, local := range map[string]bool{
		"http://127.0.0.1:8080": true, "http://localhost:8080": true, "http://[::1]:8080": true,
		"http://192.0.2.7:8080": false, "https://live.example.org": false, "http://[2001:db8::1]:8080": false,
	} {
		s := &serving{addrs: addresses{public: public}}
		if got := s.isLocal(); got != local {
			t.Errorf("%s: local %v", public, got)
		}
	}
}

func TestLinksLeadToTheFirstAddressOfTheNetwork(t *testing.T) {
	lan := []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")}
	for _, tt := range []struct {
		host, flag string
		lan        []netip.Addr
		want       string
	}{
		{"", "", lan, "http://192.0.2.7:8080"},
		{"0.0.0.0", "", lan, "http://192.0.2.7:8080"},
		{"::", "", lan[1:], "http://[2001:db8::7]:8080"},
		{"192.0.2.9", "", lan, "http://192.0.2.9:8080"},
		{"::1", "", lan, "http://[::1]:8080"},
		{"", "", nil, "http://127.0.0.1:8080"},
		{"127.0.0.1", "https://live.example.org", lan, "https://live.example.org"},
	} {
		s := &serving{cmd: &serveCmd{PublicURL: tt.flag}, addrs: addresses{host: tt.host, port: 8080, lan: tt.lan}}
		if got := s.publicOrigin(); got != tt.want {
			t.Errorf("host %q, flag %q: %s, want %s", tt.host, tt.flag, got, tt.want)
		}
	}
}

func TestLANAddressesLeadToThisMachine(t *testing.T) {
	for _, addr := range lanAddresses() {
		if addr.IsLoopback() || addr.IsLinkLocalUnicast() || !addr.IsValid() {
			t.Errorf("%v is of no use to a phone", addr)
		}
	}
	order := []string{"192.168.1.2", "10.0.0.2", "203.0.113.5", "2001:db8::2"}
	for i := 1; i < len(order); i++ {
		if rank(netip.MustParseAddr(order[i-1])) > rank(netip.MustParseAddr(order[i])) {
			t.Errorf("%s comes before %s", order[i], order[i-1])
		}
	}
}
