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
)

// floorLine is what sealing and sending alone cost, at the batch that Fanfare had with as many viewers.
type floorLine struct {
	Viewers   int     `json:"viewers"`
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

// floorSteps follow the ladder, whose batches they repeat.
func (b *bench) floorSteps() (steps []step) {
	for _, viewers := range []int{200, 400} {
		for range b.plan.turns {
			steps = append(steps, step{
				part: partFloor, name: fmt.Sprintf("%d viewers", viewers), takes: b.plan.floor + overhead/3,
				run: func(ctx context.Context, r *results) error {
					batch, known := r.batch(viewers)
					f, err := b.floor(ctx, viewers, batch)
					if err != nil {
						return err
					}
					f.Estimated = !known
					fmt.Fprintf(os.Stderr, "  %.2f us a packet at %.2f packets a message %s\n", f.Total, f.MeanBatch, f.void())
					r.Floors = append(r.Floors, f)
					return nil
				},
			})
		}
	}
	return steps
}

// floor runs the sender on the server's core and the reader on the clients'. A measurement that was disturbed is repeated once.
func (b *bench) floor(ctx context.Context, viewers int, batch float64) (f floorLine, err error) {
	for range 2 {
		if f, err = b.floorOnce(ctx, viewers, batch); err != nil || f.void() == "" {
			break
		}
	}
	return f, err
}

func (b *bench) floorOnce(ctx context.Context, viewers int, batch float64) (f floorLine, err error) {
	exe, n := filepath.Join(b.bin, "floor"), strconv.Itoa(viewers)
	before, err := look()
	if err != nil {
		return f, err
	}
	from, to, err := os.Pipe()
	if err != nil {
		return f, err
	}
	defer from.Close()
	reader := command(ctx, b.client, exe, "-read", "-viewers", n)
	reader.Stdout = to
	reading, err := begin(b.client, reader, startOn)
	_ = to.Close() // the reader has it now
	if err != nil {
		return f, err
	}
	var out bytes.Buffer
	sender := command(ctx, b.server, exe, "-viewers", n, "-batch", strconv.FormatFloat(batch, 'f', 3, 64), "-for", b.plan.floor.String())
	sender.Stdin, sender.Stdout = from, &out
	sending, err := begin(b.server, sender, startOn)
	if err != nil {
		return f, errors.Join(err, reading.stop())
	}
	if err := errors.Join(sending.wait(), reading.wait()); err != nil {
		return f, err
	}
	after, err := look()
	if err != nil {
		return f, err
	}
	f.Quiet = quietBetween(before, after, os.Getpid())
	return f, json.Unmarshal(out.Bytes(), &f)
}
