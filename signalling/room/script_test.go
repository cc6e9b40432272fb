package room

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/internal/script"
	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// TestScripts plays testdata/*.txt: what the room does about commands. The clock starts at 0 and moves with
// "tick".
func TestScripts(t *testing.T) {
	script.Run(t, func() func(string) string {
		p := player{now: time.UnixMilli(0)}
		return p.do
	})
}

type player struct {
	room machine
	now  time.Time
}

// machine is what rooms of both kinds are to their shell.
type machine interface {
	Step(in Input, now time.Time) []Output
	Deadline() (time.Time, bool)
	Empty() bool
}

func (p *player) do(line string) string {
	name, rest, _ := strings.Cut(line, " ")
	words := strings.Fields(rest)
	switch name {
	case "new":
		return p.open(words)
	case "tick":
		return p.tick(words[0])
	case "deadline":
		at, ok := p.room.Deadline()
		return fmt.Sprintln("deadline", at.Sub(time.UnixMilli(0)), ok)
	case "empty":
		return fmt.Sprintln("empty", p.room.Empty())
	}
	in, err := p.parseInput(name, rest, words)
	if err != nil {
		return fmt.Sprintln("script error:", err)
	}
	return p.step(in)
}

// open makes "new stream STATE" or "new files members=N life=D".
func (p *player) open(words []string) string {
	if words[0] == string(msg.RoomStream) {
		p.room = New(Config{State: msg.StreamState(words[1])}, p.now)
		return ""
	}
	members, err := strconv.Atoi(option(words, "members"))
	life, err2 := time.ParseDuration(option(words, "life"))
	if err := errors.Join(err, err2); err != nil {
		return fmt.Sprintln("script error:", err)
	}
	p.room = NewFiles(FilesConfig{Members: members, Expires: p.now.Add(life), Seed: 1})
	return ""
}

// tick moves the clock and wakes the room at each of its deadlines on the way.
func (p *player) tick(by string) string {
	d, err := time.ParseDuration(by)
	if err != nil {
		return fmt.Sprintln("script error:", err)
	}
	end, out := p.now.Add(d), ""
	for range 1000 {
		at, ok := p.room.Deadline()
		if !ok || at.After(end) {
			p.now = end
			return out
		}
		p.now = at
		out += p.step(Tick{})
	}
	return out + "the room asks for ticks without end\n"
}

func (p *player) step(in Input) string {
	var b bytes.Buffer
	for _, o := range p.room.Step(in, p.now) {
		fmt.Fprintf(&b, "%6s  %s\n", p.now.Sub(time.UnixMilli(0)), describe(o))
	}
	return b.String()
}

