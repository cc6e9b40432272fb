// Package script plays the scripts that say what a value does; for tests only.
//
// A script is a file in testdata, of blocks with an empty line between them. A block is a comment, or
// commands, a line of four dashes and what the value says to them:
//
//	# Who comes is let in.
//
//	new members=2
//	join ann
//	----
//	admit ann
//
// It owns the form of the files and the comparison. What the commands mean is the test's.
package script

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite", false, "write into the scripts what is said now; read the difference")

const dashes = "----\n"

// Run plays each testdata/*.txt of the package. begin makes what a script works on, and gives the
// function that carries out one command and tells what is said: whole lines.
func Run(t *testing.T, begin func() (do func(command string) string)) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(string(text), begin())
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(text), got); diff != "" {
				t.Errorf("the script says otherwise (-script +said):\n%s", diff)
			}
		})
	}
}

// play returns the script with what is said now.
func play(text string, do func(string) string) string {
	var out strings.Builder
	for block := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n\n") {
		if out.Len() > 0 {
			out.WriteString("\n")
		}
		commands, _, isStep := strings.Cut(block+"\n", dashes)
		out.WriteString(commands)
		if !isStep {
			continue // a comment
		}
		out.WriteString(dashes)
		for line := range strings.Lines(commands) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				out.WriteString(do(line))
			}
		}
	}
	return out.String()
}

// Numbers reads a command whose words are numbers: "ask size=1200 4 5" has an option and two arguments.
func Numbers(command string) (name string, options map[string]int, args []int, err error) {
	words := strings.Fields(command)
	options = map[string]int{}
	for _, word := range words[1:] {
		key, value, named := strings.Cut(word, "=")
		if !named {
			value = key
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			return "", nil, nil, err
		}
		if named {
			options[key] = n
		} else {
			args = append(args, n)
		}
	}
	return words[0], options, args, nil
}
