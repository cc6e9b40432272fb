package main

import (
	"context"
	"errors"
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

// later is the command that goes on with a transfer, also when its short code is over. In single quotes a shell of
// any kind leaves a link alone, as it holds none.
func (c *getCmd) later(link seal.Link) string {
	command := "fanfare get '" + link.String() + "'"
	if c.Out != "." && c.Out != "" {
		command += " --out " + strconv.Quote(c.Out)
	}
	return command
}

// interrupted tells how to go on.
func (g *getting) interrupted() error {
	if g.byCode {
		return errors.New("interrupted; to go on: " + g.cmd.later(g.link))
	}
	return errors.New("interrupted; the same command goes on where it ended")
}
