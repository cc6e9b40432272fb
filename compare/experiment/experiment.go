// Package experiment reads what is to be compared from TOML files, and lists the runs of it: one factor at a time round a base
// point. It opens no files and runs nothing.
package experiment

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// ErrBad is wrapped by every complaint about an experiment.
var ErrBad = errors.New("the experiment cannot be run")

// Topology is a way in which viewers get the picture; the number of a tree is how many each passes it on to.
type Topology string

// The topologies.
const (
	SFU   Topology = "sfu"
	Star  Topology = "star"
	Tree2 Topology = "tree2"
	Tree3 Topology = "tree3"
)

// Point is everything that a run depends on but its topology.
type Point struct {
	// Viewers is how many watch.
	Viewers int `toml:"viewers" json:"viewers"`
	// RoundTripMS lies between any two machines, the server included, in milliseconds.
	RoundTripMS float64 `toml:"round_trip_ms" json:"round_trip_ms"`
	// LossPercent of the datagrams of media towards each viewer are lost, LossBurst in a row on average.
	LossPercent float64 `toml:"loss_percent" json:"loss_percent"`
	LossBurst   float64 `toml:"loss_burst" json:"loss_burst"`
	// UplinkMbit bounds what the uploader, and each viewer, can send, in Mbit/s.
	UplinkMbit float64 `toml:"uplink_mbit" json:"uplink_mbit"`
	// BitrateMbit is that of the stream, RTP payload, in Mbit/s.
	BitrateMbit float64 `toml:"bitrate_mbit" json:"bitrate_mbit"`
	// ChurnPerMinute viewers leave, one each time, and another comes.
	ChurnPerMinute float64 `toml:"churn_per_minute" json:"churn_per_minute"`
}

// Experiment is a file.
type Experiment struct {
	Name       string     `toml:"name" json:"name"`
	Question   string     `toml:"question" json:"question"`
	Seed       uint64     `toml:"seed" json:"seed"`
	Repeats    int        `toml:"repeats" json:"repeats"`
	Seconds    float64    `toml:"seconds" json:"seconds"` // measured, of each run
	Settle     float64    `toml:"settle_seconds" json:"settle_seconds"`
	Topologies []Topology `toml:"topologies" json:"topologies"`
	Base       Point      `toml:"base" json:"base"`
	Vary       Vary       `toml:"vary" json:"vary"`
}

// Vary are the values of each factor; the others stay at the base point meanwhile.
type Vary struct {
	Viewers        []int     `toml:"viewers" json:"viewers,omitempty"`
	RoundTripMS    []float64 `toml:"round_trip_ms" json:"round_trip_ms,omitempty"`
	LossPercent    []float64 `toml:"loss_percent" json:"loss_percent,omitempty"`
	LossBurst      []float64 `toml:"loss_burst" json:"loss_burst,omitempty"`
	UplinkMbit     []float64 `toml:"uplink_mbit" json:"uplink_mbit,omitempty"`
	BitrateMbit    []float64 `toml:"bitrate_mbit" json:"bitrate_mbit,omitempty"`
	ChurnPerMinute []float64 `toml:"churn_per_minute" json:"churn_per_minute,omitempty"`
}

// Run is one measurement.
type Run struct {
	Experiment string   `json:"experiment"`
	Factor     string   `json:"factor"` // "" for the base point
	Value      float64  `json:"value"`
	Topology   Topology `json:"topology"`
	Repeat     int      `json:"repeat"`
	Seed       uint64   `json:"seed"`
	Point      Point    `json:"point"`
}

// base is the point that a file changes.
func base() Experiment {
	return Experiment{
		Seed: 1, Repeats: 5, Seconds: 5, Settle: 2, Topologies: []Topology{SFU, Star, Tree2, Tree3},
		Base: Point{Viewers: 8, RoundTripMS: 50, LossBurst: 1, UplinkMbit: 10, BitrateMbit: 1},
	}
}

// Parse reads a file. Its errors wrap ErrBad and say where the fault is.
func Parse(text []byte) (Experiment, error) {
	e := base()
	d := toml.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return e, fmt.Errorf("%w: %s", ErrBad, explain(err))
	}
	return e, e.check()
}

