package seq_test

import (
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/seq"
)

// model is the Rewriter, slow and obvious: it writes down every number. An era is what lies
// between two switches.
type model struct {
	eras []era
	next uint64 // output number of the next era
}

type era struct {
	source  seq.Source
	numbers []number // from the first input number to the highest so far
	first   uint64
	patch   media.Patch // for numbers to come
	out     uint64      // output number of the next input number
	high    uint64      // highest output number sent, 0 for none
}

type number struct {
	dropped bool
	out     uint64
	patch   media.Patch
}

func (m *model) current() *era { return &m.eras[len(m.eras)-1] }

func (m *model) switchTo(s seq.Start) {
	if len(m.eras) > 0 {
		m.next = m.current().out
	}
	m.eras = append(m.eras, era{source: s.Source, first: s.Seq, patch: s.Patch, out: m.next})
}

// extend writes down the numbers up to ext.
func (e *era) extend(ext uint64) {
	for e.first+uint64(len(e.numbers)) <= ext {
		e.numbers = append(e.numbers, number{out: e.out, patch: e.patch})
		e.out++
	}
}

func (m *model) send(src seq.Source, ext uint64) (number, error) {
	if len(m.eras) == 0 || m.current().source != src {
		return number{}, seq.ErrOtherSource
	}
	if cur := m.current(); ext >= cur.first {
		cur.extend(ext)
		n := cur.numbers[ext-cur.first]
		if !n.dropped {
			cur.high = max(cur.high, n.out)
			return n, nil
		}
		return number{}, seq.ErrDropped
	}
	for i := len(m.eras) - 1; i >= 0 && m.eras[i].source == src; i-- {
		e := &m.eras[i]
		switch {
		case ext < e.first:
			continue
		case ext-e.first >= uint64(len(e.numbers)) || e.numbers[ext-e.first].dropped:
			return number{}, seq.ErrDropped
		default:
			return e.numbers[ext-e.first], nil
		}
	}
	return number{}, seq.ErrBefore
}

func (m *model) drop(src seq.Source, ext uint64, patch media.Patch) bool {
	if len(m.eras) == 0 || m.current().source != src {
		return false
	}
	cur := m.current()
	if ext < cur.first || ext < cur.first+uint64(len(cur.numbers)) {
		return false
	}
	if ext > cur.first {
		cur.extend(ext - 1)
	}
	cur.numbers = append(cur.numbers, number{dropped: true})
	cur.patch = patch
	return true
}

// FuzzRewriter drives a Rewriter and the model with the same steps. One that remembers
// everything must agree; one that forgets soon may refuse what the model knows, but nothing else.
func FuzzRewriter(f *testing.F) {
	f.Add(uint16(65530), []byte{0, 1, 1, 1, 4, 2, 1, 1, 2, 5, 3, 0, 0, 1, 1, 9, 1, 10, 3, 0, 3, 9, 1, 1})
	f.Add(uint16(3), []byte{0, 0, 2, 1, 2, 0, 2, 1, 1, 1, 3, 12, 0, 2, 1, 1, 2, 0, 1, 1, 3, 3, 0, 2, 1, 1, 3, 40})
	f.Fuzz(func(t *testing.T, start uint16, steps []byte) {
		if len(steps) > 600 {
			return
		}
		all, few := seq.NewRewriter(start, 1000), seq.NewRewriter(start, 2)
		m := &model{next: 1<<16 + uint64(start)}
		var inputs [3]uint64
		for i := range inputs {
			inputs[i] = 1 << 20 * uint64(i+1)
		}
		src := seq.Source(0)
		for ; len(steps) >= 2; steps = steps[2:] {
			arg := uint64(steps[1])
			in := &inputs[src]
			switch steps[0] % 4 {
			case 0: // another source, or the same after a pause
				src = seq.Source(arg % 3)
				inputs[src] += arg / 3
				s := seq.Start{Source: src, Seq: inputs[src], Patch: media.Patch{PictureID: uint16(arg)}}
				all.Switch(s)
				few.Switch(s)
				m.switchTo(s)
			case 1: // forwards, perhaps over a gap
				*in += arg % 5
				checkNext(t, &all, &few, m, src, *in)
			case 2:
				*in += arg % 5
				patch := media.Patch{TL0PicIdx: uint8(arg)}
				want := m.drop(src, *in, patch)
				if got := all.Drop(src, *in, patch); got != want || few.Drop(src, *in, patch) != want {
					t.Fatalf("Drop(%d, %d) = %v", src, *in, got)
				}
			case 3: // late
				checkNext(t, &all, &few, m, src, *in-arg)
			}
		}
		checkOrigins(t, &all, &few, m)
	})
}

func checkNext(t *testing.T, all, few *seq.Rewriter, m *model, src seq.Source, ext uint64) {
	t.Helper()
	want, wantErr := m.send(src, ext)
	got, err := all.Next(src, ext, 0)
	if err != wantErr || (err == nil && (got.Ext != want.out || got.Seq != uint16(want.out) || got.Patch != want.patch)) {
		t.Fatalf("Next(%d, %d) = %+v, %v; want %+v, %v", src, ext, got, err, want, wantErr)
	}
	if brief, err := few.Next(src, ext, 0); err == nil && brief != got {
		t.Fatalf("Next(%d, %d) = %+v with a short history, want %+v", src, ext, brief, got)
	}
}

func checkOrigins(t *testing.T, all, few *seq.Rewriter, m *model) {
	t.Helper()
	highest, _, sent := all.Highest()
	for _, e := range m.eras {
		for i, n := range e.numbers {
			if n.dropped || !sent || n.out > highest {
				continue
			}
			want := e.first + uint64(i)
			got, ok := all.Origin(uint16(n.out))
			if !ok || got.Source != e.source || got.Seq != want || got.Place.Ext != n.out || got.Place.Patch != n.patch {
				t.Fatalf("Origin(%d) = %+v, %v; want %d of source %d", n.out, got, ok, want, e.source)
			}
			if brief, ok := few.Origin(uint16(n.out)); ok && brief != got {
				t.Fatalf("Origin(%d) = %+v with a short history, want %+v", n.out, brief, got)
			}
		}
	}
}
