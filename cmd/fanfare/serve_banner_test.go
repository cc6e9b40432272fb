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
