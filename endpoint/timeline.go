package endpoint

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/container"
)

// timeline lays the frames of files, one after another or again and again, on one line of time that never
// steps back, so that viewers see one stream. Sound and picture share the line, also across jumps.
// It is a value; the zero value begins at 0.
type timeline struct {
	// offset is added to a file's own times.
	offset time.Duration
	// from: frames before this time of the file are left out (after a jump).
	from time.Duration
	// head is the latest place on the line, end where the latest frame ends.
	head, end time.Duration
	// picture is the file's time of the newest picture that was placed.
	picture time.Duration
	last    [2]lastFrame // by kind: sound, picture
}

type lastFrame struct {
	pts, at, step time.Duration
	seen          bool
}

// placed is a frame with its place on the line.
type placed struct {
	container.Frame
	kind  media.Kind
	codec media.Codec
	// at is the presentation time on the line; send is when it goes out, which never steps back: with
	// B-frames pictures go out in decoding order.
	at, send time.Duration
}

// place puts a frame on the line. ok is false for frames that a jump leaves out.
func (t *timeline) place(f container.Frame, codec media.Codec) (p placed, ok bool) {
	if f.PTS < t.from {
		return p, false
	}
	p = placed{Frame: f, kind: codec.Kind(), codec: codec, at: t.offset + f.PTS}
	l := &t.last[kindIndex(p.kind)]
	if p.at < 0 {
		p.at = 0
	}
	if p.kind == media.KindAudio && l.seen && p.at <= l.at {
		p.at = l.at + time.Millisecond // sound has no B-frames: a step back would be damage
	}
	step := f.Duration
	if step <= 0 {
		step = l.step
	}
	if l.seen && f.PTS > l.pts && f.Duration <= 0 {
		step = f.PTS - l.pts
	}
	*l = lastFrame{pts: f.PTS, at: p.at, step: min(step, time.Second), seen: true}
	if p.kind == media.KindVideo {
		t.picture = f.PTS
	}
	t.head = max(t.head, p.at)
	t.end = max(t.end, p.at+l.step)
	p.send = t.head
	return p, true
}

func kindIndex(k media.Kind) int {
	if k == media.KindVideo {
		return 1
	}
	return 0
}

// nextFile lets what follows begin where everything before has ended.
func (t *timeline) nextFile() {
	t.offset, t.from, t.picture = t.end, 0, 0
}

// jump lets the frame at time key of the file come at place now on the line, or right behind what was
// placed already; frames before it are left out.
func (t *timeline) jump(key, now time.Duration) {
	at := max(now, t.head+time.Millisecond)
	if l := t.last[1]; l.seen {
		at = max(at, l.at+time.Millisecond)
	}
	t.offset, t.from = at-key, key
}

// soon is how near the next key frame must be for a PLI to wait for it.
const soon = 80 * time.Millisecond

// plan is what a PLI leads to.
type plan uint8

const (
	stay     plan = iota // the next key frame comes by itself, or there is none
	jumpTo               // go on at the next key frame of this file
	skipFile             // go on with the next file, which begins with one
)

// onPLI decides. key is the time of the next key frame behind the newest picture, where found; more tells
// whether another file, or the same one again, follows.
func (t *timeline) onPLI(key time.Duration, found, more bool) plan {
	switch {
	case found && key-t.picture <= soon:
		return stay
	case found:
		return jumpTo
	case more:
		return skipFile
	default:
		return stay
	}
}

// lateLimit is how far the sender may fall behind before it gives the lost time up instead of hurrying after it.
const lateLimit = 500 * time.Millisecond

// anchor ties the line to the clock: place 0 is at this time.
type anchor struct{ start time.Time }

// at returns the place on the line at now.
func (a anchor) at(now time.Time) time.Duration { return now.Sub(a.start) }

// wait returns how long to wait for a place. When now is far behind it, the anchor moves.
func (a *anchor) wait(place time.Duration, now time.Time) time.Duration {
	d := a.start.Add(place).Sub(now)
	if d < -lateLimit {
		a.start = now.Add(-place)
		return 0
	}
	return max(d, 0)
}

// burst spreads a large frame: after each burstPackets packets the sender waits burstGap, which is about
// 150 Mbit/s. Socket buffers of receivers hold 200 KiB and less by default.
const (
	burstPackets = 16
	burstGap     = time.Millisecond
)
