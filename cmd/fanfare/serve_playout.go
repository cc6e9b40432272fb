package main

import "github.com/fanfare-relay/fanfare/media"

// playoutFlag is two durations, "MIN,MAX"; the zero value is none.
type playoutFlag struct{ delay *media.PlayoutDelay }

// UnmarshalText reads the flag.
func (f *playoutFlag) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	d, err := media.ParsePlayoutDelay(string(text))
	if err != nil {
		return err
	}
	f.delay = &d
	return nil
}
