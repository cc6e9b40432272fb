package crowd

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
)

// Viewer is one of the crowd.
type Viewer struct {
	crowd    *Crowd
	reader   *reader
	verify   bool
	accepted endpoint.Accepted
	fd       int
	leg      *leg // guarded by reader.mu once the viewer is the reader's

	mu     sync.Mutex
	posted time.Time
	timing endpoint.Timing

	key      chan struct{} // closed with the first whole key frame
	gone     chan struct{} // closed when the session was lost
	goneOnce sync.Once
}

// Timing are the steps of the join.
func (v *Viewer) Timing() endpoint.Timing {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.timing
}

// Gone is closed when the session was lost.
func (v *Viewer) Gone() <-chan struct{} { return v.gone }

func (v *Viewer) lost() { v.goneOnce.Do(func() { close(v.gone) }) }

// Leave ends the session.
func (v *Viewer) Leave() {
	v.reader.remove(v)
	v.delete()
}

func (v *Viewer) delete() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = v.crowd.server.Delete(ctx, v.accepted) // it may have ended already
}

// post opens the viewer's socket and gets an answer to its offer.
func (v *Viewer) post(ctx context.Context) (*join, error) {
	c := v.crowd
	j, err := newJoin(c.network)
	if err != nil {
		return nil, err
	}
	at := netip.AddrPortFrom(c.near, j.conn.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	offer := offerText(rand.Uint64(), j.local, c.id.fingerprint, at)
	v.begin()
	if v.accepted, err = j.post(ctx, c.server, offer, v.waited); err != nil {
		_ = j.conn.Close()
		return nil, err
	}
	v.mark(time.Now(), func(t *endpoint.Timing, d time.Duration) { t.Answered = d })
	return j, nil
}

// connect does everything from the answer up to the reader's taking over.
func (v *Viewer) connect(ctx context.Context, j *join) error {
	defer j.conn.Close()
	c := v.crowd
	a, err := answerFor(v.accepted.Answer, c.host)
	if err != nil {
		return err
	}
	k, err := j.connect(ctx, a, c.id, c.slots)
	if err != nil {
		return err
	}
	now := time.Now()
	v.mark(now, func(t *endpoint.Timing, d time.Duration) { t.Connected = d })
	if v.leg, err = newLeg(j.ice, k, a, c.types, v.verify, c.cfg.OnDelay, now); err != nil {
		return err
	}
	if v.fd, err = detach(j.conn, j.ice.to(), c.cfg.Runs); err != nil {
		return err
	}
	v.reader.add(v, j.early)
	return nil
}

func (v *Viewer) begin() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.posted = time.Now()
}

// waited: a busy server is asked again. The wait is part of the join, as it is for a person.
func (v *Viewer) waited() { v.crowd.waits.Add(1) }

// mark notes a step that was reached at a time; times of the kernel have no monotonic part, so wall times are compared.
func (v *Viewer) mark(at time.Time, set func(*endpoint.Timing, time.Duration)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	set(&v.timing, max(1, at.Round(0).Sub(v.posted.Round(0))))
}

// receive hands a datagram to the leg and notes the first packet and the first key frame. The caller holds reader.mu.
func (v *Viewer) receive(b []byte, size int, at, now time.Time, out *[]datagram) {
	if share := v.crowd.cfg.Loss; share > 0 && len(b) > 0 && b[0]>>6 == 2 && rand.Float64() < share {
		return
	}
	before := v.leg.count.packets
	key := v.leg.receive(b, size, at, now, out)
	if before == 0 && v.leg.count.packets > 0 {
		v.mark(at, func(t *endpoint.Timing, d time.Duration) { t.FirstPacket = d })
	}
	if !key {
		return
	}
	v.mark(at, func(t *endpoint.Timing, d time.Duration) { t.FirstKeyFrame = d })
	close(v.key)
	if !v.leg.timed() {
		untime(v.fd)
	}
}
