package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// floorLine is what sealing and sending alone cost, at the batch that Fanfare had with as many viewers.
type floorLine struct {
	Viewers   int     `json:"viewers"`
	Cores     int     `json:"cores"` // and as many senders, each with viewers of its own
	MeanBatch float64 `json:"meanBatch"`
	MeanBytes float64 `json:"meanBytes"`
	User      float64 `json:"user"` // µs a packet
	System    float64 `json:"system"`
	Total     float64 `json:"total"`
	Lost      float64 `json:"lost"`
	Estimated bool    `json:"estimated"` // the batch is not from a measurement
	Quiet     quiet   `json:"quiet"`
}

// void tells why the line does not count, "" when it does.
func (f *floorLine) void() string {
	if f.Lost > 0.01 {
		return fmt.Sprintf("the reader lost %.1f %%", 100*f.Lost)
	}
	return f.Quiet.void()
}

// floorStep measures the floor with as many senders as the server has cores, each with so many viewers, at the batch that Fanfare's lines so far had.
func (b *bench) floorStep(part string, viewers int, server, client []int, lines func(*results) *[]floorLine, like func(*results) []line) step {
	return step{
		part: part, name: fmt.Sprintf("the floor, %d viewers on %d", len(server)*viewers, len(server)), takes: b.plan.floor + overhead/3,
		run: func(ctx context.Context, r *results) error {
			batch, known := meanBatchOf(like(r), viewers)
			f, err := b.floor(ctx, viewers, batch, server, client)
			if err != nil {
				return err
			}
			f.Estimated = !known
			fmt.Fprintf(os.Stderr, "  %.2f us a packet at %.2f packets a message %s\n", f.Total, f.MeanBatch, f.void())
			into := lines(r)
			*into = append(*into, f)
			return nil
		},
	}
}

// floor runs as many senders as the server has cores, on any of them, as the server's threads are, and their readers on the
// clients'. A measurement that was disturbed is repeated once.
func (b *bench) floor(ctx context.Context, viewers int, batch float64, server, client []int) (f floorLine, err error) {
	for range 2 {
		if f, err = b.floorOnce(ctx, viewers, batch, server, client); err != nil || f.void() == "" {
			break
		}
	}
	return f, err
}

func (b *bench) floorOnce(ctx context.Context, viewers int, batch float64, server, client []int) (floorLine, error) {
	before, err := look()
	if err != nil {
		return floorLine{}, err
	}
	lines, failed := make([]floorLine, len(server)), make([]error, len(server))
	var all sync.WaitGroup
	for i := range lines {
		all.Go(func() { lines[i], failed[i] = b.seal(ctx, viewers, batch, server, client) })
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		return floorLine{}, err
	}
	after, err := look()
	if err != nil {
		return floorLine{}, err
	}
	f := together(lines)
	f.Quiet = quietBetween(before, after, os.Getpid())
	return f, nil
}

// together is the mean of senders that sent as much as one another.
func together(lines []floorLine) (f floorLine) {
	n := float64(len(lines))
	for _, l := range lines {
		f.Viewers += l.Viewers
		f.Cores++
		f.MeanBatch += l.MeanBatch / n
		f.MeanBytes += l.MeanBytes / n
		f.User += l.User / n
		f.System += l.System / n
		f.Total += l.Total / n
		f.Lost += l.Lost / n
	}
	return f
}

// seal is one sender and its reader.
func (b *bench) seal(ctx context.Context, viewers int, batch float64, server, client []int) (f floorLine, err error) {
	exe, n := filepath.Join(b.bin, "floor"), strconv.Itoa(viewers)
	from, to, err := os.Pipe()
	if err != nil {
		return f, err
	}
	defer from.Close()
	reader := command(ctx, client, exe, "-read", "-viewers", n)
	reader.Stdout = to
	reading, err := begin(client, reader, startOn)
	_ = to.Close() // the reader has it now
	if err != nil {
		return f, err
	}
	var out bytes.Buffer
	sender := command(ctx, server, exe, "-viewers", n, "-batch", strconv.FormatFloat(batch, 'f', 3, 64), "-for", b.plan.floor.String())
	sender.Stdin, sender.Stdout = from, &out
	sending, err := begin(server, sender, startOn)
	if err != nil {
		return f, errors.Join(err, reading.stop())
	}
	if err := errors.Join(sending.wait(), reading.wait()); err != nil {
		return f, err
	}
	return f, json.Unmarshal(out.Bytes(), &f)
}
