package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// bench is what all measurements share: the programs and who runs where.
type bench struct {
	plan plan
	only string
	// card is what lies between server and clients; nil: loopback.
	card   *card
	bin    string // folder of the programs
	exe    string // Fanfare
	server []int  // cores
	client []int
	both   []int // the server's when it has two
	apart  []int // the clients' then; none where there are no more than two
}

var errCores = errors.New("two cores are needed, one for the server and one for the clients")

func newBench(ctx context.Context, c config) (*bench, error) {
	cores, err := allowed()
	if err != nil {
		return nil, err
	}
	if len(cores) < 2 {
		return nil, errCores
	}
	b := &bench{plan: whole, only: c.only, server: cores[:1], client: cores[1:2], both: cores[:2], apart: cores[2:]}
	if c.quick {
		b.plan = quick
	}
	if b.bin, err = filepath.Abs(filepath.Join(c.raw, "bin")); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(b.bin, 0o755); err != nil {
		return nil, err
	}
	if err := b.build(ctx, c.fanfare); err != nil {
		return nil, err
	}
	return b, stayOn(b.client) // what the bench itself does must not disturb the server
}

// build makes the programs.
func (b *bench) build(ctx context.Context, fanfare string) (err error) {
	packages := []string{"./bench/baseline", "./bench/floor"}
	if b.exe = filepath.Join(b.bin, "fanfare"); fanfare == "" {
		packages = append(packages, "./cmd/fanfare")
	} else if b.exe, err = filepath.Abs(fanfare); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-o", b.bin + "/"}, packages...)...)
	build.Stderr = os.Stderr
	return build.Run()
}

// command prepares a program; where it runs is said when it starts. It is asked to end when ctx does.
func command(ctx context.Context, cores []int, exe string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(len(cores)))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	return cmd
}

// measure does one step after another and says how long it will still take.
func (b *bench) measure(ctx context.Context, r *results) error {
	steps := b.steps()
	for i, s := range steps {
		if !wanted(b.only, s.part) {
			continue
		}
		fmt.Fprintf(os.Stderr, "[%d of %d, about %v left] %s: %s\n", i+1, len(steps), b.left(steps[i:]).Round(5*time.Second), s.part, s.name)
		if err := b.take(ctx, s, r); err != nil {
			return fmt.Errorf("%s, %s: %w", s.part, s.name, err)
		}
	}
	return nil
}

// take does a step, those of partCard over a card.
func (b *bench) take(ctx context.Context, s step, r *results) error {
	if s.part != partCard {
		return s.run(ctx, r)
	}
	var err error
	if b.card, err = newCard(b.client); err != nil {
		fmt.Fprintln(os.Stderr, "  left out:", err)
		r.NoCard = err.Error()
		return nil
	}
	err = s.run(ctx, r)
	err = errors.Join(err, b.card.close())
	b.card = nil
	return err
}

// left is the time that these steps take, those left out by -only not counted.
func (b *bench) left(steps []step) (d time.Duration) {
	for _, s := range steps {
		if wanted(b.only, s.part) {
			d += s.takes
		}
	}
	return d
}

// wanted tells whether a part is in a list with commas; nothing stands for all.
func wanted(only, part string) bool {
	return only == "" || slices.Contains(strings.Split(only, ","), part)
}

// steps is the whole order.
func (b *bench) steps() []step {
	var all []step
	for _, part := range []func() []step{b.fanoutSteps, b.cardSteps, b.coresSteps, b.joinSteps, b.memorySteps} {
		all = append(all, part()...)
	}
	return all
}
