package udp

// maxRead bounds the datagrams of one Read.
const maxRead = 32

// Message is one datagram that came. Data is valid until the next Read.
type Message struct {
	Data []byte
	Path Path
}

// Reader reads datagrams in batches. It belongs to one goroutine, and a Conn has one
// reader at a time.
type Reader struct {
	conn     *Conn
	buf      []byte
	list     []Message
	receiver *receiver // nil where datagrams are read one by one
}

// NewReader makes a reader of the socket.
func (c *Conn) NewReader() *Reader {
	r := &Reader{conn: c}
	places := 1
	if r.receiver = newReceiver(r); r.receiver != nil {
		places = maxRead
	}
	r.buf, r.list = make([]byte, places*MaxDatagram), make([]Message, places)
	return r
}

// place is the room for datagram i.
func (r *Reader) place(i int) []byte {
	return r.buf[i*MaxDatagram : (i+1)*MaxDatagram : (i+1)*MaxDatagram]
}

// Read waits for at least one datagram and returns those that are there, in the order in
// which they came. Errors are those of ReadMsg. A datagram longer than MaxDatagram is cut.
// The zone of a link-local peer is the number of its interface where the system tells it.
func (r *Reader) Read() ([]Message, error) {
	if r.receiver != nil {
		n, err := r.receiver.read()
		return r.list[:n], err
	}
	n, p, err := r.conn.ReadMsg(r.buf)
	if err != nil {
		return nil, err
	}
	r.list[0] = Message{Data: r.buf[:n], Path: p}
	return r.list[:1], nil
}
