package sfu_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Every goroutine of the relay ends with Shutdown.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
