package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// secret is a flag whose value should not stand on a command line, where other users of the
// machine can read it: "@file" reads it from a file, "-" from the first line of standard input.
// Any other text is the secret itself.
type secret string

var errEmptySecret = errors.New("it is empty")

// read resolves the flag; an unset flag is "".
func (s secret) read(stdin io.Reader) (string, error) {
	var text string
	switch {
	case s == "":
		return "", nil
	case s == "-":
		line, err := bufio.NewReader(io.LimitReader(stdin, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("cannot read the secret from standard input: %w", err)
		}
		text = line
	case strings.HasPrefix(string(s), "@"):
		data, err := os.ReadFile(string(s[1:]))
		if err != nil {
			return "", fmt.Errorf("cannot read the secret's file: %w", err)
		}
		text = string(data)
	default:
		text = string(s)
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", fmt.Errorf("cannot use the secret given by %q: %w", string(s), errEmptySecret)
	}
	return text, nil
}

// LogValue keeps the secret out of logs.
func (secret) LogValue() slog.Value { return slog.StringValue("(secret)") }
