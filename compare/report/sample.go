// Package report makes figures and files of what was measured: CSV and JSON of the raw samples, and one HTML page that needs nothing
// else. Every figure is computed from samples that are in samples.json. It measures nothing.
package report

import (
	"fmt"
	"time"

	"github.com/fanfare-relay/fanfare/compare/experiment"
)

// Sample is one run, as measured.
type Sample struct {
	experiment.Run
	Started time.Time `json:"started"`
	// Beside is how many other runs were measured in the same seconds.
	Beside int `json:"beside,omitempty"`
	// Seconds were measured; less than asked for when somebody interrupted.
	Seconds     float64 `json:"seconds"`
	Interrupted bool    `json:"interrupted,omitempty"`
	// LatenessMS is how late timers of this machine fired, the 99th percentile; above MaxLateness the run is invalid.
	LatenessMS float64 `json:"lateness_p99_ms"`
	// Problem says why the run is invalid, "" when it is valid. It stays in the report either way.
	Problem string `json:"problem,omitempty"`
	// Frames were made in that time.
	Frames int `json:"frames"`
	// Unplaced viewers did not get the picture from where the plan wanted it, when the seconds are over.
	Unplaced int `json:"unplaced"`
	// UploaderMbit, ServerMbit and PassedOnMbit are what the lines of the uploader, the server and all viewers carried, with headers.
	UploaderMbit float64 `json:"uploader_mbit"`
	ServerMbit   float64 `json:"server_mbit"`
	PassedOnMbit float64 `json:"passed_on_mbit"`
	// RepeatedMbit is media that the uploader sent again because it was asked to, with headers: what came to its line, which may carry less.
	RepeatedMbit float64  `json:"repeated_mbit"`
	Viewers      []Viewer `json:"viewers,omitempty"`

	// Of files: BoundSeconds is the least time, of the way's own headers (experiment.Point.Bound); UploadSeconds is when a server had
	// everything; CopiesSent is what the uploader sent of the file. Megabytes are those of lines, with headers.
	BoundSeconds  float64    `json:"bound_seconds,omitempty"`
	UploadSeconds float64    `json:"upload_seconds,omitempty"`
	CopiesSent    float64    `json:"copies_sent,omitempty"`
	UploaderMB    float64    `json:"uploader_mb,omitempty"`
	ServerMB      float64    `json:"server_mb,omitempty"`
	PassedOnMB    float64    `json:"passed_on_mb,omitempty"`
	Receivers     []Receiver `json:"receivers,omitempty"`

	// Of runs with a process for each role.
	Processes []Process `json:"processes,omitempty"`
}

// MaxLateness is the limit of validity, in milliseconds.
const MaxLateness = 10

// Busy says why a run is invalid whose timers were too late.
func Busy(late float64) string {
	return fmt.Sprintf("the machine was busy: timers were %.1f ms late", late)
}

// Receiver is what one receiver of a file got.
type Receiver struct {
	ID string `json:"id"`
	// Seconds is when it had everything, or for how long it was measured when it had not.
	Seconds float64 `json:"seconds"`
	Whole   bool    `json:"whole"`
	Bytes   int64   `json:"bytes"`
}

// Roles of processes.
const (
	RoleUploader = "uploader"
	RoleServer   = "server"
	RoleViewer   = "viewer"
	RoleRelay    = "relay" // a viewer that passes on
)

// Process is one process of a run.
type Process struct {
	ID   string `json:"id"`
	Role string `json:"role"`
	// CPUSeconds is what it used while it was measured.
	CPUSeconds float64 `json:"cpu_seconds"`
	// Sends is to how many it sent; Frames were made meanwhile, WholeFrames came. Both are 0 where none are received.
	Sends       int `json:"sends"`
	Frames      int `json:"frames"`
	WholeFrames int `json:"whole_frames"`
}

// Viewer is what one viewer got.
type Viewer struct {
	ID string `json:"id"`
	// Bad is the one whose line is narrower than those of the others (experiment.Point.BadDownlinkMbit).
	Bad bool `json:"bad,omitempty"`
	// Via is sfu, direct or relayed, Depth how many steps lie before it; when the seconds are over.
	Via   string `json:"via"`
	Depth int    `json:"depth"`
	// JoinMS is from its coming to its first whole frame, which comes from the server in every topology; DirectMS to the first one that
	// came straight from the uploader or was passed on, 0 where none did.
	JoinMS   float64 `json:"join_ms"`
	DirectMS float64 `json:"direct_ms,omitempty"`
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
