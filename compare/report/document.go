package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/fanfare-relay/fanfare/compare/experiment"
)

// Document is everything of a comparison; samples.json is this.
type Document struct {
	Made time.Time `json:"made"`
	// Command repeats it; Version is the program's; Machine is what it ran on.
	Command string  `json:"command"`
	Version string  `json:"version"`
	Machine Machine `json:"machine"`
	Quick   bool    `json:"quick"`
	// Interrupted: there would have been Planned runs.
	Interrupted bool                    `json:"interrupted"`
	Planned     int                     `json:"planned"`
	Experiments []experiment.Experiment `json:"experiments"`
	Samples     []Sample                `json:"samples"`
}

// Machine is what a comparison ran on.
type Machine struct {
	System    string `json:"system"`
	Processor string `json:"processor,omitempty"`
	CPUs      int    `json:"cpus"`
	Go        string `json:"go"`
}

// WriteJSON writes samples.json.
func WriteJSON(w io.Writer, d Document) error { return json.NewEncoder(w).Encode(d) }

// ReadJSON reads it again.
func ReadJSON(r io.Reader) (d Document, err error) {
	err = json.NewDecoder(r).Decode(&d)
	return d, err
}

// WriteCSV writes samples.csv: a line for each viewer of each run, and for each of its frames its latency in the last column, separated
// by spaces.
func WriteCSV(w io.Writer, samples []Sample) error {
	c := csv.NewWriter(w)
	head := []string{
		"experiment", "factor", "value", "topology", "repeat", "seed", "viewers", "round_trip_ms", "loss_percent", "loss_burst", "uplink_mbit",
		"bitrate_mbit", "churn_per_minute", "seconds", "lateness_p99_ms", "problem", "uploader_mbit", "server_mbit", "passed_on_mbit",
		"viewer", "via", "depth", "join_ms", "frames", "whole_frames", "packets", "received", "gap_ms", "latency_ms",
	}
	if err := c.Write(head); err != nil {
		return err
	}
	for _, s := range samples {
		for _, v := range s.Viewers {
			if err := c.Write(row(s, v)); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

func row(s Sample, v Viewer) []string {
	p := s.Point
	latencies := make([]byte, 0, 8*len(v.LatencyMS))
	for i, l := range v.LatencyMS {
		if i > 0 {
			latencies = append(latencies, ' ')
		}
		latencies = strconv.AppendFloat(latencies, l, 'f', -1, 64)
	}
	cells := []any{
		s.Experiment, s.Factor, s.Value, s.Topology, s.Repeat, s.Seed, p.Viewers, p.RoundTripMS, p.LossPercent, p.LossBurst, p.UplinkMbit,
		p.BitrateMbit, p.ChurnPerMinute, s.Seconds, s.LatenessMS, s.Problem, s.UploaderMbit, s.ServerMbit, s.PassedOnMbit,
		v.ID, v.Via, v.Depth, v.JoinMS, v.Frames, v.WholeFrames, v.Packets, v.Received, v.GapMS, string(latencies),
	}
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = fmt.Sprint(cell)
	}
	return texts
}
