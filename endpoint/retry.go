package endpoint

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// retry decides whether and when to try again. The zero value is ready; a session that came up resets it.
type retry struct {
	// persist: even the first attempt is repeated, and refusals that may pass are too.
	persist bool
	worked  bool
	tries   int
}

// Limits of retry: the first waits are short because a server that restarts is back soon.
const (
	retryFirst = 250 * time.Millisecond
	retryMax   = 5 * time.Second
	// busyTries bounds how often a busy server is asked before anything has worked.
	busyTries = 5
	// retryAfterMax bounds what a server may ask for.
	retryAfterMax = time.Minute
)

// up notes that a session has connected.
func (r *retry) up() { r.worked, r.tries = true, 0 }

// next decides after a failure: the wait before the next attempt, or that there is none. jitter is a random
// number from 0 to 1.
func (r *retry) next(err error, jitter float64) (wait time.Duration, again bool) {
	r.tries++
	var h *HTTPError
	after := time.Duration(0)
	if errors.As(err, &h) {
		after = min(h.RetryAfter, retryAfterMax)
	}
	switch {
	case errors.Is(err, ErrUnauthorised), errors.Is(err, ErrEnded), errors.Is(err, ErrRefused):
		return 0, false
	case errors.Is(err, ErrNotFound) && !r.persist:
		return 0, false
	case errors.Is(err, ErrBusy) && !r.worked && !r.persist && r.tries > busyTries:
		return 0, false
	case !r.worked && !r.persist && !errors.Is(err, ErrBusy):
		return 0, false
	}
	wait = min(retryFirst<<min(r.tries-1, 8), retryMax)
	wait += time.Duration(jitter * float64(wait) / 4)
	return max(wait, after), true
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pause waits as retry says; it returns err when there is no further attempt.
func (r *retry) pause(ctx context.Context, err error, say func(err error, wait time.Duration)) error {
	wait, again := r.next(err, rand.Float64())
	if !again {
		return err
	}
	say(err, wait)
	return sleep(ctx, wait)
}
