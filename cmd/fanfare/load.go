package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
	"github.com/fanfare-relay/fanfare/endpoint/crowd"
)

type loadCmd struct {
	Whep  loadWhepCmd  `cmd:"" help:"Join a stream with many viewers by WHEP."`
	Whip  loadWhipCmd  `cmd:"" help:"Publish streams that are made for measuring by WHIP."`
	Files loadFilesCmd `cmd:"" help:"Fetch what somebody shares with many receivers, who pass it on to each other."`
}

type loadWhepCmd struct {
	URL      string        `arg:"" name:"url" help:"The link of a stream's page, or a WHEP endpoint."`
	Viewers  *int          `short:"n" name:"viewers" placeholder:"N" help:"Viewers that stay. Default: 10, with --joins 0."`
	For      time.Duration `default:"30s" help:"How long they stay once all have joined."`
	Settle   time.Duration `default:"3s" help:"How long all watch before the measurement: those who joined last still get what was before them."`
	Ramp     perSecond     `default:"25/s" help:"How fast they join."`
	Joins    int           `default:"0" help:"Further viewers that join one after another, and each leave after the first whole key frame."`
	Apart    time.Duration `default:"1.5s" help:"Time from one of those joins to the next. Servers ask publishers for a key frame at most once a second, so less measures that limit."`
	Password secret        `aliases:"token" placeholder:"TEXT" help:"Password of the stream, or the token that another server wants (--token is the same): itself, @FILE to read it from, or - for standard input."`
	Loss     percentage    `default:"0" placeholder:"PERCENT" help:"Throw so many percent of the media packets away when they come, by chance, as a bad line would."`
	PID      int           `name:"pid" placeholder:"PID" help:"Process of the server on this machine: tells its processor time and memory (Linux)."`
	JSON     bool          `name:"json" help:"Write the report as JSON."`
	Client   string        `default:"auto" enum:"auto,pion,light" help:"What the viewers are: pion, each a whole WebRTC client; light, made to be many (Linux); auto, light from 101 viewers on where there is it."`
	Verify   string        `default:"sample" enum:"all,sample" help:"Which viewers of the light client decrypt and check every packet: one in 16, or all."`
	Runs     bool          `help:"The light client takes datagrams that were sent as one message as one (UDP_GRO): over loopback, where nothing cuts them, receiving costs far less, and they arrive at one time."`
}

// The values of --client, and the largest crowd that auto leaves to pion.
const (
	clientAuto  = "auto"
	clientPion  = "pion"
	clientLight = "light"
	pionCrowd   = 100
)

// Help is shown under the flags.
func (*loadWhepCmd) Help() string {
	return `The clients are real WebRTC, and the server may be any that speaks WHEP. Run the server with --dev, or its rate limits are what is measured.

The light client does the same on the wire for a small part of the price: an offer, ICE, DTLS, keys and a socket for each viewer, reports, NACK, PLI and transport-wide feedback; but most of its viewers read packets only as far as they are in clear. One in 16 decrypts and checks everything (--verify), and tells the delay from the moment a packet was sent, which works for streams of "fanfare load whip": those carry the time in each packet. For other streams the pion client tells the delay against sender reports.

Examples:
  fanfare load whep http://127.0.0.1:8080/w/demo -n 100 --for 60s --pid $(pidof fanfare)
      Packets, loss, delay, and what a viewer costs the server.
  fanfare load whep http://127.0.0.1:8080/w/demo --joins 20 --apart 1.5s
      How long a join takes until the first whole key frame.
  fanfare load whep http://127.0.0.1:8889/bench/whep -n 20 --for 30s --json
      Another server's stream.
  taskset -c 1 fanfare load whep http://127.0.0.1:8080/w/bench -n 1000 --ramp 60/s --pid $(pidof fanfare)
      A thousand viewers on one core. A server that is busy (503) is asked again when it said.`
}

// perSecond is a rate such as "25/s" or "25".
type perSecond float64

// UnmarshalText reads the flag.
func (r *perSecond) UnmarshalText(b []byte) error {
	v, err := strconv.ParseFloat(strings.TrimSuffix(string(b), "/s"), 64)
	if err != nil || !(v >= 0.01 && v <= 10_000) { // not a number is neither
		return fmt.Errorf("%q is no rate from 0.01/s to 10000/s, such as 25/s", b)
	}
	*r = perSecond(v)
	return nil
}

// gap is the time between two joins.
func (r perSecond) gap() time.Duration { return time.Duration(float64(time.Second) / float64(r)) }

// Run joins, waits, and reports.
func (c *loadWhepCmd) Run(ctx context.Context, std stdio) error {
	viewers := 10
	if c.Joins > 0 {
		viewers = 0
	}
	if c.Viewers != nil {
		viewers = *c.Viewers
	}
	if err := c.check(viewers); err != nil {
		return err
	}
	address, err := endpoint.ViewAddress(c.URL, "")
	switch {
	case errors.Is(err, endpoint.ErrNoStream):
		return usageError{"this is the address of a server; give the link of a stream's page"}
	case err != nil:
		return usageError{err.Error()}
	}
	password, err := c.Password.read(std.in)
	if err != nil {
		return err
	}
	meter, err := newMeter(c.PID)
	if err != nil {
		return err
	}
	l := &loader{meter: meter, self: ownMeter(), status: newStatus(std.err)}
	defer l.status.done()
	if l.loadClient, err = c.newClient(address.Endpoint, password, viewers, l.delays.add); err != nil {
		return watchError(err)
	}
	report, err := l.run(ctx, viewers, c)
	if err != nil {
		return watchError(err)
	}
	l.status.done()
	if c.JSON {
		return writeJSON(std, report)
	}
	_, err = fmt.Fprint(std.out, report.text())
	return err
}

// newClient chooses the client.
func (c *loadWhepCmd) newClient(url, password string, viewers int, onDelay func(time.Duration)) (loadClient, error) {
	if c.Client == clientLight || c.Client == clientAuto && viewers > pionCrowd && runtime.GOOS == "linux" {
		cfg := crowd.Config{URL: url, Bearer: password, OnDelay: onDelay, Loss: c.Loss.share(), Runs: c.Runs}
		if c.Verify == "all" {
			cfg.VerifyOneIn = 1
		}
		return newLightClient(cfg)
	}
	return newPionClient(endpoint.ViewerConfig{URL: url, Bearer: password, OnDelay: onDelay, Loss: c.Loss.share()})
}

// percentage is a number such as "2" or "2%".
type percentage float64

// UnmarshalText reads the flag.
func (p *percentage) UnmarshalText(b []byte) error {
	v, err := strconv.ParseFloat(strings.TrimSuffix(string(b), "%"), 64)
	if err != nil || !(v >= 0 && v <= 50) {
		return fmt.Errorf("%q is no percentage from 0 to 50", b)
	}
	*p = percentage(v)
	return nil
}

func (p percentage) share() float64 { return float64(p) / 100 }
