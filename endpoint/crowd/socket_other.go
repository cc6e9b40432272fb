//go:build !linux

package crowd

import (
	"net"
	"net/netip"
	"time"
)

// supported: other systems have no recvmmsg with receive times.
const supported = false

func prepare(*net.UDPConn) error                             { return ErrUnsupported }
func detach(*net.UDPConn, netip.AddrPort, bool) (int, error) { return -1, ErrUnsupported }
func untime(int)                                             {}
func overflowed(int) uint64                                  { return 0 }
func send(int, []byte)                                       {}
func closeSocket(int)                                        {}

const batchSize = 1

type batch struct{}

func newBatch(int) *batch      { return &batch{} }
func (*batch) receive(int) int { return 0 }
func (*batch) at(int, time.Time) (data []byte, size, each int, at time.Time) {
	return nil, 0, 0, time.Time{}
}
