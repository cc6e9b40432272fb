// Command floor measures the least that a relay of encrypted media can cost in Go on this machine: each packet is sealed
// by AES-GCM under the key of its viewer and sent by UDP with segmentation offload (UDP_SEGMENT, many messages a call). There is no
// ring, no rewriting, no repair and no report: what a relay costs above this is its own.
//
// Two processes, so that only the sender's processor time counts. The reader prints the ports of its sockets, one a
// viewer, and in the end how much came; the sender reads that from its standard input:
//
//	taskset -c 1 floor -read -viewers 200 | taskset -c 0 floor -viewers 200 -batch 2.2
//
// It shares no code with the relay. Linux only.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	o := options{}
	read := flag.Bool("read", false, "be the reader")
	flag.IntVar(&o.viewers, "viewers", 200, "destinations")
	flag.Float64Var(&o.batch, "batch", 2.2, "packets a message, on average")
	flag.Float64Var(&o.rate, "rate", 321, "packets a second and viewer; 0 for as fast as it goes")
	flag.DurationVar(&o.during, "for", 5*time.Second, "how long to measure")
	flag.Parse()
	var err error
	switch {
	case o.viewers < 1 || o.viewers > 20_000 || o.batch < 1 || o.batch > maxBatch || o.rate < 0 || o.during <= 0:
		err = fmt.Errorf("cannot send %g packets a message to %d viewers", o.batch, o.viewers)
	case *read:
		err = receive(o, os.Stdout)
	default:
		var f figures
		if f, err = measure(o, os.Stdin); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(f)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

// options of one measurement.
type options struct {
	viewers int
	batch   float64
	rate    float64
	during  time.Duration
}

// figures is what the sender prints. Times are microseconds of processor time a packet.
type figures struct {
	Viewers   int     `json:"viewers"`
	Packets   uint64  `json:"packets"`
	MeanBatch float64 `json:"meanBatch"` // packets a message
	MeanBytes float64 `json:"meanBytes"` // of a datagram
	Seconds   float64 `json:"seconds"`
	User      float64 `json:"user"`
	System    float64 `json:"system"`
	Total     float64 `json:"total"`
	Lost      float64 `json:"lost"` // share that the reader did not get
}

// figuresOf does the arithmetic. received counts all packets, those of the warming-up too, as sent does.
func figuresOf(o options, w window, sent, received uint64) figures {
	f := figures{Viewers: o.viewers, Packets: w.packets, Seconds: w.took.Seconds()}
	if w.packets > 0 && w.messages > 0 {
		n := float64(w.packets)
		f.MeanBatch, f.MeanBytes = n/float64(w.messages), float64(w.bytes)/n
		f.User, f.System = float64(w.user.Microseconds())/n, float64(w.system.Microseconds())/n
		f.Total = f.User + f.System
	}
	if sent > received {
		f.Lost = float64(sent-received) / float64(sent)
	}
	return f
}

// window is what was sent while it was measured, and the processor time of that.
type window struct {
	packets, messages, bytes uint64
	user, system, took       time.Duration
}

// sub is what happened since an earlier window.
func (w window) sub(before window) window {
	return window{
		w.packets - before.packets, w.messages - before.messages, w.bytes - before.bytes,
		w.user - before.user, w.system - before.system, w.took - before.took,
	}
}
