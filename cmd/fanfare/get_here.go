package main

import (
	"context"

	"github.com/fanfare-relay/fanfare/mesh/peer"
	"github.com/fanfare-relay/fanfare/mesh/store"
)

// here ends with what an earlier run has finished, if that died between moving the files to their places
// and ending: then nobody has to be there, and nothing is fetched. What lies there is hashed.
func (g *getting) here(ctx context.Context) (done bool, err error) {
	if g.cmd.List || g.cmd.Seed {
		return false, nil
	}
	offered, moved, ok := peer.Earlier(g.cmd.Out, g.link)
	if !ok || !moved {
		return false, nil
	}
	selected, picked := g.pick(offered.Manifest)
	if picked == 0 {
		return false, nil
	}
	if _, err := g.identity(); err != nil {
		return false, err
	}
	sink, err := store.OpenSink(g.spec(offered, selected))
	if err != nil {
		return false, nil // the ordinary way meets it, too
	}
	done, err = g.placed(ctx, sink)
	if closing := sink.Close(); err == nil {
		err = closing
	}
	g.mu.Lock()
	g.sink = nil
	g.mu.Unlock()
	return done, err
}

// placed tells whether all that is wanted is in its place and right.
func (g *getting) placed(ctx context.Context, sink *store.Sink) (bool, error) {
	if !sink.Placed() {
		return false, nil
	}
	g.status.say("All of this was fetched before. Looking whether it is still right.")
	g.mu.Lock()
	g.sink = sink
	g.mu.Unlock()
	looked := func(done, all int64) { g.status.show(checkingWords(float64(done)/float64(max(1, all))) + " …") }
	if err := g.recheck(ctx, sink, looked); err != nil {
		if ctx.Err() != nil {
			return false, g.interrupted()
		}
		return false, transferError(err, false)
	}
	if sink.Missing() {
		g.status.say("It was changed since. What is wrong is fetched again, into a copy beside it.")
		return false, nil
	}
	names, err := sink.Finish()
	if err != nil {
		return false, transferError(err, false)
	}
	g.status.say("Everything is here already; nothing was fetched.")
	g.saved(names)
	return true, nil
}
