package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// WriteCSV writes samples.csv: a line for each viewer, receiver or process of each run. A viewer's line has the latency of each of its
// frames in one column, separated by spaces. A run in which nobody took part has one line, for its problem.
func WriteCSV(w io.Writer, samples []Sample) error {
	c := csv.NewWriter(w)
	head := []string{
		"experiment", "factor", "value", "topology", "repeat", "seed", "viewers", "round_trip_ms", "loss_percent", "loss_burst", "uplink_mbit",
		"downlink_mbit", "bad_downlink_mbit", "bitrate_mbit", "churn_per_minute", "file_mib", "repair", "own_processes", "beside", "seconds", "lateness_p99_ms", "problem",
		"uploader_mbit", "server_mbit", "passed_on_mbit", "repeated_mbit", "bound_seconds", "upload_seconds", "copies_sent",
		"who", "bad", "via", "depth", "join_ms", "direct_ms", "frames", "whole_frames", "packets", "received", "gap_ms", "latency_ms",
		"whole", "whole_after_seconds", "bytes", "cpu_seconds", "sends",
	}
	rows := [][]string{head}
	for _, s := range samples {
		rows = append(rows, lines(s)...)
	}
	return c.WriteAll(rows)
}

// lines are those of one run.
func lines(s Sample) (rows [][]string) {
	p := s.Point
	run := texts(
		s.Experiment, s.Factor, s.Value, s.Topology, s.Repeat, s.Seed, p.Viewers, p.RoundTripMS, p.LossPercent, p.LossBurst, p.UplinkMbit,
		p.DownlinkMbit, p.BadDownlinkMbit, p.BitrateMbit, p.ChurnPerMinute, p.FileMiB, p.Repair, s.OwnProcesses, s.Beside, s.Seconds, s.LatenessMS, s.Problem,
		s.UploaderMbit, s.ServerMbit, s.PassedOnMbit, s.RepeatedMbit, s.BoundSeconds, s.UploadSeconds, s.CopiesSent,
	)
	add := func(cells ...any) { rows = append(rows, append(run[:len(run):len(run)], texts(cells...)...)) }
	for _, v := range s.Viewers {
		add(v.ID, v.Bad, v.Via, v.Depth, v.JoinMS, v.DirectMS, v.Frames, v.WholeFrames, v.Packets, v.Received, v.GapMS, spaced(v.LatencyMS), "", "", "", "", "")
	}
	for _, r := range s.Receivers {
		add(r.ID, "", "", "", "", "", "", "", "", "", "", "", r.Whole, r.Seconds, r.Bytes, "", "")
	}
	for _, one := range s.Processes {
		add(one.ID, "", one.Role, "", "", "", one.Frames, one.WholeFrames, "", "", "", "", "", "", "", one.CPUSeconds, one.Sends)
	}
	if rows == nil {
		add("", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "")
	}
	return rows
}

func texts(cells ...any) []string {
	list := make([]string, len(cells))
	for i, cell := range cells {
		list[i] = fmt.Sprint(cell)
	}
	return list
}

func spaced(values []float64) string {
	b := make([]byte, 0, 8*len(values))
	for i, v := range values {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendFloat(b, v, 'f', -1, 64)
	}
	return string(b)
}
