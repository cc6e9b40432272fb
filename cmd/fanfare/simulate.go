package main

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/swarmsim"
)

type simulateCmd struct {
	Swarm simulateSwarmCmd `cmd:"" help:"How long a file takes to reach many receivers that pass it on, against the least possible."`
}

type simulateSwarmCmd struct {
	Peers      int           `short:"n" placeholder:"N" help:"Receivers, 1 to 63. Without it a table is printed: 2, 10 and 50 receivers, the policy that is used and others to compare with."`
	Size       byteSize      `default:"100MB" help:"What is shared, in bytes: 64MiB, 2GB."`
	Pieces     int           `default:"400" help:"How many pieces it is cut in. Transfers use at least 512: more is better until a piece is one leaf."`
	Up         float64       `default:"10" help:"Uplink of each receiver in Mbit/s."`
	Uplinks    []float64     `placeholder:"2,10,40" help:"Uplinks of the receivers in turn, in Mbit/s, instead of --up."`
	UploaderUp float64       `name:"uploader-up" default:"10" help:"Uplink of the uploader in Mbit/s."`
	Down       float64       `default:"0" help:"Downlink of each receiver in Mbit/s; 0: no limit."`
	Delay      time.Duration `default:"25ms" help:"Way from one peer to another. Three of them lie between a piece's last byte and the first byte passed on."`
	Neighbours int           `default:"8" help:"How many others a peer knows in a swarm of more than nine; 0: all."`
	Policy     string        `default:"unique" enum:"unique,rarest,sequential,copies" help:"With --peers: unique, as transfers do it; rarest, the uploader shows everything at once; sequential, all ask from the first piece to the last; copies, receivers pass nothing on."`
	Churn      float64       `default:"0" help:"Share of the receivers that come late, and share of those that leave before the end: 0 to 0.5."`
	Accept     time.Duration `default:"0s" placeholder:"TIME" help:"Receivers take what is shared within this time, each in a moment of its own, and ask for nothing before."`
	Bad        int           `default:"0" placeholder:"N" help:"So many of the receivers send nothing but bad data."`
	LeaveAt    float64       `name:"leave-at" default:"0" placeholder:"COPIES" help:"The uploader leaves when it has sent so many copies, such as 1; 0: it stays."`
	Seed       uint64        `default:"1" help:"Chance: the same seed gives the same run."`
	JSON       bool          `name:"json" help:"Write the results as JSON."`
}

// Help is shown under the flags.
func (*simulateSwarmCmd) Help() string {
	return `The receivers and the uploader are the scheduler of real transfers; their lines and the clock are made up, so that an hour passes in a second. Nothing is sent.

The figures are shares of the fluid bound max(F/u_s, F/d_min, N·F/(u_s + Σu)): the least time in which all receivers can have everything, whatever they do. In brackets: how many copies the uploader sent.

Examples:
  fanfare simulate swarm
      The table: what each rule of the scheduler is worth.
  fanfare simulate swarm -n 10 --uplinks 2,10,40
      Slow and fast receivers.
  fanfare simulate swarm -n 10 --leave-at 1
      The uploader closes its page when hardly more than one copy is out.
  fanfare simulate swarm -n 6 --bad 3 --churn 0.3
      Half of them send garbage, and a third come late or leave.`
}

// byteSize is a number of bytes such as "100MB", "64MiB" or "5000".
type byteSize int64

