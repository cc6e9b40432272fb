package endpoint

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Address is where a stream is published or viewed, understood from what a person typed.
type Address struct {
	// Endpoint is the WHIP or WHEP URL.
	Endpoint string
	// Page is the link of the stream's page, "" when the server is not known to have one.
	Page string
	// Stream is its name, "" for endpoints of foreign shape.
	Stream string
	// Key is a key found in the fragment ("#key=…" of the address that the server prints).
	Key string
}

// The last but one part of the paths that a server of ours has.
const (
	pathWHIP = "whip"
	pathWHEP = "whep"
	pathPage = "w"
)

// ErrNoStream: the address names a server, and no stream was named beside it.
var ErrNoStream = errors.New("the address names a server, not a stream")

// PublishAddress understands a page link (/w/NAME), a server, or a WHIP endpoint. The stream, where given,
// names the stream on that server.
func PublishAddress(raw, stream string) (Address, error) {
	return address(raw, stream, pathWHIP)
}

// ViewAddress does the same for WHEP.
func ViewAddress(raw, stream string) (Address, error) {
	return address(raw, stream, pathWHEP)
}

func address(raw, stream, want string) (Address, error) {
	u, err := parseServer(raw)
	if err != nil {
		return Address{}, err
	}
	a := Address{Stream: stream, Key: fragmentKey(u.Fragment)}
	u.Fragment, u.RawFragment = "", ""
	base, kind, name := splitPath(u.Path)
	switch {
	case kind == "": // a server; its studio counts as the server
		if stream == "" {
			return a, ErrNoStream
		}
	case kind == "other":
		a.Endpoint = u.String()
		return a, nil
	case stream == "":
		a.Stream = name
	}
	u.RawQuery = ""
	u.Path, u.RawPath = base, ""
	a.Endpoint = u.JoinPath(want, a.Stream).String()
	a.Page = u.JoinPath(pathPage, a.Stream).String()
	return a, nil
}

func parseServer(raw string) (*url.URL, error) {
	raw = strings.TrimSpace(raw)
	if raw != "" && !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no address of a server (http:// or https://)", raw)
	}
	return u, nil
}

// splitPath takes a path apart: what stands before, the kind of resource ("" for the server itself, "other"
// for paths of foreign shape), and the stream's name.
func splitPath(path string) (base, kind, name string) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	n := len(parts)
	last := parts[n-1]
	switch {
	case last == "":
		return "/", "", ""
	case last == "studio":
		return "/" + strings.Join(parts[:n-1], "/"), "", ""
	case n < 2:
		return "", "other", ""
	}
	switch parts[n-2] {
	case pathWHIP, pathWHEP, pathPage:
		return "/" + strings.Join(parts[:n-2], "/"), parts[n-2], last
	}
	return "", "other", ""
}

func fragmentKey(fragment string) string {
	v, err := url.ParseQuery(fragment)
	if err != nil {
		return ""
	}
	return v.Get("key")
}
