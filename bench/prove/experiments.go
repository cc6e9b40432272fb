package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// experiment is one measurement. command is what a reader types to repeat it.
type experiment struct {
	title, why, command string
	run                 func(ctx context.Context, fanfare string) ([]figure, error)
}

// figure is one number. limit is in words, "" where nothing is promised.
type figure struct {
	name, value, limit string
	met                bool
}

func (f figure) verdict() string {
	switch {
	case f.limit == "":
		return ""
	case f.met:
		return " (promised: " + f.limit + ")"
	default:
		return " (MISSED: " + f.limit + ")"
	}
}

var experiments = []experiment{
	{
		title: "First picture", command: "fanfare load whep http://127.0.0.1:PORT/w/demo --joins 20 --apart 1.5s --json",
		why: "Time from a viewer's POST to its first whole key frame, on loopback, with the bundled clip, whose publisher answers PLI. The server is `fanfare serve --demo --dev`.",
		run: firstPicture,
	},
	{
		title: "Memory of a viewer", command: "fanfare load whep http://127.0.0.1:PORT/w/demo -n 100 --for 60s --pid PID --json",
		why: "Resident memory of the server with 100 viewers after a minute, less that before the first, for each viewer.",
		run: memory,
	},
	{
		title: "A publisher is killed", command: "go test ./cmd/fanfare -run TestPublisherKilled -count 5 -v",
		why: "Kill -9, and the same command again a second later. Five viewers watch; the test fails if one of them reconnects or the first POST is refused.",
		run: goTest("./cmd/fanfare", "TestPublisherKilled", 5),
	},
	{
		title: "Repair", command: "go test ./sfu -run TestRepairByRTX -count 3 -v",
		why: "2 % of all datagrams between relay and viewer are lost, both ways, repeats among them. The test fails below 99 % within 300 ms.",
		run: goTest("./sfu", "TestRepairByRTX", 3),
	},
	{
		title: "Frames under loss", command: "go test ./sfu -run TestFramesUnderLoss -v",
		why: "1, 5 and 10 % loss both ways at a round trip of 50 ms, in virtual time. The test fails when fewer than 99.5, 98 and 93 % of the frames are whole 200 ms after their last packet was first sent.",
		run: goTest("./sfu", "TestFramesUnderLoss", 1),
	},
	{
		title: "A squeezed viewer among twenty", command: "go test ./sfu -run TestSqueezedViewer -v -args -squeeze-others 19",
		why: "One line falls from 10 Mbit/s to 300 kbit/s for six seconds, in virtual time. The test fails when its viewer is not on the low encoding within 3 s, has a freeze above 1 s, or is not back within 15 s, and when one of the 19 others has a gap or misses a packet of what was sent, or the 99th percentile of arrival less sending is more than 50 ms above what it was before.",
		run: goTest("./sfu", "TestSqueezedViewer", 1, "-squeeze-others", "19"),
	},
	garbageExperiment,
	{
		title: "A storm of key frame requests", command: "go test ./sfu -run TestKeyFrameStorm -v -args -storm-viewers 100",
		why: "100 viewers ask for a key frame 20 times a second each, and one of them 10,000 times, in virtual time; and once more with a publisher of three encodings, of which each viewer has one by their wish. The test fails if the publisher is asked more than once a second for an encoding, or a viewer loses a packet.",
		run: goTest("./sfu", "TestKeyFrameStorm", 1, "-storm-viewers", "100"),
	},
	{
		title: "Cost of forwarding", command: "go test ./sfu -run TestForwardAllocatesNothing -v",
		why: "Allocations from the wake of a worker to the system call, of picture and sound, for viewers with and without feedback about their line. They are counted over many packets and not divided by them: the test fails above 0.",
		run: goTest("./sfu", "TestForwardAllocatesNothing", 1),
	},
}

// loadReport is the part of the load client's report that is quoted.
type loadReport struct {
	Connected       int     `json:"connected"`
	Failed          int     `json:"failed"`
	Lost            int     `json:"lost"`
	PacketsReceived uint64  `json:"packetsReceived"`
	PacketsLost     int64   `json:"packetsLost"`
	SingleJoins     *joins  `json:"singleJoins"`
	Joins           *joins  `json:"joins"`
	Delay           *spread `json:"delay"`
	Server          *struct {
		CPUPerPacket float64 `json:"cpuPerPacket"`
		CPUShare     float64 `json:"cpuShare"`
		RSSPerViewer int64   `json:"rssPerViewer"`
	} `json:"server"`
}

