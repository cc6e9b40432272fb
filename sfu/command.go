package sfu

import (
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

type commandKind uint8

const (
	commandAdd commandKind = iota + 1
	commandRemove
	commandHandshake
	commandRestart
	commandWish
	commandPicture
	commandAudience
	commandLines
	commandStop
)

// command is something that others want of a worker.
type command struct {
	kind   commandKind
	viewer *viewer
	reason media.CloseReason
	result lite.Result
	local  lite.Credentials
	remote lite.Credentials
	wish   media.Wish
	answer chan<- media.Picture // with room for one; closed for a viewer that has gone

	audience chan<- Audience // with room for every worker's
	shard    *shard
	lines    chan<- map[media.SessionID]media.ViewerLine // with room for every shard's
}

// post hands over a command. It never blocks.
func (w *worker) post(c command) {
	w.mu.Lock()
	w.commands = append(w.commands, c)
	w.mu.Unlock()
	w.wake()
}

func (w *worker) obey(c *command, now time.Time) {
	v := c.viewer
	if v != nil {
		w.count(v.shard.stream)
	}
	switch c.kind {
	case commandAdd:
		w.add(v, now)
	case commandStop:
		w.stop(now)
	case commandRemove:
		v.early = c.reason
		if w.owns(v) {
			v.leg.Close(c.reason, &w.out)
			w.settle(v, now)
		}
	case commandHandshake:
		w.sfu.countHandshake(c.result.Err)
		v.handshake = nil
		if w.owns(v) {
			v.leg.Finish(c.result, now, &w.out)
			w.settle(v, now)
		}
	case commandRestart:
		if w.owns(v) {
			v.leg.Restart(c.local, c.remote, &w.out)
			w.settle(v, now)
		}
	case commandWish:
		w.wishes(v, c.wish)
	case commandPicture:
		if w.owns(v) {
			c.answer <- w.picture(v, now)
		}
		close(c.answer)
	case commandAudience:
		c.audience <- w.audience(now)
	case commandLines:
		c.lines <- c.shard.lines(now)
	}
}
