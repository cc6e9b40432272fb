package main

import (
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
