package sfu_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/sfutest"
	"github.com/fanfare-relay/fanfare/sfu/udp"
)

// startEverywhere runs a relay on all addresses of the machine, as `serve` does.
func startEverywhere(t *testing.T, public string) *sfutest.Relay {
	t.Helper()
	return sfutest.Start(t, func(cfg *sfu.Config) {
		_ = cfg.Conn.Close()
		conn, err := udp.Listen(":0")
		if err != nil {
			t.Fatal(err)
		}
		cfg.Conn = conn
		if public != "" {
			cfg.PublicAddress = netip.MustParseAddrPort(public)
		}
	})
}

// only keeps the candidates of an answer that are on one address.
func only(t *testing.T, answer, host string) string {
	t.Helper()
	var b strings.Builder
	kept := 0
	for line := range strings.Lines(answer) {
		if fields := strings.Fields(line); strings.HasPrefix(line, "a=candidate:") {
			if fields[4] != host {
				continue
			}
			kept++
		}
		b.WriteString(line)
	}
	if kept == 0 {
		t.Fatalf("no candidate on %s:\n%s", host, answer)
	}
	return b.String()
}

// loopbacks are the addresses of this machine that every machine of its kind has. IPv6 may be
// switched off, for example in containers.
func loopbacks() []string {
	if c, err := net.ListenPacket("udp6", "[::1]:0"); err == nil {
		_ = c.Close()
		return []string{"127.0.0.1", "::1"}
	}
	return []string{"127.0.0.1"}
}

// One wildcard socket serves both families: publisher and viewer each reach the address that
// they chose, and hear from that.
func TestBothFamilies(t *testing.T) {
	t.Parallel()
	r := startEverywhere(t, "")
	for _, host := range loopbacks() {
		pub := sfutest.NewPublisherOn(t, sfutest.Listen(t, host), media.CodecVP8)
		pub.ConnectBy(t, r, host, func(answer string) string { return only(t, answer, host) })
		v := sfutest.NewViewer(t, r, sfutest.ViewerOptions{Conn: sfutest.Listen(t, host)})
		v.ConnectBy(t, host, func(answer string) string { return only(t, answer, host) })
		play(t, pub, []*sfutest.Viewer{v}, newSource(media.CodecVP8), 0, 5)
		checkContinuous(t, v.Packets(media.KindVideo))
	}
}

// A public address is one more candidate, of either family, with a port of its own or the
// socket's; the local ones stay, and loopback stands last.
func TestPublicAddressInAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ public, host, port string }{
		{"192.0.2.7:0", "192.0.2.7", ""},
		{"192.0.2.7:4000", "192.0.2.7", "4000"},
		{"[2001:db8::7]:0", "2001:db8::7", ""},
		{"[2001:db8::7]:4000", "2001:db8::7", "4000"},
	} {
		t.Run(c.public, func(t *testing.T) {
			t.Parallel()
			r := startEverywhere(t, c.public)
			port := c.port
			if port == "" {
				port = r.PortText()
			}
			viewer, err := r.Subscribe(t.Context(), "s", sfutest.NewViewer(t, r, sfutest.ViewerOptions{}).Offer(t))
			if err != nil {
				t.Fatal(err)
			}
			publisher, err := r.Publish(t.Context(), "s", sfutest.NewPublisher(t, media.CodecVP8).Offer(t), media.PublishOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, answer := range []string{viewer.SDP, publisher.SDP} {
				if !strings.Contains(answer, " "+c.host+" "+port+" typ host\r\n") {
					t.Errorf("no candidate %s %s:\n%s", c.host, port, answer)
				}
				for _, host := range loopbacks() {
					only(t, answer, host)
				}
				if strings.Index(answer, " "+c.host+" ") > strings.Index(answer, " 127.0.0.1 "+r.PortText()) {
					t.Errorf("loopback stands before the public address:\n%s", answer)
				}
			}
		})
	}
}
