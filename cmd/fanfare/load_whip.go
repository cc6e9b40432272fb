package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
)

type loadWhipCmd struct {
	URL      string        `arg:"" name:"url" help:"The link of a stream's page, or a WHIP endpoint."`
	Key      secret        `placeholder:"KEY" help:"Publish key or stream key: the key itself, @FILE to read it from, or - for standard input."`
	For      time.Duration `default:"0s" help:"How long. Default: until it is interrupted."`
	Bitrate  bitrate       `default:"2.4M" help:"Of the picture, in bits a second; k and M are understood."`
	KeyEvery time.Duration `default:"4s" help:"Time from one key frame to the next when nobody asks for one; 0s for never."`
	NoPLI    bool          `name:"no-pli" help:"Pay no attention to requests for key frames."`
	JSON     bool          `name:"json" help:"Write the figures at the end as JSON."`
}

// Help is shown under the flags.
func (*loadWhipCmd) Help() string {
	return `The stream is made for measuring: packets of the sizes and in the rhythm of a recorded browser, 1280 by 720 at 30 frames a second (VP8) and sound (Opus), about 320 packets a second. Each packet tells when it was sent, so that "fanfare load whep --client light" can tell the delay. Servers forward it like any other stream; there is nothing to see in it.

Examples:
  fanfare load whip http://127.0.0.1:8080/w/bench --key @key.txt
  fanfare load whip http://127.0.0.1:8080/w/bench --key @key.txt --key-every 10s --no-pli
      A publisher who gives a key frame every ten seconds and never when asked.`
}

// bitrate is bits a second, such as "2.4M", "600k" or "600000".
type bitrate float64

// UnmarshalText reads the flag.
func (r *bitrate) UnmarshalText(b []byte) error {
	text, factor := string(b), 1.0
	for unit, f := range map[string]float64{"k": 1e3, "M": 1e6} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			text, factor = number, f
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	if v *= factor; err != nil || v < 10_000 || v > 100e6 {
		return fmt.Errorf("%q is no bit rate such as 2.4M, between 10k and 100M", b)
	}
	*r = bitrate(v)
	return nil
}

// Run publishes until the time is over or the person ends it.
func (c *loadWhipCmd) Run(ctx context.Context, std stdio) error {
	key, err := c.Key.read(std.in)
	if err != nil {
		return err
	}
	address, err := endpoint.PublishAddress(c.URL, "")
	if err != nil {
		return usageError{err.Error()}
	}
	if key == "" {
		key = address.Key
	}
	status := newStatus(std.err)
	defer status.done()
	p, err := endpoint.NewSynthetic(endpoint.SyntheticConfig{
		URL: address.Endpoint, Bearer: key, Bitrate: float64(c.Bitrate), KeyEvery: c.KeyEvery, IgnorePLI: c.NoPLI,
		Log: slog.New(newPlainHandler(status)), OnLive: func() { status.say("Live.") },
	})
	if err != nil {
		return err
	}
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	if c.For > 0 {
		limited, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	stop := status.every(time.Second, func() string { return publishLine(p.Stats()) })
	err = p.Run(limited)
	stop()
	if err != nil && limited.Err() == nil {
		return publishError(err)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		status.say("Ended. " + publishLine(p.Stats()))
	}
	if c.JSON {
		return writeJSON(std, p.Stats())
	}
	return nil
}
