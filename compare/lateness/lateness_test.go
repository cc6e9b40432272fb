package lateness_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/compare/lateness"
)

// TestProbe: in virtual time no timer is late, and a probe that is stopped at once says nothing bad.
func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := lateness.Start()
		time.Sleep(time.Second) // virtual
		if late := p.Stop(); late != 0 {
			t.Errorf("%.3f ms late", late)
		}
		if late := lateness.Start().Stop(); late != 0 {
			t.Errorf("nothing was looked at, and it was %.3f ms late", late)
		}
	})
}
