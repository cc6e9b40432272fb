package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
	"github.com/fanfare-relay/fanfare/media/container"
)

type watchCmd struct {
	URL      string        `arg:"" name:"url" help:"The link of a stream's page, a WHEP endpoint, or a server (with --stream)."`
	Stream   string        `placeholder:"NAME" help:"Name of the stream, when the address is that of a server."`
	Password secret        `placeholder:"TEXT" help:"Password of the stream: itself, @FILE to read it from, or - for standard input."`
	Out      string        `placeholder:"FILE" help:"Record into this file: .webm for VP8, VP9 and AV1, .mp4 for H.264."`
	Stats    bool          `help:"Write the figures to standard output, one line of JSON a second."`
	For      time.Duration `placeholder:"TIME" help:"End after this time, such as 10s. Default: when interrupted."`
}

// Help is shown under the flags.
func (*watchCmd) Help() string {
	return `Examples:
  fanfare watch http://127.0.0.1:8080/w/demo
  fanfare watch https://live.example.org/w/evening --out evening.webm
  fanfare watch http://127.0.0.1:8080/w/demo --stats --for 10s`
}

// Run watches until ctx ends or the time is over.
func (c *watchCmd) Run(ctx context.Context, std stdio) error {
	address, err := endpoint.ViewAddress(c.URL, c.Stream)
	switch {
	case errors.Is(err, endpoint.ErrNoStream):
		return usageError{"this is the address of a server; name the stream with --stream, or give the link of its page"}
	case err != nil:
		return usageError{err.Error()}
	case c.Out != "" && container.FileFor(c.Out) == nil:
		return usageError{"--out: the name must end with .webm or .mp4"}
	}
	password, err := c.Password.read(std.in)
	if err != nil {
		return err
	}
	id, err := endpoint.NewIdentity()
	if err != nil {
		return err
	}
	status := newStatus(std.err)
	defer status.done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cfg := endpoint.ViewerConfig{URL: address.Endpoint, Bearer: password, Log: slog.New(newPlainHandler(status))}
	var rec *recorder
	if c.Out != "" {
		if rec, err = newRecorder(c.Out, status.say); err != nil {
			return err
		}
		cfg.OnFrame = func(f endpoint.Frame) {
			if err := rec.frame(f); err != nil {
				cancel(err)
			}
		}
	}
	return c.watch(ctx, endpoint.NewViewer(cfg, id), rec, status, std)
}

func (c *watchCmd) watch(ctx context.Context, v *endpoint.Viewer, rec *recorder, status *status, std stdio) error {
	limited, cancel := ctx, context.CancelFunc(func() {})
	if c.For > 0 {
		limited, cancel = context.WithTimeout(ctx, c.For)
	}
	defer cancel()
	stop := status.every(time.Second, func() string {
		if c.Stats {
			_ = writeJSON(std, watchFigures{time.Now().UnixMilli(), v.Timing().Milliseconds(), v.Stats()})
		}
		return watchLine(v)
	})
	err := v.Run(limited)
	stop()
	if c.Stats {
		if err := writeJSON(std, watchFigures{time.Now().UnixMilli(), v.Timing().Milliseconds(), v.Stats()}); err != nil {
			return err
		}
	}
	if rec != nil {
		if e := rec.close(); e != nil {
			return e
		}
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause // the recording failed
	}
	if limited.Err() == nil && (!errors.Is(err, endpoint.ErrEnded) || v.Timing().FirstPacket == 0) {
		return watchError(err)
	}
	status.say(watchLine(v))
	if limited.Err() == nil {
		status.say("Ended: " + endedBecause(err)) // the last frame has come, as after a film
		return nil
	}
	if v.Timing().FirstPacket == 0 && ctx.Err() == nil {
		return errNothingCame
	}
	return nil
}

var errNothingCame = errors.New("nothing came in all that time; is the stream live?")

// watchFigures is one line of --stats.
type watchFigures struct {
	Timestamp int64                       `json:"timestamp"` // ms since the epoch
	Join      endpoint.TimingMilliseconds `json:"join"`      // ms after the POST
	Tracks    []endpoint.InboundStats     `json:"tracks"`
}

func writeJSON(std stdio, v any) error { return json.NewEncoder(std.out).Encode(v) }

func watchError(err error) error {
	switch {
	case errors.Is(err, endpoint.ErrUnauthorised):
		return fmt.Errorf("%w; a password is given with --password", err)
	case errors.Is(err, endpoint.ErrNotFound):
		return fmt.Errorf("%w; check the link", err)
	default:
		return err
	}
}

// endedBecause is the server's own word on why a session was ended for good.
func endedBecause(err error) string {
	var refusal *endpoint.HTTPError
	if errors.As(err, &refusal) && refusal.Text != "" {
		return refusal.Text
	}
	return err.Error()
}

// watchLine says in one line how it goes.
func watchLine(v *endpoint.Viewer) string {
	tracks, timing := v.Stats(), v.Timing()
	if len(tracks) == 0 {
		if timing.Connected > 0 {
			return "Connected; the stream is not live yet"
		}
		return "Connecting …"
	}
	var parts []string
	bytes, lost := uint64(0), int64(0)
	for _, t := range tracks {
		bytes += t.BytesReceived
		lost += t.PacketsLost
		if t.Kind == "video" {
			parts = append(parts, fmt.Sprintf("%d pictures (%s %dx%d)", t.FramesReceived, t.Codec, t.FrameWidth, t.FrameHeight))
		} else {
			parts = append(parts, fmt.Sprintf("%d of sound", t.FramesReceived))
		}
	}
	parts = append(parts, fmt.Sprintf("%s (%s)", size(bytes), rate(bytes, timing)), fmt.Sprintf("%d lost", max(lost, 0)))
	if timing.FirstKeyFrame > 0 {
		parts = append(parts, fmt.Sprintf("key frame after %d ms", timing.FirstKeyFrame.Milliseconds()))
	}
	return strings.Join(parts, ", ")
}

// rate is the mean since the first packet.
func rate(bytes uint64, t endpoint.Timing) string {
	over := t.Elapsed - t.FirstPacket
	if over < 100*time.Millisecond {
		return "…"
	}
	return fmt.Sprintf("%.0f kbit/s", float64(bytes)*8/1000/over.Seconds())
}
