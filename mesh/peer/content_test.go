package peer

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/store"
)

// TestLeafInMemoryOfAnother: a leaf goes out in the memory of the one before it, and says what it is.
func TestLeafInMemoryOfAnother(t *testing.T) {
	t.Parallel()
	shared := newRig(t).share(nil, random(t, filepath.Join(t.TempDir(), "file"), 1<<20)).swarm.content
	leaf := func(messages [][]byte, piece int) [][]byte {
		messages, err := shared.appendLeaf(messages, piece, 0, largestMessage)
		if err != nil {
			t.Fatal(err)
		}
		return messages
	}
	fresh := leaf(nil, 1)
	first := leaf(nil, 0)
	at := make([]*byte, len(first))
	for i, message := range first {
		at[i] = &message[0]
	}
	second := leaf(first[:0], 1)
	if len(second) != len(fresh) {
		t.Fatalf("%d messages in used memory, %d in new", len(second), len(fresh))
	}
	for i, message := range second {
		if string(message) != string(fresh[i]) {
			t.Fatalf("message %d is another in used memory", i)
		}
		if &message[0] != at[i] {
			t.Fatalf("message %d has memory of its own", i)
		}
	}
}

// counting counts what is read, in bytes.
type counting struct {
	reader
	bytes int64
}

func (c *counting) ReadLeaves(piece, first int, b []byte) error {
	c.bytes += int64(len(b))
	return c.reader.ReadLeaves(piece, first, b)
}

// TestManyLargePieces: of pieces that are sent from in turns, more than find a place in memory, no more is read again than
// what goes out, as long as the leaves in turns find room.
func TestManyLargePieces(t *testing.T) {
	t.Parallel()
	const pieces = 5
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 2<<30); err != nil { // nothing but a hole: what is read is zeros
		t.Fatal(err)
	}
	c := newRig(t).share(nil, path).swarm.content
	if c.layout.Piece() != 4<<20 {
		t.Fatalf("pieces of %d bytes", c.layout.Piece())
	}
	counted := &counting{reader: c.source}
	c.source = counted
	var messages [][]byte
	var err error
	for leaf := range c.layout.Leaves(0) {
		for piece := range pieces {
			if messages, err = c.appendLeaf(messages[:0], piece, leaf, largestMessage); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Each once to know it, and once more at the most.
	if most := int64(2 * pieces * c.layout.Piece()); counted.bytes > most {
		t.Errorf("%d bytes were read to send %d; want at most %d", counted.bytes, pieces*c.layout.Piece(), most)
	}
	if len(c.shelf) != shelfBudget/(together*manifest.LeafSize) {
		t.Errorf("%d places on the shelf", len(c.shelf))
	}
}

// TestAlteredBehindBack: what is read again and is not what was signed does not go out.
func TestAlteredBehindBack(t *testing.T) {
	t.Parallel()
	path := random(t, filepath.Join(t.TempDir(), "file"), 1<<20)
	c := newRig(t).share(nil, path).swarm.content
	if _, err := c.appendLeaf(nil, 3, 0, largestMessage); err != nil {
		t.Fatal(err)
	}
	c.shelf = c.shelf[:0] // others were sent from meanwhile
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("other bytes"), 3<<16); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, before.ModTime()); err != nil { // nor does the time tell
		t.Fatal(err)
	}
	if _, err := c.appendLeaf(nil, 3, 0, largestMessage); !errors.Is(err, store.ErrChanged) {
		t.Errorf("%v; want %v", err, store.ErrChanged)
	}
}
