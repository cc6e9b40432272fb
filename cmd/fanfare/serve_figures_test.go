package main

import (
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfare-relay/fanfare/media/nack"
	"github.com/fanfare-relay/fanfare/sfu"
	"github.com/fanfare-relay/fanfare/sfu/lite"
)

// Every reason to drop something is a label at /metrics and has its line in the operators' document.
func TestReasonsAreTold(t *testing.T) {
	doc, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	stats := idleRelay(t).Stats()
	var reasons []string
	for r := range stats.Drops {
		reasons = append(reasons, r.String())
	}
	for r := range stats.LegDrops {
		reasons = append(reasons, r.String())
	}
	for r := range stats.NACKsRefused {
		reasons = append(reasons, r.String())
	}
	if want := int(sfu.DropSend) + 1 + int(lite.NumDropReasons) - 1 + int(nack.OverBudget); len(reasons) != want {
		t.Errorf("%d reasons are counted, of %d", len(reasons), want)
	}
	for _, r := range reasons {
		if !strings.Contains(string(doc), "`"+r+"`") {
			t.Errorf("docs/OPERATIONS.md does not tell what %q means", r)
		}
	}
}

func TestReasonsAreLabels(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	relay := idleRelay(t)
	if err := registry.Register(relayFigures{relay}); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	stats := relay.Stats()
	for _, f := range families {
		want := map[string]int{
			"fanfare_packets_dropped_total":   len(stats.Drops),
			"fanfare_datagrams_dropped_total": len(stats.LegDrops),
			"fanfare_nack_refused_total":      len(stats.NACKsRefused),
		}[f.GetName()]
		if want != 0 && len(f.GetMetric()) != want {
			t.Errorf("%s has %d reasons, want %d", f.GetName(), len(f.GetMetric()), want)
		}
	}
}

// idleRelay has a socket and nobody on it.
func idleRelay(t *testing.T) *sfu.SFU {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	relay, err := sfu.New(sfu.Config{Conn: conn, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(relay.Shutdown)
	return relay
}
