package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCoreMask(t *testing.T) {
	for _, c := range []struct {
		cores []int
		want  string
	}{{nil, "00000000"}, {[]int{1}, "00000002"}, {[]int{0, 31}, "80000001"}, {[]int{1, 33}, "00000002,00000002"}, {[]int{64}, "00000001,00000000,00000000"}} {
		if got := coreMask(c.cores); got != c.want {
			t.Errorf("%v: %s, want %s", c.cores, got, c.want)
		}
	}
}

// The machine is afterwards as it was, also when only the first of the two could be set.
func TestSteerIsUndone(t *testing.T) {
	steering, backlog := filepath.Join(t.TempDir(), "rps_cpus"), filepath.Join(t.TempDir(), "backlog")
	text := func(file string) string {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if err := os.WriteFile(steering, []byte("3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := steerBy([]int{1}, steering, backlog); err == nil || text(steering) != "3" {
		t.Errorf("%v; the cores are %q", err, text(steering))
	}
	if err := os.WriteFile(backlog, []byte("1000\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unsteeredBy(steering); err == nil || !strings.Contains(err.Error(), "echo 0 > "+steering) {
		t.Errorf("what is steered already: %v", err)
	}
	undo, err := steerBy([]int{1}, steering, backlog)
	if err != nil || text(steering) != "00000002" || text(backlog) != steeredBacklog {
		t.Fatalf("%v; %q, %q", err, text(steering), text(backlog))
	}
	for _, plain := range []string{"0\n", "00000000,00000000\n"} {
		file := filepath.Join(t.TempDir(), "plain")
		if err := os.WriteFile(file, []byte(plain), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := unsteeredBy(file); err != nil {
			t.Errorf("%q: %v", plain, err)
		}
	}
	if err := undo(); err != nil || text(steering) != "3" || text(backlog) != "1000" {
		t.Errorf("%v; %q, %q", err, text(steering), text(backlog))
	}
}
