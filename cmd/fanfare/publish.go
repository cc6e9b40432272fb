package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
)

type publishCmd struct {
	Files  []string `arg:"" name:"file" help:"WebM, MKV, MP4, MOV, IVF (with an .ogg of the same name beside it) or Ogg with Opus."`
	To     string   `required:"" placeholder:"URL" help:"Where to: a server, the link of a stream's page, or a WHIP endpoint."`
	Key    secret   `placeholder:"KEY" help:"Publish key or stream key: the key itself, @FILE to read it from, or - for standard input."`
	Stream string   `placeholder:"NAME" help:"Name of the stream on the server. Default: the one in the address, else one that nobody can guess."`
	Loop   bool     `help:"Begin again after the last file."`
}

// Help is shown under the flags.
func (*publishCmd) Help() string {
	return `Files are sent as they are, one after another: VP8, VP9, AV1, H.264 and Opus. Sound of other kinds,
such as AAC, is left out. When a viewer needs a key frame, the file moves on to the next one.

Examples:
  fanfare publish film.webm --to http://127.0.0.1:8080 --key @key.txt
  FANFARE_KEY=… fanfare publish a.mp4 b.mp4 --loop --to https://live.example.org/w/evening`
}

// Run publishes until the files end or ctx does.
func (c *publishCmd) Run(ctx context.Context, std stdio) error {
	address, key, err := c.address(std)
	if err != nil {
		return err
	}
	status := newStatus(std.err)
	defer status.done()
	cfg := endpoint.PublisherConfig{
		URL: address.Endpoint, Bearer: key, Loop: c.Loop,
		Log:   slog.New(newPlainHandler(status)),
		Notes: func(clip, note string) { status.say(clip + ": " + note) },
	}
	for _, f := range c.Files {
		clip := endpoint.FileClip(f)
		clip.Name = filepath.Base(f)
		cfg.Clips = append(cfg.Clips, clip)
	}
	told := false
	cfg.OnLive = func() {
		if address.Page != "" && !told {
			told = true
			fmt.Fprintln(std.out, "Watch at", address.Page)
		}
	}
	p, err := endpoint.NewPublisher(cfg)
	if err != nil {
		return err
	}
	stop := status.every(time.Second, func() string { return publishLine(p.Stats()) })
	err = p.Run(ctx)
	stop()
	if ctx.Err() != nil {
		err = nil // the person ended it
	}
	if err != nil {
		return publishError(err)
	}
	status.say("Ended. " + publishLine(p.Stats()))
	return nil
}

// address finds the endpoint and the key.
func (c *publishCmd) address(std stdio) (endpoint.Address, string, error) {
	key, err := c.Key.read(std.in)
	if err != nil {
		return endpoint.Address{}, "", err
	}
	a, err := endpoint.PublishAddress(c.To, c.Stream)
	if errors.Is(err, endpoint.ErrNoStream) {
		a, err = endpoint.PublishAddress(c.To, newStreamName())
	}
	if err != nil {
		return a, "", usageError{"--to: " + err.Error()}
	}
	if key == "" {
		key = a.Key
	}
	return a, key, nil
}

// newStreamName is a name that nobody can guess: 128 random bits.
func newStreamName() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails, says crypto/rand
	return base64.RawURLEncoding.EncodeToString(b)
}

func publishError(err error) error {
	switch {
	case errors.Is(err, endpoint.ErrUnauthorised):
		return fmt.Errorf("%w; give the key with --key or FANFARE_KEY", err)
	case errors.Is(err, endpoint.ErrNotFound):
		return fmt.Errorf("%w; --to takes a server, the link of a page, or a WHIP endpoint", err)
	default:
		return err
	}
}

// publishLine says in one line how it goes.
func publishLine(tracks []endpoint.OutboundStats) string {
	if len(tracks) == 0 {
		return "Connecting …"
	}
	var parts []string
	bytes := uint64(0)
	for _, t := range tracks {
		bytes += t.BytesSent
		if t.Kind == "video" {
			parts = append(parts, fmt.Sprintf("%d pictures (%s, %d key frames, %d asked for)", t.FramesSent, t.Codec, t.KeyFramesSent, t.PLICount))
		} else {
			parts = append(parts, fmt.Sprintf("%d packets of sound", t.PacketsSent))
		}
	}
	return "Sent " + strings.Join(append(parts, size(bytes)), ", ")
}

// size writes bytes for people.
func size(n uint64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	case n < 1000*1000*1000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	default:
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	}
}
