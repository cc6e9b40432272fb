package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/compare/emulate"
)

// rangeSize is how much a receiver asks for at a time, as one that can go on after a break does.
const rangeSize = 4 << 20

// spool is the server: it keeps one file in memory, whole or not at all.
type spool struct {
	size int64

	mu      sync.Mutex
	content []byte
	whole   time.Time
}

func (s *spool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPut:
		content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.size))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		s.content, s.whole = content, time.Now()
		s.mu.Unlock()
		w.WriteHeader(http.StatusCreated)
	case http.MethodGet:
		s.mu.Lock()
		content := s.content
		s.mu.Unlock()
		http.ServeContent(w, r, "file", time.Time{}, bytes.NewReader(content))
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// client speaks HTTP from a machine.
func client(host *emulate.Host) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
		return host.DialStream(ctx, addr)
	}}}
}

// http sends the file to the server, and from there to everybody at once.
func (s *stage) http(ctx context.Context) error {
	kept := &spool{size: s.size}
	listener := s.server.ListenStream()
	server := &http.Server{Handler: kept, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		_ = server.Close()
		<-served
	}()
	url := "http://" + listener.Addr().String() + "/file"
	s.start()
	if err := s.upload(ctx, url); err != nil {
		return err
	}
	s.copies = 1
	s.legs = append(s.legs, kept.whole.Sub(s.begin).Seconds())
	errs := make(chan error, len(s.receivers))
	for _, r := range s.receivers {
		go func() { errs <- s.download(ctx, url, r) }()
	}
	var err error
	for range s.receivers {
		err = errors.Join(err, <-errs)
	}
	return err
}

func (s *stage) upload(ctx context.Context, url string) error {
	file, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer file.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, file)
	if err != nil {
		return err
	}
	req.ContentLength = s.size
	c := client(s.uploader)
	defer c.CloseIdleConnections()
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		return fmt.Errorf("the server answered %s", res.Status)
	}
	return nil
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
