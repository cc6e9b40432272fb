package sfu

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/pace"
	"github.com/fanfare-relay/fanfare/media/ring"
)

const (
	// catchupSpeed is how much faster than live a viewer who joins is sent the group of pictures
	// so far. More shows the live picture sooner and fills the queue of a slow line.
	catchupSpeed = 4
	// catchupLongest and catchupBytes bound the group that a viewer is let in to. At four times
	// the speed the longest is caught up with in 3.3 s; a larger one is better left to a key
	// frame, which costs the uploader one and the viewer less.
	catchupLongest = 10 * time.Second
	catchupBytes   = 6 << 20
	// switchLongest and switchBytes bound the group at which a viewer with a picture changes to
	// another encoding from its history; fallLongest is for one whose line is full.
	switchLongest = time.Second
	switchBytes   = 400 << 10
	fallLongest   = 200 * time.Millisecond
	// catchupAtOnce may go out in one burst, in bytes: what TCP sends before the first
	// answer (RFC 6928), and the whole picture of a small stream. A busy worker may send more in one of
	// its rounds, see setPace.
	catchupAtOnce = 16 << 10
	// catchupSlowest is the least rate, for streams that hardly move.
	catchupSlowest = media.Bitrate(1_000_000)
	// paceStep is how long a viewer that has used up its pace waits at least, unless media come: what may go out by
	// then goes together, as one message to the system. One packet at a time costs half as much again, which a server
	// that is behind with many viewers at once would never make up for.
	paceStep = 5 * time.Millisecond
)

// joinable tells whether a viewer may start at a key frame with a group of the given length, from
// its beginning to the newest packet, and the given bytes.
func joinable(length time.Duration, bytes uint64) bool {
	return length <= catchupLongest && bytes <= catchupBytes
}

// warp compresses the timestamps of a group of pictures that is sent faster than it was made.
// They begin at the live edge of the moment when the viewer is let in, run at 1/catchupSpeed,
// and meet the true ones where the live edge will be by then. So the player sees a stream that
// starts now and never runs late, and shows the group in fast motion. Without a span it changes
// nothing. All values are RTP timestamps of the source.
type warp struct{ key, shown, edge, span uint32 }

// newWarp compresses from the key frame on, whose group reaches up to edge.
func newWarp(key, edge, clockRate uint32) warp {
	length := edge - key
	if uint64(length) > uint64(clockRate)*uint64(catchupLongest/time.Second) {
		return warp{key: key} // also when edge lies before key
	}
	w := warp{key: key}.upTo(length)
	w.shown = w.edge
	return w
}

// upTo compresses a group of so many units, less two at most, so that nothing is lost by rounding.
func (w warp) upTo(length uint32) warp {
	part := length / (catchupSpeed - 1)
	w.edge, w.span = w.key+part*(catchupSpeed-1), part*catchupSpeed
	return w
}

// later is the warp of a group that begins to be sent so much later than its key frame, which stays where it is.
func (w warp) later(by uint32) warp {
	if w.span == 0 {
		return w
	}
	return w.upTo(w.edge - w.key + by)
}

// apply returns the timestamp to show. It rises with ts, everywhere.
func (w warp) apply(ts uint32) uint32 {
	switch d := ts - w.key; {
	case d >= w.span:
		return ts
	case d == 0:
		return w.shown
	default:
		return w.edge + d/catchupSpeed
	}
}

// covers tells whether apply changes the timestamp, and then how long after the beginning the
// packet is to be sent.
func (w warp) covers(ts, clockRate uint32) (after time.Duration, ok bool) {
	d := ts - w.key
	if d >= w.span {
		return 0, false
	}
	return time.Duration(d/catchupSpeed) * time.Second / time.Duration(clockRate), true
}

// waits tells whether a packet was there when the viewer was let in.
func (w warp) waits(ts uint32) bool { return ts-w.key < w.edge-w.key }

// catchup decides when the packets of a group that lies in the past are sent to one viewer:
// the key frame as fast as the bucket lets it, the rest when their warped timestamps say.
type catchup struct {
	active bool // until the live edge is reached
	begun  bool // something behind the key frame was sent
	warp
	clockRate uint32
	start     time.Time // when the viewer was let in; when the key frame had gone, where others wait behind it
	bucket    pace.Bucket
}

// newCatchup begins with the key frame at the timestamp key at now, when the live edge is at edge; rate is the stream's.
func newCatchup(key, edge, clockRate uint32, rate media.Bitrate, now time.Time) catchup {
	return catchup{
		warp: newWarp(key, edge, clockRate), clockRate: clockRate, active: true, start: now,
		bucket: pace.NewBucket(catchupRate(rate), catchupAtOnce),
	}
}

// liveEdge is the timestamp that a packet captured now would have, by the newest one. A source that pauses
// stays where it is.
func liveEdge(newest *ring.Packet, clockRate uint32, now time.Time) uint32 {
	since := now.Sub(newest.Arrival)
	if since < 0 || since >= encodingBehind {
		return newest.Timestamp
	}
	return newest.Timestamp + ticks(since, clockRate)
}

