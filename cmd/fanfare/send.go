package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mdp/qrterminal/v3"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/peer"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/store"
)

type sendCmd struct {
	Paths        []string      `arg:"" optional:"" name:"path" help:"Files and folders to share."`
	To           string        `required:"" placeholder:"SERVER" help:"The server that introduces the receivers, such as https://files.example.org."`
	Key          secret        `placeholder:"KEY" help:"Publish key of the server, where it asks for one: the key itself, @FILE to read it from, or - for standard input."`
	Text         secret        `placeholder:"TEXT" help:"Share a text, alone or with files: itself, @FILE, or - for standard input."`
	Password     secret        `placeholder:"TEXT" help:"Receivers have to know this password, beside the link: itself, @FILE, or -."`
	Approve      bool          `help:"Ask here about each receiver before it is let in."`
	MaxReceivers int           `placeholder:"N" help:"Let in so many receivers, and end when all of them have everything."`
	Expires      time.Duration `default:"24h" placeholder:"TIME" help:"How long the link works: 1m to 168h."`
	UpRate       byteRate      `placeholder:"RATE" help:"Send at most so many bytes a second, such as 500k or 2M."`
	RelayOnly    bool          `help:"Offer no address: receivers get everything through the server, and do not learn where this machine is. Slow."`
	NoCode       bool          `help:"Make no short code, only the link."`
	NewLink      bool          `help:"Make a new link, also where the same files were shared before and their link still works."`
	JSON         bool          `name:"json" help:"Write what happens to standard output, one line of JSON each."`
	Verbose      bool          `short:"v" help:"Tell what happens between the peers."`
}

// Help is shown under the flags.
func (*sendCmd) Help() string {
	return `The files go straight to the receivers, who pass on to each other what they have; the server sees neither
names nor content. The command has to run until it says that it is safe to close. Started again with the same files
it goes on under the same link. What cannot be read is left out, and said. At a terminal, type "remove" and a number
or a name to take back what somebody was given.

Examples:
  fanfare send film.mkv photos/ --to https://files.example.org --key @key.txt
  fanfare send --text "see you at eight" --to http://127.0.0.1:8080
  fanfare send big.iso --to https://files.example.org --max-receivers 1 --up-rate 2M`
}

// Run shares until ctx ends or all receivers that are allowed have everything.
func (c *sendCmd) Run(ctx context.Context, std stdio) error {
	s, err := c.prepare(std)
	if err != nil {
		return err
	}
	defer s.source.Close()
	defer s.status.done()
	p, err := peer.New(s.config())
	if err != nil {
		return err
	}
	s.peer = p
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go s.attend(ctx)
	go s.check(ctx)
	stop := every(time.Second, func() {
		if s.look(p.Status()) {
			cancel()
		}
	})
	err = p.Run(ctx)
	stop()
	return s.ended(err)
}

// sending is a transfer from here.
type sending struct {
	cmd      *sendCmd
	std      stdio
	status   *status
	source   *store.Source
	session  sendSession
	key      string // of the server
	password string
	peer     *peer.Peer
	events   *eventLog
	waiting  chan peer.Asked
	letIn    chan peer.Admitted      // whose check words are to be said
	asked    map[seal.PublicKey]bool // of these they are said with the question; tell's
	terminal bool                    // somebody may type at any time
	unread   atomic.Bool             // what is typed: standard input has ended
	inside   inside
	warned   bool // of guesses at the password; attend's

	safe, alone bool // was said
}

