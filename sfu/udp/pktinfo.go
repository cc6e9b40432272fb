package udp

// pktInfo tells which control message carries the local address.
type pktInfo uint8

const (
	noPktInfo pktInfo = iota // the system does not tell
	pktInfo4                 // IP_PKTINFO on an IPv4 socket
	pktInfo6                 // IPV6_PKTINFO on an IPv6 or dual-stack socket
)
