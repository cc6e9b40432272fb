package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/mdp/qrterminal/v3"
)

// banner tells a person where to go next. A new key is shown here and nowhere else.
func (s *serving) banner(w io.Writer) error {
	public := strings.TrimSuffix(s.addrs.public, "/")
	studio := public + "/studio"
	if s.newKey != "" {
		studio += "#key=" + url.QueryEscape(s.newKey)
	}
	var b strings.Builder
	b.WriteString("Fanfare is running.\n\n")
	fmt.Fprintf(&b, "  Publish   %s\n", studio)
	switch {
	case s.oldKey:
		b.WriteString("            Asks for the publish key, which was shown when it was made. Lost? fanfare key new makes another.\n")
	case s.newKey != "":
		b.WriteString("            This address holds your publish key and is shown only once: keep it, and keep it\n" +
			"            to yourself. fanfare key new makes another.\n")
	}
	fmt.Fprintf(&b, "  Home      %s/\n", public)
	if s.demo != nil {
		fmt.Fprintf(&b, "  Demo      %s/w/%s\n", public, demoStream)
	}
	if here := s.addrs.origin("localhost"); s.onEveryAddress() && here != public {
		fmt.Fprintf(&b, "  Here      %s/\n", here)
		for _, addr := range s.addrs.lan {
			if origin := s.addrs.origin(addr.String()); origin != public {
				fmt.Fprintf(&b, "  Also      %s/\n", origin)
			}
		}
	}
	if s.addrs.tls == nil && !strings.HasPrefix(public, "https:") && !s.isLocal() {
		b.WriteString(s.secureWords())
	}
	b.WriteString("\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("cannot print the addresses: %w", err)
	}
	if isTerminal(w) && !s.isLocal() {
		qrterminal.GenerateHalfBlock(studio, qrterminal.L, w)
	}
	return nil
}

// secureWords says how to come by a page that browsers give a camera to. The studio's address above
// leads to this machine by a name that is not secure even here; localhost is.
func (s *serving) secureWords() string {
	words := "\n  Browsers give camera and screen to secure pages only. Files can be shared without.\n"
	if u, err := url.Parse(s.addrs.public); err == nil && s.onEveryAddress() && s.cmd.PublicURL == "" {
		words += fmt.Sprintf("  On this machine: write localhost in place of %s in these addresses.\n", u.Hostname())
	}
	return words + "  On other machines: start with --tls-self, or with a certificate.\n"
}

func (s *serving) onEveryAddress() bool {
	return s.addrs.host == "" || s.addrs.host == "::" || s.addrs.host == "0.0.0.0"
}

// isLocal tells whether links lead to this machine alone: no QR code then, a phone would look
// for the server on itself.
func (s *serving) isLocal() bool {
	u, err := url.Parse(s.addrs.public)
	if err != nil {
		return true
	}
	return isLoopback(u.Hostname()+":0") || isLoopback("["+u.Hostname()+"]:0")
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