// explain says in one line what the library says in several.
func explain(err error) string {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		var keys []string
		for _, e := range unknown.Errors {
			line, _ := e.Position()
			keys = append(keys, fmt.Sprintf("line %d: there is no key %q", line, strings.Join(e.Key(), ".")))
		}
		return strings.Join(keys, "; ")
	}
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		line, _ := wrong.Position()
		return fmt.Sprintf("line %d: %s", line, strings.TrimPrefix(wrong.Error(), "toml: "))
	}
	return err.Error()
}

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

// check tells what is impossible.
func (e Experiment) check() error {
	if e.Name == "" || strings.Trim(e.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("%w: name is %q; it is made of a-z, 0-9 and -", ErrBad, e.Name)
	}
	if len(e.Topologies) == 0 {
		return fmt.Errorf("%w: topologies is empty", ErrBad)
	}
	for i, t := range e.Topologies {
		if !slices.Contains([]Topology{SFU, Star, Tree2, Tree3}, t) || slices.Contains(e.Topologies[:i], t) {
			return fmt.Errorf("%w: topologies has %q; each of sfu, star, tree2 and tree3 once at most", ErrBad, t)
		}
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
	}
	return nil
}

func (p Point) check() error {
	for _, b := range []bound{
		{"viewers", float64(p.Viewers), 1, 64}, {"round_trip_ms", p.RoundTripMS, 0, 2000}, {"loss_percent", p.LossPercent, 0, 50},
		{"loss_burst", p.LossBurst, 1, 100}, {"uplink_mbit", p.UplinkMbit, 0.1, 1000}, {"bitrate_mbit", p.BitrateMbit, 0.1, 10},
		{"churn_per_minute", p.ChurnPerMinute, 0, 60},
	} {
		if err := b.check(); err != nil {
			return err
		}
	}
	return nil
}

// points are the base point and each value of each factor, without topologies and repeats.
func (e Experiment) points() (list []Run) {
	add := func(factor string, value float64, change func(*Point)) {
		r := Run{Experiment: e.Name, Factor: factor, Value: value, Point: e.Base}
		change(&r.Point)
		list = append(list, r)
	}
	floats := func(factor string, values []float64, field func(*Point) *float64) {
		for _, v := range values {
			add(factor, v, func(p *Point) { *field(p) = v })
		}
	}
	for _, n := range e.Vary.Viewers {
		add("viewers", float64(n), func(p *Point) { p.Viewers = n })
	}
	floats("round_trip_ms", e.Vary.RoundTripMS, func(p *Point) *float64 { return &p.RoundTripMS })
	floats("loss_percent", e.Vary.LossPercent, func(p *Point) *float64 { return &p.LossPercent })
	floats("loss_burst", e.Vary.LossBurst, func(p *Point) *float64 { return &p.LossBurst })
	floats("uplink_mbit", e.Vary.UplinkMbit, func(p *Point) *float64 { return &p.UplinkMbit })
	floats("bitrate_mbit", e.Vary.BitrateMbit, func(p *Point) *float64 { return &p.BitrateMbit })
	floats("churn_per_minute", e.Vary.ChurnPerMinute, func(p *Point) *float64 { return &p.ChurnPerMinute })
	if len(list) == 0 {
		add("", 0, func(*Point) {})
	}
	return list
}

// Runs lists what is to be measured. Repeats come outermost and topologies take turns, so that a machine that
// becomes busy does not harm one of them alone. All topologies of a repeat have the same seed.
func (e Experiment) Runs() (list []Run) {
	for repeat := range e.Repeats {
		for _, r := range e.points() {
			for i := range e.Topologies {
				r.Topology = e.Topologies[(i+repeat)%len(e.Topologies)]
				r.Repeat, r.Seed = repeat+1, e.Seed+uint64(repeat)
				list = append(list, r)
			}
		}
	}
	return list
}

// Takes is about how long the whole takes; each run has some seconds in which viewers join and find their places.
func (e Experiment) Takes() time.Duration {
	return time.Duration(float64(len(e.Runs())) * (e.Seconds + e.Settle + joining) * float64(time.Second))
}

// joining is how many seconds viewers take until they have their places, and runs to end.
const joining = 2.2
