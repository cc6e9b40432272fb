package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
)

type loadWhipCmd struct {
	URL        string        `arg:"" name:"url" help:"The link of a stream's page, or a WHIP endpoint. {n} in it stands for the number of the publisher."`
	Publishers int           `short:"n" name:"publishers" default:"1" placeholder:"N" help:"Publishers, each of a stream of its own. Where the link has no {n}, the first publishes NAME-1, and so on."`
	Key        secret        `aliases:"token" placeholder:"KEY" help:"Publish key or stream key, or the token that another server wants (--token is the same): itself, @FILE to read it from, or - for standard input."`
	For        time.Duration `default:"0s" help:"How long once all are live. Default: until it is interrupted."`
	Ramp       perSecond     `default:"25/s" help:"How fast they begin."`
	Bitrate    bitrate       `default:"2.4M" help:"Of each picture, in bits a second; k and M are understood."`
	KeyEvery   time.Duration `default:"4s" help:"Time from one key frame to the next when nobody asks for one; 0s for never."`
	NoPLI      bool          `name:"no-pli" help:"Pay no attention to requests for key frames."`
	PID        int           `name:"pid" placeholder:"PID" help:"Process of the server on this machine: tells its processor time and memory (Linux)."`
	JSON       bool          `name:"json" help:"Write the report as JSON."`
}

// Help is shown under the flags.
func (*loadWhipCmd) Help() string {
	return `The streams are made for measuring: packets of the sizes and in the rhythm of a recorded browser, 1280 by 720 at 30 frames a second (VP8) and sound (Opus), about 320 packets a second. Each packet tells when it was sent, so that "fanfare load whep --client light" can tell the delay. Servers forward it like any other stream, and may be any that speaks WHIP; there is nothing to see in it.

Examples:
  fanfare load whip http://127.0.0.1:8080/w/bench --key @key.txt
  fanfare load whip http://127.0.0.1:8080/w/bench --key @key.txt -n 10 --for 30s --pid $(pidof fanfare)
      Ten streams, bench-1 to bench-10, and what they cost the server.
  fanfare load whip http://127.0.0.1:8889/bench{n}/whip --token secret -n 3 --for 30s
      Another server's.
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
	if v *= factor; err != nil || !(v >= 10_000 && v <= 100e6) { // not a number is neither
		return fmt.Errorf("%q is no bit rate such as 2.4M, between 10k and 100M", b)
	}
	*r = bitrate(v)
	return nil
}

// mostPublishers is as many as one process can be.
const mostPublishers = 1000

// Run publishes until the time is over or the person ends it.
func (c *loadWhipCmd) Run(ctx context.Context, std stdio) error {
	if err := c.check(); err != nil {
		return err
	}
	key, err := c.Key.read(std.in)
	if err != nil {
		return err
	}
	meter, err := newMeter(c.PID)
	if err != nil {
		return err
	}
	st := newStatus(std.err)
	defer st.done()
	p := &publishers{status: st, meter: meter, self: ownMeter()}
	for i := range c.Publishers {
		one, err := c.publisher(i, key, st)
		if err != nil {
			return err
		}
		p.list = append(p.list, one)
	}
	r, err := p.run(ctx, c.For, c.Ramp.gap())
	if err != nil {
		return publishError(err)
	}
	st.done()
	if c.JSON {
		return writeJSON(std, r)
	}
	_, err = fmt.Fprint(std.out, r.text())
	return err
}

// publisher prepares the one of a number from 0 on.
func (c *loadWhipCmd) publisher(i int, key string, st *status) (*publisher, error) {
	address, err := endpoint.PublishAddress(numbered(c.URL, i+1, c.Publishers), "")
	if err != nil {
		return nil, usageError{err.Error()}
	}
	if key == "" {
		key = address.Key
	}
	p := &publisher{live: make(chan struct{}), ended: make(chan struct{})}
	p.Synthetic, err = endpoint.NewSynthetic(endpoint.SyntheticConfig{
		URL: address.Endpoint, Bearer: key, Bitrate: float64(c.Bitrate), KeyEvery: c.KeyEvery, IgnorePLI: c.NoPLI,
		Log: slog.New(newPlainHandler(st)), OnLive: func() {
			p.joined = time.Since(p.begun)
			if c.Publishers == 1 {
				st.say("Live.")
			}
			close(p.live)
		},
	})
	return p, err
}

// numbered is the link of one of several streams: its number stands for {n}, or behind the stream's name, which other servers have
// before a last part "whip" or "whep".
func numbered(link string, i, of int) string {
	number := strconv.Itoa(i)
	if strings.Contains(link, "{n}") {
		return strings.ReplaceAll(link, "{n}", number)
	}
	if of == 1 {
		return link
	}
	path, rest := link, ""
	if at := strings.IndexAny(link, "?#"); at >= 0 {
		path, rest = link[:at], link[at:]
	}
	path = strings.TrimSuffix(path, "/")
	for _, last := range []string{"/whip", "/whep"} {
		if base, ok := strings.CutSuffix(path, last); ok {
			return base + "-" + number + last + rest
		}
	}
	return path + "-" + number + rest
}