// ticks is a time of less than a minute in units of a clock rate.
func ticks(d time.Duration, clockRate uint32) uint32 {
	return uint32(int64(d) * int64(clockRate) / int64(time.Second))
}

// catchupRate is how fast a group is sent, of a stream with the given rate.
func catchupRate(stream media.Bitrate) media.Bitrate { return max(catchupSpeed*stream, catchupSlowest) }

// follow keeps the pace above the stream's rate, of which little is known when it has just begun: who
// was slower than the stream would never be at its live edge. round: see setPace.
func (c *catchup) follow(stream media.Bitrate, round time.Duration, now time.Time) {
	setPace(&c.bucket, catchupRate(stream), catchupAtOnce, round, now)
}

// setPace gives a pace its rate, and lets so many bytes go out at once, or what comes in from one look at the viewer to the
// next: that is one of the worker's rounds, and what it waits for longer than it has to. Else who is paced would fall behind
// the stream when rounds are long, or the stream has a high rate.
func setPace(b *pace.Bucket, rate media.Bitrate, atOnce int, round time.Duration, now time.Time) {
	between := min(round, longestRound) + 2*paceStep
	b.SetBurst(max(atOnce, int(float64(rate)/8*between.Seconds())), now)
	b.SetRate(rate, now)
}

// longestRound bounds what goes out at once after a round that took very long.
const longestRound = 100 * time.Millisecond

// begin takes the first packet behind the key frame. If it had to wait for that to be sent, the rest of the group
// is shown so much later: frames that came later than their timestamps say would teach the player to hold
// back those that come on time, and it takes tens of seconds to forget.
func (c *catchup) begin(ts uint32, now time.Time) {
	c.begun = true
	if c.waits(ts) {
		c.warp = c.later(ticks(min(max(now.Sub(c.start), 0), catchupLongest), c.clockRate))
		c.start = now
	}
}

// admit tells whether the packet may be sent now; else when to ask again.
func (c *catchup) admit(p *ring.Packet, now time.Time) (at time.Time, ok bool) {
	if !c.active {
		return now, true
	}
	if p.Timestamp != c.key && !c.begun {
		c.begin(p.Timestamp, now)
	}
	if after, ok := c.covers(p.Timestamp, c.clockRate); ok && p.Timestamp != c.key {
		if at := c.start.Add(after); at.After(now) {
			return at, false
		}
	}
	return takePaced(&c.bucket, len(p.Payload), now)
}

// takePaced takes n bytes of a pace if they may leave now; else it tells when to ask again.
func takePaced(b *pace.Bucket, n int, now time.Time) (at time.Time, ok bool) {
	if b.Take(n, now) {
		return now, true
	}
	return later(b.Deadline(n), now.Add(paceStep)), false
}

// arriving tells whether a key frame is on its way to the viewer, or being decoded: it was let in at one
// a moment ago. Browsers ask for one when none has been decoded 200 ms after the beginning, and Firefox
// may take longer than that for its first; a packet that is lost comes again sooner than the publisher's
// answer would. For a second, which is as long as the gate holds requests back anyway. Not longer, also
// where everything is known to have come: a browser whose decoder has stumbled needs the key frame. One that
// has missed the beginning does not wait at all, see hearFirst.
func (f *feed) arriving(now time.Time) bool {
	return f.enc != nil && now.Sub(f.began) < keyInterval
}

// againWithin is how soon after the beginning a viewer is let in once more.
const againWithin = 4 * time.Second

// again lets a viewer in once more, from the same group, when its decoder has stumbled over the burst of
// the first time: Firefox does at times, on a busy machine. The publisher need not hear of it. Only once,
// only pictures that are not counted in the descriptors that go with them, and only where nothing was
// missed: on a line that loses packets the same group would be lost again, and a key frame is less.
func (t *egress) again(now time.Time) bool {
	if t.enc == nil || t.next != nil || t.letInAgain || t.responder.Asked() || now.Sub(t.began) > againWithin {
		return false
	}
	length, bytes := t.enc.group()
	k, ok := t.enc.ring.KeyFrame()
	if !ok || !joinable(length, bytes) {
		return false
	}
	if p, ok := t.enc.ring.BySeq(k.ExtSeq); !ok || p.Codec != media.CodecVP8 {
		return false
	}
	t.letInAgain, t.halted = true, true
	t.next, t.from, t.wait = t.enc, k.Pos, t.enc.ring.Head()
	return true
}

// sentAt is about when a packet went to the viewer for the first time. began is when the viewer
// was let in.
func (c *catchup) sentAt(p *ring.Packet, began time.Time) time.Time {
	sent := later(p.Arrival, began)
	if after, ok := c.covers(p.Timestamp, c.clockRate); ok && !c.start.IsZero() {
		return later(sent, c.start.Add(after))
	}
	return sent
}
