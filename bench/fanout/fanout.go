package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// benchStream is the stream of 720p30 at 2.4 Mbit/s with sound.
const benchStream = "bench"

// fanoutSteps climbs the ladder, in turns with the baseline, and with the floor.
func (b *bench) fanoutSteps() (steps []step) {
	for _, viewers := range b.plan.ladder {
		for range max(1, b.plan.repeated[viewers]) {
			steps = append(steps, b.fanoutStep(fanfare, viewers))
			if slices.Contains(b.plan.floors, viewers) {
				steps = append(steps, b.floorStep(partFloor, viewers, b.server, b.client,
					func(r *results) *[]floorLine { return &r.Floors }, func(r *results) []line { return r.Lines }))
			}
			if slices.Contains(b.plan.baseline, viewers) {
				steps = append(steps, b.fanoutStep(baseline, viewers))
			}
		}
	}
	return steps
}

func (b *bench) fanoutStep(peer string, viewers int) step {
	return b.ladderStep(partFanout, peer, viewers, func(r *results) *[]line { return &r.Lines })
}

// cardSteps climb the ladder as behind a network card: what is sent costs its receivers' core what receiving costs. Loopback has the sender do both.
func (b *bench) cardSteps() (steps []step) {
	for i, viewers := range b.plan.card {
		peers := []string{fanfare}
		if i == 0 {
			peers = append(peers, baseline)
		}
		for _, peer := range peers {
			steps = append(steps, b.ladderStep(partCard, peer, viewers, func(r *results) *[]line { return &r.Card }))
		}
	}
	return steps
}

// ladderStep measures a server with so many viewers, unless it did not hold fewer.
func (b *bench) ladderStep(part, peer string, viewers int, lines func(*results) *[]line) step {
	return step{
		part: part, name: fmt.Sprintf("%s, %d viewers", peer, viewers), takes: takes(viewers, part == partCard, b.plan.steady),
		run: func(ctx context.Context, r *results) error {
			into := lines(r)
			if n := brokeAt(*into, peer); n > 0 && n < viewers {
				fmt.Fprintf(os.Stderr, "  left out: it did not hold %d\n", n)
				return nil
			}
			l, err := b.load(ctx, peer, viewers, b.server, b.client, b.plan.steady)
			if err != nil {
				return err
			}
			fmt.Fprintln(os.Stderr, " ", l.text())
			*into = append(*into, l)
			return nil
		},
	}
}

// coresSteps measures the server on two cores, in turns with half of the viewers on one: a core has as many, since the price of a packet depends on
// that (the floor's as well), and where clients have no cores of their own it has their clients. The floor in the same turns, with two senders
// there, tells how much dearer a packet becomes where nothing is shared but the machine.
func (b *bench) coresSteps() (steps []step) {
	clientsOf := func(cores []int) []int {
		if len(b.apart) == 0 {
			return cores
		}
		return b.apart
	}
	at := func(cores []int, viewers int) step {
		return step{
			part: partCores, name: fmt.Sprintf("%s, %d viewers on %d", fanfare, viewers, len(cores)), takes: takes(viewers, false, b.plan.steady),
			run: func(ctx context.Context, r *results) error {
				l, err := b.load(ctx, fanfare, viewers, cores, clientsOf(cores), b.plan.steady)
				if err != nil {
					return err
				}
				fmt.Fprintln(os.Stderr, " ", l.text())
				r.Cores = append(r.Cores, l)
				return nil
			},
		}
	}
	floor := func(cores []int) step {
		return b.floorStep(partCores, b.plan.coresViewers, cores, clientsOf(cores),
			func(r *results) *[]floorLine { return &r.CoreFloors }, func(r *results) []line { return r.Cores })
	}
	for range b.plan.turns {
		steps = append(steps, at(b.server, b.plan.coresViewers), at(b.both, 2*b.plan.coresViewers), floor(b.server), floor(b.both))
	}
	return steps
}

// historyFull is how long a stream must be there until its history is what it will be. That is the stream's memory, whoever watches.
const historyFull = 15 * time.Second

// memorySteps lets viewers stay for a while, in turns with the baseline.
func (b *bench) memorySteps() (steps []step) {
	for _, of := range []struct {
		peer    string
		viewers int
	}{{fanfare, b.plan.memoryViewers}, {baseline, b.plan.memoryBaseline}} {
		if of.viewers == 0 {
			continue
		}
		steps = append(steps, step{
			part: partMemory, name: fmt.Sprintf("%s, %d viewers for %v", of.peer, of.viewers, b.plan.memoryFor), takes: historyFull + takes(of.viewers, false, b.plan.memoryFor),
			run: func(ctx context.Context, r *results) error {
				l, err := b.loadAfter(ctx, historyFull, of.peer, of.viewers, b.server, b.client, b.plan.memoryFor)
				if err != nil {
					return err
				}
				fmt.Fprintf(os.Stderr, "  %s: %.1f KiB a viewer\n", of.peer, kib(l))
				r.Memory = append(r.Memory, l)
				return nil
			},
		})
	}
	return steps
}

// kib is memory a viewer.
func kib(l line) float64 { return float64(l.Report.Server.RSSPerViewer) / 1024 }
