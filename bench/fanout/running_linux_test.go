package main

import (
	"bytes"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// A process runs on the cores that it was given, and those of the bench stay as they were.
func TestPinned(t *testing.T) {
	cores, err := allowed()
	if err != nil {
		t.Fatal(err)
	}
	last := cores[len(cores)-1:]
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "cat", "/proc/self/status")
	cmd.Stdout = &out
	p, err := begin(last, cmd, startOn)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.wait(); err != nil {
		t.Fatal(err)
	}
	if want := "Cpus_allowed_list:\t" + strconv.Itoa(last[0]) + "\n"; !strings.Contains(out.String(), want) {
		t.Errorf("%q is not in\n%s", want, out.String())
	}
	if after, err := allowed(); err != nil || len(after) != len(cores) {
		t.Errorf("%v, %v; before %v", after, err, cores)
	}
}

// A process that is stopped has ended well; one that ended by itself says why.
func TestRunning(t *testing.T) {
	cores, err := allowed()
	if err != nil {
		t.Fatal(err)
	}
	p, err := begin(cores, exec.CommandContext(t.Context(), "cat", "/dev/zero"), startOn)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	p, err = begin(cores, exec.CommandContext(t.Context(), "sh", "-c", "echo first; echo it broke >&2; exit 3"), startOn)
	if err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if err := p.stop(); err == nil || !strings.Contains(err.Error(), "it broke") {
		t.Errorf("it ended with %v", err)
	}
}
