package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/pake"
	"github.com/fanfare-relay/fanfare/mesh/peer"
	"github.com/fanfare-relay/fanfare/mesh/store"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// What send and get have in common.

// byteRate is a flag of bytes a second: 500000, 500k, 2M, 1.5G.
type byteRate int

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *byteRate) UnmarshalText(text []byte) error {
	digits, factor := string(text), 1.0
	for suffix, f := range map[string]float64{"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9} {
		if number, ok := strings.CutSuffix(digits, suffix); ok {
			digits, factor = number, f
			break
		}
	}
	v, err := strconv.ParseFloat(digits, 64)
	if err != nil || !(v*factor >= 1000 && v*factor <= 1e12) {
		return errors.New("a number of bytes a second from 1k on, such as 500k or 2M")
	}
	*r = byteRate(v * factor)
	return nil
}

// serverOrigin is the address of a server, without a path.
func serverOrigin(text string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil {
		return "", errors.New("give the address of a server, such as https://files.example.org")
	}
	return u.Scheme + "://" + u.Host, nil
}

// transportTo offers the machine's own addresses to peers where the server is on it, too.
func transportTo(server string, relayOnly bool) peer.Transport {
	u, err := url.Parse(server)
	if err != nil {
		return peer.Transport{RelayOnly: relayOnly}
	}
	ip := net.ParseIP(u.Hostname())
	return peer.Transport{RelayOnly: relayOnly, Loopback: u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()}
}

// peerLog says what happens between the peers, where that is asked for.
func peerLog(verbose bool, s *status) *slog.Logger {
	if !verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(statusWriter{s}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// statusWriter makes lines of a log lines that stay.
type statusWriter struct{ s *status }

func (w statusWriter) Write(b []byte) (int, error) {
	w.s.say(string(b))
	return len(b), nil
}

// every calls f now and then until stop is called.
func every(d time.Duration, f func()) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() {
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f()
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		ended.Wait()
	}
}

// eventLog writes lines of JSON for programs.
type eventLog struct {
	on  bool
	std stdio
	mu  sync.Mutex
}

func (l *eventLog) write(kind string, members map[string]any) {
	if !l.on {
		return
	}
	line := map[string]any{"type": kind}
	for name, value := range members {
		line[name] = value
	}
	b, err := json.Marshal(line)
	if err != nil {
		return // nothing here that JSON cannot say
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.std.out.Write(append(b, '\n')) // a reader that has gone
}

// rateMeter smooths the rate of verified bytes over some seconds.
type rateMeter struct {
	at    time.Time
	bytes int64
	value float64
}

func (m *rateMeter) rate(held int64, now time.Time) float64 {
	if m.at.IsZero() || held < m.bytes {
		m.at, m.bytes = now, held
		return 0
	}
	over := now.Sub(m.at).Seconds()
	if over < 0.5 {
		return m.value
	}
	measured := float64(held-m.bytes) / over
	if m.value == 0 {
		m.value = measured
	}
	m.value = 0.7*m.value + 0.3*measured
	m.at, m.bytes = now, held
	return m.value
}

// stallName is for programs, stallWords for people.
func stallName(s peer.Stall) string {
	return [...]string{"", "server", "uploader", "approval", "connecting", "list", "checking", "pieces", "disk", "quiet"}[s]
}

func stallWords(st peer.Status) string {
	switch st.Stall {
	case peer.NoServer:
		return "Waiting for the server"
	case peer.NoCard:
		return "Waiting for the uploader, who is not there"
	case peer.NoToken:
		return "Waiting to be let in"
	case peer.NotLinked:
		return "Connecting to peers"
	case peer.NoList:
		return "Waiting for the list of files"
	case peer.Checking:
		return checkingWords(st.Checked)
	case peer.NoPiece:
		return "Waiting for a peer that has the rest"
	case peer.DiskFull:
		return "The disk is full"
	case peer.Quiet:
		return "Waiting for peers to send"
	}
	return ""
}

// checkingWords say how much of what an earlier run has left was looked at, of 1.
func checkingWords(share float64) string {
	return fmt.Sprintf("Looking at what is here, %d %%", int(100*share))
}

// transferError says what to do about the end of a transfer.
func transferError(err error, uploader bool) error {
	var refused *peer.RoomError
	switch {
	case errors.Is(err, peer.ErrUnreachable):
		return fmt.Errorf("%w; check its address and your connection, then give the same command again", err)
	case errors.Is(err, peer.ErrPassword):
		return fmt.Errorf("%w; give it with --password", err)
	case errors.Is(err, peer.ErrChanged) && uploader:
		return fmt.Errorf("%w; send it again for a new link", err)
	case errors.Is(err, peer.ErrChanged):
		return fmt.Errorf("%w; ask for a new link", err)
	case errors.Is(err, store.ErrBusy), errors.Is(err, pake.ErrWrongCode), errors.Is(err, pake.ErrSpent):
		return err
	case errors.Is(err, store.ErrFull):
		return fmt.Errorf("%w; make room, then give the same command again", err)
	case errors.Is(err, store.ErrTooLarge):
		return fmt.Errorf("%w; give a folder on another with --out", err)
	case errors.Is(err, store.ErrLost):
		return fmt.Errorf("%w; give the same command again, and what was lost is fetched again", err)
	case errors.As(err, &refused):
		return roomError(refused, uploader)
	}
	return err
}

func roomError(refused *peer.RoomError, uploader bool) error {
	switch {
	case refused.Code == msg.CodeNotFound:
		return errors.New("the server knows no such transfer: the link or code is over, or not whole; ask for a new one")
	case refused.Code == msg.CodePassword && !uploader:
		return errors.New("the server does not let this link in: a character of it is wrong, or it is an old one; copy it again")
	case refused.Code == msg.CodeUnauthorised && uploader:
		return fmt.Errorf("%w; give the server's publish key with --key or FANFARE_KEY", refused)
	}
	return refused
}
