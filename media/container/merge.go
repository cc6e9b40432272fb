package container

import (
	"errors"
	"io"
)

// Merge plays two files beside each other, in order of time. The second one's tracks follow the
// first one's. Closing closes both.
func Merge(a, b Reader) Reader {
	return &merged{parts: [2]Reader{a, b}}
}

type merged struct {
	parts [2]Reader
	heads [2]*Frame
	ended [2]bool
}

func (m *merged) Tracks() []Track {
	return append(append([]Track{}, m.parts[0].Tracks()...), m.parts[1].Tracks()...)
}

func (m *merged) Notes() []string {
	return append(append([]string{}, m.parts[0].Notes()...), m.parts[1].Notes()...)
}

func (m *merged) Close() error {
	return errors.Join(m.parts[0].Close(), m.parts[1].Close())
}

func (m *merged) Next() (Frame, error) {
	for i := range m.parts {
		if m.heads[i] != nil || m.ended[i] {
			continue
		}
		f, err := m.parts[i].Next()
		switch {
		case errors.Is(err, io.EOF):
			m.ended[i] = true
		case err != nil:
			return Frame{}, err
		default:
			f.Track += i * len(m.parts[0].Tracks())
			m.heads[i] = &f
		}
	}
	pick := 0
	if m.heads[0] == nil || (m.heads[1] != nil && m.heads[1].PTS < m.heads[0].PTS) {
		pick = 1
	}
	if m.heads[pick] == nil {
		return Frame{}, io.EOF
	}
	f := *m.heads[pick]
	m.heads[pick] = nil
	return f, nil
}
