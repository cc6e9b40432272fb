package emulate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// dial connects two machines.
func dial(t *testing.T, from, to *Host) (near, far net.Conn) {
	t.Helper()
	l := to.ListenStream()
	taken := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		taken <- c
	}()
	near, err := from.DialStream(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far = <-taken
	_ = l.Close()
	return near, far
}

// TestStreamRate: bytes come whole and in order, a round trip after the call and then at the rate of the narrower line, which two streams
// of one machine share.
func TestStreamRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork(1)
		a := n.Host(Line{Delay: 10 * time.Millisecond, UpRate: 8e6})
		b := n.Host(Line{Delay: 15 * time.Millisecond})
		begin := time.Now()
		near, far := dial(t, a, b)
		other, otherFar := dial(t, a, b)
		if took := time.Since(begin); took != 100*time.Millisecond {
			t.Errorf("two calls took %v", took)
		}
		const size = 1448 * 500
		sent := bytes.Repeat([]byte("fanfare."), size/8)
		begin = time.Now()
		for _, c := range []net.Conn{near, other} {
			go func() {
				if _, err := c.Write(sent); err != nil {
					t.Error(err)
				}
				_ = c.Close()
			}()
		}
		for _, c := range []net.Conn{far, otherFar} {
			got, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		}
		if took := time.Since(begin); took != 1500*time.Millisecond+25*time.Millisecond { // at a megabyte a second
			t.Errorf("it took %v", took)
		}
		if a.Sent() != 1_500_000 || b.Sent() != 0 {
			t.Errorf("%d and %d bytes sent", a.Sent(), b.Sent())
		}
	})
}

// TestStreamWindow: who does not read stops who writes.
func TestStreamWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork(1)
		near, far := dial(t, n.Host(Line{}), n.Host(Line{}))
		written := make(chan int, 1)
		go func() {
			count, _ := near.Write(make([]byte, 2*window))
			written <- count
		}()
		synctest.Wait()
		if len(written) > 0 {
			t.Error("two windows were taken")
		}
		_ = near.Close()
		if count := <-written; count > window || count < window-segment {
			t.Errorf("%d bytes were taken", count)
		}
		if got, err := io.ReadAll(far); err != nil || len(got) > window {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

func TestStreamEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork(1)
		host := n.Host(Line{})
		near, far := dial(t, host, n.Host(Line{}))
		_ = far.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %v", err)
		}
		_ = far.SetReadDeadline(time.Time{})
		reading := make(chan error, 1)
		go func() {
			_, err := far.Read(make([]byte, 1))
			reading <- err
		}()
		synctest.Wait()
		_ = far.SetReadDeadline(time.Unix(1, 0)) // as net/http ends a read
		if err := <-reading; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a deadline that moved: %v", err)
		}
		_ = far.Close()
		if _, err := near.Write([]byte("x")); err == nil {
			t.Error("written to nobody")
		}
		if _, err := far.Read(make([]byte, 1)); err == nil {
			t.Error("read from a closed end")
		}
		if _, err := host.DialStream(t.Context(), "127.0.0.1:1"); !errors.Is(err, errRefused) {
			t.Errorf("a call to nobody: %v", err)
		}
		l := host.ListenStream()
		_ = l.Close()
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// TestStreamHTTP: net/http runs on it as it is, keeps its connections, and answers ranges.
func TestStreamHTTP(t *testing.T) {
	n := NewNetwork(1)
	l := n.Host(Line{Delay: time.Millisecond}).ListenStream()
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "file", time.Time{}, bytes.NewReader(content))
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	calls, host := 0, n.Host(Line{UpRate: 80e6})
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
		calls++
		return host.DialStream(ctx, addr)
	}}}
	for range 3 {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+l.Addr().String()+"/file", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Range", "bytes=10-999999")
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || !bytes.Equal(got, content[10:]) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
	client.CloseIdleConnections()
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	<-served
}
