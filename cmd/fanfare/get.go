package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/pake"
	"github.com/fanfare-relay/fanfare/mesh/peer"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/store"
)

type getCmd struct {
	What      secret   `arg:"" name:"link-or-code" help:"The whole link, or a short code (with --from): itself, @FILE to read it from, or - for standard input."`
	From      string   `placeholder:"SERVER" help:"The server of a short code, such as https://files.example.org."`
	Out       string   `default:"." placeholder:"DIR" help:"The folder that the files go to. Default: the current one."`
	Only      []string `placeholder:"GLOB" help:"Fetch only files whose path or name fits, such as '*.jpg' or 'photos/*'. May be given more than once."`
	List      bool     `help:"Show names and sizes, and fetch nothing."`
	Seed      bool     `help:"Go on serving others when everything is here, until interrupted."`
	Name      string   `placeholder:"NAME" help:"What the uploader is shown. Default: the name of this machine."`
	Password  secret   `placeholder:"TEXT" help:"The password, where the uploader asks for one: itself, @FILE, or -."`
	UpRate    byteRate `placeholder:"RATE" help:"Pass on at most so many bytes a second, such as 500k or 2M."`
	RelayOnly bool     `help:"Offer no address: everything comes through the server, and the peers do not learn where this machine is. Slow."`
	JSON      bool     `name:"json" help:"Write what happens to standard output, one line of JSON each."`
	Verbose   bool     `short:"v" help:"Tell what happens between the peers."`
}

// Help is shown under the flags.
func (*getCmd) Help() string {
	return `Ends with exit code 0 when every byte is verified and on disk. Nothing that exists is overwritten. What was
interrupted goes on when the same command is given again: until then it lies in a folder NAME.fanfare-part.

Examples:
  fanfare get 'https://files.example.org/f/q1fWtdUkFzvGxmW8mVQnDg#v1.…' --out ~/Downloads
  fanfare get 7-acorn-piano-zebra --from https://files.example.org
  fanfare get @link.txt --only '*.pdf' --seed`
}

// Run fetches until everything is here, or, with --seed, until ctx ends.
func (c *getCmd) Run(ctx context.Context, std stdio) error {
	g := &getting{cmd: c, std: std, status: newStatus(std.err), events: &eventLog{on: c.JSON, std: std}}
	defer g.status.done()
	password, err := c.Password.read(std.in)
	if err != nil {
		return err
	}
	for _, glob := range c.Only {
		if _, err := path.Match(glob, ""); err != nil {
			return usageError{fmt.Sprintf("--only: %q is not a pattern", glob)}
		}
	}
	if g.link, err = c.link(ctx, std, g); err != nil {
		return err
	}
	cfg, err := g.config(password)
	if err != nil {
		return err
	}
	p, err := peer.New(cfg)
	if err != nil {
		return err
	}
	stop := every(200*time.Millisecond, func() { g.look(p.Status()) })
	err = p.Run(ctx)
	stop()
	return errors.Join(g.ended(ctx, err), g.close())
}

// link finds the link: it is given, or a code stands for it.
func (c *getCmd) link(ctx context.Context, std stdio, g *getting) (seal.Link, error) {
	what, err := c.What.read(std.in)
	if err != nil {
		return seal.Link{}, err
	}
	if strings.Contains(what, "/") {
		link, err := seal.ParseLink(what)
		if err != nil {
			return link, usageError{err.Error()}
		}
		return link, nil
	}
	code, err := pake.ParseCode(what)
	if err != nil {
		return seal.Link{}, usageError{err.Error()}
	}
	if c.From == "" {
		return seal.Link{}, usageError{"a short code needs the server that made it: --from https://…"}
	}
	server, err := serverOrigin(c.From)
	if err != nil {
		return seal.Link{}, usageError{"--from: " + err.Error()}
	}
	link, err := peer.Redeem(ctx, server, code, peerLog(c.Verbose, g.status))
	if err != nil {
		return link, transferError(err, false)
	}
	return link, nil
}

// getting is a transfer to here.
type getting struct {
	cmd    *getCmd
	std    stdio
	status *status
	events *eventLog
	link   seal.Link
	id     []byte // the identity

	mu       sync.Mutex
	sink     *store.Sink
	listed   bool
	finished bool
	stall    stallSaid
	meter    rateMeter
}

