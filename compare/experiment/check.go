package experiment

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// bound is what a number may be.
type bound struct {
	name        string
	value       float64
	least, most float64
}

func (b bound) check() error {
	if math.IsNaN(b.value) || b.value < b.least || b.value > b.most {
		return fmt.Errorf("%w: %s is %g; it can be %g to %g", ErrBad, b.name, b.value, b.least, b.most)
	}
	return nil
}

// OfFiles tells whether a file is sent, and not a stream.
func (e Experiment) OfFiles() bool { return len(e.Topologies) > 0 && e.Topologies[0].OfFiles() }

// OfFiles tells whether it is a way of files.
func (t Topology) OfFiles() bool { return slices.Contains(Files(), t) }

// check tells what is impossible.
func (e Experiment) check() error {
	if e.Name == "" || strings.Trim(e.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("%w: name is %q; it is made of a-z, 0-9 and -", ErrBad, e.Name)
	}
	if err := e.checkTopologies(); err != nil {
		return err
	}
	for _, b := range []bound{{"repeats", float64(e.Repeats), 1, 100}, {"seconds", e.Seconds, 1, 600}, {"settle_seconds", e.Settle, 0, 60}} {
		if err := b.check(); err != nil {
			return err
		}
	}
	for _, r := range e.points() {
		if err := r.Point.check(); err != nil {
			return err
		}
		if err := e.fits(r.Point); err != nil {
			return err
		}
	}
	return nil
}

func (e Experiment) checkTopologies() error {
	if len(e.Topologies) == 0 {
		return fmt.Errorf("%w: topologies is empty", ErrBad)
	}
	for i, t := range e.Topologies {
		if known := append(Media(), Files()...); !slices.Contains(known, t) || slices.Contains(e.Topologies[:i], t) {
			return fmt.Errorf("%w: topologies has %q; each of %v once at most", ErrBad, t, known)
		}
		if t.OfFiles() != e.OfFiles() {
			return fmt.Errorf("%w: topologies has %q and %q; an experiment is of streams %v or of files %v", ErrBad, e.Topologies[0], t, Media(), Files())
		}
	}
	if e.Processes && e.OfFiles() {
		return fmt.Errorf("%w: processes is for streams, not for files", ErrBad)
	}
	return nil
}

// fits tells what cannot be emulated for files, or between processes.
func (e Experiment) fits(p Point) error {
	switch {
	case e.OfFiles() && (p.LossPercent != 0 || p.ChurnPerMinute != 0 || p.BadDownlinkMbit != 0):
		return fmt.Errorf("%w: files are sent without loss_percent, churn_per_minute and bad_downlink_mbit", ErrBad)
	case e.Processes && (p.LossPercent != 0 || p.ChurnPerMinute != 0 || p.BadDownlinkMbit != 0 || e.Vary.changesLines()):
		return fmt.Errorf("%w: processes run on loopback; only viewers and bitrate_mbit can vary there", ErrBad)
	}
	return nil
}

func (v Vary) changesLines() bool {
	return len(v.RoundTripMS)+len(v.LossPercent)+len(v.LossBurst)+len(v.UplinkMbit)+len(v.DownlinkMbit)+len(v.BadDownlinkMbit)+len(v.ChurnPerMinute)+len(v.FileMiB) > 0
}

func (p Point) check() error {
	for _, b := range []bound{
		{"viewers", float64(p.Viewers), 1, 64}, {"round_trip_ms", p.RoundTripMS, 0, 2000}, {"loss_percent", p.LossPercent, 0, 50},
		{"loss_burst", p.LossBurst, 1, 100}, {"uplink_mbit", p.UplinkMbit, 0.1, 1000}, {"downlink_mbit", p.DownlinkMbit, 0, 10_000},
		{"bad_downlink_mbit", p.BadDownlinkMbit, 0, 10_000},
		{"bitrate_mbit", p.BitrateMbit, 0.1, 10}, {"churn_per_minute", p.ChurnPerMinute, 0, 60}, {"file_mib", p.FileMiB, 0.01, 1024},
		{"told_percent", p.ToldPercent, 0, 100},
	} {
		if err := b.check(); err != nil {
			return err
		}
	}
	return nil
}
