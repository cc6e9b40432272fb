package sfutest

import "github.com/fanfare-relay/fanfare/compare/emulate"

// A Network in memory lets a relay with its publishers and viewers run in the virtual time of
// testing/synctest. See compare/emulate.
type (
	Network = emulate.Network
	Line    = emulate.Line
	Conn    = emulate.Conn
)

// NewNetwork makes an empty network.
func NewNetwork(seed uint64) *Network { return emulate.NewNetwork(seed) }
