package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

type keyCmd struct {
	New    keyNewCmd    `cmd:"" help:"Make a new publish key, or a key for one stream."`
	List   keyListCmd   `cmd:"" help:"List the keys by their short ids; the keys themselves are known to their holders alone."`
	Revoke keyRevokeCmd `cmd:"" help:"Make keys worthless."`
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
	if err := store.AddKey(dir, token.HashKey(key), store.Key{Stream: c.Stream, Created: time.Now().UTC()}); err != nil {
		return fmt.Errorf("cannot keep the key: %w", err)
	}
	if _, err := fmt.Fprintln(std.out, key); err != nil {
		return fmt.Errorf("cannot print the key: %w", err)
	}
	_, err = fmt.Fprintf(std.err, "The server with the data folder %s takes this key from now on. Keep it: it is not shown again.\n"+
		"Its short id is %s; fanfare key revoke %[2]s makes it worthless.\n", dir, shortID(token.HashKey(key)))
	return err
}

// shortLength is the number of hexadecimal digits of a hash that people see and type: enough to
// tell some thousand keys apart.
const shortLength = 8

func shortID(h token.Hash) string { return h.String()[:shortLength] }

type keyListCmd struct {
	Data string `placeholder:"DIR" help:"The server's data folder. Default: the user's data folder."`
}

// Help is shown under the flags.
func (*keyListCmd) Help() string {
	return `The server may be running. A key given by --publish-key is not kept in the data folder, and not listed.`
}

// Run prints one line a key.
func (c *keyListCmd) Run(std stdio) error {
	dir, err := dataFolder(c.Data)
	if err != nil {
		return err
	}
	keys, err := store.Keys(dir)
	if err != nil {
		return fmt.Errorf("cannot list the keys: %w", err)
	}
	if len(keys) == 0 {
		_, err := fmt.Fprintln(std.err, "There are no keys in", dir)
		return err
	}
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tMADE\tMAY PUBLISH")
	for _, k := range keys {
		may := "new streams"
		if k.Stream != "" {
			may = "the stream " + k.Stream
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", shortID(k.Hash), k.Created.Local().Format("2006-01-02 15:04"), may)
	}
	return w.Flush()
}

type keyRevokeCmd struct {
	IDs  []string `arg:"" name:"id" help:"Short ids, as fanfare key list shows them."`
	Data string   `placeholder:"DIR" help:"The server's data folder. Default: the user's data folder."`
}

// Help is shown under the flags.
func (*keyRevokeCmd) Help() string {
	return `The server may be running: from now on it refuses the key, and every token made from it. Pages and
streams that are connected stay until their connection ends; restart the server to end them at once.
The streams of a revoked publish key can be published with any other publish key.`
}

// Run revokes all of the keys, or none when an id is wrong.
func (c *keyRevokeCmd) Run(std stdio) error {
	dir, err := dataFolder(c.Data)
	if err != nil {
		return err
	}
	keys, err := store.Keys(dir)
	if err != nil {
		return fmt.Errorf("cannot list the keys: %w", err)
	}
	var chosen []store.KnownKey
	for _, id := range c.IDs {
		k, err := findKey(keys, id)
		if err != nil {
			return err
		}
		chosen = append(chosen, k)
	}
	for _, k := range chosen {
		if err := store.RevokeKey(dir, k.Hash); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot revoke %s: %w", shortID(k.Hash), err)
		}
		if _, err := fmt.Fprintln(std.out, "Revoked", shortID(k.Hash)); err != nil {
			return err
		}
	}
	return nil
}

// findKey finds the one key whose hash begins with the id.
func findKey(keys []store.KnownKey, id string) (found store.KnownKey, err error) {
	if len(id) < shortLength {
		return found, usageError{fmt.Sprintf("%q is too short for an id; fanfare key list shows them", id)}
	}
	n := 0
	for _, k := range keys {
		if strings.HasPrefix(k.Hash.String(), strings.ToLower(id)) {
			found = k
			n++
		}
	}
	switch n {
	case 0:
		return found, fmt.Errorf("there is no key %q; fanfare key list shows them", id)
	case 1:
		return found, nil
	}
	return found, fmt.Errorf("%d keys begin with %q; give more digits of the name of the file in the data folder's folder keys", n, id)
}
