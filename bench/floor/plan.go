package main

// maxBatch is how many segments the kernel takes in a message (UDP_MAX_SEGMENTS was 64 for long).
const maxBatch = 64

// stream is the sizes of the payloads of a tenth of a second, in the order in which they are sent: 720p30 of VP8 at
// 2.4 Mbit/s the way a browser cuts it, nine equal packets a frame, and an Opus packet each 20 ms.
func stream() []int {
	const video, audio = 1107, 100
	var sizes []int
	sounds := 0
	for frame := range 3 {
		for range 9 {
			sizes = append(sizes, video)
		}
		for ; sounds*3 < (frame+1)*5; sounds++ {
			sizes = append(sizes, audio)
		}
	}
	return sizes
}

// messages cuts a stream into messages of batch packets on average. A message that is to be segmented holds packets of one
// size, only its last may be smaller: a larger one begins a new message, and those that follow make up for it as
// far as they can.
func messages(sizes []int, batch float64) [][]int {
	var all [][]int
	due := 0.0 // packets that the messages so far should have had, less those that they had
	for len(sizes) > 0 {
		due += batch
		n := run(sizes, max(1, min(maxBatch, int(due))))
		due -= float64(n)
		all = append(all, sizes[:n])
		sizes = sizes[n:]
	}
	return all
}

// run is how many of the first most packets fit into one message.
func run(sizes []int, most int) int {
	n := 1
	for n < most && n < len(sizes) && sizes[n] <= sizes[0] && sizes[n-1] == sizes[0] {
		n++
	}
	return n
}
