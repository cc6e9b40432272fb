package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// status is the part of the terminal that a running client writes to: lines that stay, and, on a terminal,
// one line at the bottom that changes.
type status struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	shown    bool // a changing line is on the screen
}

func newStatus(w io.Writer) *status { return &status{w: w, terminal: isTerminal(w)} }

// eraseLine returns to the left edge and clears the line (ECMA-48: EL).
const eraseLine = "\r\x1b[K"

// statusWidth keeps the changing line on one line of a terminal; a longer one could not be erased.
const statusWidth = 79

// say writes a line that stays.
func (s *status) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	fmt.Fprintln(s.w, oneLine(text))
}

func (s *status) erase() {
	if s.shown {
		fmt.Fprint(s.w, eraseLine)
		s.shown = false
	}
}

func (s *status) show(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.terminal {
		return
	}
	if r := []rune(text); len(r) > statusWidth {
		text = string(r[:statusWidth-1]) + "…"
	}
	fmt.Fprint(s.w, eraseLine, text)
	s.shown = true
}

// done leaves a clean line behind.
func (s *status) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
}

// every shows what line returns, again and again until stop is called.
func (s *status) every(d time.Duration, line func() string) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.show(line())
			case <-quit:
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(quit)
		<-ended
	})
}

// plainHandler writes warnings of the clients as plain sentences.
type plainHandler struct{ s *status }

func newPlainHandler(s *status) slog.Handler { return plainHandler{s} }

func (plainHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

func (h plainHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(strings.ToUpper(r.Message[:1]) + r.Message[1:])
	sep := ": "
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "again_in":
			fmt.Fprintf(&b, "; trying again in %v", a.Value)
		default:
			fmt.Fprintf(&b, "%s%v", sep, a.Value)
			sep = ", "
		}
		return true
	})
	h.s.say(b.String() + ".")
	return nil
}

func (h plainHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h plainHandler) WithGroup(string) slog.Handler      { return h }
