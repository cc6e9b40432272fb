package crowd

import (
	"bytes"
	"net"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// loopback is two sockets that are connected to each other, of which the second is read as a viewer's is.
func loopback(t *testing.T, runs bool) (from *net.UDPConn, to int) {
	t.Helper()
	listen := func() *net.UDPConn {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	server, viewer := listen(), listen()
	t.Cleanup(func() { _ = server.Close() })
	there := viewer.LocalAddr().(*net.UDPAddr)
	if err := prepare(viewer); err != nil {
		t.Fatal(err)
	}
	fd, err := detach(viewer, server.LocalAddr().(*net.UDPAddr).AddrPort(), runs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeSocket(fd) })
	if err := control(server, func(fd int) error {
		return unix.Connect(fd, &unix.SockaddrInet4{Port: there.Port, Addr: [4]byte{127, 0, 0, 1}})
	}); err != nil {
		t.Fatal(err)
	}
	return server, fd
}

// TestRuns: what is sent as one message comes as one where that is wanted, and is taken apart as it was made.
func TestRuns(t *testing.T) {
	parts := [][]byte{bytes.Repeat([]byte{1}, 900), bytes.Repeat([]byte{2}, 900), bytes.Repeat([]byte{3}, 40)}
	for name, c := range map[string]struct {
		runs     bool
		messages []int
	}{
		"runs":    {true, []int{1840, 7}},
		"no runs": {false, []int{900, 900, 40, 7}},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := loopback(t, c.runs)
			before := time.Now()
			if err := control(from, func(fd int) error {
				if err := unix.SetsockoptInt(fd, unix.SOL_UDP, unix.UDP_SEGMENT, 900); err != nil {
					return err
				}
				_, err := unix.Write(fd, slices.Concat(parts...))
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if err := control(from, func(fd int) error { send(fd, []byte("another")); return nil }); err != nil {
				t.Fatal(err)
			}
			b, now := newBatch(runSize), time.Now().Add(time.Hour)
			var messages []int
			var got [][]byte
			for range b.receive(to) {
				data, size, each, at := b.at(len(messages), now)
				if len(data) != size || at.Before(before.Round(0)) || at.After(time.Now()) {
					t.Errorf("%d of %d bytes at %v", len(data), size, at)
				}
				messages = append(messages, size)
				for datagram := range slices.Chunk(data, each) {
					got = append(got, bytes.Clone(datagram))
				}
			}
			if !slices.Equal(messages, c.messages) || !slices.EqualFunc(got, append(slices.Clone(parts), []byte("another")), bytes.Equal) {
				t.Errorf("messages of %v bytes", messages)
			}
		})
	}
}
