package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// running is a process of the bench. What it says on standard error is kept for the case that it fails.
type running struct {
	cmd   *exec.Cmd
	said  *tail
	ended chan struct{}
	err   error // once ended is closed
}

// begin starts a command on these cores, by startOn or as an end of a card does.
func begin(cores []int, cmd *exec.Cmd, start func([]int, *exec.Cmd) error) (*running, error) {
	p := &running{cmd: cmd, said: &tail{}, ended: make(chan struct{})}
	cmd.Stderr = p.said
	if err := start(cores, cmd); err != nil {
		return nil, err
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *running) pid() int { return p.cmd.Process.Pid }

// wait returns when it has ended, with the last line that it said when it failed.
func (p *running) wait() error {
	<-p.ended
	if p.err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w: %s", filepath.Base(p.cmd.Path), p.err, p.said.last())
}

// stop asks it to end, waits, and ends it when it does not. One that has ended before its time is an error.
func (p *running) stop() error {
	select {
	case <-p.ended:
		return p.wait()
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may just have ended
	limit := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer limit.Stop()
	<-p.ended
	return nil
}

// patience is how long a process may take to end.
const patience = 20 * time.Second

// tail keeps the end of a text.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 4 << 10

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if len(t.text) > tailSize {
		t.text = append(t.text[:0], t.text[len(t.text)-tailSize:]...)
	}
	return len(b), nil
}

// last is the last line that is not empty.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := bytes.TrimSpace(t.text)
	return strings.TrimSpace(string(text[bytes.LastIndexAny(text, "\r\n")+1:]))
}
