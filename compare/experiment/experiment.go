// Package experiment reads what is to be compared from TOML files, and lists the runs of it: one factor at a time round a base
// point. It knows the least time that files can take (bound.go). It opens no files and runs nothing.
package experiment

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// ErrBad is wrapped by every complaint about an experiment.
var ErrBad = errors.New("the experiment cannot be run")

// Topology is a way in which viewers get the picture, or receivers a file; the number of a tree is how many each passes it on to.
type Topology string

// The topologies.
const (
	SFU   Topology = "sfu"
	Star  Topology = "star"
	Tree2 Topology = "tree2"
	Tree3 Topology = "tree3"

	Swarm  Topology = "swarm"  // of a file: receivers pass on what they have
	Copies Topology = "copies" // the uploader sends each receiver a copy of its own
	HTTP   Topology = "http"   // to the server first, and from there to all
)

// Media and Files list the topologies of each kind, in the order in which they are told of.
func Media() []Topology { return []Topology{SFU, Star, Tree2, Tree3} }

// Files is Media's twin.
func Files() []Topology { return []Topology{Swarm, Copies, HTTP} }

// Point is everything that a run depends on but its topology.
type Point struct {
	// Viewers is how many watch, or fetch the file.
	Viewers int `toml:"viewers" json:"viewers"`
	// RoundTripMS lies between any two machines, the server included, in milliseconds.
	RoundTripMS float64 `toml:"round_trip_ms" json:"round_trip_ms"`
	// LossPercent of the datagrams of media towards each viewer are lost, LossBurst in a row on average.
	LossPercent float64 `toml:"loss_percent" json:"loss_percent"`
	LossBurst   float64 `toml:"loss_burst" json:"loss_burst"`
	// UplinkMbit bounds what the uploader, and each viewer, can send, in Mbit/s.
	UplinkMbit float64 `toml:"uplink_mbit" json:"uplink_mbit"`
	// DownlinkMbit bounds what each viewer can get, in Mbit/s; 0: it has no bound.
	DownlinkMbit float64 `toml:"downlink_mbit" json:"downlink_mbit"`
	// BadDownlinkMbit bounds what one viewer can get, the first to come, in Mbit/s; 0: it is like the others.
	BadDownlinkMbit float64 `toml:"bad_downlink_mbit" json:"bad_downlink_mbit,omitempty"`
	// BitrateMbit is that of the stream, RTP payload, in Mbit/s.
	BitrateMbit float64 `toml:"bitrate_mbit" json:"bitrate_mbit"`
	// FileMiB is the size of the file, in MiB.
	FileMiB float64 `toml:"file_mib" json:"file_mib"`
	// ToldPercent of its uplink is what each peer is told that it may send of the file (as by --up-rate); 0: it finds out by itself.
	ToldPercent float64 `toml:"told_percent" json:"told_percent,omitempty"`
	// Repair: packets that were lost are asked for and sent again.
	Repair bool `toml:"repair" json:"repair"`
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
	// Processes gives each role a process of its own, on loopback without emulated lines, to tell their processor time.
	Processes bool  `toml:"processes" json:"processes,omitempty"`
	Base      Point `toml:"base" json:"base"`
	Vary      Vary  `toml:"vary" json:"vary"`
}

// Vary are the values of each factor; the others stay at the base point meanwhile.
type Vary struct {
	Viewers         []int     `toml:"viewers" json:"viewers,omitempty"`
	RoundTripMS     []float64 `toml:"round_trip_ms" json:"round_trip_ms,omitempty"`
	LossPercent     []float64 `toml:"loss_percent" json:"loss_percent,omitempty"`
	LossBurst       []float64 `toml:"loss_burst" json:"loss_burst,omitempty"`
	UplinkMbit      []float64 `toml:"uplink_mbit" json:"uplink_mbit,omitempty"`
	DownlinkMbit    []float64 `toml:"downlink_mbit" json:"downlink_mbit,omitempty"`
	BadDownlinkMbit []float64 `toml:"bad_downlink_mbit" json:"bad_downlink_mbit,omitempty"`
	BitrateMbit     []float64 `toml:"bitrate_mbit" json:"bitrate_mbit,omitempty"`
	ChurnPerMinute  []float64 `toml:"churn_per_minute" json:"churn_per_minute,omitempty"`
	FileMiB         []float64 `toml:"file_mib" json:"file_mib,omitempty"`
}