func (p *player) parseInput(name, rest string, words []string) (Input, error) {
	switch name {
	case "join":
		return Join{Endpoint: words[0], Role: msg.Role(words[1]), Viewer: option(words, "viewer"),
			Address: option(words, "address"), Near: option(words, "near")}, nil
	case "enter":
		return Join{Endpoint: words[0], Role: msg.RoleSubscriber, Entry: true}, nil
	case "files-saved":
		members, err := strconv.Atoi(words[0])
		life, err2 := time.ParseDuration(words[1])
		return FilesSaved{Members: members, Expires: p.now.Add(life)}, errors.Join(err, err2)
	case "number":
		return NumberTaken{Number: words[0], Until: p.now.Add(msg.CodeLife * time.Second)}, nil
	case "leave":
		return Leave{Endpoint: words[0], Page: len(words) > 1 && words[1] == "page"}, nil
	case "say":
		who, body, _ := strings.Cut(rest, " ")
		m, err := msg.DecodeClient([]byte(body))
		return Receive{Endpoint: who, Message: m}, err
	case "open":
		role := media.RoleSubscriber
		if words[1] == "publisher" {
			role = media.RolePublisher
		}
		return Open{Session: media.SessionID(words[0]), Role: role, Endpoint: option(words, "endpoint"),
			Viewer: option(words, "viewer"), Address: option(words, "address")}, nil
	case "delete":
		return Delete{Session: media.SessionID(words[0])}, nil
	case "connected":
		return Happen{media.Event{Kind: media.EventConnected, Session: media.SessionID(words[0])}}, nil
	case "disconnected":
		return Happen{media.Event{Kind: media.EventDisconnected, Session: media.SessionID(words[0]), Reason: media.CloseReason(words[1])}}, nil
	case "media":
		track := media.TrackInfo{Codec: media.ParseCodec(words[1])}
		track.Kind = track.Codec.Kind()
		if len(words) > 2 {
			if _, err := fmt.Sscanf(words[2], "%dx%d", &track.Width, &track.Height); err != nil {
				return nil, err
			}
		}
		return Happen{media.Event{Kind: media.EventMedia, Session: media.SessionID(words[0]), Track: track}}, nil
	case "access-saved":
		return AccessSaved{msg.Access{Password: words[0] == "true", Embed: words[1] == "true"}}, nil
	case "save-failed":
		return SaveFailed{}, nil
	case "measured":
		estimate, err := strconv.ParseInt(words[1], 10, 64)
		height, err2 := strconv.Atoi(words[2])
		return Measured{
			Lines: map[media.SessionID]media.ViewerLine{media.SessionID(words[0]): {
				Estimate: media.Bitrate(estimate), Height: height, Bound: media.Bound(words[3])}},
			Relaying: media.Relaying{In: 300, Out: 290, Repeats: 4, Dropped: []media.Dropped{{Reason: "layer", Packets: 10}},
				Datagrams: 350, Messages: 90, Calls: 20, Delays: []uint64{0, 280, 10}},
		}, errors.Join(err, err2)
	case "link-changed":
		return LinkChanged{Name: words[0], URL: "https://host/w/" + words[0]}, nil
	}
	return nil, fmt.Errorf("no command %q", name)
}

func option(words []string, name string) string {
	for _, w := range words {
		if v, ok := strings.CutPrefix(w, name+"="); ok {
			return v
		}
	}
	return ""
}

func describe(o Output) string {
	switch o := o.(type) {
	case Admit:
		text := "admit " + o.Endpoint
		if o.Stream != nil {
			text += fmt.Sprintf(" viewers=%d %s", o.Viewers, encode(*o.Stream))
		}
		if o.Access != nil {
			text += " " + encode(*o.Access)
		}
		if o.Files != nil {
			text += " " + encode(*o.Files)
		}
		return text
	case Send:
		return "send " + o.To + " " + encode(o.Message)
	case Carry:
		return fmt.Sprintf("carry %s to %s: %s", o.From, o.To, o.Sealed)
	case CloseEndpoint:
		return "close endpoint " + o.Endpoint
	case CloseSession:
		return fmt.Sprintf("close session %s: %s", o.Session, o.Reason)
	case CloseStream:
		return fmt.Sprintf("close stream: %s", o.Reason)
	case Remember:
		return "remember " + o.Subject
	case SaveAccess:
		return "save access for " + o.By + " " + encode(o.Set)
	case SaveTitle:
		return fmt.Sprintf("save title %q", o.Title)
	case SaveLive:
		return fmt.Sprint("save live ", o.Live)
	case ChangeLink:
		return "change link for " + o.By
	case Measure:
		return "measure"
	}
	return describeFiles(o)
}

func describeFiles(o Output) string {
	switch o := o.(type) {
	case SaveFiles:
		return "save files for " + o.By + " " + encode(msg.SetFiles{Terms: o.Terms})
	case TakeNumber:
		return "take a number for " + o.By
	case FreeNumber:
		return "free number " + o.Number
	case PutOut:
		return "put out " + o.Endpoint
	case EndRoom:
		return "end room: " + string(o.Reason)
	}
	return fmt.Sprintf("unknown output %T", o)
}

func encode(m msg.Message) string {
	data, err := msg.Encode(m)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