// UnmarshalText reads the flag.
func (b *byteSize) UnmarshalText(text []byte) error {
	number, factor := string(text), int64(1)
	for _, unit := range []struct {
		name   string
		factor int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}} {
		if rest, ok := strings.CutSuffix(number, unit.name); ok {
			number, factor = rest, unit.factor
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 1 || n > (1<<50)/factor {
		return fmt.Errorf("%q is no size such as 100MB", text)
	}
	*b = byteSize(n * factor)
	return nil
}

// Limits of a simulation that ends within minutes.
const (
	simulatedPieces = 1 << 14
	simulatedSize   = 64 << 30
	simulatedLeaf   = 64 << 10
)

// Run simulates one swarm, or those of the table.
func (c *simulateSwarmCmd) Run(std stdio) error {
	switch {
	case c.Peers < 0 || c.Peers > 63:
		return usageError{fmt.Sprintf("--peers %d: a room has 1 to 63 receivers", c.Peers)}
	case c.Pieces < 1 || c.Pieces > simulatedPieces || int64(c.Pieces) > int64(c.Size):
		return usageError{fmt.Sprintf("--pieces %d: 1 to %d, of at least a byte", c.Pieces, simulatedPieces)}
	case c.Size > simulatedSize:
		return usageError{"--size: 64GiB at most"}
	case c.Churn < 0 || c.Churn > 0.5:
		return usageError{fmt.Sprintf("--churn %g is no share from 0 to 0.5", c.Churn)}
	case c.Bad < 0 || c.LeaveAt < 0 || c.Neighbours < 0:
		return usageError{"--bad, --leave-at and --neighbours are not negative"}
	case c.Accept < 0 || c.Accept > time.Hour:
		return usageError{"--accept: up to an hour"}
	case c.Delay < 0 || c.Delay > time.Minute:
		return usageError{"--delay: up to a minute"}
	}
	if c.Peers == 0 {
		return c.table(std)
	}
	result, err := swarmsim.Run(c.config(c.Peers))
	if err != nil {
		return usageError{err.Error()}
	}
	if c.JSON {
		return writeJSON(std, report(result))
	}
	fmt.Fprintf(std.out, "bound            %.1f s\n", result.Bound.Seconds())
	fmt.Fprintf(std.out, "last receiver    %.1f s\n", result.Last.Seconds())
	fmt.Fprintf(std.out, "of the bound     %s\n", ofBound(result))
	fmt.Fprintf(std.out, "finished         %d of %d\n", result.Finished, result.Expected)
	fmt.Fprintf(std.out, "uploader sent    %.3f copies\n", result.Copies)
	_, err = fmt.Fprintf(std.out, "arrived twice    %.2f %%\n", 100*result.Extra)
	return err
}

// policy is the value of --policy; kong lets nothing else in.
func (c *simulateSwarmCmd) policy() swarmsim.Policy {
	switch c.Policy {
	case "rarest":
		return swarmsim.RarestFirst
	case "sequential":
		return swarmsim.Sequential
	case "copies":
		return swarmsim.Copies
	}
	return swarmsim.UniqueFirst
}

func (c *simulateSwarmCmd) config(peers int) swarmsim.Config {
	uplinks := c.Uplinks
	if len(uplinks) == 0 {
		uplinks = []float64{c.Up}
	}
	pieces := int64(c.Pieces)
	cfg := swarmsim.Config{
		Receivers: peers, Size: int64(c.Size), Piece: (int64(c.Size) + pieces - 1) / pieces, Leaf: simulatedLeaf,
		UploaderUp: c.UploaderUp * 1e6, Down: c.Down * 1e6, Delay: c.Delay, Neighbours: c.Neighbours, Policy: c.policy(),
		Churn: c.Churn, Accept: c.Accept, Bad: c.Bad, LeaveAt: c.LeaveAt, Seed: c.Seed,
	}
	for _, up := range uplinks {
		cfg.Uplinks = append(cfg.Uplinks, up*1e6)
	}
	return cfg
}

// simulated is a result as JSON has it.
type simulated struct {
	Policy     string  `json:"policy,omitempty"`
	Peers      int     `json:"peers,omitempty"`
	Bound      float64 `json:"bound_s"`
	Last       float64 `json:"last_s"`
	Efficiency float64 `json:"efficiency"`
	Finished   int     `json:"finished"`
	Expected   int     `json:"expected"`
	Copies     float64 `json:"uploader_copies"`
	Extra      float64 `json:"arrived_twice"`
}

func report(r swarmsim.Result) simulated {
	return simulated{
		Bound: r.Bound.Seconds(), Last: r.Last.Seconds(), Efficiency: r.Efficiency(),
		Finished: r.Finished, Expected: r.Expected, Copies: r.Copies, Extra: r.Extra,
	}
}

func ofBound(r swarmsim.Result) string {
	if r.Finished < r.Expected {
		return "not finished"
	}
	return fmt.Sprintf("%.1f %%", 100*r.Efficiency())
}

// simulatedRow is a line of the table: flags that differ from those given.
type simulatedRow struct {
	name   string
	change func(*swarmsim.Config)
}

func simulatedRows() []simulatedRow {
	policy := func(p swarmsim.Policy) func(*swarmsim.Config) {
		return func(c *swarmsim.Config) { c.Policy = p }
	}
	unequal := func(p swarmsim.Policy) func(*swarmsim.Config) {
		return func(c *swarmsim.Config) { c.Policy, c.Uplinks = p, []float64{2e6, 10e6, 40e6} }
	}
	return []simulatedRow{
		{"N copies by the uploader", policy(swarmsim.Copies)},
		{"sequential", policy(swarmsim.Sequential)},
		{"rarest first, all shown at once", policy(swarmsim.RarestFirst)},
		{"unique first (what transfers do)", policy(swarmsim.UniqueFirst)},
		{"the same, all know each other", func(c *swarmsim.Config) { c.Policy, c.Neighbours = swarmsim.UniqueFirst, 0 }},
		{"uplinks 2, 10, 40: rarest first, all shown", unequal(swarmsim.RarestFirst)},
		{"uplinks 2, 10, 40: unique first", unequal(swarmsim.UniqueFirst)},
	}
}

// table runs every policy with 2, 10 and 50 receivers.
func (c *simulateSwarmCmd) table(std stdio) error {
	var all []simulated
	peers := []int{2, 10, 50}
	w := tabwriter.NewWriter(std.out, 0, 0, 3, ' ', 0)
	fmt.Fprintf(w, "POLICY, %d PIECES\tN=2\tN=10\tN=50\n", c.Pieces)
	for _, row := range simulatedRows() {
		fmt.Fprint(w, row.name)
		for _, n := range peers {
			cfg := c.config(n)
			row.change(&cfg)
			result, err := swarmsim.Run(cfg)
			if err != nil {
				return usageError{err.Error()}
			}
			one := report(result)
			one.Policy, one.Peers = row.name, n
			all = append(all, one)
			fmt.Fprintf(w, "\t%s (%.2f)", ofBound(result), result.Copies)
		}
		fmt.Fprintln(w)
	}
	if c.JSON {
		return writeJSON(std, all)
	}
	return w.Flush()
}
