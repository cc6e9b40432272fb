package container

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// mp4Writer writes fragmented MP4 (ISO/IEC 14496-12 section 8.8) with H.264 and Opus: an index without samples, then a
// fragment for each key frame interval. A sample is held back until its successor tells how long it is.
type mp4Writer struct {
	w          io.WriteSeeker
	tracks     []mp4Out
	sequence   uint32
	durationAt int64
	start      time.Duration // of the fragment being gathered
}

type mp4Out struct {
	Track
	rate    uint32
	samples []Frame
	length  uint64 // units of rate written so far, where the next fragment starts
}

// box appends a box around what body appends.
func box(dst []byte, kind string, body func([]byte) []byte) []byte {
	at := len(dst)
	dst = append(append(dst, 0, 0, 0, 0), kind...)
	dst = body(dst)
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at))
	return dst
}

// full appends a full box: version and flags, then the body.
func full(dst []byte, kind string, version byte, flags uint32, body func([]byte) []byte) []byte {
	return box(dst, kind, func(b []byte) []byte { return body(put32(b, uint32(version)<<24|flags)) })
}

func put16(b []byte, v ...uint16) []byte {
	for _, x := range v {
		b = binary.BigEndian.AppendUint16(b, x)
	}
	return b
}

func put32(b []byte, v ...uint32) []byte {
	for _, x := range v {
		b = binary.BigEndian.AppendUint32(b, x)
	}
	return b
}

