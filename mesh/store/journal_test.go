package store

import "testing"

func FuzzJournal(f *testing.F) {
	good := append([]byte(journalMagic), manifestRecord("room", []byte("blob"))...)
	good = append(good, rootRecord(3, Root{})...)
	good = wholeRecord(good, 3, 2)
	good = append(good, placedRecord("a", "a (2)")...)
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add([]byte(journalMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parseJournal(b)
		if err != nil {
			return
		}
		if p.length > len(b) {
			t.Fatalf("%d good bytes of %d", p.length, len(b))
		}
		if again, err := parseJournal(b[:p.length]); err != nil || again.length != p.length || len(again.roots) != len(p.roots) {
			t.Fatalf("the good part reads otherwise: %v", err)
		}
	})
}
