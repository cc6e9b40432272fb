package udp

const (
	// maxSegments is what every kernel with UDP_SEGMENT takes in one message.
	maxSegments = 64
	// maxMessage is the most that one message carries, in bytes: 65,535 less the headers of
	// IPv4 and UDP. (An IPv6 packet has room for 20 more.)
	maxMessage = 65507
)

// runEnd finds the datagrams that go out as one message: those of list from first on, up to
// the returned index. A message of several has one path, and all its datagrams are of the
// first one's size, but for the last, which may be shorter. With segments off it has one.
func runEnd(list []outgoing, first int, segments bool) (end int) {
	size, total := list[first].size(), list[first].size()
	end = first + 1
	if !segments || size == 0 {
		return end
	}
	for end < len(list) && end-first < maxSegments {
		o := &list[end]
		n := o.size()
		if n == 0 || n > size || total+n > maxMessage || o.path != list[first].path {
			break
		}
		total += n
		end++
		if n < size {
			break
		}
	}
	return end
}

func (o *outgoing) size() int { return o.end - o.start }
