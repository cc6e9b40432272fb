package main

import (
	"errors"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/sfu"
)

// playoutFlag is two durations, "MIN,MAX"; the zero value is none.
type playoutFlag struct{ delay *sfu.PlayoutDelay }

var errPlayout = errors.New("it takes two times such as 0,200ms or 300ms,1s: from none to " +
	ext.MaxPlayoutDelay.String() + ", the shorter one first")

// UnmarshalText reads the flag.
func (f *playoutFlag) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	least, most, ok := strings.Cut(string(text), ",")
	if !ok {
		return errPlayout
	}
	d, err := time.ParseDuration(strings.TrimSpace(least))
	e, err2 := time.ParseDuration(strings.TrimSpace(most))
	if err != nil || err2 != nil || d < 0 || d > e || e > ext.MaxPlayoutDelay {
		return errPlayout
	}
	f.delay = &sfu.PlayoutDelay{Least: d, Most: e}
	return nil
}
