package container

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/at-wat/ebml-go"
	"github.com/at-wat/ebml-go/webm"

	"github.com/fanfare-relay/fanfare/media"
)

// clusterMax is the longest cluster: block times inside one are 16 bits of milliseconds.
const clusterMax = 5 * time.Second

// webmWriter writes WebM. The elements are encoded by ebml-go; its block writer is not used, because its goroutine
// leaves callers waiting for ever when the disk is full.
type webmWriter struct {
	w          io.WriteSeeker
	durationAt int64
	start      time.Duration // of the cluster being gathered
	last       time.Duration
	blocks     []ebml.Block
	keyTrack   int // clusters begin with a key frame of this track
}

func newWebM(w io.WriteSeeker, tracks []Track, key []byte) (Writer, error) {
	out := &webmWriter{w: w}
	var entries []webm.TrackEntry
	for i, t := range tracks {
		e := webm.TrackEntry{TrackNumber: uint64(i + 1), TrackUID: uint64(i + 1)}
		switch t.Codec {
		case media.CodecVP8, media.CodecVP9, media.CodecAV1:
			e.TrackType, e.CodecID = 1, "V_"+t.Codec.String()
			e.Video = &webm.Video{PixelWidth: uint64(t.Width), PixelHeight: uint64(t.Height)}
			if t.Codec == media.CodecAV1 {
				e.CodecPrivate = av1Config(key)
			}
			out.keyTrack = i
		case media.CodecOpus:
			e.TrackType, e.CodecID, e.CodecPrivate = 2, "A_OPUS", opusHead(t.Channels)
			e.SeekPreRoll = uint64(80 * time.Millisecond)
			e.Audio = &webm.Audio{SamplingFrequency: 48000, Channels: uint64(max(t.Channels, 1))}
		default:
			return nil, fmt.Errorf("%w: %v goes into .mp4", ErrWrongContainer, t.Codec)
		}
		entries = append(entries, e)
	}
	return out, out.head(entries)
}

// head writes everything before the first cluster. The duration is filled in by Close.
func (o *webmWriter) head(entries []webm.TrackEntry) error {
	type segment struct {
		Info   webm.Info   `ebml:"Info"`
		Tracks webm.Tracks `ebml:"Tracks"`
	}
	head := struct {
		Header  webm.EBMLHeader `ebml:"EBML"`
		Segment segment         `ebml:"Segment,size=unknown"`
	}{
		*webm.DefaultEBMLHeader,
		segment{
			webm.Info{TimecodeScale: 1_000_000, MuxingApp: "Fanfare", WritingApp: "Fanfare", Duration: math.SmallestNonzeroFloat64},
			webm.Tracks{TrackEntry: entries},
		},
	}
	var b bytes.Buffer
	if err := ebml.Marshal(&head, &b); err != nil {
		return err
	}
	// Duration (RFC 9559 section 5.1.2.10): identifier 0x4489, size 8, double.
	o.durationAt = int64(bytes.Index(b.Bytes(), []byte{0x44, 0x89, 0x88})) + 3
	_, err := o.w.Write(b.Bytes())
	return err
}

func (o *webmWriter) WriteFrame(f Frame) error {
	starts := f.Track == o.keyTrack && f.Key && f.PTS-o.start >= time.Second
	if len(o.blocks) > 0 && (starts || f.PTS-o.start >= clusterMax) {
		if err := o.flush(); err != nil {
			return err
		}
	}
	if len(o.blocks) == 0 {
		o.start = f.PTS.Truncate(time.Millisecond)
	}
	o.last = max(o.last, f.PTS+f.Duration)
	o.blocks = append(o.blocks, ebml.Block{
		TrackNumber: uint64(f.Track + 1),
		Timecode:    int16(max((f.PTS.Truncate(time.Millisecond) - o.start).Milliseconds(), math.MinInt16)), // rounded down also before start
		Keyframe:    f.Key,
		Data:        [][]byte{f.Data},
	})
	return nil
}

func (o *webmWriter) flush() error {
	cluster := struct {
		Cluster webm.Cluster `ebml:"Cluster"`
	}{webm.Cluster{Timecode: uint64(o.start.Milliseconds()), SimpleBlock: o.blocks}}
	var b bytes.Buffer
	if err := ebml.Marshal(&cluster, &b); err != nil {
		return err
	}
	o.blocks = o.blocks[:0]
	_, err := o.w.Write(b.Bytes())
	return err
}

func (o *webmWriter) Close() error {
	if len(o.blocks) > 0 {
		if err := o.flush(); err != nil {
			return err
		}
	}
	ms := float64(o.last) / float64(time.Millisecond)
	return patch(o.w, o.durationAt, binary.BigEndian.AppendUint64(nil, math.Float64bits(ms)))
}

// patch overwrites bytes near the head of a file and returns to its end.
func patch(w io.WriteSeeker, at int64, b []byte) error {
	if _, err := w.Seek(at, io.SeekStart); err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil {
		return err
	}
	_, err := w.Seek(0, io.SeekEnd)
	return err
}
