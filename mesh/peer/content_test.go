package peer

import (
	"path/filepath"
	"testing"
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
