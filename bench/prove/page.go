package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// page is docs/BENCHMARKS.md.
type page struct {
	machine []string
	started time.Time
	results []result
}

type result struct {
	experiment
	figures []figure
	err     error
}

func (p *page) missed() bool {
	for _, r := range p.results {
		if r.err != nil {
			return true
		}
		for _, f := range r.figures {
			if f.limit != "" && !f.met {
				return true
			}
		}
	}
	return false
}

func (p *page) markdown() string {
	var b strings.Builder
	b.WriteString("# Benchmarks\n\nWritten by `make prove`; not edited by hand. Absolute figures belong to the machine; what is promised is beside them.\n\n")
	fmt.Fprintf(&b, "Measured on %s, in %s.\n\n", p.started.UTC().Format("2 January 2006, 15:04 UTC"), time.Since(p.started).Round(time.Second))
	for _, line := range p.machine {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	for _, r := range p.results {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n    %s\n\n", r.title, r.why, r.command)
		if r.err != nil {
			fmt.Fprintf(&b, "**Failed:** %v\n\n", r.err)
		}
		b.WriteString("| figure | measured | promised |\n|---|---|---|\n")
		for _, f := range r.figures {
			promise := f.limit
			if promise != "" && !f.met {
				promise = "**missed:** " + promise
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", f.name, f.value, promise)
		}
	}
	return b.String()
}

// describeMachine tells what the figures belong to.
func describeMachine(ctx context.Context) []string {
	lines := []string{fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())}
	if cpu := firstField("/proc/cpuinfo", "model name"); cpu != "" {
		lines = append(lines, "processor: "+cpu)
	}
	if kernel, err := output(ctx, "uname", "-sr"); err == nil {
		lines = append(lines, "kernel: "+strings.TrimSpace(kernel))
	}
	if commit, err := output(ctx, "git", "describe", "--always", "--dirty"); err == nil {
		lines = append(lines, "commit: "+strings.TrimSpace(commit))
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		lines = append(lines, "load average before: "+strings.Join(strings.Fields(string(load))[:3], " "))
	}
	return lines
}

// firstField returns the value of the first line "key : value" of a file, "" when there is none.
func firstField(file, key string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
