// Package report makes figures and files of what was measured: CSV and JSON of the raw samples, and one HTML page that needs nothing
// else. Every figure is computed from samples that are in samples.json. It measures nothing.
package report

import (
	"time"

	"github.com/fanfare-relay/fanfare/compare/experiment"
)

// Sample is one run, as measured.
type Sample struct {
	experiment.Run
	Started time.Time `json:"started"`
	// Seconds were measured; less than asked for when somebody interrupted.
	Seconds     float64 `json:"seconds"`
	Interrupted bool    `json:"interrupted,omitempty"`
	// LatenessMS is how late timers of this machine fired, the 99th percentile; above MaxLateness the run is invalid.
	LatenessMS float64 `json:"lateness_p99_ms"`
	// Problem says why the run is invalid, "" when it is valid. It stays in the report either way.
	Problem string `json:"problem,omitempty"`
	// Frames were made in that time.
	Frames int `json:"frames"`
	// UploaderMbit, ServerMbit and PassedOnMbit are what the lines of the uploader, the server and all viewers carried, with headers.
	UploaderMbit float64  `json:"uploader_mbit"`
	ServerMbit   float64  `json:"server_mbit"`
	PassedOnMbit float64  `json:"passed_on_mbit"`
	Viewers      []Viewer `json:"viewers"`
}

// MaxLateness is the limit of validity, in milliseconds.
const MaxLateness = 10

// Viewer is what one viewer got.
type Viewer struct {
	ID string `json:"id"`
	// Via is sfu, direct or relayed, Depth how many steps lie before it; at the end.
	Via   string `json:"via"`
	Depth int    `json:"depth"`
	// JoinMS is from its coming to its first whole frame.
	JoinMS float64 `json:"join_ms"`
	// Frames and Packets were made while it watched, WholeFrames and Received came.
	Frames      int `json:"frames"`
	WholeFrames int `json:"whole_frames"`
	Packets     int `json:"packets"`
	Received    int `json:"received"`
	// GapMS is the longest time without a whole frame.
	GapMS float64 `json:"gap_ms"`
	// LatencyMS is, for each whole frame, when its last packet came minus when it was made.
	LatencyMS []float64 `json:"latency_ms"`
}
