package web

import "strings"

// policy builds the Content-Security-Policy of a page that was asked for under host. There is
// no inline script or style anywhere, and nothing is loaded from or sent to another origin.
func policy(host string, o PageOptions) string {
	connect := "'self'"
	if safeHost(host) {
		// Older Safari does not count WebSockets of the page's own origin as 'self'.
		connect += " ws://" + host + " wss://" + host
	}
	ancestors := "'none'"
	if o.Embed {
		ancestors = "*"
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src 'self' data: blob:",
		"media-src 'self' blob: mediastream:",
		"connect-src " + connect,
		"font-src 'self'",
		"worker-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors " + ancestors,
	}, "; ")
}

// safeHost tells whether the Host header holds nothing but a name or address with a port: a
// header must not be able to add directives of its own.
func safeHost(host string) bool {
	if host == "" {
		return false
	}
	for _, c := range host {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(".-:[]", c)
		if !ok {
			return false
		}
	}
	return true
}

// permissions is the Permissions-Policy: only the studio may ask for camera, microphone and
// screen, and no page for anything else of that kind.
func permissions(p Page) string {
	own := "()"
	if p == PageStudio {
		own = "(self)"
	}
	return "camera=" + own + ", microphone=" + own + ", display-capture=" + own + ", geolocation=(), payment=(), usb=()"
}
