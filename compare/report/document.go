package report

import (
	"encoding/json"
	"io"
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
	// HopMS is what a browser that decodes and encodes again is said to add at each step of a tree, in milliseconds. It is measured
	// elsewhere; viewers here forward packets.
	HopMS float64 `json:"hop_ms"`
	// HopCPU is what that decoding and encoding takes of one processor at each who passes on, in percent.
	HopCPU float64 `json:"hop_cpu,omitempty"`
	// Beyond are the runs that were left out because the machine cannot carry them, in words; Calibration is by what that was judged.
	Beyond      []string     `json:"beyond,omitempty"`
	Calibration *Calibration `json:"calibration,omitempty"`
	// Interrupted: there would have been Planned runs. Ended says why when it was not a person.
	Interrupted bool                    `json:"interrupted"`
	Ended       string                  `json:"ended,omitempty"`
	Planned     int                     `json:"planned"`
	Experiments []experiment.Experiment `json:"experiments"`
	Samples     []Sample                `json:"samples"`
}

// Calibration is what a packet to a viewer, a megabyte of a file from peer to peer, and one up to the server or down from it by HTTP,
// cost this machine before the runs began; 0 where no experiment needs it.
type Calibration struct {
	PacketMicroseconds   float64 `json:"packet_us,omitempty"`
	MegabyteMilliseconds float64 `json:"megabyte_ms,omitempty"`
	HTTPMilliseconds     float64 `json:"http_megabyte_ms,omitempty"`
	Processors           int     `json:"processors"`
	MostOfThem           float64 `json:"most_of_them"`
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
