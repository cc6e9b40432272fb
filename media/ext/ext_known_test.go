package ext

import "testing"

func TestKnown(t *testing.T) {
	for _, uri := range []string{URIMid, URIColorSpace, URITransportCC} {
		if got, ok := Known(uri); !ok || got != uri {
			t.Errorf("%s: %q, %v", uri, got, ok)
		}
	}
	if got, ok := Known("urn:ietf:params:rtp-hdrext:sdes:mi"); ok {
		t.Errorf("known: %q", got)
	}
}
