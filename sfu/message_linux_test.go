package sfu_test

import (
	"testing"

	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// What one viewer gets in a pass makes few messages to the system: a frame is one, for who may get padding, and sound ends it.
func TestFewMessages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		o    sfutest.ViewerOptions
		want uint64
	}{
		{"padded", sfutest.ViewerOptions{}, 2},
		// The first frame is two messages, and sound ends both.
		{"as they are", sfutest.ViewerOptions{NoRTX: true}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, _, _, messages := watchEven(t, tt.o); messages != tt.want {
				t.Errorf("%d messages, want %d", messages, tt.want)
			}
		})
	}
}
