package msg

// Limits of what endpoints tell for the plan of a stream (docs/PROTOCOL.md, section 3.6).
const (
	MaxPlanned = 256           // viewers of one stream that are planned for; others get it by the server
	MaxRate    = 2_000_000_000 // bit/s, of a line or a stream
	MaxDelay   = 600_000       // ms, of a round trip, a delay or a silence
	MaxFanout  = 3             // viewers that one viewer passes the picture on to
)

// Topology is a way in which viewers of a stream get the picture.
type Topology string

// The topologies.
const (
	TopologySFU  Topology = "sfu"  // by the server
	TopologyStar Topology = "star" // straight from the uploader
	TopologyTree Topology = "tree" // viewers pass it on
	TopologyAuto Topology = "auto" // the server chooses, and says why
)

// Via is the kind of a way.
type Via string

// The kinds of ways.
const (
	ViaServer  Via = "sfu"
	ViaDirect  Via = "direct"  // from the uploader
	ViaRelayed Via = "relayed" // another viewer passes it on
)

// Device is the kind of machine that a viewer uses; what is not known is left out.
type Device string

// The kinds of machines. Only desktops pass anything on.
const (
	DeviceDesktop Device = "desktop"
	DeviceTablet  Device = "tablet"
	DevicePhone   Device = "phone"
)

// WayStatus is what one end of a way has to say of it.
type WayStatus string

// What can be said of a way.
const (
	WayReady  WayStatus = "ready"  // it is what the viewer shows now
	WayFailed WayStatus = "failed" // it does not come up, or has ended
	WaySilent WayStatus = "silent" // nothing new has come by it for some time
	WayAlive  WayStatus = "alive"  // it goes on
)

// SetTopology says how viewers are to get the picture (owner). Until the owner says it, all get it by the server.
type SetTopology struct {
	Topology Topology `json:"topology"`
	// Fanout is how many viewers one viewer passes the picture on to: 2 by default, at most 3.
	Fanout int `json:"fanout,omitempty"`
}

// Facts is what an endpoint knows of itself that matters for the plan: all of it, each time. Without it a
// viewer gets the picture by the server, whatever the owner has chosen. Absent members are not known, or false.
type Facts struct {
	Device Device `json:"device,omitempty"`
	// Hidden: the tab is in the background. Metered: the line is paid by the byte. Refuses: the person does not
	// want to pass anything on. Any of them keeps a viewer from passing on.
	Hidden  bool `json:"hidden,omitempty"`
	Metered bool `json:"metered,omitempty"`
	Refuses bool `json:"refuses,omitempty"`
	// RoundTrip is that to the server, in ms.
	RoundTrip int `json:"roundTrip,omitempty"`
	// Uplink is what the line carries upwards, in bit/s.
	Uplink int `json:"uplink,omitempty"`
	// AtLeast: nothing has limited it yet, so the line may carry more than Uplink.
	AtLeast bool `json:"atLeast,omitempty"`
	// Bitrate is that of one copy of the stream, in bit/s (owner).
	Bitrate int `json:"bitrate,omitempty"`
	// Leg is the delay of the last step to a viewer, reckoned from its round trip and buffer, in ms.
	Leg int `json:"leg,omitempty"`
	// Delay is the measured delay from capture to the viewer's screen, in ms.
	Delay int `json:"delay,omitempty"`
}

// WayState is the word of a viewer on one of its ways. That one has failed may be said by its source, too.
type WayState struct {
	Way   int       `json:"way"`
	State WayStatus `json:"state"`
	// For is how long it has been silent, in ms.
	For int `json:"for,omitempty"`
}

// Way tells a viewer where to get the picture from. It keeps what it shows until the new way shows a picture. The
// same way is told again when Relays has changed.
type Way struct {
	Way int `json:"way"`
	Via Via `json:"via"`
	// From is the endpoint that will offer a connection, absent for the server.
	From string `json:"from,omitempty"`
	// Relays is how many viewers pass the picture on before it is here.
	Relays int `json:"relays"`
}

// Serve tells the uploader, or a viewer that passes on, to offer a connection with what it shows.
type Serve struct {
	Way int    `json:"way"`
	To  string `json:"to"`
}

// EndWay tells both ends that a way is not needed any more.
type EndWay struct {
	Way int `json:"way"`
}

// Place is where one viewer gets the picture now.
type Place struct {
	Endpoint string `json:"endpoint"`
	Via      Via    `json:"via"`
	From     string `json:"from,omitempty"` // of relayed ways
	Relays   int    `json:"relays"`
	// Delay is that from capture to the screen in ms: measured by the viewer, or else reckoned from what all on
	// the way have told; absent when one of them has told nothing.
	Delay    int  `json:"delay,omitempty"`
	Measured bool `json:"measured,omitempty"`
}

// Plan tells the owner who has chosen a topology what it comes to, at most once a second.
type Plan struct {
	Topology Topology `json:"topology"` // never "auto"
	// Why is for people.
	Why string `json:"why"`
	// Copies is how many times the uploader sends the stream, Depth over how many steps at most it reaches
	// viewers without the server.
	Copies int `json:"copies"`
	Depth  int `json:"depth"`
	// Places are those of the viewers that are planned for.
	Places []Place `json:"places"`
}

// ServerCopy tells the owner who has chosen a topology whether the server's copy is needed in full. While it is
// not, a small one keeps the way warm for those who are sent back to the server.
type ServerCopy struct {
	Wanted bool `json:"wanted"`
}

// Check implements ClientMessage.
func (m SetTopology) Check() error {
	switch m.Topology {
	case TopologySFU, TopologyStar, TopologyTree, TopologyAuto:
	default:
		return bad("topology")
	}
	if m.Fanout < 0 || m.Fanout > MaxFanout {
		return bad("fanout")
	}
	return nil
}

// Check implements ClientMessage.
func (m Facts) Check() error {
	switch m.Device {
	case "", DeviceDesktop, DeviceTablet, DevicePhone:
	default:
		return bad("device")
	}
	for name, v := range map[string]int{"uplink": m.Uplink, "bitrate": m.Bitrate} {
		if v < 0 || v > MaxRate {
			return bad(name)
		}
	}
	for name, v := range map[string]int{"roundTrip": m.RoundTrip, "leg": m.Leg, "delay": m.Delay} {
		if v < 0 || v > MaxDelay {
			return bad(name)
		}
	}
	return nil
}

// Check implements ClientMessage.
func (m WayState) Check() error {
	switch m.State {
	case WayReady, WayFailed, WaySilent, WayAlive:
	default:
		return bad("state")
	}
	if m.Way <= 0 {
		return bad("way")
	}
	if m.For < 0 || m.For > MaxDelay {
		return bad("for")
	}
	return nil
}
