package main

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"

	"github.com/fanfare-relay/fanfare/mesh/pake"
	"github.com/fanfare-relay/fanfare/mesh/peer"
	"github.com/fanfare-relay/fanfare/mesh/seal"
)

// link finds the link: it is given, or a code stands for it.
func (c *getCmd) link(ctx context.Context, std stdio, g *getting) (seal.Link, error) {
	what, err := c.What.read(std.in)
	if err != nil {
		return seal.Link{}, err
	}
	if strings.Contains(what, "/") {
		link, err := seal.ParseLink(what)
		if err != nil {
			return link, usageError{err.Error()}
		}
		return link, nil
	}
	code, err := pake.ParseCode(what)
	if err != nil {
		return seal.Link{}, usageError{err.Error()}
	}
	if c.From == "" {
		return seal.Link{}, usageError{"a short code needs the server that made it: --from https://…"}
	}
	server, err := serverOrigin(c.From)
	if err != nil {
		return seal.Link{}, usageError{"--from: " + err.Error()}
	}
	link, err := peer.Redeem(ctx, server, code, peerLog(c.Verbose, g.status))
	if err != nil {
		return link, transferError(err, false)
	}
	g.byCode = true
	g.events.write("link", map[string]any{"link": link.String()})
	g.status.say("To go on later: " + c.later(link))
	return link, nil
}

// later is the command that goes on with a transfer, also when its short code is over. It says all that changes what is
// fetched and what others learn; a password it leaves to be given anew.
func (c *getCmd) later(link seal.Link) string {
	words := []string{"fanfare get", shellWord(link.String(), runtime.GOOS)}
	if c.Out != "." && c.Out != "" {
		words = append(words, "--out", shellWord(c.Out, runtime.GOOS))
	}
	for _, glob := range c.Only {
		words = append(words, "--only", shellWord(glob, runtime.GOOS))
	}
	if c.RelayOnly {
		words = append(words, "--relay-only")
	}
	if c.UpRate > 0 {
		words = append(words, "--up-rate", strconv.Itoa(int(c.UpRate)))
	}
	if c.Seed {
		words = append(words, "--seed")
	}
	if c.Password != "" {
		words = append(words, "--password -")
	}
	return strings.Join(words, " ")
}

// shellWord quotes a word so that the shells of a system take it as it is: in single quotes, which those of
// Windows do not all know.
func shellWord(word, system string) string {
	if system == "windows" {
		return `"` + word + `"` // no path and no link there holds one
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// interrupted tells how to go on.
func (g *getting) interrupted() error {
	if g.byCode {
		return errors.New("interrupted; to go on: " + g.cmd.later(g.link))
	}
	return errors.New("interrupted; the same command goes on where it ended")
}