func (g *getting) config(password string) (peer.Config, error) {
	name := g.cmd.Name
	if name == "" {
		name, _ = os.Hostname() // the uploader then sees no name
	}
	identity, err := g.identity()
	if err != nil {
		return peer.Config{}, err
	}
	return peer.Config{
		Link: g.link, Identity: identity, Transport: transportTo(g.link.Server, g.cmd.RelayOnly), UpRate: int(g.cmd.UpRate),
		Tell: g.tell, Log: peerLog(g.cmd.Verbose, g.status),
		Fetch: &peer.Fetch{Name: clip(name, seal.MaxName), Password: password, Accept: g.accept, Seed: g.cmd.Seed},
	}, nil
}

// identity is that of an unfinished transfer, so that the uploader knows who comes back.
func (g *getting) identity() (peer.Identity, error) {
	if b, ok := store.Identity(g.cmd.Out, g.link.Room); ok {
		if id, err := peer.ParseIdentity(b); err == nil {
			g.id = b
			return id, nil
		}
	}
	id, err := peer.NewIdentity()
	if err != nil {
		return id, err
	}
	g.id, err = id.Bytes()
	return id, err
}

// accept shows what is shared, and opens the place for it.
func (g *getting) accept(ctx context.Context, o peer.Offered) (*store.Sink, error) {
	selected, picked := g.pick(o.Manifest)
	g.show(o.Manifest, selected)
	if g.cmd.List || len(o.Manifest.Files) == 0 {
		g.mu.Lock()
		g.listed = true
		g.mu.Unlock()
		return nil, nil
	}
	if picked == 0 {
		return nil, usageError{"no file fits --only; see their names with --list"}
	}
	sink, err := store.OpenSink(store.Spec{
		Out: g.cmd.Out, Room: g.link.Room, Manifest: o.Manifest, Blob: o.Blob, Selected: selected, Identity: g.id,
	})
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	g.sink = sink
	g.mu.Unlock()
	if !sink.Resumed() {
		return sink, nil
	}
	g.status.say("Going on with an unfinished transfer.")
	hashed, err := sink.Recheck(ctx, peer.CheckPiece)
	here := int64(0)
	for i := range sink.Layout().Pieces() {
		if sink.Whole(i) {
			here += int64(sink.Layout().PieceLen(i))
		}
	}
	g.events.write("resumed", map[string]any{"here": here, "hashed": hashed})
	return sink, err
}

// pick tells which files are wanted; nil for all.
func (g *getting) pick(m manifest.Manifest) (selected []bool, picked int) {
	if len(g.cmd.Only) == 0 {
		return nil, len(m.Files)
	}
	selected = make([]bool, len(m.Files))
	for i, f := range m.Files {
		for _, glob := range g.cmd.Only {
			if fits(glob, f.Path) {
				selected[i] = true
				picked++
				break
			}
		}
	}
	return selected, picked
}

// fits tells whether a pattern is that of a path, of its name, or of a folder that it is in.
func fits(glob, name string) bool {
	name = strings.TrimSuffix(name, "/")
	if ok, _ := path.Match(glob, path.Base(name)); ok { // the pattern was checked
		return true
	}
	for ; name != "."; name = path.Dir(name) {
		if ok, _ := path.Match(glob, name); ok {
			return true
		}
	}
	return false
}

func (g *getting) show(m manifest.Manifest, selected []bool) {
	files := make([]map[string]any, len(m.Files))
	for i, f := range m.Files {
		files[i] = map[string]any{"path": f.Path, "size": f.Size, "wanted": selected == nil || selected[i]}
	}
	g.events.write("manifest", map[string]any{"files": files, "total": m.Total(), "text": m.Text})
	if g.cmd.JSON {
		return
	}
	if m.Text != "" {
		g.status.done()
		text := m.Text // a file or another program gets it as it is
		if isTerminal(g.std.out) {
			text = harmless(text)
		}
		fmt.Fprintln(g.std.out, text)
	}
	if g.cmd.List {
		for _, f := range m.Files {
			fmt.Fprintf(g.std.out, "%10s  %s\n", size(uint64(f.Size)), f.Path)
		}
		return
	}
	if len(m.Files) > 0 {
		g.status.say("Fetching " + describeFiles(m) + ".")
	}
}

