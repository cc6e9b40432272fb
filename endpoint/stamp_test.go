package endpoint

import (
	"testing"
	"time"
)

func TestStamp(t *testing.T) {
	b := make([]byte, 40)
	sent := time.Unix(1_700_000_000, 123)
	PutStamp(b, sent)
	if got, ok := ReadStamp(b[20:]); !ok || !got.Equal(sent) {
		t.Errorf("%v %v", got, ok)
	}
	for _, bad := range [][]byte{nil, b[:39], b[30:], make([]byte, 40)} {
		if _, ok := ReadStamp(bad); ok {
			t.Errorf("a stamp in %v", bad)
		}
	}
}
