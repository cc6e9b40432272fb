package sfu

import (
	"errors"
	"hash/maphash"
	"net"
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"github.com/fanfare-relay/fanfare/sfu/lite"
	"github.com/fanfare-relay/fanfare/sfu/udp"
)

// demux reads the one socket and gives every datagram to its owner (RFC 7983): to the
// worker that owns a viewer's leg, to pion for publishers, or to the answer of a plain
// STUN Binding request. It is the only reader, so nothing in it waits for anybody.
type demux struct {
	sfu      *SFU
	bindings bindingLimiter
	answer   []byte
}

// readPause keeps a socket that fails again and again from spinning.
const readPause = 10 * time.Millisecond

// run reads until the socket is closed. Other errors of a UDP socket speak of single
// datagrams (an unreachable peer), and end nothing.
func (d *demux) run(closing <-chan struct{}) error {
	reader := d.sfu.conn.NewReader()
	failures := 0
	for {
		list, err := reader.Read()
		switch {
		case err == nil:
			failures = 0
			d.handleAll(list, time.Now())
		case errors.Is(err, net.ErrClosed):
			return d.ended(closing, err)
		default:
			failures++
			if failures > 100 {
				return err
			}
			pause(closing)
		}
	}
}

// ended tells a socket that we closed from one that was closed under us.
func (d *demux) ended(closing <-chan struct{}, err error) error {
	select {
	case <-closing:
		return nil
	default:
		return err
	}
}

func pause(closing <-chan struct{}) {
	t := time.NewTimer(readPause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-closing:
	}
}

func (d *demux) handleAll(list []udp.Message, now time.Time) {
	for i := range list {
		d.handle(list[i].Data, list[i].Path, now)
	}
}

func (d *demux) handle(b []byte, path udp.Path, now time.Time) {
	switch kind := lite.Classify(b); kind {
	case lite.KindUnknown:
		d.sfu.total.drop(DropUnknownKind)
	case lite.KindSTUN:
		d.stun(b, path, now)
	default:
		if v := d.owner(kind, b, path); v != nil {
			d.toViewer(v, kind, b, path)
		} else {
			d.toPion(kind, b, path, now)
		}
	}
}

// owner finds the viewer of a datagram that is no STUN: by its address, or, for a report from an
// address that nobody has, by its sender. A NAT that gives a viewer a new port is noticed so; the
// leg believes nothing before the report has proved authentic.
func (d *demux) owner(kind lite.Kind, b []byte, path udp.Path) *viewer {
	if v := d.sfu.routes.byPath(lite.Path(path)); v != nil || kind != lite.KindRTCP || d.sfu.muxConn.known(path.Remote) {
		return v
	}
	if ssrc, ok := lite.SenderSSRC(b); ok {
		return d.sfu.routes.bySender(ssrc)
	}
	return nil
}

// stun finds the owner of a check by its USERNAME. Requests without one are answered at
// once; responses belong to whoever has the address, a viewer's leg that probed it or pion.
func (d *demux) stun(b []byte, path udp.Path, now time.Time) {
	if ufrag, ok := lite.LocalUfrag(b); ok {
		to, ok := d.sfu.routes.byUfrag(ufrag)
		switch {
		case !ok:
			d.sfu.total.drop(DropUnknownUfrag)
		case to.publisher != nil:
			d.sfu.muxConn.remember(path, to.publisher)
			to.publisher.hear(b, now)
			d.push(b, path)
		default:
			d.toViewer(to.viewer, lite.KindSTUN, b, path)
		}
		return
	}
	answer, ok := lite.AppendBindingResponse(d.answer[:0], b, path.Remote)
	d.answer = answer
	switch {
	case !ok:
		d.answered(b, path, now)
	case !d.bindings.allow(path.Remote.Addr(), now):
		d.sfu.total.drop(DropBindingLimit)
	default:
		if _, err := d.sfu.conn.WriteMsg(answer, path); err != nil {
			d.sfu.total.drop(DropSend)
			return
		}
		d.sfu.bindingAnswers.Add(1)
	}
}

func (d *demux) answered(b []byte, path udp.Path, now time.Time) {
	if v := d.sfu.routes.byPath(lite.Path(path)); v != nil {
		d.toViewer(v, lite.KindSTUN, b, path)
	} else {
		d.toPion(lite.KindSTUN, b, path, now)
	}
}

// toViewer gives a copy to the worker that owns the viewer.
func (d *demux) toViewer(v *viewer, kind lite.Kind, b []byte, path udp.Path) {
	if v.waiting.Load() >= inboxShare {
		d.sfu.total.drop(DropViewerShare)
		return
	}
	in := inbound{viewer: v, datagram: d.sfu.copies.lend(b, path)}
	select {
	case v.shard.worker.inboxFor(kind) <- in:
		v.waiting.Add(1)
	default:
		d.sfu.copies.takeBack(in.datagram)
		d.sfu.total.drop(DropInboxFull)
	}
}

// toPion takes datagrams without a ufrag: only from addresses whose check pion has
// answered, so noise does not reach it.
func (d *demux) toPion(kind lite.Kind, b []byte, path udp.Path, now time.Time) {
	p := d.sfu.muxConn.peer(path.Remote)
	if !p.known {
		d.sfu.total.drop(DropUnknownAddress)
		return
	}
	if p.owner != nil {
		if !p.owner.admits(kind, b) {
			d.sfu.total.drop(DropUnknownSource)
			return
		}
		if kind == lite.KindRTP && p.owner.from.early(b, p.owner.hasSource) {
			d.sfu.total.drop(DropEarlyRepeat)
			return
		}
		p.owner.hear(b, now)
	}
	d.push(b, path)
}

func (d *demux) push(b []byte, path udp.Path) {
	if !d.sfu.muxConn.push(b, path) {
		d.sfu.total.drop(DropMuxFull)
	}
}

const (
	// A browser asks once or twice for each connection and network. Behind one address there may
	// be a class of thirty.
	bindingRate, bindingBurst = 10, 100
	// In all: 2,000 answers a second are under 1 % of a core.
	bindingRateAll, bindingBurstAll = 2000, 4000
	bindingSources                  = 1024
)

// bindingLimiter bounds the answers to plain Binding requests, by source and in all. Sources
// share a fixed table by a keyed hash: memory is bounded, and nobody can aim at another's place.
type bindingLimiter struct {
	all     *rate.Limiter
	sources [bindingSources]*rate.Limiter
	seed    maphash.Seed
}

func newBindingLimiter() bindingLimiter {
	return bindingLimiter{all: rate.NewLimiter(bindingRateAll, bindingBurstAll), seed: maphash.MakeSeed()}
}

// allow takes one answer from the budget of an address (IPv6: of its /64) at now.
func (l *bindingLimiter) allow(from netip.Addr, now time.Time) bool {
	if from.Is6() {
		if p, err := from.Prefix(64); err == nil {
			from = p.Addr()
		}
	}
	slot := &l.sources[maphash.Comparable(l.seed, from)%bindingSources]
	if *slot == nil {
		*slot = rate.NewLimiter(bindingRate, bindingBurst)
	}
	return (*slot).AllowN(now, 1) && l.all.AllowN(now, 1)
}
