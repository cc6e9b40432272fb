package signalling

import "sync"

// Bounds of what may wait for a slow endpoint.
const (
	// maxWaiting is how many messages may wait before the endpoint is closed: states and counts of a
	// minute. Envelopes may take half of it.
	maxWaiting = 64
	// In a room of files nine others may send all their candidates at once.
	maxEnvelopes    = 1024
	maxEnvelopeSize = 1 << 20 // bytes of all envelopes that wait
)

// outbox is what waits for an endpoint, in order. It is safe for concurrent use.
type outbox struct {
	mu     sync.Mutex
	frames []frame
	held   int // bytes of envelopes among them
	files  bool
	wake   chan struct{} // holds one: there is something to send
}

func newOutbox() *outbox { return &outbox{wake: make(chan struct{}, 1)} }

// ofFiles gives the endpoint the bounds of a room of files.
func (o *outbox) ofFiles() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.files = true
}

// push adds a message; false when too many wait.
func (o *outbox) push(f frame) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	most := maxWaiting
	if o.files {
		most += maxEnvelopes
	}
	if len(o.frames) >= most {
		return false
	}
	o.add(f)
	return true
}

// carry adds an envelope; false when the endpoint is slow.
func (o *outbox) carry(f frame) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	most := maxWaiting / 2
	if o.files {
		most = maxEnvelopes
	}
	if len(o.frames) >= most || o.held+len(f.data) > maxEnvelopeSize && o.files {
		return false
	}
	f.envelope = true
	o.held += len(f.data)
	o.add(f)
	return true
}

func (o *outbox) add(f frame) {
	o.frames = append(o.frames, f)
	o.ring()
}

func (o *outbox) ring() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// pop takes the first, and wakes again when there are more.
func (o *outbox) pop() (f frame, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.frames) == 0 {
		return frame{}, false
	}
	f = o.frames[0]
	o.frames[0] = frame{} // its bytes are let go of now
	if o.frames = o.frames[1:]; len(o.frames) == 0 {
		o.frames = nil
	} else {
		o.ring()
	}
	if f.envelope {
		o.held -= len(f.data)
	}
	return f, true
}
