package signalling

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/signalling/store"
)

func TestPages(t *testing.T) {
	r := serve(t)
	if err := r.store.CreateStream("open", store.Stream{Embed: true}); err != nil {
		t.Fatal(err)
	}
	html := []string{"Accept", "text/html,*/*"}
	for _, tt := range []struct {
		path   string
		status int
		frames string
	}{
		{"/", 200, "'none'"},
		{"/studio", 200, "'none'"},
		{"/w/unknown", 200, "'none'"},
		{"/w/open", 200, "*"},
		{"/f", 200, "'none'"},
		{"/f/unknown", 200, "'none'"},
		{"/f/a%20b", 404, "'none'"},
		{"/f/" + strings.Repeat("a", 65), 404, "'none'"},
		{"/w/a%20b", 404, "'none'"},
		{"/w/" + strings.Repeat("a", 65), 404, "'none'"},
		{"/nothing", 404, "'none'"},
		{"/w/", 404, "'none'"},
		{"/../etc/passwd", 404, "'none'"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			res := r.ask(method, tt.path, nil, html...)
			csp := res.Header.Get("Content-Security-Policy")
			if res.StatusCode != tt.status || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
				t.Errorf("%s %s: %d %s", method, tt.path, res.StatusCode, res.Header.Get("Content-Type"))
			}
			if !strings.Contains(csp, "frame-ancestors "+tt.frames) || strings.Contains(csp, "unsafe") {
				t.Errorf("%s %s: policy %s", method, tt.path, csp)
			}
			if res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s %s: headers %v", method, tt.path, res.Header)
			}
		}
	}
	for _, path := range r.srv.cfg.Site.AssetPaths() {
		if res := r.ask(http.MethodGet, path, nil); res.StatusCode != http.StatusOK {
			t.Errorf("asset %s: %d", path, res.StatusCode)
		}
	}
}

func TestMetricsAreForTheOperator(t *testing.T) {
	r := serve(t)
	r.publish("a")
	res := r.ask(http.MethodGet, "/metrics", nil)
	text := describe(res)
	for _, want := range []string{`fanfare_offers_total{result="accepted",role="publisher"} 1`, `fanfare_sessions{role="publisher"} 1`, "fanfare_rooms 1"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	for name, tt := range map[string]struct {
		headers []string
		status  int
	}{
		"through a proxy on this machine": {[]string{"X-Forwarded-For", "198.51.100.1"}, 401},
		"through a proxy, with the key":   {[]string{"X-Forwarded-For", "198.51.100.1", "Authorization", "Bearer " + r.key}, 200},
		"through a proxy, wrong key":      {[]string{"Forwarded", "for=198.51.100.1", "Authorization", "Bearer x"}, 401},
	} {
		if res := r.ask(http.MethodGet, "/metrics", nil, tt.headers...); res.StatusCode != tt.status {
			t.Errorf("%s: %s", name, describe(res))
		}
	}
	req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	req.RemoteAddr = "198.51.100.1:1234"
	rec := httptest.NewRecorder()
	r.srv.Handler().ServeHTTP(rec, req)
	if rec.Code != http.StatusUnauthorized {
		t.Errorf("from outside: %d", rec.Code)
	}
}

func TestHealth(t *testing.T) {
	r := serve(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if res := r.ask(http.MethodGet, path, nil); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}

func TestClientAddress(t *testing.T) {
	trusted := proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48")}
	for _, tt := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"direct", "198.51.100.1:5", nil, "198.51.100.1"},
		{"direct, with a lie", "198.51.100.1:5", []string{"203.0.113.9"}, "198.51.100.1"},
		{"proxied", "10.0.0.1:5", []string{"203.0.113.9"}, "203.0.113.9"},
		{"proxied, with a lie before", "10.0.0.1:5", []string{"1.2.3.4, 203.0.113.9"}, "203.0.113.9"},
		{"two headers", "10.0.0.1:5", []string{"1.2.3.4", "203.0.113.9"}, "203.0.113.9"},
		{"two proxies", "10.0.0.1:5", []string{"203.0.113.9, 10.2.3.4"}, "203.0.113.9"},
		{"only proxies", "10.0.0.1:5", []string{"10.9.9.9"}, "10.9.9.9"},
		{"nonsense", "10.0.0.1:5", []string{"203.0.113.9, unknown"}, "10.0.0.1"},
		{"nothing", "10.0.0.1:5", nil, "10.0.0.1"},
		{"with ports", "10.0.0.1:5", []string{"[2001:db8::7]:443"}, "2001:db8::7"},
		{"IPv6 in brackets", "[2001:db8:1::1]:5", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:5", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"no address at all", "pipe", nil, "::"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tt.remote
		for _, f := range tt.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := trusted.client(r); got.String() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
}

func TestHousehold(t *testing.T) {
	for in, want := range map[string]string{
		"198.51.100.1": "198.51.100.1", "2001:db8::1": "2001:db8::/64", "2001:db8::ffff:0:0:2": "2001:db8::/64",
		"2001:db8:0:1::2": "2001:db8:0:1::/64",
	} {
		if got := household(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{"203.0.113.9", "[2001:db8::7]:443", "unknown", "1.2.3.4, 5.6.7.8", "fe80::1%eth0", ""} {
		f.Add(seed)
	}
	trusted := proxies{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "10.0.0.1:5"
		r.Header["X-Forwarded-For"] = []string{header}
		got := trusted.client(r)
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("%q: %v", header, got)
		}
		household(got)
	})
}

func TestSTUNAddress(t *testing.T) {
	for _, tt := range []struct{ stun, host, want string }{
		{":3478", "live.example.org", "live.example.org:3478"},
		{":3478", "live.example.org:8080", "live.example.org:3478"},
		{":3478", "[2001:db8::1]:8080", "[2001:db8::1]:3478"},
		{":3478", "[2001:db8::1]", "[2001:db8::1]:3478"},
		{"203.0.113.1:9", "live.example.org", "203.0.113.1:9"},
		{":3478", "", ""},
		{"", "live.example.org", ""},
	} {
		s := &Server{cfg: Config{STUN: tt.stun}}
		if got := s.stun(tt.host); got != tt.want {
			t.Errorf("STUN %q asked as %q: %q, want %q", tt.stun, tt.host, got, tt.want)
		}
	}
}
