package seal

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Errors of ParseLink, in words for people.
var (
	// ErrNotLink: some other text, or the address of another page.
	ErrNotLink = errors.New("this is not a link to shared files")
	// ErrLinkCut: characters are missing, or too many.
	ErrLinkCut = errors.New("the link is not whole: copy all of it, from https to its last character")
	// ErrLinkVersion: made by another version.
	ErrLinkVersion = errors.New("the link is of another version of Fanfare")
	// ErrLinkDamaged: a character is wrong.
	ErrLinkDamaged = errors.New("a character of the link is wrong: copy it again")
)

// Link is all that a receiver needs. What is behind "#" never reaches the server.
type Link struct {
	Server string // its origin, for example "https://files.example.org"
	Room   string
	Secret Secret
	Key    KeyHash
}

// String is the whole link. It holds the secret.
func (l Link) String() string {
	return fmt.Sprintf("%s/f/%s#v1.%s.%s", l.Server, l.Room, encodeText(l.Secret[:]), encodeText(l.Key[:]))
}

// ParseLink reads a link; spaces round it do not matter. A wrong character in a link is an error
// here or makes another value: another server or room, which do not have the files, another
// secret, which the server does not let in, or another key, which the uploader's card does not
// have.
func ParseLink(text string) (Link, error) {
	address, fragment, hasFragment := strings.Cut(strings.TrimSpace(text), "#")
	l, err := parseAddress(address)
	if err != nil {
		return Link{}, err
	}
	if !hasFragment {
		return Link{}, fmt.Errorf("%w: what follows # is missing", ErrLinkCut)
	}
	version, secrets, _ := strings.Cut(fragment, ".")
	if version != "v1" {
		return Link{}, linkVersion(version)
	}
	secret, key, _ := strings.Cut(secrets, ".")
	if err := linkPart(l.Secret[:], secret); err != nil {
		return Link{}, err
	}
	return l, linkPart(l.Key[:], key)
}

func parseAddress(address string) (Link, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil {
		return Link{}, ErrNotLink
	}
	if u.RawQuery != "" || u.ForceQuery || strings.HasSuffix(u.Host, ":") || strings.Contains(u.Host, "%") {
		return Link{}, ErrLinkDamaged
	}
	room, ok := strings.CutPrefix(u.EscapedPath(), "/f/")
	if !ok {
		return Link{}, ErrNotLink
	}
	if !ValidName(room) {
		return Link{}, ErrLinkDamaged
	}
	return Link{Server: u.Scheme + "://" + u.Host, Room: room}, nil
}

func linkVersion(version string) error {
	digits, ok := strings.CutPrefix(version, "v")
	if ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
		return ErrLinkVersion
	}
	return ErrLinkDamaged
}

func linkPart(into []byte, text string) error {
	if len(text) != len(encodeText(into)) {
		return ErrLinkCut
	}
	if err := decodeText(into, []byte(text)); err != nil {
		return ErrLinkDamaged
	}
	return nil
}