// matrix is the unit matrix (8.2.2).
func matrix(b []byte) []byte {
	return put32(b, 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
}

// movieRate is the time scale of the movie header, in units a second.
const movieRate = 1000

func newMP4Writer(w io.WriteSeeker, tracks []Track, key []byte) (Writer, error) {
	o := &mp4Writer{w: w}
	for _, t := range tracks {
		if t.Codec != media.CodecH264 && t.Codec != media.CodecOpus {
			return nil, fmt.Errorf("%w: %v goes into .webm", ErrWrongContainer, t.Codec)
		}
		o.tracks = append(o.tracks, mp4Out{Track: t, rate: t.Codec.ClockRate()})
	}
	avc := avcConfigOf(key)
	if avc == nil && key != nil {
		return nil, fmt.Errorf("%w: the first picture has no parameter sets", ErrDamaged)
	}
	b := box(nil, "ftyp", func(b []byte) []byte { return append(b, "isom\x00\x00\x02\x00isomiso5avc1mp41"...) })
	b = box(b, "moov", func(b []byte) []byte {
		b = full(b, "mvhd", 0, 0, func(b []byte) []byte {
			b = matrix(put32(b, 0, 0, movieRate, 0, 0x10000, 0x01000000, 0, 0))
			return put32(b, 0, 0, 0, 0, 0, 0, uint32(len(tracks)+1))
		})
		for i := range o.tracks {
			b = o.tracks[i].trak(b, uint32(i+1), avc)
		}
		return box(b, "mvex", func(b []byte) []byte {
			b = full(b, "mehd", 0, 0, func(b []byte) []byte {
				o.durationAt = int64(len(b))
				return put32(b, 0)
			})
			for i := range o.tracks {
				b = full(b, "trex", 0, 0, func(b []byte) []byte { return put32(b, uint32(i+1), 1, 0, 0, 0) })
			}
			return b
		})
	})
	_, err := w.Write(b)
	return o, err
}

func (t *mp4Out) trak(b []byte, id uint32, avc []byte) []byte {
	video := t.Codec.Kind() == media.KindVideo
	handler, name, volume := "soun", "sound\x00", uint16(0x100)
	if video {
		handler, name, volume = "vide", "picture\x00", 0
	}
	return box(b, "trak", func(b []byte) []byte {
		b = full(b, "tkhd", 0, 3, func(b []byte) []byte {
			b = matrix(put16(put32(b, 0, 0, id, 0, 0, 0, 0), 0, 0, volume, 0))
			return put32(b, uint32(t.Width)<<16, uint32(t.Height)<<16)
		})
		return box(b, "mdia", func(b []byte) []byte {
			b = full(b, "mdhd", 0, 0, func(b []byte) []byte { return put32(b, 0, 0, t.rate, 0, 0x55C40000) })
			b = full(b, "hdlr", 0, 0, func(b []byte) []byte {
				return append(put32(append(put32(b, 0), handler...), 0, 0, 0), name...)
			})
			return box(b, "minf", func(b []byte) []byte {
				if video {
					b = full(b, "vmhd", 0, 1, func(b []byte) []byte { return put32(b, 0, 0) })
				} else {
					b = full(b, "smhd", 0, 0, func(b []byte) []byte { return put32(b, 0) })
				}
				b = box(b, "dinf", func(b []byte) []byte {
					return full(b, "dref", 0, 0, func(b []byte) []byte {
						return full(put32(b, 1), "url ", 0, 1, func(b []byte) []byte { return b })
					})
				})
				return box(b, "stbl", func(b []byte) []byte { return t.stbl(b, avc) })
			})
		})
	})
}

// stbl describes the codec and holds no samples.
func (t *mp4Out) stbl(b, avc []byte) []byte {
	b = full(b, "stsd", 0, 0, func(b []byte) []byte {
		b = put32(b, 1)
		if t.Codec == media.CodecOpus {
			return box(b, "Opus", func(b []byte) []byte {
				b = put16(b, 0, 0, 0, 1, 0, 0, 0, 0, uint16(max(t.Channels, 1)), 16, 0, 0)
				b = put32(b, 48000<<16)
				return box(b, "dOps", func(b []byte) []byte { // Opus in ISOBMFF section 4.3.2
					return append(put32(append(b, 0, byte(max(t.Channels, 1)), 312>>8, 312&0xFF), 48000), 0, 0, 0)
				})
			})
		}
		return box(b, "avc1", func(b []byte) []byte {
			b = put16(b, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, uint16(t.Width), uint16(t.Height))
			b = put16(put32(b, 0x480000, 0x480000, 0), 1)
			b = append(b, make([]byte, 32)...)
			b = put16(b, 24, 0xFFFF)
			return box(b, "avcC", func(b []byte) []byte { return append(b, avc...) })
		})
	})
	for _, kind := range []string{"stts", "stsc", "stco"} {
		b = full(b, kind, 0, 0, func(b []byte) []byte { return put32(b, 0) })
	}
	return full(b, "stsz", 0, 0, func(b []byte) []byte { return put32(b, 0, 0) })
}

func (o *mp4Writer) WriteFrame(f Frame) error {
	t := &o.tracks[f.Track]
	starts := f.Key && t.Codec.Kind() == media.KindVideo || len(o.tracks) == 1 && t.Codec == media.CodecOpus
	if late := f.PTS - o.start; starts && late >= time.Second || late >= clusterMax {
		if err := o.flush(f.PTS); err != nil {
			return err
		}
		o.start = f.PTS
	}
	if t.Codec == media.CodecH264 {
		f.Data = toAVC(f.Data)
	}
	t.samples = append(t.samples, f)
	return nil
}

// toAVC turns start codes into lengths of four bytes.
func toAVC(annexB []byte) []byte {
	out := make([]byte, 0, len(annexB))
	for _, u := range SplitNAL(annexB) {
		out = append(put32(out, uint32(len(u))), u...)
	}
	return out
}

// flush writes what was gathered as one fragment. The last sample of a track lasts until end, or as long as the one before.
func (o *mp4Writer) flush(end time.Duration) error {
	o.sequence++
	var data []byte
	moof := func(size uint32) []byte {
		data = data[:0]
		return box(nil, "moof", func(b []byte) []byte {
			b = full(b, "mfhd", 0, 0, func(b []byte) []byte { return put32(b, o.sequence) })
			for i := range o.tracks {
				if len(o.tracks[i].samples) > 0 {
					b = o.tracks[i].traf(b, uint32(i+1), size+8+uint32(len(data)), end)
					for _, s := range o.tracks[i].samples {
						data = append(data, s.Data...)
					}
				}
			}
			return b
		})
	}
	b := moof(uint32(len(moof(0)))) // the first round only measures
	if len(data) == 0 {
		return nil
	}
	b = box(b, "mdat", func(b []byte) []byte { return append(b, data...) })
	for i := range o.tracks {
		t := &o.tracks[i]
		for j := range t.samples {
			t.length = t.at(t.samples[j].PTS) + uint64(t.duration(j, end))
		}
		t.samples = t.samples[:0]
	}
	_, err := o.w.Write(b)
	return err
}

// at converts a time to units of the track's rate, rounded to the nearest. Negative times become 0.
func (t *mp4Out) at(d time.Duration) uint64 {
	d = max(d, 0)
	sec, rest := uint64(d/time.Second), uint64(d%time.Second)
	return sec*uint64(t.rate) + (rest*uint64(t.rate)+uint64(time.Second)/2)/uint64(time.Second)
}

// duration of sample i in units of the rate.
func (t *mp4Out) duration(i int, end time.Duration) uint32 {
	from, to := t.at(t.samples[i].PTS), t.at(end)
	switch {
	case i+1 < len(t.samples):
		to = t.at(t.samples[i+1].PTS)
	case t.samples[i].Duration > 0:
		to = t.at(t.samples[i].PTS + t.samples[i].Duration)
	}
	if to <= from {
		return 1
	}
	return uint32(to - from)
}

func (t *mp4Out) traf(b []byte, id, dataAt uint32, end time.Duration) []byte {
	return box(b, "traf", func(b []byte) []byte {
		b = full(b, "tfhd", 0, 0x20000, func(b []byte) []byte { return put32(b, id) }) // default-base-is-moof
		b = full(b, "tfdt", 1, 0, func(b []byte) []byte {
			return binary.BigEndian.AppendUint64(b, t.at(t.samples[0].PTS))
		})
		return full(b, "trun", 0, 0x701, func(b []byte) []byte { // data offset; duration, size, flags of each sample
			b = put32(b, uint32(len(t.samples)), dataAt)
			for i, s := range t.samples {
				flags := uint32(0x2000000) // depends on no other
				if !s.Key {
					flags = 0x1010000 // depends on others, is no sync sample
				}
				b = put32(b, t.duration(i, end), uint32(len(s.Data)), flags)
			}
			return b
		})
	})
}

func (o *mp4Writer) Close() error {
	end := time.Duration(0)
	for _, t := range o.tracks {
		if n := len(t.samples); n > 0 {
			last := t.samples[n-1]
			step := last.Duration
			if step == 0 && n > 1 {
				step = last.PTS - t.samples[n-2].PTS
			}
			end = max(end, last.PTS+step)
		}
	}
	if end > 0 {
		if err := o.flush(end); err != nil {
			return err
		}
	}
	longest := uint64(0)
	for _, t := range o.tracks {
		longest = max(longest, t.length*movieRate/uint64(t.rate))
	}
	return patch(o.w, o.durationAt, put32(nil, uint32(longest)))
}
