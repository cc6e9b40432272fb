package estimate

import (
	"testing"
	"unsafe"
)

// What Sent looks at fits into HotBytes.
func TestHotBytes(t *testing.T) {
	var e Estimator
	if end := unsafe.Offsetof(e.probe) + unsafe.Offsetof(e.probe.closed) + 1; end > HotBytes {
		t.Errorf("%d bytes are looked at", end)
	}
}
