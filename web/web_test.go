package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// built is a small dist as the build makes it: seven pages, a hashed script, a file without a hash.
func built() fstest.MapFS {
	files := fstest.MapFS{
		"favicon.svg":         {Data: []byte("<svg/>")},
		"assets/watch-abc.js": {Data: []byte(strings.Repeat("console.log(1);", 200))},
	}
	for _, p := range []Page{PageHome, PageStudio, PageWatch, PageSend, PageReceive, PageCompare, PageNotFound} {
		files[p.file()] = &fstest.MapFile{Data: []byte("<!doctype html><title>" + string(p) + "</title>")}
	}
	return files
}

func site(t *testing.T) *Site {
	t.Helper()
	s, err := newSite(built())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func get(target string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func TestServePage(t *testing.T) {
	tests := []struct {
		name   string
		page   Page
		status int
		o      PageOptions
		want   map[string]string // header → pattern
		absent []string
	}{
		{"home", PageHome, 200, PageOptions{}, map[string]string{
			"Content-Type":            `^text/html; charset=utf-8$`,
			"Content-Security-Policy": `^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$`,
			"Permissions-Policy":      `^camera=\(\), microphone=\(\), display-capture=\(\)`,
			"X-Content-Type-Options":  `^nosniff$`,
			"Referrer-Policy":         `^no-referrer$`,
			"X-Frame-Options":         `^DENY$`,
			"Cache-Control":           `^no-cache$`,
			"Etag":                    `^"[A-Za-z0-9_-]{16}"$`,
		}, nil},
		{"the studio may ask for camera and screen", PageStudio, 200, PageOptions{}, map[string]string{
			"Permissions-Policy": `^camera=\(self\), microphone=\(self\), display-capture=\(self\)`,
		}, nil},
		{"a watch page that may be embedded", PageWatch, 200, PageOptions{Embed: true}, map[string]string{
			"Content-Security-Policy": `frame-ancestors \*$`,
			"Permissions-Policy":      `^camera=\(\)`,
		}, []string{"X-Frame-Options"}},
		{"not found", PageNotFound, 404, PageOptions{}, map[string]string{"Cache-Control": `^no-cache$`}, nil},
	}
	s := site(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			s.ServePage(w, get("http://video.test:8080/"), tt.page, tt.status, tt.o)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), string(tt.page)) {
				t.Fatalf("got %d %q", w.Code, w.Body)
			}
			for name, pattern := range tt.want {
				if got := w.Header().Get(name); !regexp.MustCompile(pattern).MatchString(got) {
					t.Errorf("%s: got %q, want %s", name, got, pattern)
				}
			}
			for _, name := range tt.absent {
				if got := w.Header().Get(name); got != "" {
					t.Errorf("%s: got %q, want none", name, got)
				}
			}
		})
	}
}

func TestPolicyHost(t *testing.T) {
	tests := []struct{ host, want string }{
		{"video.test:8080", "connect-src 'self' ws://video.test:8080 wss://video.test:8080;"},
		{"[2001:db8::7]:8080", "connect-src 'self' ws://[2001:db8::7]:8080 wss://[2001:db8::7]:8080;"},
		{"", "connect-src 'self';"},
		{"a;script-src *", "connect-src 'self';"},
		{"a,b", "connect-src 'self';"},
		{"a b", "connect-src 'self';"},
		{"a\u212a", "connect-src 'self';"},
	}
	for _, tt := range tests {
		got := policy(tt.host, PageOptions{})
		if !strings.Contains(got, tt.want) {
			t.Errorf("%q: got %s", tt.host, got)
		}
		if strings.Contains(got, "unsafe") || strings.Contains(got, "http") {
			t.Errorf("%q: too wide: %s", tt.host, got)
		}
	}
}

func TestServeAsset(t *testing.T) {
	s := site(t)
	tests := []struct {
		path, cache, kind string
		found             bool
	}{
		{"/assets/watch-abc.js", "public, max-age=31536000, immutable", "text/javascript; charset=utf-8", true},
		{"/favicon.svg", "no-cache", "image/svg+xml", true},
		{"/assets/watch-other.js", "", "", false},
		{"/watch.html", "", "", false}, // pages have their own way, with their own policy
		{"/assets/", "", "", false},
		{"/../web.go", "", "", false},
		{"/", "", "", false},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		r := get("/")
		r.URL.Path = tt.path
		if found := s.ServeAsset(w, r); found != tt.found {
			t.Errorf("%s: found %v", tt.path, found)
		}
		if !tt.found {
			if len(w.Header()) > 0 || w.Body.Len() > 0 {
				t.Errorf("%s: something was written", tt.path)
			}
			continue
		}
		if got := w.Header().Get("Cache-Control"); got != tt.cache {
			t.Errorf("%s: Cache-Control %q", tt.path, got)
		}
		if got := w.Header().Get("Content-Type"); got != tt.kind {
			t.Errorf("%s: Content-Type %q", tt.path, got)
		}
	}
	if got := len(s.AssetPaths()); got != 2 {
		t.Errorf("AssetPaths: %d", got)
	}
}

