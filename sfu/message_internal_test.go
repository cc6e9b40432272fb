package sfu

import "testing"

// Where sound may end a message of a picture.
func TestMessageLeavesItsEnd(t *testing.T) {
	type payload struct {
		size   int
		begins bool
	}
	tests := []struct {
		name     string
		payloads []payload
		leaves   string // s: before this one
	}{
		{"parts of one size", []payload{{900, true}, {900, false}}, "--"},
		{"the longer ones last", []payload{{900, true}, {900, false}, {901, false}, {901, false}}, "--s-"},
		{"frames that get smaller", []payload{{900, true}, {900, false}, {700, true}, {700, false}, {500, true}}, "--s-s"},
		{"full parts and a rest", []payload{{900, true}, {900, false}, {100, false}, {900, true}, {50, false}}, "-----"},
		{"a rest that is followed by less", []payload{{900, true}, {100, false}, {80, true}, {90, true}}, "---s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m message
			for i, p := range tt.payloads {
				leaves := m.leaves(p.size, p.begins)
				if leaves != (tt.leaves[i] == 's') {
					t.Errorf("payload %d: %v", i, leaves)
				}
				if leaves {
					m = 0
				}
				m = m.with(p.size)
			}
		})
	}
}
