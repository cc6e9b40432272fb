package main

import (
	"errors"
	"os"
	"testing"
)

// The real /proc can be read, and this process is in its own family.
func TestLook(t *testing.T) {
	s, err := look()
	if err != nil || s.times.busy == 0 {
		t.Fatalf("%+v, %v", s.times, err)
	}
	if p, ok := s.processes[os.Getpid()]; !ok || !s.family(p.parent)[p.pid] {
		t.Errorf("this process is %+v", p)
	}
}

func TestProcessorTime(t *testing.T) {
	before, err := cpuOf(os.Getpid())
	if err != nil || before == 0 {
		t.Fatalf("%v, %v", before, err)
	}
	if after, err := cpuOf(os.Getpid()); err != nil || after < before {
		t.Errorf("%v after %v, %v", after, before, err)
	}
	if _, err := cpuOf(-1); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
