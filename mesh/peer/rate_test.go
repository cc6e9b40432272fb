package peer

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/mesh/store"
)

const benchSize = 256 << 20

// BenchmarkPair is one receiver on loopback, from the link to the last byte in its place.
func BenchmarkPair(b *testing.B) {
	from := random(b, filepath.Join(b.TempDir(), "file"), benchSize)
	b.SetBytes(benchSize)
	for b.Loop() {
		r := newRig(b)
		sender := r.share(nil, from)
		await[Opened](sender)
		if err := r.fetch("receiver", sender.link, nil).wait(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRaw is what a pion data channel carries by itself, with the same settings and messages.
func BenchmarkRaw(b *testing.B) {
	b.SetBytes(benchSize)
	for b.Loop() {
		raw(b)
	}
}

func raw(b *testing.B) {
	api := newAPI(Transport{Loopback: true})
	ends := make([]*conn, 2)
	for i := range ends {
		id, err := NewIdentity()
		if err != nil {
			b.Fatal(err)
		}
		found := func(text string) {}
		if ends[i], err = newConn(api, id, nil, found); err != nil {
			b.Fatal(err)
		}
		defer ends[i].close()
	}
	offerer, answerer := ends[0], ends[1]
	join(b, offerer, answerer)
	done := make(chan error, 1)
	go func() {
		buf := make([]byte, largestMessage)
		for got := 0; got < benchSize; {
			n, err := answerer.lane.Read(buf)
			if err != nil {
				done <- err
				return
			}
			got += n
		}
		done <- nil
	}()
	pace := newLanePace(offerer.lane)
	message := make([]byte, 33<<10)
	for left := benchSize; left > 0; {
		n := min(left, len(message))
		if err := pace.write(b.Context(), message[:n]); err != nil {
			b.Fatal(err)
		}
		left -= n
	}
	if err := <-done; err != nil && err != io.EOF {
		b.Fatal(err)
	}
}

// join connects two ends without trickling.
func join(tb testing.TB, a, b *conn) {
	gathered := webrtc.GatheringCompletePromise(a.pc)
	if _, err := a.offer(); err != nil {
		tb.Fatal(err)
	}
	<-gathered
	gathered = webrtc.GatheringCompletePromise(b.pc)
	if _, err := b.answer(a.pc.LocalDescription().SDP); err != nil {
		tb.Fatal(err)
	}
	<-gathered
	if err := a.accept(b.pc.LocalDescription().SDP); err != nil {
		tb.Fatal(err)
	}
	for _, one := range []*conn{a, b} {
		if err := one.wait(tb.Context()); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkSwarm is an uploader and N receivers whose uplinks are capped alike, against the fluid bound
// max(F/u_s, N·F/(u_s + Σu)): the receivers' downlinks are as wide as loopback is.
func BenchmarkSwarm(b *testing.B) {
	const size, uplink = 32 << 20, 1 << 20
	from := random(b, filepath.Join(b.TempDir(), "file"), size)
	for _, n := range []int{2, 5, 10} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				r := newRig(b)
				r.log = slog.New(slog.DiscardHandler)
				capped := func(c *Config) { c.UpRate = uplink }
				sender := r.share(capped, from)
				await[Opened](sender)
				var receivers []*someone
				gate := make(chan struct{})
				for i := range n {
					receivers = append(receivers, r.fetch(fmt.Sprint(i), sender.link, func(c *Config) {
						capped(c)
						c.Fetch.Seed = true
						accept := c.Fetch.Accept
						c.Fetch.Accept = func(ctx context.Context, o Offered) (*store.Sink, error) {
							<-gate
							return accept(ctx, o)
						}
					}))
				}
				for _, one := range receivers { // all are connected to all
					for len(one.Status().Peers) < n {
						pauseFor(b, 10*time.Millisecond)
					}
				}
				began := time.Now()
				close(gate)
				for _, one := range receivers {
					await[Finished](one)
				}
				took := time.Since(began).Seconds()
				bound := max(size/float64(uplink), float64(n)*size/float64((n+1)*uplink))
				b.ReportMetric(bound/took, "of-bound")
				b.ReportMetric(float64(sender.Status().Sent)/size, "copies")
			}
		})
	}
}
