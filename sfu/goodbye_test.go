package sfu_test

import (
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
)

// A publisher who closes without DELETE, as a tab does that is closed, is missed long before ICE
// would give up.
func TestPublisherLeaves(t *testing.T) {
	t.Parallel()
	r := sfutest.Start(t, nil)
	pub, other := sfutest.Publish(t, r, "s", media.CodecVP8), sfutest.Publish(t, r, "other", media.CodecVP8)
	v := sfutest.Subscribe(t, r, "s")
	play(t, pub, []*sfutest.Viewer{v}, newSource(media.CodecVP8), 0, 2)
	pub.Leave(t)
	e := r.WaitEvent(t, "the publisher is missed", func(e media.Event) bool { return e.Kind == media.EventDisconnected })
	if e.Session != pub.Answer.Session || e.Reason != media.CloseTimeout {
		t.Errorf("told of %+v; the other publisher is %v", e, other.Answer.Session)
	}
	if st := r.Stats(); st.Streams["s"].Live || st.Viewers != 1 || st.Publishers != 1 {
		t.Errorf("left: %+v", st)
	}
}
