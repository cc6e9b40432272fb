package endpoint

import "time"

// The names follow getStats of WebRTC (W3C webrtc-stats) wherever it has one, so that the figures of
// browsers, of these clients and of reports can stand in one table.

// OutboundStats are the figures of one track that is sent.
type OutboundStats struct {
	Kind            string `json:"kind"`
	Codec           string `json:"codec"`
	PacketsSent     uint64 `json:"packetsSent"`
	BytesSent       uint64 `json:"bytesSent"` // payload
	FramesSent      uint64 `json:"framesSent"`
	KeyFramesSent   uint64 `json:"keyFramesSent"`
	NACKCount       uint64 `json:"nackCount"` // packets asked for again
	PLICount        uint64 `json:"pliCount"`  // key frames asked for (PLI and FIR)
	RemoteLost      int64  `json:"packetsLost"`
	RoundTripTimeMs int64  `json:"roundTripTimeMs"`
}

// InboundStats are the figures of one track that is received.
type InboundStats struct {
	Kind                         string  `json:"kind"`
	Codec                        string  `json:"codec"`
	PacketsReceived              uint64  `json:"packetsReceived"`
	PacketsLost                  int64   `json:"packetsLost"` // by sequence numbers, after repair
	BytesReceived                uint64  `json:"bytesReceived"`
	RetransmittedPacketsReceived uint64  `json:"retransmittedPacketsReceived"`
	Jitter                       float64 `json:"jitter"` // seconds
	FramesReceived               uint64  `json:"framesReceived"`
	KeyFramesReceived            uint64  `json:"keyFramesReceived"`
	FramesDropped                uint64  `json:"framesDropped"`
	FrameWidth                   int     `json:"frameWidth,omitempty"`
	FrameHeight                  int     `json:"frameHeight,omitempty"`
	NACKCount                    uint64  `json:"nackCount"` // packets asked for again
	PLICount                     uint64  `json:"pliCount"`
}

// Timing are the steps of a viewer's join, measured from the moment the POST begins; 0 when not reached yet.
type Timing struct {
	Answered, Connected, FirstPacket time.Duration
	FirstKeyFrame                    time.Duration // whole
	// Elapsed is the time until now.
	Elapsed time.Duration
}

// TimingMilliseconds is Timing for reports.
type TimingMilliseconds struct {
	Answered      float64 `json:"answered"`
	Connected     float64 `json:"connected"`
	FirstPacket   float64 `json:"firstPacket"`
	FirstKeyFrame float64 `json:"firstKeyFrame"`
	Elapsed       float64 `json:"elapsed"`
}

// Milliseconds converts.
func (t Timing) Milliseconds() TimingMilliseconds {
	ms := func(d time.Duration) float64 {
		return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
	}
	return TimingMilliseconds{ms(t.Answered), ms(t.Connected), ms(t.FirstPacket), ms(t.FirstKeyFrame), ms(t.Elapsed)}
}
