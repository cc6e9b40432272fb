// Package web holds the pages of Fanfare, built from web/src into web/dist, and serves them
// with the headers that keep them safe: a strict Content-Security-Policy without inline
// code (CSP level 3), no referrer, camera and microphone for the studio alone.
//
// It owns the bytes and their headers. It never decides who may see what: routes, access and
// rate limits belong to package signalling, which calls it.
//
// Caching follows RFC 9111 and RFC 9110 section 8.8: files with a hash in their name never
// change; all others are asked for again each time and answered by 304 when they are the same.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// Page names one of the pages.
type Page string

// The pages.
const (
	PageHome     Page = "home"
	PageStudio   Page = "studio"
	PageWatch    Page = "watch"
	PageSend     Page = "send"
	PageReceive  Page = "receive"
	PageCompare  Page = "compare"
	PageNotFound Page = "notfound"
)

// PageOptions says what differs between two answers with the same page.
type PageOptions struct {
	// Embed lets every other site show the page in a frame. Without it no site can.
	Embed bool
}

// Site serves the pages and their assets from memory. It is immutable, so safe for concurrent use.
type Site struct {
	root  fs.FS
	files map[string]file // by path below dist, for example "assets/watch-1a2b3c4d.js"
}

// file is one built file, ready to be sent.
type file struct {
	name        string
	size        int
	zipped      []byte // nil where it would save nothing
	contentType string
	etag        string // without quotes
	hashed      bool   // the name changes with the content
}

// New reads the embedded files and compresses them once.
func New() (*Site, error) {
	root, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("open the embedded pages: %w", err)
	}
	return newSite(root)
}

func newSite(root fs.FS) (*Site, error) {
	s := &Site{root: root, files: make(map[string]file)}
	z, err := gzip.NewWriterLevel(nil, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("compress the embedded pages: %w", err)
	}
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		s.files[name], err = newFile(name, body, z)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the embedded pages: %w", err)
	}
	for _, p := range []Page{PageHome, PageStudio, PageWatch, PageSend, PageReceive, PageCompare, PageNotFound} {
		if _, ok := s.files[p.file()]; !ok {
			return nil, fmt.Errorf("read the embedded pages: %s is missing; run npm --prefix web run build", p.file())
		}
	}
	return s, nil
}

// newFile compresses a file by z.
func newFile(name string, body []byte, z *gzip.Writer) (file, error) {
	sum := sha256.Sum256(body)
	f := file{
		name:        name,
		size:        len(body),
		contentType: contentType(name),
		etag:        base64.RawURLEncoding.EncodeToString(sum[:12]),
		hashed:      strings.HasPrefix(name, "assets/"),
	}
	var b bytes.Buffer
	z.Reset(&b)
	if _, err := z.Write(body); err != nil {
		return file{}, err
	}
	if err := z.Close(); err != nil {
		return file{}, err
	}
	if b.Len() < len(body)*9/10 {
		f.zipped = bytes.Clone(b.Bytes())
	}
	return f, nil
}

// contentType is a table of our own: the one of package mime depends on the machine.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".json", ".webmanifest":
		return "application/json"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".wasm":
		return "application/wasm"
	default:
		return "application/octet-stream"
	}
}

func (p Page) file() string { return string(p) + ".html" }

// ServePage answers a GET or HEAD with the page under the given status (200, or 404 for
// PageNotFound). An unknown page is a programming error and panics.
func (s *Site) ServePage(w http.ResponseWriter, r *http.Request, p Page, status int, o PageOptions) {
	f, ok := s.files[p.file()]
	if !ok {
		panic("web: no page " + strconv.Quote(string(p)))
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy(r.Host, o))
	h.Set("Permissions-Policy", permissions(p))
	if !o.Embed {
		h.Set("X-Frame-Options", "DENY") // for those who do not read frame-ancestors
	}
	s.serve(f, w, r, status)
}

// ServeAsset answers a GET or HEAD for a built file (/assets/…, /favicon.svg) and tells whether
// there is one at the request's path. When it returns false nothing has been written.
func (s *Site) ServeAsset(w http.ResponseWriter, r *http.Request) bool {
	name := strings.TrimPrefix(r.URL.Path, "/")
	f, ok := s.files[name]
	if !ok || strings.HasSuffix(name, ".html") {
		return false
	}
	// An SVG that is opened by itself is a document: it gets no rights at all.
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	if strings.HasSuffix(name, ".js") {
		// A worker's script brings the worker's own policy.
		w.Header().Set("Content-Security-Policy", policy(r.Host, PageOptions{}))
	}
	s.serve(f, w, r, http.StatusOK)
	return true
}

// AssetPaths lists the URL paths that ServeAsset answers, so that they can be routed.
func (s *Site) AssetPaths() []string {
	var out []string
	for name := range s.files {
		if !strings.HasSuffix(name, ".html") {
			out = append(out, "/"+name)
		}
	}
	return out
}

func (s *Site) serve(f file, w http.ResponseWriter, r *http.Request, status int) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Vary", "Accept-Encoding")
	if f.hashed {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	zipped, etag := f.zipped != nil && acceptsGzip(r.Header.Get("Accept-Encoding")), f.etag
	if zipped {
		etag += "-gz"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+etag+`"`)
	if status == http.StatusOK && noneMatch(r.Header.Get("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	size := f.size
	if zipped {
		size = len(f.zipped)
	}
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Length", strconv.Itoa(size))
	w.WriteHeader(status)
	// The client may have gone away; there is nobody left to tell.
	switch {
	case r.Method == http.MethodHead:
	case zipped:
		_, _ = w.Write(f.zipped)
	default:
		s.copyPlain(w, f)
	}
}

// copyPlain sends a file as it was built. The program holds it already: another copy of all of them would be more
// than a megabyte.
func (s *Site) copyPlain(w io.Writer, f file) {
	plain, err := s.root.Open(f.name)
	if err != nil {
		panic("web: an embedded file is gone: " + err.Error())
	}
	defer plain.Close()
	_, _ = io.Copy(w, plain)
}

// acceptsGzip reads Accept-Encoding (RFC 9110 section 12.5.3) as far as gzip goes.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		name, value, _ := strings.Cut(strings.TrimSpace(params), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			return true
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		return err == nil && q > 0
	}
	return false
}

// noneMatch tells whether If-None-Match (RFC 9110 section 13.1.2, weak comparison) holds the tag.
func noneMatch(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == "*" || part == `"`+etag+`"` {
			return true
		}
	}
	return false
}
