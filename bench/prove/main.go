// Command prove runs the long measurements and writes its section of docs/BENCHMARKS.md.
//
// Each experiment is a command that anyone can run; the page shows it beside its figures. The
// program measures nothing itself. It exits with 1 when a figure misses what is promised,
// after the page is written.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/bench/page"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	fanfare := flag.String("fanfare", "bin/fanfare", "the program to measure")
	out := flag.String("out", "docs/BENCHMARKS.md", "the page to write")
	only := flag.String("only", "", "run the experiments whose title contains this, and write no page")
	flag.Parse()
	err := prove(ctx, *fanfare, *out, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "prove:", err)
		os.Exit(1)
	}
}

// errMissed tells that all went well but for a figure, which is not as promised.
var errMissed = errors.New("a figure is not as promised")

func prove(ctx context.Context, fanfare, out, only string) error {
	fanfare, err := filepath.Abs(fanfare)
	if err != nil {
		return err
	}
	p := document{machine: page.Machine(ctx), started: time.Now()}
	for _, e := range slices.Concat(experiments, meshExperiments, browserExperiments) {
		if !strings.Contains(strings.ToLower(e.title), strings.ToLower(only)) {
			continue
		}
		fmt.Fprintf(os.Stderr, "== %s\n   %s\n", e.title, e.command)
		figures, err := e.run(ctx, fanfare)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r := result{experiment: e, figures: figures, err: err}
		p.results = append(p.results, r)
		for _, f := range figures {
			fmt.Fprintf(os.Stderr, "   %s: %s%s\n", f.name, f.value, f.verdict())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "   failed:", err)
		}
	}
	if only == "" {
		if err := page.Write(out, "prove", p.markdown()); err != nil {
			return err
		}
	}
	if p.missed() {
		return errMissed
	}
	return nil
}

// output runs a command and returns what it printed, passing on its errors' text.
func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = os.Stderr
	b, err := cmd.Output()
	return string(b), err
}

// server is a fanfare that plays the demo on a free port.
type server struct {
	cmd *exec.Cmd
	url string
	dir string
}

// startServer returns when the server has said where it is. Its media port is any, unless flags say.
func startServer(ctx context.Context, fanfare string, flags ...string) (*server, error) {
	dir, err := os.MkdirTemp("", "fanfare-prove-")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir}
	args := []string{"serve", "--demo", "--dev", "--listen", "127.0.0.1:0", "--data", dir}
	if len(flags) == 0 {
		flags = []string{"--udp", "127.0.0.1:0"}
	}
	s.cmd = exec.CommandContext(ctx, fanfare, append(args, flags...)...)
	said, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if s.url, err = readHome(said); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	go func() { _, _ = io.Copy(io.Discard, said) }() // ends with the server
	return s, nil
}

func (s *server) stop() error {
	_ = s.cmd.Process.Signal(os.Interrupt)
	err := s.cmd.Wait()
	return errors.Join(err, os.RemoveAll(s.dir))
}
