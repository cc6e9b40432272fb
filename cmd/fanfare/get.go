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

	"github.com/fanfare-relay/fanfare/mesh/manifest"
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
interrupted goes on when the same command is given again: until then it lies in a folder NAME.fanfare-part. A short
code lives ten minutes, so it is exchanged for the link at once, which is shown: go on with that. A full disk ends
nothing: make room, and it goes on by itself.

Others who fetch the same get it from here, too. When all is here, the command ends; only if the uploader has
left by then, it stays until those others have the rest.

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
	if done, err := g.here(ctx); done || err != nil {
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
	g.peer = p
	stop := every(200*time.Millisecond, func() { g.look(p.Status()) })
	err = p.Run(ctx)
	stop()
	err = g.ended(ctx, err)
	if closing := g.close(); err == nil {
		err = closing // else the next run hashes what was not noted any more
	}
	return err
}

// getting is a transfer to here.
type getting struct {
	cmd    *getCmd
	std    stdio
	status *status
	events *eventLog
	link   seal.Link
	byCode bool   // the link was found by a short code
	id     []byte // the identity
	peer   *peer.Peer

	checked sync.Once // the check words were said

	mu       sync.Mutex
	sink     *store.Sink
	listed   bool
	finished bool
	stall    stallSaid
	needed   bool // was said
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
		Fetch: &peer.Fetch{Name: clip(name, seal.MaxName), Password: password, Accept: g.accept, Seed: g.cmd.Seed, Look: g.cmd.List},
	}, nil
}

// identity is that of an unfinished transfer, so that the uploader knows who comes back.
func (g *getting) identity() (peer.Identity, error) {
	if earlier, ok := store.Find(g.cmd.Out, g.link.Room); ok {
		if id, err := peer.ParseIdentity(earlier.Identity); err == nil {
			g.id = earlier.Identity
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
	g.check()
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
	sink, err := store.OpenSink(g.spec(o, selected))
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
	return sink, g.recheck(ctx, sink, o.Checked)
}

func (g *getting) spec(o peer.Offered, selected []bool) store.Spec {
	return store.Spec{
		Out: g.cmd.Out, Room: g.link.Room, Manifest: o.Manifest, Blob: o.Blob, Check: o, Selected: selected,
		Identity: g.id, Signer: o.Key[:],
	}
}

// recheck hashes what an earlier run has left. looked is told how far it is.
func (g *getting) recheck(ctx context.Context, sink *store.Sink, looked func(done, all int64)) error {
	hashed, err := sink.Recheck(ctx, looked)
	here, layout := int64(0), sink.Layout()
	for i := range layout.Pieces() {
		if sink.Whole(i) {
			here += int64(layout.PieceLen(i))
		}
		for _, leaf := range sink.Begun(i) {
			here += int64(layout.LeafLen(i, leaf))
		}
	}
	g.events.write("resumed", map[string]any{"here": here, "hashed": hashed})
	return err
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
	text := m.Text
	if g.cmd.List && len(m.Files) == 0 { // a text alone is taken by being shown
		text = ""
	}
	g.events.write("manifest", map[string]any{"files": files, "total": m.Total(), "text": text, "textSize": len(m.Text)})
	if g.cmd.JSON {
		return
	}
	if text != "" {
		g.status.done()
		if isTerminal(g.std.out) { // a file or another program gets it as it is
			text = harmless(text)
		}
		fmt.Fprintln(g.std.out, text)
	}
	if g.cmd.List {
		g.list(m)
		return
	}
	if len(m.Files) > 0 {
		g.status.say("Fetching " + describeFiles(m) + ".")
	}
}

// list shows names and sizes.
func (g *getting) list(m manifest.Manifest) {
	for _, f := range m.Files {
		fmt.Fprintf(g.std.out, "%10s  %s\n", size(uint64(f.Size)), f.Path)
	}
	if len(m.Files) == 0 {
		fmt.Fprintf(g.std.out, "%10s  a text, which is shown without --list\n", size(uint64(len(m.Text))))
	}
}

// tell says what happens. It is called by the swarm and does not wait.
func (g *getting) tell(e peer.Event) {
	switch e := e.(type) {
	case peer.Waits:
		g.status.say("The uploader has to let you in; waiting for that.")
		go g.check() // ends with the swarm at the latest
	case peer.Wrong:
		g.status.say("A peer sent something that is not part of this transfer and was dropped. Nothing of it was kept.")
	case peer.Lost:
		g.status.say("The server is gone; peers that are connected go on. Trying to reach it again.")
	case peer.Back:
		g.status.say("The server is back.")
	case peer.Full:
		g.status.say("There is no room: " + e.Err.Error() + ". Make room, and it goes on by itself; or interrupt, and give the same command later.")
	case peer.Room:
		g.status.say("There is room again; going on.")
	case peer.Unreadable:
		g.status.say("Cannot read what was stored, to pass it on: " + e.Err.Error() + ".")
	case peer.Finished:
		g.saved(e.Names)
	}
}

func (g *getting) saved(names []string) {
	g.mu.Lock()
	g.finished = true
	rest := g.sink.Rest()
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
	if rest != "" {
		g.status.say(fmt.Sprintf("Of what an earlier run had begun the rest stays in %q; the same command as then goes on with it.", filepath.Join(g.cmd.Out, rest)))
	}
	if g.cmd.Seed {
		g.status.say("Everything is here. Passing it on to others until interrupted.")
	}
}

// look shows how it goes.
func (g *getting) look(st peer.Status) {
	g.events.write("progress", map[string]any{
		"total": st.Total, "held": st.Held, "here": st.Here, "rate": int64(st.Down), "peers": len(st.Peers),
		"again": st.Again, "stall": stallName(st.Stall), "checked": int64(100 * st.Checked), "finished": st.Finished,
	})
	words, now := stallWords(st), time.Now()
	if g.stall.due(st.Stall, now) && !g.status.terminal { // a terminal has it in its last line
		g.status.say(words + ".")
	}
	if st.Needed > 0 && !g.needed {
		g.needed = true
		g.status.say(fmt.Sprintf("The uploader has left, and %s still here. Passing that on before this ends; interrupt to end now.", needs(st.Needed)))
	}
	if st.Finished {
		g.status.show(fmt.Sprintf("Passing on: %s/s, %s sent, %d connected", size(uint64(st.Up)), size(uint64(st.Sent)), len(st.Peers)))
		return
	}
	g.status.show(getLine(st, g.meter.rate(st.Held, now), words))
}

// stallSaid keeps what is told about a stall from being told for every moment of it, and again.
type stallSaid struct {
	stall peer.Stall
	since time.Time
	said  bool
}

// due tells whether it is time to say why nothing comes.
func (s *stallSaid) due(stall peer.Stall, now time.Time) bool {
	const moment = 3 * time.Second
	if stall != s.stall {
		*s = stallSaid{stall: stall, since: now}
	}
	due := stall != peer.Flowing && !s.said && now.Sub(s.since) >= moment
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
		return g.interrupted()
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
