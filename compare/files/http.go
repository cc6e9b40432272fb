package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/fanfare-relay/fanfare/compare/emulate"
)

// rangeSize is how much a receiver asks for at a time, as one that can go on after a break does.
const rangeSize = 4 << 20

// client speaks HTTP from a machine.
func client(host *emulate.Host) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
		return host.DialStream(ctx, addr)
	}}}
}

// http puts the file into the server's memory, and from there everybody fetches it at once by the address that the server gave
// (docs/PROTOCOL.md, section 2.6).
func (s *stage) http(ctx context.Context) (err error) {
	server, err := openServer(filepath.Join(s.dir, "server"), s.server, s.size)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.close()) }()
	s.start()
	address, err := s.upload(ctx, server)
	if err != nil {
		return err
	}
	s.copies = 1
	s.legs = append(s.legs, time.Since(s.begin).Seconds())
	errs := make(chan error, len(s.receivers))
	for _, r := range s.receivers {
		go func() { errs <- s.download(ctx, address, r) }()
	}
	for range s.receivers {
		err = errors.Join(err, <-errs)
	}
	return err
}

// upload returns the address from which the file can be had.
func (s *stage) upload(ctx context.Context, server *server) (address string, err error) {
	file, err := os.Open(s.path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.url+"/spool", file)
	if err != nil {
		return "", err
	}
	req.ContentLength = s.size
	req.Header.Set("Authorization", "Bearer "+server.key)
	c := client(s.uploader)
	defer c.CloseIdleConnections()
	res, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("the server answered %s", res.Status)
	}
	at, err := res.Location()
	if err != nil {
		return "", err
	}
	return at.String(), nil
}

// download fetches everything by ranges, one after another on one connection.
func (s *stage) download(ctx context.Context, url string, r *receiver) error {
	c := client(r.host)
	defer c.CloseIdleConnections()
	for from := int64(0); from < s.size; {
		n, err := fetchRange(ctx, c, url, from, min(from+rangeSize, s.size)-1)
		from += n
		r.mu.Lock()
		r.held = from
		r.mu.Unlock()
		if err != nil {
			return err
		}
	}
	r.finished(time.Now())
	return nil
}

// fetchRange gets the bytes from one to another, both included.
func fetchRange(ctx context.Context, c *http.Client, url string, from, to int64) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, to))
	res, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusPartialContent {
		return 0, fmt.Errorf("the server answered %s", res.Status)
	}
	n, err := io.Copy(io.Discard, res.Body)
	if err == nil && n != to-from+1 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
