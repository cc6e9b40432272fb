// Command fanout measures what a delivered packet, a join and a viewer cost the server: Fanfare in turns with
// the baseline (bench/baseline) and the floor (bench/floor), each server on a core of its own, the load
// client on another. It writes its section of docs/BENCHMARKS.md, and everything that it saw as JSON.
//
// It owns the order of the measurements, the pinning of processes, the judging of a line (does the server hold, was the machine
// quiet) and the arithmetic of ratios. Viewers and their figures are `fanfare load whep`. It knows nothing of
// the insides of what it measures. Linux only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fanfare-relay/fanfare/bench/page"
)

func main() {
	var c config
	flag.BoolVar(&c.quick, "quick", false, "a few points only, about five minutes")
	flag.StringVar(&c.only, "only", "", "some parts, with commas between: "+strings.Join(parts, ", "))
	flag.StringVar(&c.fanfare, "fanfare", "", "a program to measure instead of one that is built now")
	flag.StringVar(&c.raw, "raw", "dist/bench", "folder for the programs and what was seen as JSON")
	flag.StringVar(&c.page, "page", "", "page to write; default docs/BENCHMARKS.md after a whole run, none with -quick or -only")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, c)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type config struct {
	quick              bool
	only, fanfare, raw string
	page               string
}

// parts are what can be run alone.
var parts = []string{partFanout, partFloor, partCard, partJoins, partMemory, partCores}

const (
	partFanout = "fanout"
	partFloor  = "floor"
	partCard   = "card"
	partJoins  = "joins"
	partMemory = "memory"
	partCores  = "cores"
)

const defaultPage = "docs/BENCHMARKS.md"

var (
	errPart   = errors.New("there is no such part")
	errMissed = errors.New("promises that were not kept")
)

func run(ctx context.Context, c config) error {
	for part := range strings.SplitSeq(c.only, ",") {
		if c.only != "" && !slices.Contains(parts, part) {
			return fmt.Errorf("%w: %q; there are %s", errPart, part, strings.Join(parts, ", "))
		}
	}
	if c.page == "" && !c.quick && c.only == "" {
		c.page = defaultPage
	}
	b, err := newBench(ctx, c)
	if err != nil {
		return err
	}
	r := results{Started: time.Now(), Command: commandLine(c), Only: c.only, Machine: page.Machine(ctx)}
	err = b.measure(ctx, &r)
	r.Seconds = time.Since(r.Started).Seconds()
	file := filepath.Join(c.raw, r.Started.UTC().Format("20060102-150405")+".json")
	if saved := r.save(file); saved != nil {
		return errors.Join(err, saved)
	}
	text := r.markdown()
	fmt.Print(text)
	fmt.Fprintln(os.Stderr, "All that was seen is in", file)
	if err != nil {
		return err
	}
	if c.page != "" {
		if err := page.Write(c.page, "bench", text); err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, "Written to", c.page)
	}
	if missed := r.missed(); missed != nil {
		return fmt.Errorf("%w: %s", errMissed, strings.Join(missed, "; "))
	}
	return nil
}

// commandLine is what a reader types for the same.
func commandLine(c config) string {
	var flags []string
	if c.quick {
		flags = append(flags, "-quick")
	}
	if c.only != "" {
		flags = append(flags, "-only "+c.only)
	}
	if flags == nil {
		return "make bench"
	}
	return "make bench BENCH='" + strings.Join(flags, " ") + "'"
}
