package experiment

import "time"

// Shares of a line's bytes that are the file's, by the packets of each way; 28 bytes of IPv4 and UDP are in them. What comes on top of
// these headers (acknowledgements, hashes, what is sent twice) counts against the way.
const (
	// channelShare: 1,163 bytes of a message in SCTP (28 bytes) in DTLS (37) in UDP and IPv4.
	channelShare = 1163.0 / (1163 + 28 + 37 + 28)
	// streamShare: TCP with timestamps (32 bytes) in IPv4 (20).
	streamShare = 1448.0 / 1500
)

// Share is how much of what a line carries is the file's, 0 to 1, on a way.
func (t Topology) Share() float64 {
	if t == HTTP {
		return streamShare
	}
	return channelShare
}

// Bound is the least time in which all receivers can have the file over lines that carry it as this way does, were it a fluid that
// everybody passes on at once: max(F/u, F/d, N·F/(N+1)·u) with F the file, u an uplink, d a downlink, N receivers (Kumar and Ross, 2006).
// Peers that are told what they may send have that as their uplink. It is the same question for all ways, whether or not they let
// receivers pass anything on.
func (p Point) Bound(t Topology) time.Duration {
	bits, n := p.FileMiB*(1<<23)/t.Share(), float64(p.Viewers)
	up := p.UplinkMbit * 1e6
	if told := p.Told(); told > 0 && t != HTTP {
		up = min(up, told/t.Share())
	}
	seconds := max(bits/up, n*bits/((n+1)*up))
	if p.DownlinkMbit > 0 {
		seconds = max(seconds, bits/(p.DownlinkMbit*1e6))
	}
	return time.Duration(seconds * float64(time.Second))
}

// Told is how many bits of the file a second each peer is told that it may send; 0: as many as go.
func (p Point) Told() float64 { return p.UplinkMbit * 1e6 * p.ToldPercent / 100 }

// Expected is about how long a way takes until the last receiver has the file.
func (p Point) Expected(t Topology) time.Duration {
	bound := p.Bound(t)
	switch t {
	case Copies:
		return time.Duration(p.Viewers) * bound
	case HTTP:
		leg := time.Duration(0)
		if p.DownlinkMbit > 0 {
			leg = time.Duration(p.FileMiB * (1 << 23) / t.Share() / (p.DownlinkMbit * 1e6) * float64(time.Second))
		}
		return bound + leg
	}
	return bound * 12 / 10
}

// TakesRun is about how long one run takes; each has some time in which viewers join and find their places, and to end.
func (e Experiment) TakesRun(r Run) time.Duration {
	switch {
	case e.OfFiles():
		return r.Point.Expected(r.Topology) + meeting
	case e.Processes:
		return time.Duration((e.Seconds+e.Settle)*float64(time.Second)) + starting
	}
	wait := joining
	if r.Overloads() {
		wait = crowding
	}
	return time.Duration((e.Seconds + e.Settle + wait) * float64(time.Second))
}

// Overloads tells whether the run is a star that is more than the uploader's line carries.
func (r Run) Overloads() bool {
	return r.Topology == Star && float64(r.Point.Viewers)*r.Point.BitrateMbit*withHeaders > r.Point.UplinkMbit
}

// withHeaders is what a line carries of a stream, in parts of its payload: headers of RTP, SRTP, UDP and IPv4 come on top.
const withHeaders = 1.055

const (
	joining  = 2.9             // seconds
	crowding = 5.5             // the same where not all get through, and much is late at the end
	meeting  = 2 * time.Second // of receivers, until all are connected
	starting = 3 * time.Second // of processes
)
