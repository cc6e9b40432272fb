package main

import (
	"math"
	"slices"
	"testing"
	"time"
)

// The stream is the one that the figures are about: 320 packets a second, 2.4 Mbit/s of video.
func TestStream(t *testing.T) {
	video, n := 0, 0
	for _, size := range stream() {
		n++
		if size > 1000 {
			video += size
		}
	}
	if rate := float64(video) * 10 * 8 / 1e6; n*10 != 320 || math.Abs(rate-2.4) > 0.02 {
		t.Errorf("%d packets a second, %.2f Mbit/s", n*10, rate)
	}
}

func TestMessages(t *testing.T) {
	for _, c := range []struct {
		name  string
		sizes []int
		batch float64
		want  [][]int
	}{
		{"one by one", []int{9, 9, 1}, 1, [][]int{{9}, {9}, {1}}},
		{"the last may be smaller", []int{9, 9, 1, 9}, 3, [][]int{{9, 9, 1}, {9}}},
		{"none may be larger", []int{1, 9, 9}, 3, [][]int{{1}, {9, 9}}},
		{"nothing after a smaller one", []int{9, 1, 1}, 3, [][]int{{9, 1}, {1}}},
		{"a half", []int{9, 9, 9, 9, 9}, 2.5, [][]int{{9, 9}, {9, 9, 9}}},
		{"made up for", []int{1, 9, 9, 9}, 2, [][]int{{1}, {9, 9, 9}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := messages(c.sizes, c.batch)
			if !slices.EqualFunc(got, c.want, slices.Equal) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// Every message can be segmented, nothing is left out, and the mean is the one that was asked for.
func TestMessagesOfTheStream(t *testing.T) {
	for _, batch := range []float64{1, 1.5, 2.2, 3.8} {
		sizes := slices.Repeat(stream(), 10)
		all := messages(sizes, batch)
		if !slices.Equal(slices.Concat(all...), sizes) {
			t.Errorf("%g: packets were left out", batch)
		}
		for _, m := range all {
			for i, size := range m {
				if size > m[0] || i+1 < len(m) && size != m[0] {
					t.Fatalf("%g: %v is no message", batch, m)
				}
			}
		}
		if mean := float64(len(sizes)) / float64(len(all)); math.Abs(mean-batch) > 0.05*batch {
			t.Errorf("%g: the mean is %.2f", batch, mean)
		}
	}
}

func TestFigures(t *testing.T) {
	w := window{packets: 1100, messages: 500, bytes: 1_100_000, user: 700 * time.Microsecond, system: 1500 * time.Microsecond, took: 2 * time.Second}
	got := figuresOf(options{viewers: 7}, w.sub(window{packets: 100, messages: 100, bytes: 100_000, user: 200 * time.Microsecond, system: 500 * time.Microsecond, took: time.Second}), 2000, 1900)
	want := figures{Viewers: 7, Packets: 1000, MeanBatch: 2.5, MeanBytes: 1000, Seconds: 1, User: 0.5, System: 1, Total: 1.5, Lost: 0.05}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := figuresOf(options{viewers: 1}, window{}, 0, 0); got != (figures{Viewers: 1}) {
		t.Errorf("nothing was sent: %+v", got)
	}
}
