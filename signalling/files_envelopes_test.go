package signalling

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// TestSwarmOfTenTrickles: everybody sends everybody an offer or an answer and thirty candidates at once,
// and nobody meets a limit.
func TestSwarmOfTenTrickles(t *testing.T) {
	const peers, each = 10, 31
	r := serve(t)
	var pages []*page
	var ids []string
	for i := range peers {
		h := receiverHello("swarm")
		if i == 0 {
			h = r.uploaderHello("swarm")
		}
		p, w := r.join(h)
		pages, ids = append(pages, p), append(ids, w.Endpoint)
	}
	sealed := strings.Repeat("c2VhbGVk", 50)
	var all sync.WaitGroup
	for i, p := range pages {
		all.Go(func() {
			for n := range each {
				for j, to := range ids {
					if j == i {
						continue
					}
					data, err := msg.Encode(msg.Send{To: to, Sealed: fmt.Sprint(n) + sealed})
					if err == nil {
						err = p.conn.Write(t.Context(), websocket.MessageText, data)
					}
					if err != nil {
						t.Errorf("peer %d: %v", i, err)
						return
					}
				}
			}
		})
		all.Go(func() {
			for got := 0; got < each*(peers-1); {
				m, err := p.next()
				if err != nil {
					t.Errorf("peer %d has %d envelopes: %v", i, got, err)
					return
				}
				switch m := m.(type) {
				case msg.Deliver:
					got++
				case msg.Error, msg.Undelivered:
					t.Errorf("peer %d is told %+v", i, m)
				}
			}
		})
	}
	all.Wait()
}

// TestFullRoom: as many as may be in one room hear of each other, and what neighbours seal for each other arrives. One
// more is told that the room is full.
func TestFullRoom(t *testing.T) {
	r := serve(t)
	var all sync.WaitGroup
	for i := range msg.MaxFilesMembers {
		h := receiverHello("full")
		if i == 0 {
			h = r.uploaderHello("full")
		}
		p, _ := r.join(h)
		all.Go(func() {
			if err := p.meets(msg.MaxFilesMembers); err != nil {
				t.Errorf("member %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if e := r.refused(receiverHello("full")); e.Code != msg.CodeFull {
		t.Errorf("one more is told %+v", e)
	}
}

// meets reads until a member knows of so many, and has heard of all its neighbours, to whom it writes itself.
func (p *page) meets(members int) error {
	known, heard := map[string]bool{}, map[string]bool{}
	var neighbours []string
	for neighbours == nil || len(heard) < len(neighbours) {
		m, err := p.next()
		if err != nil {
			return fmt.Errorf("knows %d, has heard of %d of %d: %w", len(known), len(heard), len(neighbours), err)
		}
		switch m := m.(type) {
		case msg.Members:
			for _, one := range m.Joined {
				known[one.Endpoint] = true
			}
			if neighbours != nil || len(known) < members {
				continue
			}
			neighbours = m.Neighbours
			for _, to := range neighbours {
				data, err := msg.Encode(msg.Send{To: to, Sealed: "c2VhbGVk"})
				if err == nil {
					err = p.conn.Write(p.t.Context(), websocket.MessageText, data)
				}
				if err != nil {
					return err
				}
			}
		case msg.Deliver:
			heard[m.From] = true
		case msg.Error, msg.Undelivered:
			return fmt.Errorf("told %+v", m)
		}
	}
	for _, one := range neighbours {
		if !heard[one] {
			return fmt.Errorf("%s is no neighbour of those who wrote", one)
		}
	}
	if n := len(neighbours); n < 2 || n > 8 {
		return fmt.Errorf("%d neighbours", n)
	}
	return nil
}

// TestEnvelopesAreLimited: 400 at once and 40 a second, then the endpoint is closed.
func TestEnvelopesAreLimited(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, _ *pipes) {
		up, uw := r.join(r.uploaderHello("a"))
		b, _ := r.join(receiverHello("a"))
		await[msg.Members](up)
		delivered := make(chan int)
		go func() {
			n := 0
			for {
				m, err := up.next()
				if err != nil {
					delivered <- n
					return
				}
				if _, ok := m.(msg.Deliver); ok {
					n++
				}
			}
		}()
		send := msg.Send{To: uw.Endpoint, Sealed: "c2VhbGVk"}
		for range filesMessageBurst {
			b.say(send)
		}
		time.Sleep(time.Second)
		for range filesMessagesASecond + 1 {
			b.say(send)
		}
		if e := await[msg.Error](b); e.Code != msg.CodeRate {
			t.Errorf("told %+v", e)
		}
		if code := b.closed(); code != websocket.StatusPolicyViolation {
			t.Errorf("closed with %v", code)
		}
		synctest.Wait()
		_ = up.conn.CloseNow()
		if n := <-delivered; n != filesMessageBurst+filesMessagesASecond {
			t.Errorf("%d were delivered", n)
		}
	})
}

func TestOutbox(t *testing.T) {
	envelope := func(n int) frame { return frame{data: make([]byte, n)} }
	o := newOutbox()
	for i := range maxWaiting / 2 {
		if !o.carry(envelope(1)) {
			t.Fatalf("envelope %d is refused", i)
		}
	}
	if o.carry(envelope(1)) {
		t.Error("envelopes take more than half")
	}
	for i := maxWaiting / 2; i < maxWaiting; i++ {
		if !o.push(frame{}) {
			t.Fatalf("message %d is refused", i)
		}
	}
	if o.push(frame{}) {
		t.Error("there is no end of it")
	}
	o.ofFiles()
	if !o.push(frame{}) || !o.carry(envelope(1)) {
		t.Error("a room of files has more")
	}
	n := 0
	for f, ok := o.pop(); ok; f, ok = o.pop() {
		if first := n < maxWaiting/2; first != f.envelope {
			if n != maxWaiting+1 {
				t.Fatalf("frame %d is out of order", n)
			}
		}
		n++
	}
	if n != maxWaiting+2 || o.held != 0 {
		t.Errorf("%d frames, %d bytes held", n, o.held)
	}
	big := 0
	for o.carry(envelope(40_000)) {
		big++
	}
	if big != maxEnvelopeSize/40_000 {
		t.Errorf("%d large envelopes wait", big)
	}
	if !o.push(frame{data: make([]byte, 40_000)}) {
		t.Error("a message of the server is refused for the envelopes' sake")
	}
}
