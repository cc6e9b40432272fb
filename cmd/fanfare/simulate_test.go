package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSimulateOneSwarm(t *testing.T) {
	code, out, err := command(t, "", "simulate", "swarm", "-n", "3", "--size", "8MiB", "--pieces", "32", "--uplinks", "2,10", "--json")
	var got simulated
	if code != 0 || json.Unmarshal([]byte(out), &got) != nil || got.Finished != 3 || got.Efficiency < 0.5 || got.Efficiency > 1 {
		t.Fatalf("%d %q %q", code, out, err)
	}
	code, out, err = command(t, "", "simulate", "swarm", "-n", "6", "--size", "4MiB", "--pieces", "32", "--bad", "3", "--seed", "5")
	if code != 0 || !strings.Contains(out, "finished         3 of 3\n") {
		t.Fatalf("%d %q %q", code, out, err)
	}
}

func TestSimulateTable(t *testing.T) {
	t.Parallel()
	code, out, err := command(t, "", "simulate", "swarm", "--size", "2MB", "--pieces", "16")
	if lines := strings.Split(strings.TrimSpace(out), "\n"); code != 0 || len(lines) != 1+len(simulatedRows()) || strings.Count(out, " % (") != 3*len(simulatedRows()) {
		t.Fatalf("%d %q %q", code, out, err)
	}
}

func TestSimulateRefusesNonsense(t *testing.T) {
	for _, flags := range []string{
		"-n 64", "-n -1", "--pieces 0", "--size 10 --pieces 11", "--size 0", "--size many", "--size 100GiB", "--churn 0.6", "--bad -1",
		"--delay 2m", "-n 2 --bad 2", "-n 2 --up 0", "-n 2 --uploader-up -1", "--uplinks 2,x",
	} {
		code, out, err := command(t, "", append([]string{"simulate", "swarm"}, strings.Fields(flags)...)...)
		if code != exitUsage || out != "" || strings.Count(err, "\n") != 1 {
			t.Errorf("%s: %d %q %q", flags, code, out, err)
		}
	}
}
