// Package page owns pages of figures, docs/BENCHMARKS.md and docs/COMPARISON.md, as files: which part of them
// belongs to which command, how a table is written, and what is said of the machine.
//
// Each command writes the text between its own markers, HTML comments that nobody sees on the rendered page, and
// leaves the rest as it stands. The package measures nothing and knows no figure.
package page

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// ErrNoMarkers: the page has no place for the section.
var ErrNoMarkers = errors.New("the page lacks the section's markers")

func markers(section string) (begin, end string) {
	return "<!-- " + section + ": begin -->\n", "<!-- " + section + ": end -->\n"
}

// Replace returns the page with body between the markers of the section.
func Replace(page, section, body string) (string, error) {
	begin, end := markers(section)
	before, rest, ok := strings.Cut(page, begin)
	if !ok {
		return "", fmt.Errorf("%w: %q", ErrNoMarkers, strings.TrimSpace(begin))
	}
	_, after, ok := strings.Cut(rest, end)
	if !ok {
		return "", fmt.Errorf("%w: %q", ErrNoMarkers, strings.TrimSpace(end))
	}
	return before + begin + strings.TrimRight(body, "\n") + "\n" + end + after, nil
}

// Write puts body into the section of the page in file.
func Write(file, section, body string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text, err := Replace(string(b), section, body)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// Table writes a Markdown table. Rows may be shorter than the head.
func Table(head []string, rows [][]string) string {
	var b strings.Builder
	row := func(cells []string) {
		for i := range head {
			cell := ""
			if i < len(cells) {
				cell = strings.NewReplacer("|", `\|`, "\n", " ").Replace(cells[i])
			}
			b.WriteString("| " + cell + " ")
		}
		b.WriteString("|\n")
	}
	row(head)
	b.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, cells := range rows {
		row(cells)
	}
	return b.String()
}

// Measured is the line that says when.
func Measured(started time.Time, took time.Duration) string {
	return fmt.Sprintf("Measured on %s, in %s.\n\n", started.UTC().Format("2 January 2006, 15:04 UTC"), took.Round(time.Second))
}

// Machine is a list of what the figures belong to: cores, toolchain, processor, kernel, commit and the load average
// of now.
func Machine(ctx context.Context) string {
	lines := []string{fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())}
	add := func(name, value string) {
		if value = strings.TrimSpace(value); value != "" {
			lines = append(lines, name+": "+value)
		}
	}
	add("processor", firstField("/proc/cpuinfo", "model name"))
	add("kernel", output(ctx, "uname", "-sr"))
	add("commit", output(ctx, "git", "describe", "--always", "--dirty"))
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		add("load average before", strings.Join(strings.Fields(string(load))[:3], " "))
	}
	return "- " + strings.Join(lines, "\n- ") + "\n"
}

// output is what a command printed, "" when it failed: the line is left out then.
func output(ctx context.Context, name string, args ...string) string {
	b, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return ""
	}
	return string(b)
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