// Run is one measurement.
type Run struct {
	Experiment string   `json:"experiment"`
	Factor     string   `json:"factor"` // "" for the base point, which all factors share
	Value      float64  `json:"value"`
	Topology   Topology `json:"topology"`
	Repeat     int      `json:"repeat"`
	Seed       uint64   `json:"seed"`
	Point      Point    `json:"point"`
	// OwnProcesses: each role has a process of its own.
	OwnProcesses bool `json:"own_processes,omitempty"`
}

// base is the point that a file changes.
func base() Experiment {
	return Experiment{
		Seed: 1, Repeats: 5, Seconds: 5, Settle: 2, Topologies: Media(),
		Base: Point{Viewers: 8, RoundTripMS: 50, LossBurst: 1, UplinkMbit: 10, BitrateMbit: 1, FileMiB: 8, Repair: true},
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

// Factors are the keys that can vary, in the order of the file's documentation.
func Factors() []string {
	return []string{
		"viewers", "round_trip_ms", "loss_percent", "loss_burst", "uplink_mbit", "downlink_mbit", "bad_downlink_mbit", "bitrate_mbit",
		"churn_per_minute", "file_mib",
	}
}

// field is a factor's place in a point that has numbers only; viewers are counted and not there.
func (p *Point) field(factor string) *float64 {
	return map[string]*float64{
		"round_trip_ms": &p.RoundTripMS, "loss_percent": &p.LossPercent, "loss_burst": &p.LossBurst, "uplink_mbit": &p.UplinkMbit,
		"downlink_mbit": &p.DownlinkMbit, "bad_downlink_mbit": &p.BadDownlinkMbit, "bitrate_mbit": &p.BitrateMbit, "churn_per_minute": &p.ChurnPerMinute, "file_mib": &p.FileMiB,
	}[factor]
}

// Value is a factor's at this point; 0 for a factor that does not exist.
func (p Point) Value(factor string) float64 {
	if factor == "viewers" {
		return float64(p.Viewers)
	}
	if at := p.field(factor); at != nil {
		return *at
	}
	return 0
}

// values are those of a factor.
func (v Vary) values(factor string) []float64 {
	if factor == "viewers" {
		list := make([]float64, len(v.Viewers))
		for i, n := range v.Viewers {
			list[i] = float64(n)
		}
		return list
	}
	return map[string][]float64{
		"round_trip_ms": v.RoundTripMS, "loss_percent": v.LossPercent, "loss_burst": v.LossBurst, "uplink_mbit": v.UplinkMbit,
		"downlink_mbit": v.DownlinkMbit, "bad_downlink_mbit": v.BadDownlinkMbit, "bitrate_mbit": v.BitrateMbit, "churn_per_minute": v.ChurnPerMinute, "file_mib": v.FileMiB,
	}[factor]
}

// points are each value of each factor, without topologies and repeats. The base point is one of them once, when a factor has its value
// or nothing varies.
func (e Experiment) points() (list []Run) {
	for _, factor := range Factors() {
		for i, v := range e.Vary.values(factor) {
			r := Run{Experiment: e.Name, Factor: factor, Value: v, Point: e.Base, OwnProcesses: e.Processes}
			if factor == "viewers" {
				r.Point.Viewers = e.Vary.Viewers[i]
			} else {
				*r.Point.field(factor) = v
			}
			if r.Point == e.Base {
				r.Factor, r.Value = "", 0
			}
			if !slices.Contains(list, r) {
				list = append(list, r)
			}
		}
	}
	if len(list) == 0 {
		list = append(list, Run{Experiment: e.Name, Point: e.Base, OwnProcesses: e.Processes})
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