type joins struct {
	Count         int    `json:"count"`
	Connected     spread `json:"connected"`
	FirstKeyFrame spread `json:"firstKeyFrame"`
}

type spread struct {
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

// load runs the load client against a server of its own.
func load(ctx context.Context, fanfare string, args ...string) (r loadReport, err error) {
	s, err := startServer(ctx, fanfare)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	args = append([]string{"load", "whep", s.url + "/w/demo", "--json", "--pid", strconv.Itoa(s.cmd.Process.Pid)}, args...)
	text, err := output(ctx, fanfare, args...)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(text), &r)
}

func firstPicture(ctx context.Context, fanfare string) ([]figure, error) {
	r, err := load(ctx, fanfare, "--joins", "20", "--apart", "1.5s")
	if err != nil {
		return nil, err
	}
	if r.SingleJoins == nil || r.SingleJoins.Count != 20 {
		return nil, fmt.Errorf("not all of 20 viewers had a picture: %+v", r)
	}
	k := r.SingleJoins.FirstKeyFrame
	return []figure{
		{"median of 20 joins", fmt.Sprintf("%.1f ms", k.Median), "≤ 300 ms", k.Median <= 300},
		{"p95", fmt.Sprintf("%.1f ms", k.P95), "", false},
		{"slowest", fmt.Sprintf("%.1f ms", k.Max), "", false},
		{"connected (ICE and DTLS), median", fmt.Sprintf("%.1f ms", r.SingleJoins.Connected.Median), "", false},
	}, nil
}

func memory(ctx context.Context, fanfare string) ([]figure, error) {
	r, err := load(ctx, fanfare, "-n", "100", "--for", "60s")
	if err != nil {
		return nil, err
	}
	if r.Server == nil || r.Delay == nil {
		return nil, errors.New("the report tells nothing of the server")
	}
	mib := float64(r.Server.RSSPerViewer) / (1 << 20)
	all := r.Connected == 100 && r.Failed == 0 && r.Lost == 0
	return []figure{
		{"memory a viewer", fmt.Sprintf("%.3f MiB", mib), "≤ 0.2 MiB", mib <= 0.2},
		{"viewers with a picture, to the end", fmt.Sprintf("%d of 100", r.Connected-r.Lost), "all", all},
		{"packets lost after repair", fmt.Sprintf("%d of %d", r.PacketsLost, r.PacketsReceived), "", false},
		{"server CPU a delivered packet", fmt.Sprintf("%.2f µs (%.0f %% of a core)", r.Server.CPUPerPacket, 100*r.Server.CPUShare), "", false},
		{"delay against sender reports", fmt.Sprintf("median %.1f ms, p99 %.1f ms", r.Delay.Median, r.Delay.P99), "", false},
	}, nil
}

// logLine is what t.Log prints with -v.
var logLine = regexp.MustCompile(`^\s+\w+_test\.go:\d+: (?:figure: )?(.*)$`)

// goTest runs a test several times and quotes what it logs.
func goTest(pkg, name string, count int, args ...string) func(context.Context, string) ([]figure, error) {
	return func(ctx context.Context, _ string) ([]figure, error) {
		line := append([]string{"test", pkg, "-run", "^" + name + "$", "-count", strconv.Itoa(count), "-v", "-args"}, args...)
		text, err := output(ctx, "go", line...)
		var figures []figure
		for line := range strings.Lines(text) {
			if m := logLine.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
				figures = append(figures, figure{name: fmt.Sprintf("run %d", len(figures)+1), value: m[1]})
			}
		}
		passed := strings.Count(text, "--- PASS: "+name+" ")
		return append(figures, figure{"runs passed", fmt.Sprintf("%d of %d", passed, count), "all", passed == count}), err
	}
}

var homeLine = regexp.MustCompile(`^\s*Home +(\S+)/$`)

// readHome finds the address in the server's banner.
func readHome(r io.Reader) (string, error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if m := homeLine.FindStringSubmatch(lines.Text()); m != nil {
			return m[1], nil
		}
	}
	return "", errors.Join(errors.New("the server did not say where it is"), lines.Err())
}