// tell says what happens. It is called by the swarm and does not wait.
func (g *getting) tell(e peer.Event) {
	switch e := e.(type) {
	case peer.Waits:
		g.status.say("The uploader has to let you in; waiting for that.")
	case peer.Wrong:
		g.status.say("A peer sent something that is not part of this transfer and was dropped. Nothing of it was kept.")
	case peer.Lost:
		g.status.say("The server is gone; peers that are connected go on. Trying to reach it again.")
	case peer.Back:
		g.status.say("The server is back.")
	case peer.Full:
		g.status.say("There is no room: " + e.Err.Error() + ". Make room, and it goes on by itself; or interrupt, and give the same command later.")
	case peer.Unreadable:
		g.status.say("Cannot read what was stored, to pass it on: " + e.Err.Error() + ".")
	case peer.Finished:
		g.saved(e.Names)
	}
}

func (g *getting) saved(names []string) {
	g.mu.Lock()
	g.finished = true
	g.mu.Unlock()
	places := make([]string, len(names))
	for i, name := range names {
		places[i] = filepath.Join(g.cmd.Out, filepath.FromSlash(name))
	}
	g.events.write("finished", map[string]any{"names": places})
	if !g.cmd.JSON {
		g.status.done()
		for _, place := range places {
			fmt.Fprintln(g.std.out, place)
		}
	}
	if g.cmd.Seed {
		g.status.say("Everything is here. Passing it on to others until interrupted.")
	}
}

// look shows how it goes.
func (g *getting) look(st peer.Status) {
	g.events.write("progress", map[string]any{
		"total": st.Total, "held": st.Held, "here": st.Here, "rate": int64(st.Down), "peers": len(st.Peers),
		"stall": stallName(st.Stall), "finished": st.Finished,
	})
	words, now := stallWords(st.Stall), time.Now()
	if g.stall.due(words, now) && !g.status.terminal { // a terminal has it in its last line
		g.status.say(words + ".")
	}
	if st.Finished {
		g.status.show(fmt.Sprintf("Passing on: %s/s, %s sent, %d connected", size(uint64(st.Up)), size(uint64(st.Sent)), len(st.Peers)))
		return
	}
	g.status.show(getLine(st, g.meter.rate(st.Held, now), words))
}

// stallSaid keeps what is told about a stall from being told for every moment of it, and again.
type stallSaid struct {
	words string
	since time.Time
	said  bool
}

// due tells whether it is time to say why nothing comes.
func (s *stallSaid) due(words string, now time.Time) bool {
	const moment = 3 * time.Second
	if words != s.words {
		*s = stallSaid{words: words, since: now}
	}
	due := words != "" && !s.said && now.Sub(s.since) >= moment
	s.said = s.said || due
	return due
}

// ended makes of the swarm's end the command's.
func (g *getting) ended(ctx context.Context, err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil || g.finished && errors.Is(err, context.Canceled) {
		return nil
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		if g.sink == nil {
			return errors.New("interrupted before anything was fetched")
		}
		return errors.New("interrupted; the same command goes on where it ended")
	}
	return transferError(err, false)
}

func (g *getting) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.sink == nil {
		return nil
	}
	return g.sink.Close()
}

// getLine is the progress in one line: a bar, verified bytes, rate, time left, peers, and why nothing comes.
func getLine(st peer.Status, rate float64, stall string) string {
	if st.Total == 0 {
		if stall == "" {
			stall = "Connecting"
		}
		return stall + " …"
	}
	const width = 16
	full := int(percent(st.Held, st.Total)) * width / 100
	line := fmt.Sprintf("%s%s %3d %% of %s", strings.Repeat("█", full), strings.Repeat("░", width-full), percent(st.Held, st.Total), size(uint64(st.Total)))
	if stall != "" {
		return line + "; " + strings.ToLower(stall[:1]) + stall[1:]
	}
	if rate > 0 {
		left := time.Duration(float64(st.Total-st.Held) / rate * float64(time.Second)).Round(time.Second)
		line += fmt.Sprintf(", %s/s, %v left", size(uint64(rate)), left)
	}
	return fmt.Sprintf("%s, %s", line, peersOf(st))
}

// peersOf counts those who are connected, and says when the slow way through the server is all there is.
func peersOf(st peer.Status) string {
	relayed := 0
	for _, p := range st.Peers {
		if p.Relayed {
			relayed++
		}
	}
	switch {
	case len(st.Peers) == 0:
		return "no peers"
	case relayed == len(st.Peers):
		return fmt.Sprintf("%d peers by the server's relay", relayed)
	}
	return fmt.Sprintf("%d peers", len(st.Peers))
}

// clip keeps the first characters of a text.
func clip(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}

// harmless is a stranger's text as a terminal may show it: what would move the cursor, write the clipboard
// or turn the direction of reading is shown as a mark.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
