package sfu

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// Config sets up an SFU. Only Conn must be set.
type Config struct {
	// Conn is the one socket of all media. The SFU owns it from New on and closes it. A
	// *udp.Conn is used as it is, everything else is wrapped in one.
	Conn net.PacketConn
	// PublicAddress is a further address at which the socket can be reached, for servers
	// behind NAT: one more candidate in every answer. Port 0 stands for the socket's port.
	PublicAddress netip.AddrPort
	// Logger gets one line a step of a session's life; nil: slog.Default().
	Logger *slog.Logger
	// OnEvent is told what happens to sessions, in order for each of them. It must not
	// block and must not call back into the SFU. Nil: nobody is told.
	OnEvent func(media.Event)
	// MaxUnfinished bounds the sessions that have a place and have not connected: 512, and 64 more of publishers.
	// Each holds a few KiB (a publisher about 100 KiB) until ConnectTimeout.
	MaxUnfinished int
	// ConnectTimeout is how long a session may take to connect: 15 s.
	ConnectTimeout time.Duration
	// PlayoutDelay is what players of a stream are asked to wait for a picture whose publisher has no
	// such option; nil: what the publisher's packets ask for, if anything.
	PlayoutDelay *media.PlayoutDelay
	// Parity sends parity packets (FlexFEC) to viewers that take them, where repeats come too late: see
	// media/fec.
	Parity bool
	// Workers is the number of goroutines that send to viewers: GOMAXPROCS.
	Workers int
}

func (c *Config) setDefaults() {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.OnEvent == nil {
		c.OnEvent = func(media.Event) {}
	}
	if c.MaxUnfinished == 0 {
		c.MaxUnfinished = 512
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 15 * time.Second
	}
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
}

func (c *Config) validate() error {
	switch {
	case c.Conn == nil:
		return errors.New("sfu: Config.Conn is nil")
	case c.MaxUnfinished < 0 || c.Workers < 0 || c.ConnectTimeout < 0:
		return fmt.Errorf("sfu: negative limits in Config: %d unfinished, %d workers, %v to connect",
			c.MaxUnfinished, c.Workers, c.ConnectTimeout)
	case c.PlayoutDelay != nil:
		return c.PlayoutDelay.Validate()
	}
	return nil
}
