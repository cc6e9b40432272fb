package udp

import (
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// oobSpace holds either control message of the local address with its header, 16 + 20
// bytes, and the one for segments, 16 + 2 bytes, both padded to 8.
const oobSpace = 64

// oobBuf is aligned as the kernel's headers are.
type oobBuf struct {
	_ [0]uint64
	b [oobSpace]byte
}

// enablePktInfo asks the kernel to tell the local address of each datagram. A socket
// that refuses works as a plain one.
func enablePktInfo(u *net.UDPConn) (info pktInfo) {
	raw, err := u.SyscallConn()
	if err != nil {
		return noPktInfo
	}
	_ = raw.Control(func(fd uintptr) {
		domain, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN)
		switch {
		case err != nil:
		case domain == unix.AF_INET6:
			// On a dual-stack socket this covers IPv4 as well, as mapped addresses.
			if unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_RECVPKTINFO, 1) == nil {
				info = pktInfo6
			}
		case domain == unix.AF_INET:
			if unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_PKTINFO, 1) == nil {
				info = pktInfo4
			}
		}
	})
	return info
}

func (c *Conn) readInfo(b []byte) (int, Path, error) {
	var oob oobBuf
	n, oobn, _, from, err := c.udp.ReadMsgUDPAddrPort(b, oob.b[:])
	if err != nil {
		return n, Path{}, err
	}
	return n, Path{Remote: unmapPort(from), Local: localOf(oob.b[:oobn])}, nil
}

// localOf finds the local address in the control messages of one datagram; the zero
// Addr when there is none.
func localOf(oob []byte) netip.Addr {
	for len(oob) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return netip.Addr{}
		}
		switch {
		case h.Level == unix.SOL_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			return netip.AddrFrom16([16]byte(data[:16])).Unmap()
		case h.Level == unix.SOL_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			// ipi_addr (offset 8) is the header's destination, ipi_spec_dst what to
			// send from; they differ for broadcasts only.
			return netip.AddrFrom4([4]byte(data[4:8]))
		}
		oob = rest
	}
	return netip.Addr{}
}

func (c *Conn) writeInfo(b []byte, p Path) (int, error) {
	var oob oobBuf
	n, _, err := c.udp.WriteMsgUDPAddrPort(b, putLocal(&oob, c.info, p.Local), p.Remote)
	return n, err
}

// putLocal writes the control message that names the address to send from. The
// interface stays 0: routing by source and destination is right for all but link-local
// peers, and those carry their zone in the destination.
func putLocal(oob *oobBuf, info pktInfo, local netip.Addr) []byte {
	clear(oob.b[:]) // it may be used again
	h := (*unix.Cmsghdr)(unsafe.Pointer(&oob.b[0]))
	data := oob.b[unix.CmsgLen(0):]
	if info == pktInfo4 {
		if !local.Is4() {
			return nil
		}
		a := local.As4()
		h.Level, h.Type = unix.SOL_IP, unix.IP_PKTINFO
		h.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
		copy(data[4:8], a[:])
		return oob.b[:unix.CmsgSpace(unix.SizeofInet4Pktinfo)]
	}
	a := local.As16()
	h.Level, h.Type = unix.SOL_IPV6, unix.IPV6_PKTINFO
	h.SetLen(unix.CmsgLen(unix.SizeofInet6Pktinfo))
	copy(data[:16], a[:])
	return oob.b[:unix.CmsgSpace(unix.SizeofInet6Pktinfo)]
}
