package main

import (
	"fmt"
	"time"

	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

type keyCmd struct {
	New keyNewCmd `cmd:"" help:"Make a new publish key, or a key for one stream."`
}

type keyNewCmd struct {
	Stream string `placeholder:"NAME" help:"Bind the key to this stream: its holder may publish nothing else."`
	Data   string `placeholder:"DIR" help:"The server's data folder. Default: the user's data folder."`
}

// Help is shown under the flags.
func (*keyNewCmd) Help() string {
	return `The key is printed once; only its hash is kept. The server may be running: it takes the key from
the moment it is made.

Examples:
  fanfare key new
      A further publish key, good for any number of new streams.
  fanfare key new --stream lecture-3
      A key to give to somebody who shall publish that stream only.`
}

// Run makes the key and prints it alone on standard output, so that scripts can take it.
func (c *keyNewCmd) Run(std stdio) error {
	if c.Stream != "" && !msg.ValidName(c.Stream) {
		return usageError{fmt.Sprintf("--stream %q is not a name: 1 to %d letters, digits, - and _", c.Stream, msg.MaxName)}
	}
	dir, err := dataFolder(c.Data)
	if err != nil {
		return err
	}
	key := token.NewPublishKey()
	if c.Stream != "" {
		key = token.NewStreamKey()
	}
	if err := store.LeaveKey(dir, token.HashKey(key), store.Key{Stream: c.Stream, Created: time.Now().UTC()}); err != nil {
		return fmt.Errorf("cannot keep the key: %w", err)
	}
	if _, err := fmt.Fprintln(std.out, key); err != nil {
		return fmt.Errorf("cannot print the key: %w", err)
	}
	_, err = fmt.Fprintln(std.err, "The server with the data folder", dir, "takes this key from now on. Keep it: it is not shown again.")
	return err
}