func (c *sendCmd) prepare(std stdio) (*sending, error) {
	server, err := serverOrigin(c.To)
	switch {
	case err != nil:
		return nil, usageError{"--to: " + err.Error()}
	case len(c.Paths) == 0 && c.Text == "":
		return nil, usageError{"name files or folders to share, or give a text with --text"}
	case c.Expires < time.Minute || c.Expires > 7*24*time.Hour:
		return nil, usageError{"--expires: from 1m to 168h"}
	case c.MaxReceivers < 0 || c.MaxReceivers > 63:
		return nil, usageError{"--max-receivers: from 1 to 63"}
	}
	s := &sending{cmd: c, std: std, terminal: isTerminal(std.in), status: newStatus(std.err), waiting: make(chan peer.Asked, 64), letIn: make(chan peer.Admitted, 64), asked: map[seal.PublicKey]bool{}}
	s.events = &eventLog{on: c.JSON, std: std}
	if s.source, err = store.OpenSource(c.Paths, func(p, why string) { s.status.say(fmt.Sprintf("Left out %q: %s.", p, why)) }); err != nil {
		return nil, err
	}
	text, err := readText(c.Text, std.in)
	if err != nil {
		return nil, err
	}
	if s.key, err = c.Key.read(std.in); err != nil {
		return nil, err
	}
	if s.password, err = c.Password.read(std.in); err != nil { // without it everybody would come in
		return nil, fmt.Errorf("--password: %w", err)
	}
	m := manifest.Manifest{Files: s.source.Files(), Text: text}
	if s.session, err = openSession(server, c.Paths, m, c.Expires, c.NewLink); err != nil {
		return nil, err
	}
	return s, s.session.manifest.Check()
}

// readText is secret.read, but a text may have more than one line and is kept as it is.
func readText(from secret, stdin io.Reader) (string, error) {
	var b []byte
	var err error
	switch {
	case from == "-":
		b, err = io.ReadAll(io.LimitReader(stdin, manifest.MaxText+1))
	case strings.HasPrefix(string(from), "@"):
		b, err = os.ReadFile(string(from[1:]))
	default:
		b = []byte(from)
	}
	if err != nil {
		return "", fmt.Errorf("cannot read the text: %w", err)
	}
	return string(b), nil
}

func (s *sending) config() peer.Config {
	owner := s.key
	if owner == "" {
		owner = s.session.Owner
	}
	return peer.Config{
		Link: s.session.link(), Identity: s.session.identity, Transport: transportTo(s.session.Server, s.cmd.RelayOnly),
		UpRate: int(s.cmd.UpRate), Tell: s.tell, Log: peerLog(s.cmd.Verbose, s.status),
		Share: &peer.Share{
			Key: s.session.key, Owner: owner, Manifest: s.session.manifest, Source: s.source, Code: !s.cmd.NoCode,
			Rule:    peer.Rule{Approve: s.cmd.Approve, Password: s.password, Max: s.cmd.MaxReceivers},
			Removed: s.session.outside(), Expires: s.session.Expires,
		},
	}
}

// tell says what happens. It is called by the swarm and does not wait.
func (s *sending) tell(e peer.Event) {
	switch e := e.(type) {
	case peer.Opened:
		s.opened()
	case peer.Code:
		s.events.write("code", map[string]any{"code": e.Text, "until": e.Until})
		if !s.cmd.JSON {
			fmt.Fprintf(s.std.err, "Code: %s (until %s)\n", e.Text, e.Until.Local().Format("15:04"))
		}
	case peer.CodeEnded:
		words := "The short code has had its time. The link still works; start the command again for a new code."
		if e.Guessed {
			words = "Somebody has guessed at the short code, and it no longer works. The link still does."
		}
		s.status.say(words)
	case peer.Asked:
		s.events.write("asked", map[string]any{"name": e.Name, "guessed": e.Guessed})
		s.asked[e.Key] = true
		select {
		case s.waiting <- e:
		default: // more than a room holds: somebody asks under many names
			go s.peer.Decide(e.Key, false)
		}
	case peer.Admitted:
		s.events.write("admitted", map[string]any{"name": e.Name})
		s.letsIn(e)
		s.checkLater(e)
	case peer.Untold:
		s.events.write("untold", nil)
		s.status.say("The other receivers cannot be told of all who are not let in any more, and may pass the files on to those; to be sure, end this and send again with --new-link.")
	case peer.Complete:
		s.events.write("complete", map[string]any{"name": e.Name})
		s.status.say(nameOrSomebody(e.Name) + " has everything.")
	case peer.Wrong:
		s.status.say(nameOrSomebody(e.Name) + " sent something that is not part of this transfer and was dropped.")
	case peer.Lost:
		s.status.say("The server is gone; receivers that are connected go on. Trying to reach it again.")
	case peer.Back:
		s.status.say("The server is back.")
	case peer.Unreadable:
		s.status.say("Cannot read " + e.Err.Error() + ".")
	}
}

