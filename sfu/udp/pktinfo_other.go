//go:build !linux

package udp

import "net"

// Other systems send from the address that their routing table chooses.
func enablePktInfo(*net.UDPConn) pktInfo { return noPktInfo }

func (c *Conn) readInfo(b []byte) (int, Path, error) {
	n, from, err := c.udp.ReadFromUDPAddrPort(b)
	return n, Path{Remote: unmapPort(from), Local: c.bound}, err
}

func (c *Conn) writeInfo(b []byte, p Path) (int, error) {
	return c.udp.WriteToUDPAddrPort(b, p.Remote)
}
