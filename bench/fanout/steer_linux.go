package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// What the kernel steers the receiving half of loopback by: the cores that do it, as a hexadecimal mask, and how many packets may wait for one
// of them (Documentation/networking/scaling.rst and net.rst of Linux).
const (
	steeringFile = "/sys/class/net/lo/queues/rx-0/rps_cpus"
	backlogFile  = "/proc/sys/net/core/netdev_max_backlog"
	// steeredBacklog is some tenths of a second of packets of the longest line: the memory of a network card's rings, but that theirs are
	// counted in packets of the wire.
	steeredBacklog = "16384"
)

// steer has these cores do the receiving half of what goes over loopback. Without it the sender's core does both, as behind no network card.
// undo puts back what was.
func steer(cores []int) (undo func() error, err error) {
	return steerBy(cores, steeringFile, backlogFile)
}

func steerBy(cores []int, steering, backlog string) (undo func() error, err error) {
	undo = func() error { return nil }
	for _, w := range [][2]string{{steering, coreMask(cores)}, {backlog, steeredBacklog}} {
		file, earlier := w[0], undo
		before, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(file, []byte(w[1]), 0o644)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("receive packet steering needs root and Linux with CONFIG_RPS: %w", err), earlier())
		}
		undo = func() error {
			return errors.Join(os.WriteFile(file, []byte(strings.TrimSpace(string(before))), 0o644), earlier())
		}
	}
	return undo, nil
}

// unsteered is an error where loopback is steered already: lines that are to be plain would not be.
func unsteered() error { return unsteeredBy(steeringFile) }

func unsteeredBy(steering string) error {
	b, err := os.ReadFile(steering)
	if err != nil || strings.Trim(string(b), "0,\n") == "" {
		return nil // a kernel that cannot steer does not
	}
	return fmt.Errorf("loopback is steered, perhaps by a bench that was killed; to end that: echo 0 > %s", steering)
}

// coreMask is what the kernel reads as a set of cores: groups of 32 bits in hexadecimal, the highest first, with commas between.
func coreMask(cores []int) string {
	groups := []uint32{0}
	for _, core := range cores {
		for len(groups) <= core/32 {
			groups = append(groups, 0)
		}
		groups[core/32] |= 1 << (core % 32)
	}
	var b strings.Builder
	for i := len(groups) - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "%08x", groups[i])
		if i > 0 {
			b.WriteByte(',')
		}
	}
	return b.String()
}
