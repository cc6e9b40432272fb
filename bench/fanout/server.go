package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The servers that are measured.
const (
	fanfare  = "Fanfare"
	baseline = "baseline"
)

// publishKey is good for the servers that the bench starts, on loopback, as long as it runs.
const publishKey = "bench-bench-bench"

// hung is how long a load client may take beyond what it was asked for.
const hung = 2 * time.Minute

// settled is how long a server and its publisher run before viewers come.
const settled = 2 * time.Second

// server is one that runs, with its publishers.
type server struct {
	*running
	peer, home, data string
	publishers       []*running
	bench            *bench
}

// startServer returns when the server has said where it is.
func (b *bench) startServer(ctx context.Context, peer string, cores []int) (*server, error) {
	data, err := os.MkdirTemp("", "fanfare-bench-")
	if err != nil {
		return nil, err
	}
	home := b.card.address() + ":0"
	exe, args := filepath.Join(b.bin, "baseline"), []string{"-listen", home, "-udp", home}
	if peer == fanfare {
		exe = b.exe
		args = []string{"serve", "--dev", "--listen", home, "--udp", home, "--data", data, "--publish-key", publishKey, "--log-level", "warn"}
	}
	cmd := command(ctx, cores, exe, args...)
	said, say := io.Pipe()
	cmd.Stdout = say
	p, err := begin(cores, cmd, b.card.startServer)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(data))
	}
	go func() { <-p.ended; _ = say.Close() }()
	s := &server{running: p, peer: peer, data: data, bench: b}
	lines := bufio.NewReader(said)
	s.home, err = readHome(lines)
	go func() { _, _ = io.Copy(io.Discard, lines) }() // ends with the server
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

var homeLine = regexp.MustCompile(`^\s*Home +(\S+)/$`)

// readHome finds the address in what a server says when it is ready.
func readHome(r *bufio.Reader) (string, error) {
	for {
		line, err := r.ReadString('\n')
		if m := homeLine.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			return m[1], nil
		}
		if err != nil {
			return "", fmt.Errorf("the server did not say where it is: %w", err)
		}
	}
}

// publish begins a stream of the given name.
func (s *server) publish(ctx context.Context, stream string, args ...string) error {
	args = append([]string{"load", "whip", s.home + "/w/" + stream, "--key", publishKey}, args...)
	p, err := begin(s.bench.client, command(ctx, s.bench.client, s.bench.exe, args...), s.bench.card.startClient)
	if err != nil {
		return err
	}
	s.publishers = append(s.publishers, p)
	return pause(ctx, settled)
}

// unpublish ends the streams. Their names stay known, so viewers can join and wait.
func (s *server) unpublish() error {
	var errs []error
	for _, p := range s.publishers {
		errs = append(errs, p.stop())
	}
	s.publishers = nil
	return errors.Join(errs...)
}

// load runs the load client and returns its report and how many cores it used. Viewers that fail are in the report; err is of a
// client that did not report.
func (s *server) load(ctx context.Context, cores []int, stream string, viewers int, ramp float64, steady time.Duration) (r loadReport, busy float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, joining(viewers, ramp)+steady+hung)
	defer cancel()
	var out bytes.Buffer
	cmd := command(ctx, cores, s.bench.exe, "load", "whep", s.home+"/w/"+stream, "--client", "light", "--json", "--pid", strconv.Itoa(s.pid()),
		"-n", strconv.Itoa(viewers), "--ramp", strconv.FormatFloat(ramp, 'f', 1, 64)+"/s", "--for", steady.String())
	if s.bench.card != nil {
		cmd.Args = append(cmd.Args, "--runs")
	}
	cmd.Stdout = &out
	began := time.Now()
	p, err := begin(cores, cmd, s.bench.card.startClient)
	if err != nil {
		return r, 0, err
	}
	if err := p.wait(); err != nil {
		return r, 0, err
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return r, used.Seconds() / time.Since(began).Seconds(), json.Unmarshal(out.Bytes(), &r)
}

// look asks the server for its figures; the baseline has none.
func (s *server) look(ctx context.Context) (metrics, error) {
	if s.peer != fanfare {
		return metrics{}, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.home+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	res, err := s.bench.card.http().Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return parseMetrics(res.Body)
}

// looking asks for the figures every two seconds until the returned function is called, which returns them. A server that is too
// busy to answer is asked again.
func (s *server) looking(ctx context.Context) (stop func() []metrics) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan []metrics, 1)
	go func() {
		var all []metrics
		for pause(ctx, 2*time.Second) == nil {
			if m, err := s.look(ctx); err == nil {
				all = append(all, m)
			}
		}
		done <- all
	}()
	return func() []metrics { cancel(); return <-done }
}

// stop ends the publishers and the server.
func (s *server) stop() error {
	return errors.Join(s.unpublish(), s.running.stop(), os.RemoveAll(s.data))
}

// pause waits; its error is that of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