// opened prints the link, on a line of its own for programs and people alike.
func (s *sending) opened() {
	link := s.session.link().String()
	if s.cmd.JSON {
		s.events.write("link", map[string]any{"link": link, "expires": s.session.Expires, "resumed": s.session.resumed})
		return
	}
	fmt.Fprintln(s.std.out, link)
	if s.session.resumed {
		s.status.say("Going on under the link from before.")
	}
	if isTerminal(s.std.out) {
		qrterminal.GenerateHalfBlock(link, qrterminal.L, s.std.out)
	}
	s.status.say(fmt.Sprintf("Sharing %s. The link works until %s. Keep this open.", describeFiles(s.session.manifest), s.session.Expires.Local().Format("2 Jan 15:04")))
}

// look tells how it goes, and whether it is time to end.
func (s *sending) look(st peer.Status) (enough bool) {
	s.events.write("progress", sendFigures(st))
	switch {
	case st.Safe && !s.safe:
		s.status.say("It is safe to close: the swarm has every piece.")
		s.events.write("safe", nil)
	case !st.Safe && s.safe && lacking(st):
		s.status.say("It is not safe to close any more: somebody needs pieces that nobody who stays has.")
		s.events.write("needed", nil)
	}
	s.safe = st.Safe
	s.inside.note(st.Peers)
	s.status.show(sendLine(st))
	most := s.cmd.MaxReceivers
	alone := most > 0 && st.LetIn >= most && st.Complete < most && len(st.Peers) == 0
	if alone && !s.alone {
		s.status.say(fmt.Sprintf("All who may come have been let in and have left; %d of %d have everything. Who comes back goes on. Interrupt to end.", st.Complete, most))
	}
	s.alone = alone
	return most > 0 && st.Complete >= most
}

// lacking tells whether somebody is there who does not have everything.
func lacking(st peer.Status) bool {
	return slices.ContainsFunc(st.Peers, func(p peer.PeerStatus) bool { return !p.Uploader && !p.Complete })
}

func (s *sending) ended(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		s.status.say("Closed.")
		return nil
	}
	return transferError(err, true)
}

// nameOrSomebody is a name as it stands in a sentence: quoted, since whoever chose it may have chosen words
// that pass for ours, such as check words.
func nameOrSomebody(name string) string {
	if name == "" {
		return "Somebody"
	}
	return strconv.Quote(name)
}

// sendLine says in one line how the receivers fare.
func sendLine(st peer.Status) string {
	if len(st.Peers) == 0 {
		if !st.Online {
			return "Waiting for the server …"
		}
		return "Waiting for receivers …"
	}
	var parts []string
	for _, p := range st.Peers {
		part := fmt.Sprintf("%s %d %%", nameOrSomebody(p.Name), percent(int64(p.Held), int64(st.Pieces)))
		if p.Relayed {
			part += " relayed"
		}
		parts = append(parts, part)
	}
	return fmt.Sprintf("%s/s up, %s sent; %s", size(uint64(st.Up)), size(uint64(st.Sent)), strings.Join(parts, ", "))
}

// sendFigures is a line of --json.
func sendFigures(st peer.Status) map[string]any {
	peers := make([]map[string]any, len(st.Peers))
	for i, p := range st.Peers {
		peers[i] = map[string]any{
			"name": p.Name, "pieces": p.Held, "complete": p.Complete, "sent": p.Sent, "relayed": p.Relayed,
		}
	}
	return map[string]any{
		"online": st.Online, "pieces": st.Pieces, "sent": st.Sent, "rate": int64(st.Up), "safe": st.Safe, "peers": peers,
	}
}

func percent(part, whole int64) int64 {
	if whole <= 0 {
		return 0
	}
	return part * 100 / whole
}

// describeFiles says what is shared: a name, or how many.
func describeFiles(m manifest.Manifest) string {
	total := size(uint64(m.Total()))
	switch {
	case len(m.Files) == 0:
		return "a text"
	case len(m.Files) == 1:
		return fmt.Sprintf("%q (%s)", filepath.Base(m.Files[0].Path), total)
	}
	return fmt.Sprintf("%d files (%s)", len(m.Files), total)
}
