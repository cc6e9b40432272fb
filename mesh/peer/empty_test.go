package peer

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/store"
)

// TestNothingToFetch: of a text alone, and of files and folders that are empty, a receiver has everything once it
// knows what is shared. The uploader hears of it, is safe to close while it is there, and the receiver ends.
func TestNothingToFetch(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	for _, name := range []string{"folder", "other"} {
		if err := os.MkdirAll(filepath.Join(empty, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(empty, "other", "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	shown := func(context.Context, Offered) (*store.Sink, error) { return nil, nil }
	for name, c := range map[string]struct {
		paths []string
		text  string
		fetch func(*Config)
	}{
		"a text":      {text: "see you at eight", fetch: func(c *Config) { c.Fetch.Accept = shown }},
		"empty files": {paths: []string{empty}, fetch: func(*Config) {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			sender := r.share(func(cfg *Config) { cfg.Share.Manifest.Text = c.text }, c.paths...)
			await[Opened](sender)
			if err := r.fetch("leaves", sender.link, c.fetch).wait(); err != nil {
				t.Errorf("the receiver ends with %v", err)
			}
			await[Complete](sender)
			stays := r.fetch("stays", sender.link, func(cfg *Config) {
				c.fetch(cfg)
				cfg.Fetch.Seed = true
			})
			await[Complete](sender)
			for st := sender.Status(); !st.Safe || st.Complete != 2; st = sender.Status() {
				pauseFor(t, 5*time.Millisecond)
			}
			for !stays.Status().Finished {
				pauseFor(t, 5*time.Millisecond)
			}
		})
	}
}

// TestLookingTakesNoText: who only looks at what there is, of a text alone, has nothing and takes no place.
func TestLookingTakesNoText(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(func(cfg *Config) {
		cfg.Share.Manifest.Text = "see you at eight"
		cfg.Share.Rule.Max = 1
	})
	await[Opened](sender)
	text := ""
	looker := r.fetch("looks", sender.link, func(c *Config) {
		c.Fetch.Look = true
		c.Fetch.Accept = func(_ context.Context, o Offered) (*store.Sink, error) {
			text = o.Manifest.Text
			return nil, nil
		}
	})
	if err := looker.wait(); err != nil || text != "see you at eight" {
		t.Errorf("it ends with %v, and has seen %q", err, text)
	}
	for len(sender.Status().Peers) > 0 { // its last words have come
		pauseFor(t, 5*time.Millisecond)
	}
	if st := sender.Status(); st.LetIn != 0 || st.Complete != 0 {
		t.Errorf("%d have a place, and %d everything", st.LetIn, st.Complete)
	}
}

// TestChecking: while what lies here from before is being looked at, that is the reason why nothing comes.
func TestChecking(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sender := r.share(nil, small(t))
	await[Opened](sender)
	looked, goOn := make(chan struct{}), make(chan struct{})
	receiver := r.fetch("receiver", sender.link, func(c *Config) {
		opens := c.Fetch.Accept
		c.Fetch.Accept = func(ctx context.Context, o Offered) (*store.Sink, error) {
			o.Checked(30, 120)
			close(looked)
			<-goOn
			return opens(ctx, o)
		}
	})
	<-looked
	if st := receiver.Status(); st.Stall != Checking || st.Checked != 0.25 {
		t.Errorf("%+v", st)
	}
	close(goOn)
	await[Finished](receiver)
	if st := receiver.Status(); st.Stall == Checking || st.Checked != 0 {
		t.Errorf("afterwards: %+v", st)
	}
}

// TestUnreadableIsToldOnce: a file has many leaves, which receivers ask for again and again.
func TestUnreadableIsToldOnce(t *testing.T) {
	q := newQuiet(t)
	var told []string
	q.swarm.cfg.Tell = func(e Event) { told = append(told, e.(Unreadable).Err.Error()) }
	one, other := &store.FileError{Path: "one", Err: os.ErrPermission}, &store.FileError{Path: "other", Err: os.ErrPermission}
	for _, err := range []error{one, other, one, errAltered, errAltered, other} {
		q.swarm.tellUnreadable(err)
	}
	if want := []string{one.Error(), other.Error(), errAltered.Error()}; !slices.Equal(told, want) {
		t.Errorf("%q", told)
	}
}