func TestRevalidation(t *testing.T) {
	s := site(t)
	tests := []struct {
		name, accept string
	}{{"plain", ""}, {"gzip", "gzip"}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			s.ServeAsset(w, get("/assets/watch-abc.js", "Accept-Encoding", tt.accept))
			etag := w.Header().Get("Etag")
			for _, header := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
				w = httptest.NewRecorder()
				s.ServeAsset(w, get("/assets/watch-abc.js", "Accept-Encoding", tt.accept, "If-None-Match", header))
				if w.Code != http.StatusNotModified || w.Body.Len() > 0 {
					t.Errorf("%s: got %d with %d bytes", header, w.Code, w.Body.Len())
				}
			}
			w = httptest.NewRecorder()
			s.ServeAsset(w, get("/assets/watch-abc.js", "If-None-Match", `"other"`))
			if w.Code != http.StatusOK {
				t.Errorf("another tag: got %d", w.Code)
			}
		})
	}
}

func TestNotFoundIsNeverNotModified(t *testing.T) {
	w := httptest.NewRecorder()
	site(t).ServePage(w, get("/x", "If-None-Match", "*"), PageNotFound, http.StatusNotFound, PageOptions{})
	if w.Code != http.StatusNotFound {
		t.Errorf("got %d", w.Code)
	}
}

func TestGzip(t *testing.T) {
	tests := []struct {
		accept string
		want   bool
	}{
		{"gzip", true}, {"br, GZIP;q=0.5", true}, {"gzip;q=0", false}, {"gzip; q=0.0", false},
		{"", false}, {"br", false}, {"gzip;q=x", false}, {"gzipped", false},
	}
	s := site(t)
	for _, tt := range tests {
		w := httptest.NewRecorder()
		s.ServeAsset(w, get("/assets/watch-abc.js", "Accept-Encoding", tt.accept))
		zipped := w.Header().Get("Content-Encoding") == "gzip"
		if zipped != tt.want {
			t.Errorf("%q: zipped %v", tt.accept, zipped)
		}
		var body io.Reader = w.Body
		if zipped {
			z, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		got, err := io.ReadAll(body)
		if err != nil || string(got) != string(built()["assets/watch-abc.js"].Data) {
			t.Errorf("%q: another body (%v)", tt.accept, err)
		}
		if w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: no Vary", tt.accept)
		}
	}
}

func TestHead(t *testing.T) {
	r := httptest.NewRequest(http.MethodHead, "/", nil)
	w := httptest.NewRecorder()
	site(t).ServePage(w, r, PageHome, http.StatusOK, PageOptions{})
	if w.Body.Len() > 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("got %d bytes, Content-Length %q", w.Body.Len(), w.Header().Get("Content-Length"))
	}
}

func TestMissingPage(t *testing.T) {
	files := built()
	delete(files, "watch.html")
	if _, err := newSite(files); err == nil || !strings.Contains(err.Error(), "watch.html is missing") {
		t.Errorf("got %v", err)
	}
}

// TestDist holds the committed build to what its headers promise.
func TestDist(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	inline := regexp.MustCompile(`<script(?:[^>]*)>[^<]|<style|\son\w+=|\sstyle=`)
	elsewhere := regexp.MustCompile(`(?:src|href)="(?:https?:)?//`)
	hashed := regexp.MustCompile(`^assets/[\w.-]+-[\w-]{8}\.\w+$`)
	for name, f := range s.files {
		if strings.HasSuffix(name, ".html") {
			if inline.Match(plain(t, s, name)) {
				t.Errorf("%s: inline code, which its policy forbids", name)
			}
			if elsewhere.Match(plain(t, s, name)) {
				t.Errorf("%s: something is loaded from another host", name)
			}
		}
		if f.hashed && !hashed.MatchString(name) {
			t.Errorf("%s: no hash in the name, but it would be cached for ever", name)
		}
		if f.contentType == "application/octet-stream" {
			t.Errorf("%s: unknown kind of file", name)
		}
	}
}

// plain is a file as it was built.
func plain(t *testing.T, s *Site, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	s.copyPlain(&b, s.files[name])
	return b.Bytes()
}

// TestFilesWorker: browsers ask for the service worker of received files by the same name for ever, so
// that it must never be cached without asking; as a classic script it can import nothing.
func TestFilesWorker(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if !s.ServeAsset(w, get("/files-worker.js")) {
		t.Fatal("there is none")
	}
	if cache := w.Header().Get("Cache-Control"); cache != "no-cache" {
		t.Errorf("it is cached: %s", cache)
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'") {
		t.Errorf("its policy: %s", policy)
	}
	if body := plain(t, s, "files-worker.js"); regexp.MustCompile(`\b(import|export)\b`).Match(body) {
		t.Error("it imports or exports something")
	}
}

// TestWatchWeight keeps the watch page light: its scripts together stay far below 150 KB compressed.
func TestWatchWeight(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	const limit = 40 << 10
	total := 0
	refs := regexp.MustCompile(`(?:src|href)="/(assets/[^"]+\.js)"`)
	for _, m := range refs.FindAllSubmatch(plain(t, s, PageWatch.file()), -1) {
		f, ok := s.files[string(m[1])]
		if !ok {
			t.Fatalf("%s is missing", m[1])
		}
		if f.zipped != nil {
			total += len(f.zipped)
		} else {
			total += f.size
		}
	}
	if total == 0 || total > limit {
		t.Errorf("%d bytes of compressed script, limit %d", total, limit)
	}
}
