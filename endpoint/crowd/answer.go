package crowd

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// answer is what a viewer needs of the server's answer.
type answer struct {
	ice        credentials
	candidates []netip.AddrPort // UDP, in the answer's order
	// fingerprint is that of the server's certificate by SHA-256.
	fingerprint [32]byte
	// active: the server begins the DTLS handshake (RFC 5763 section 5).
	active bool
	// wide is the id of the transport-wide sequence number, 0 when it was not negotiated.
	wide uint8
}

// maxCandidates bounds the addresses that are tried.
const maxCandidates = 16

var errAnswer = errors.New("the answer cannot be used")

// parseAnswer reads an answer (RFC 8866, RFC 8839). All m-lines are bundled, so the first of each transport attribute is the one.
func parseAnswer(text string) (answer, error) {
	var a answer
	var hash, sections bool
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "m=") {
			sections = true
		}
		key, value, _ := strings.Cut(strings.TrimPrefix(line, "a="), ":")
		switch {
		case !strings.HasPrefix(line, "a="):
		case key == "ice-ufrag" && a.ice.ufrag == "":
			a.ice.ufrag = strings.Clone(value)
		case key == "ice-pwd" && a.ice.pwd == "":
			a.ice.pwd = strings.Clone(value)
		case key == "fingerprint" && !hash:
			a.fingerprint, hash = parseFingerprint(value)
		case key == "setup":
			a.active = value == "active"
		case key == "extmap" && a.wide == 0:
			a.wide = parseWide(value)
		case key == "candidate" && len(a.candidates) < maxCandidates:
			if c, ok := parseCandidate(value); ok && !slices.Contains(a.candidates, c) {
				a.candidates = append(a.candidates, c)
			}
		}
	}
	switch {
	case !sections:
		return a, fmt.Errorf("%w: it is no session description", errAnswer)
	case len(a.ice.ufrag) < 4 || len(a.ice.pwd) < 22 || len(a.ice.ufrag)+len(a.ice.pwd) > 512:
		return a, fmt.Errorf("%w: there are no ICE credentials", errAnswer)
	case !hash:
		return a, fmt.Errorf("%w: there is no fingerprint by SHA-256", errAnswer)
	}
	return a, nil
}

// parseFingerprint reads "sha-256 AA:BB:…" (RFC 8122 section 5).
func parseFingerprint(s string) (hash [32]byte, ok bool) {
	name, digits, _ := strings.Cut(s, " ")
	if !strings.EqualFold(name, "sha-256") || len(digits) != 95 {
		return hash, false
	}
	sum, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
	if err != nil || len(sum) != len(hash) {
		return hash, false
	}
	return [32]byte(sum), true
}

// parseWide returns the id of the transport-wide sequence number when the extmap line is its.
func parseWide(s string) uint8 {
	fields := strings.Fields(s)
	if len(fields) < 2 || fields[1] != uriWide {
		return 0
	}
	number, _, _ := strings.Cut(fields[0], "/")
	n, _ := strconv.ParseUint(number, 10, 8)
	return uint8(n)
}

// parseCandidate reads "foundation component udp priority address port typ …". Names (of mDNS) are not resolved.
func parseCandidate(s string) (netip.AddrPort, bool) {
	f := strings.Fields(s)
	if len(f) < 8 || f[1] != "1" || !strings.EqualFold(f[2], "udp") || f[6] != "typ" {
		return netip.AddrPort{}, false
	}
	addr, err := netip.ParseAddr(f[4])
	port, err2 := strconv.ParseUint(f[5], 10, 16)
	if err != nil || err2 != nil || port == 0 || addr.IsUnspecified() || addr.IsMulticast() {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), true
}
