package signalling

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/signalling/token"
	"github.com/fanfare-relay/fanfare/web"
)

// Config sets up a Server. Media, Store, Site and PublicURL must be set.
type Config struct {
	Media Media
	Store *store.Store
	Site  *web.Site
	// Logger gets one line a step of a life: listeners, rooms, sessions. Nil: slog.Default().
	Logger *slog.Logger
	// Registry collects the figures of /metrics; others may add theirs to it. Nil: a new one.
	Registry *prometheus.Registry
	// PublicURL is the origin of links, for example "https://live.example.org".
	PublicURL string
	// STUN is the media port's address as host:port; an empty host means the host that the
	// client has asked, "" that there is none to tell.
	STUN string
	// Keys may publish and are not in the store: the operator's by flag, the server's own.
	Keys []Key
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// Unlimited lifts the limits on rates and on unfinished sessions, for load tests on one machine.
	Unlimited bool
	// ServerRoom is for how many viewers of one stream this server is meant; more may come, and where the
	// uploader leaves the choice to the server, viewers then pass the picture on. 0: for all that come.
	ServerRoom int
	// OpenFiles lets everybody open rooms of files, not holders of a publish key alone.
	OpenFiles bool
	// FileRelay is how many bytes a second members of one room of files may send to each other
	// through this server; all rooms together may send four times that. 0: no relay.
	FileRelay int
	// HTTPMemory bounds, in bytes, what streams and files that go by plain HTTP may have in memory, all
	// together. 0: none go that way.
	HTTPMemory int64
	// TURN are servers for members of rooms of files who have no direct path.
	TURN TURN
}

// Key is the hash of a key that is valid while the server runs.
type Key struct {
	Hash token.Hash
	// Stream binds it to one stream; "" is a publish key.
	Stream string
}

var errConfig = errors.New("signalling: the configuration is not complete")

func (c *Config) setDefaults() {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
}

func (c *Config) validate() error {
	if c.Media == nil || c.Store == nil || c.Site == nil {
		return fmt.Errorf("%w: Media, Store and Site must be set", errConfig)
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || (u.Path != "" && u.Path != "/") {
		return fmt.Errorf("%w: PublicURL must be an origin such as https://live.example.org", errConfig)
	}
	if err := c.TURN.Validate(); err != nil {
		return err
	}
	c.PublicURL = u.Scheme + "://" + u.Host
	return nil
}
