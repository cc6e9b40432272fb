package udp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// putName writes the address of a peer as a socket of the family takes it, and returns its
// length; for an address that the family does not have, a length that the kernel refuses.
func putName(to *unix.RawSockaddrInet6, family uint16, a netip.AddrPort) uint32 {
	if family == unix.AF_INET {
		if !a.Addr().Is4() {
			return 1
		}
		to4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(to))
		*to4 = unix.RawSockaddrInet4{Family: family, Addr: a.Addr().As4()}
		putPort(&to4.Port, a.Port())
		return unix.SizeofSockaddrInet4
	}
	*to = unix.RawSockaddrInet6{Family: family, Addr: a.Addr().As16()}
	putPort(&to.Port, a.Port())
	if zone := a.Addr().Zone(); zone != "" {
		to.Scope_id = scope(zone)
	}
	return unix.SizeofSockaddrInet6
}

// scope is the number of the interface that a zone means. Zones that name gave are numbers
// already; those of other origin may be names.
func scope(zone string) uint32 {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	return 0
}

// name reads the address of a peer. The zone of a link-local one is its interface's number.
func name(from *unix.RawSockaddrInet6) netip.AddrPort {
	if from.Family == unix.AF_INET {
		from4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(from))
		return netip.AddrPortFrom(netip.AddrFrom4(from4.Addr), port(&from4.Port))
	}
	a := netip.AddrFrom16(from.Addr).Unmap()
	if from.Scope_id != 0 {
		a = a.WithZone(strconv.FormatUint(uint64(from.Scope_id), 10))
	}
	return netip.AddrPortFrom(a, port(&from.Port))
}

// The kernel keeps ports in network byte order, whatever the machine's.
func putPort(to *uint16, port uint16) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(to))[:], port)
}

func port(from *uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(from))[:])
}

// putSegment appends the control message that cuts a message into datagrams of size bytes
// to the first used bytes of oob, and returns how many are used then.
func putSegment(oob *oobBuf, used, size int) int {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&oob.b[used]))
	h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	*(*uint16)(unsafe.Pointer(&oob.b[used+unix.CmsgLen(0)])) = uint16(size)
	return used + unix.CmsgSpace(2)
}
