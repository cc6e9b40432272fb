package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

var garbageExperiment = experiment{
	title: "Garbage on the media port", command: "go run ./bench/flood -to 127.0.0.1:PORT -rate 50000 -for 10s, while: fanfare load whep http://127.0.0.1:PORT/w/demo -n 20 --for 15s --json",
	why: "50,000 datagrams a second of every class (STUN, DTLS, RTP, RTCP, unknown; all lengths up to 1,400 bytes) for ten seconds, from 16 ports on loopback, while 20 viewers watch. Sender, viewers, publisher and server share the machine.",
	run: garbage,
}

const (
	garbageRate    = 50_000
	garbageLength  = 10 * time.Second
	garbageViewers = "20"
	// garbageMemory is how much the server may have grown after the flood: the noise of the
	// runtime's heap, no more.
	garbageMemory = 8 << 20
)

func garbage(ctx context.Context, fanfare string) (figures []figure, err error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	media := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	s, err := startServer(ctx, fanfare, "--udp", media)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	flooder := filepath.Join(s.dir, "flood")
	if _, err := output(ctx, "go", "build", "-o", flooder, "./bench/flood"); err != nil {
		return nil, err
	}
	watched := make(chan watching, 1)
	go func() {
		text, err := output(ctx, fanfare, "load", "whep", s.url+"/w/demo", "--json", "-n", garbageViewers, "--for", "15s")
		watched <- watching{text, err}
	}()
	time.Sleep(3 * time.Second) // the viewers are there
	before, err := resident(s.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	said, err := output(ctx, flooder, "-to", media, "-rate", strconv.Itoa(garbageRate), "-for", garbageLength.String())
	if err != nil {
		return nil, err
	}
	after, err := resident(s.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	return garbageFigures(said, <-watched, after-before)
}

// watching is what the load client has said.
type watching struct {
	report string
	err    error
}

func garbageFigures(said string, w watching, grown int64) ([]figure, error) {
	if w.err != nil {
		return nil, w.err
	}
	var r loadReport
	if err := json.Unmarshal([]byte(w.report), &r); err != nil {
		return nil, err
	}
	sent, rate, err := floodRate(said)
	if err != nil {
		return nil, err
	}
	share := float64(r.PacketsLost) / float64(max(r.PacketsReceived, 1))
	all := r.Failed == 0 && r.Lost == 0 && r.PacketsReceived > 0
	return []figure{
		{"garbage sent", fmt.Sprintf("%d datagrams, %.0f a second", sent, rate), "50,000 a second", rate >= 0.98*garbageRate},
		{"viewers with a picture, to the end", fmt.Sprintf("%d of %s", r.Connected-r.Lost, garbageViewers), "all", all},
		{"packets lost after repair", fmt.Sprintf("%d of %d (%.4f %%)", r.PacketsLost, r.PacketsReceived, 100*share), "≤ 0.1 %", share <= 0.001},
		{"resident memory, after less before", fmt.Sprintf("%.1f MiB", float64(grown)/(1<<20)), "≤ 8 MiB", grown <= garbageMemory},
	}, nil
}

var floodLine = regexp.MustCompile(`^(\d+) datagrams in ([\d.]+) s\n$`)

// floodRate reads what the flood has said of itself.
func floodRate(said string) (sent int, rate float64, err error) {
	m := floodLine.FindStringSubmatch(said)
	if m == nil {
		return 0, 0, fmt.Errorf("the flood said %q", said)
	}
	sent, err = strconv.Atoi(m[1])
	took, err2 := strconv.ParseFloat(m[2], 64)
	return sent, float64(sent) / max(took, 0.001), errors.Join(err, err2)
}

// freePort finds a UDP port that is free now.
func freePort() (int, error) {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port, nil
}

var residentLine = regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB$`)

// resident is the memory of a process, in bytes (Linux: proc_pid_status(5)).
func resident(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	m := residentLine.FindSubmatch(b)
	if m == nil {
		return 0, errors.New("the system does not tell the memory of the server")
	}
	kib, err := strconv.ParseInt(string(m[1]), 10, 64)
	return kib << 10, err
}
