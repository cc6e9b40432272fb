package ext_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
)

func TestCaptureTime(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want ext.CaptureTime
	}{
		{"\x83\xaa\x7e\x80\x40\x00\x00\x00", ext.CaptureTime{NTP: 0x83aa7e8040000000}},
		{"\x83\xaa\x7e\x80\x40\x00\x00\x00\x00\x00\x00\x02\x80\x00\x00\x00", ext.CaptureTime{NTP: 0x83aa7e8040000000, Offset: 5 << 31, Known: true}},
		{"\x83\xaa\x7e\x80\x40\x00\x00\x00\xff\xff\xff\xff\xc0\x00\x00\x00", ext.CaptureTime{NTP: 0x83aa7e8040000000, Offset: -1 << 30, Known: true}},
	} {
		got, ok := ext.ParseCaptureTime([]byte(c.raw))
		if !ok || got != c.want {
			t.Errorf("%x: %+v %v, want %+v", c.raw, got, ok, c.want)
		}
		if b := c.want.Append([]byte("x")); string(b) != "x"+c.raw {
			t.Errorf("%+v is written as %x", c.want, b)
		}
	}
}

// Bytes of the right size come back as they were; all others are refused.
func FuzzCaptureTime(f *testing.F) {
	f.Add([]byte("12345678"))
	f.Add([]byte("1234567812345678"))
	f.Add([]byte("123456781"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, ok := ext.ParseCaptureTime(raw)
		if ok != (len(raw) == 8 || len(raw) == 16) {
			t.Fatalf("%d bytes: %v", len(raw), ok)
		}
		if b := c.Append(nil); ok && !bytes.Equal(b, raw) {
			t.Fatalf("%x came back as %x", raw, b)
		}
	})
}

func TestPlayoutDelay(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		least, most time.Duration
		want        string
	}{
		{0, 0, "\x00\x00\x00"},
		{0, 10 * ms, "\x00\x00\x01"},
		{10 * ms, 10 * ms, "\x00\x10\x01"},
		{100 * ms, 409 * ms, "\x00\xa0\x28"},
		{2560 * ms, media.MaxPlayoutDelay, "\x10\x0f\xff"},
		{-ms, time.Hour, "\x00\x0f\xff"},
	} {
		if got := ext.PlayoutDelay(media.PlayoutDelay{Least: c.least, Most: c.most}); string(got[:]) != c.want {
			t.Errorf("%v to %v: %x, want %x", c.least, c.most, got, c.want)
		}
	}
}
