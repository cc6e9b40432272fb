package msg

// Limits of what viewers tell a comparison (docs/PROTOCOL.md, section 3.7).
const (
	MaxReporters = 8             // viewers of one stream that are asked
	MaxDelays    = 64            // of one message: of more pictures than most screens show in a second
	MaxCount     = 1_000_000_000 // pictures, or stalls
	LeastDelay   = -60_000       // ms: the clocks of two machines differ
)

// Route is how a picture reaches a viewer's screen.
type Route string

// The routes.
const (
	RouteSFU  Route = "sfu"  // by the server
	RouteStar Route = "star" // straight from the uploader
	RouteTree Route = "tree" // another viewer passes it on
	RouteHTTP Route = "http" // as a file that grows
)

// AskFigures has viewers' pages tell what they see, or no longer (owner). A few are asked: those who came first.
type AskFigures struct {
	Wanted bool `json:"wanted"`
}

// FiguresWanted asks a viewer's page to tell what it sees, once a second, or no longer.
type FiguresWanted struct {
	Wanted bool `json:"wanted"`
}

// Figures is what a viewer's page sees. Counts and times are sums, of which the differences count.
type Figures struct {
	Device Device `json:"device,omitempty"`
	Route  Route  `json:"route"`
	// Pictures were shown, Dropped were decoded too late for that.
	Pictures int `json:"pictures"`
	Dropped  int `json:"dropped"`
	// Stalls is how often pictures did not come when they were due, Stalled for how long in all, in ms.
	Stalls  int `json:"stalls"`
	Stalled int `json:"stalled"`
	// Join is the time to the first picture, in ms.
	Join int `json:"join,omitempty"`
	// Error is how wrong the clocks may make Delays, in ms; absent: not known.
	Error int `json:"error,omitempty"`
	// Delays are from the drawing of the time in each picture to this screen, in ms, of those shown since the last message.
	Delays []int `json:"delays"`
}

// ViewerFigures brings the owner who asked what a viewer's page tells.
type ViewerFigures struct {
	Endpoint string  `json:"endpoint"`
	Figures  Figures `json:"figures"`
}

// ServerFigures tells the owner what the server does with the stream. Counts of the stream begin when somebody comes to it while
// nobody is in it, those of all streams with the server.
type ServerFigures struct {
	// In and Out are RTP packets of the stream: of its publisher, and to its viewers, Repeats among them.
	In      int `json:"in"`
	Out     int `json:"out"`
	Repeats int `json:"repeats"`
	// Dropped are packets of the stream that went nowhere, and what its viewers sent that was thrown away.
	Dropped []Dropped `json:"dropped"`
	// Datagrams went to viewers of all streams in that many Messages to the system, of one or several, and Calls of it.
	Datagrams int `json:"datagrams"`
	Messages  int `json:"messages"`
	Calls     int `json:"calls"`
	// Delays are packets of all streams by the time from their arrival until they were given to the system: element i counts those
	// that took less than 2^(i+1) µs and no less than the one before, the last one all others.
	Delays []int `json:"delays"`
}

// Dropped are packets that went nowhere for one reason, which is a label of /metrics.
type Dropped struct {
	Reason  string `json:"reason"`
	Packets int    `json:"packets"`
}

// Check implements ClientMessage.
func (AskFigures) Check() error { return nil }

// Check implements ClientMessage.
func (m Figures) Check() error {
	switch m.Device {
	case "", DeviceDesktop, DeviceTablet, DevicePhone:
	default:
		return bad("device")
	}
	switch m.Route {
	case RouteSFU, RouteStar, RouteTree, RouteHTTP:
	default:
		return bad("route")
	}
	for name, v := range map[string]int{
		"pictures": m.Pictures, "dropped": m.Dropped, "stalls": m.Stalls, "stalled": m.Stalled, "join": m.Join, "error": m.Error,
	} {
		if v < 0 || v > MaxCount {
			return bad(name)
		}
	}
	if len(m.Delays) > MaxDelays {
		return large("delays")
	}
	for _, d := range m.Delays {
		if d < LeastDelay || d > MaxDelay {
			return bad("delays")
		}
	}
	return nil
}
