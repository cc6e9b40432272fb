package nack_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtcp"

	"github.com/fanfare-relay/fanfare/media/mediatest"
	"github.com/fanfare-relay/fanfare/media/nack"
)

func TestPairs(t *testing.T) {
	tests := []struct {
		name string
		seqs []uint64
		want []rtcp.NackPair
	}{
		{"none", nil, nil},
		{"one", []uint64{70000}, []rtcp.NackPair{{PacketID: 4464}}},
		{"sixteen after it", []uint64{10, 11, 13, 26}, []rtcp.NackPair{{PacketID: 10, LostPackets: 0x8005}}},
		{"seventeen after it", []uint64{10, 27}, []rtcp.NackPair{{PacketID: 10}, {PacketID: 27}}},
		{"over the wrap", []uint64{65535, 65536}, []rtcp.NackPair{{PacketID: 65535, LostPackets: 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := nack.AppendPairs(nil, tt.seqs)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("AppendPairs (-want +got):\n%s", d)
			}
			var back []uint16
			for _, s := range tt.seqs {
				back = append(back, uint16(s))
			}
			if d := cmp.Diff(back, nack.AppendSeqs(nil, got)); d != "" {
				t.Errorf("AppendSeqs (-want +got):\n%s", d)
			}
		})
	}
}

// Pairs name the numbers as pion reads them.
func FuzzAppendSeqs(f *testing.F) {
	f.Add(uint16(65530), uint16(0x8421))
	f.Fuzz(func(t *testing.T, id, mask uint16) {
		pair := rtcp.NackPair{PacketID: id, LostPackets: rtcp.PacketBitmap(mask)}
		if got, want := nack.AppendSeqs(nil, []rtcp.NackPair{pair}), pair.PacketList(); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

// repair is what a run over a lossy path came to.
type repair struct {
	lost, late, given, asked int
}

// runRepair sends packets over a path of 2 % loss and answers NACKs, both ways lossy, retransmissions
// included. A packet counts as late when it comes more than 300 ms after it was sent.
func runRepair(seed uint64, packets int) repair {
	forth := mediatest.NewLink[uint64](mediatest.LinkConfig{
		Seed: seed, Loss: 0.02, Delay: ms2(20), Jitter: ms2(3), Reorder: 0.01, ReorderBy: ms2(5), Duplicate: 0.005,
	})
	back := mediatest.NewLink[[]uint64](mediatest.LinkConfig{Seed: seed + 1, Loss: 0.02, Delay: ms2(20)})
	recv := nack.NewReceiver(nack.ReceiverConfig{RTT: ms2(40)})
	resp := nack.NewResponder(nack.ResponderConfig{RTT: ms2(40)})
	sent := make([]time.Time, packets)
	missing := map[uint64]bool{}
	var got repair
	for now, next := epoch, 0; next < packets || recv.Missing() > 0; now = now.Add(time.Millisecond) {
		if next < packets && now.Sub(epoch) >= time.Duration(next)*3*time.Millisecond {
			sent[next] = now
			if !forth.Send(uint64(next), now) {
				missing[uint64(next)] = true
			}
			next++
		}
		for _, seqs := range back.AppendArrived(nil, now) {
			for _, s := range seqs {
				if resp.Decide(s, 1000, sent[s], now) == nack.Resend {
					forth.Send(s, now)
				}
			}
		}
		for _, s := range forth.AppendArrived(nil, now) {
			if recv.Observe(s, now) == nack.Recovered && missing[s] {
				got.lost++
				if now.Sub(sent[s]) > 300*time.Millisecond {
					got.late++
				}
			}
		}
		due, given := recv.AppendDue(nil, now)
		got.given += given
		got.asked += len(due)
		if len(due) > 0 {
			back.Send(due, now)
		}
	}
	return got
}

func TestRepairOverALossyPath(t *testing.T) {
	const packets = 50000
	got := runRepair(1, packets)
	if got.lost < packets/100 {
		t.Fatalf("only %d packets were lost", got.lost)
	}
	if failed := got.late + got.given; failed*100 > got.lost {
		t.Errorf("%d of %d lost packets were not repaired within 300 ms", failed, got.lost)
	}
	if got.asked > got.lost*3/2 {
		t.Errorf("asked %d times for %d packets", got.asked, got.lost)
	}
	if again := runRepair(1, packets); again != got {
		t.Errorf("the same seed gave %+v, then %+v", got, again)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	recv := nack.NewReceiver(nack.ReceiverConfig{})
	resp := nack.NewResponder(nack.ResponderConfig{})
	due, pairs, seqs := make([]uint64, 0, 100), make([]rtcp.NackPair, 0, 100), make([]uint16, 0, 100)
	resp.Decide(0, 1, epoch, epoch)
	ext, now := uint64(1000), epoch
	n := testing.AllocsPerRun(1000, func() {
		ext += 2 // every second one is lost
		now = now.Add(ms2(5))
		recv.Observe(ext, now)
		recv.Deadline()
		asked, _ := recv.AppendDue(due, now)
		for _, s := range asked {
			resp.Decide(s, 1000, now, now)
		}
		nack.AppendSeqs(seqs, nack.AppendPairs(pairs, asked))
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	recv := nack.NewReceiver(nack.ReceiverConfig{})
	b.ReportAllocs()
	for ext := uint64(1 << 16); b.Loop(); ext++ {
		recv.Observe(ext, epoch)
	}
}

// However much is asked for, no more is looked up in a window than the configuration has.
func TestResponderAdmits(t *testing.T) {
	r := nack.NewResponder(nack.ResponderConfig{Requests: 100, Window: time.Second})
	at := time.Unix(1000, 0)
	for _, c := range []struct{ after, asked, want int }{ // ms
		{0, 70, 70}, {10, 70, 30}, {999, 1, 0}, {1000, 1000, 100}, {1500, 5, 0}, {2100, 5, 5},
	} {
		if got := r.Admit(c.asked, at.Add(time.Duration(c.after)*time.Millisecond)); got != c.want {
			t.Errorf("at %d ms: %d of %d, want %d", c.after, got, c.asked, c.want)
		}
	}
}
