package udp

// Message is one datagram that came. Data is valid until the next Read.
type Message struct {
	Data []byte
	Path Path
}

// Reader reads datagrams in batches. It belongs to one goroutine, and a Conn has one
// reader at a time.
type Reader struct {
	conn *Conn
	buf  []byte
	list []Message
}

// NewReader makes a reader of the socket.
func (c *Conn) NewReader() *Reader {
	return &Reader{conn: c, buf: make([]byte, MaxDatagram), list: make([]Message, 1)}
}

// Read waits for at least one datagram and returns those that are there, in the order in
// which they came. Errors are those of ReadMsg. A datagram longer than MaxDatagram is cut.
func (r *Reader) Read() ([]Message, error) {
	n, p, err := r.conn.ReadMsg(r.buf)
	if err != nil {
		return nil, err
	}
	r.list[0] = Message{Data: r.buf[:n], Path: p}
	return r.list[:1], nil
}
