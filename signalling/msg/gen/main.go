// Command gen writes the TypeScript twin of package msg.
//
// The shapes come from reflection over the message lists of msg, so that nothing can be
// forgotten here; comments and constants, which reflection cannot see, come from its source.
// The output depends on nothing else and is the same on every machine.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
)

func main() {
	out := flag.String("out", "", "the TypeScript file to write")
	src := flag.String("src", ".", "the folder of package msg")
	flag.Parse()
	if err := run(*src, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(src, out string) error {
	parsed, err := parse(src)
	if err != nil {
		return err
	}
	text, err := render(parsed)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(out); err == nil && bytes.Equal(old, text) {
		return nil // an untouched file does not wake a watching build
	}
	return os.WriteFile(out, text, 0o644)
}
