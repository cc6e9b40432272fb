package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// What is sent to the server's end comes from the client's, both over the card alone, and nothing of it is left behind.
func TestCard(t *testing.T) {
	cores, err := allowed()
	if err != nil {
		t.Fatal(err)
	}
	c, err := newCard(cores[:1])
	if errors.Is(err, os.ErrPermission) || errors.Is(err, unix.EROFS) {
		t.Skip(err) // as a user, or in a container: the bench leaves it out then, and says so
	}
	if err != nil {
		t.Fatal(err)
	}
	var at net.Listener
	if err := within(c.server, func() (err error) { at, err = net.Listen("tcp", c.address()+":0"); return err }); err != nil {
		t.Fatal(err)
	}
	from := make(chan string, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { from <- r.RemoteAddr }))
	server.Listener = at
	server.Start()
	defer server.Close()
	ask := func(client *http.Client) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		return res.Body.Close()
	}
	if err := ask(c.http()); err != nil {
		t.Fatal(err)
	}
	if host, _, err := net.SplitHostPort(<-from); host != clientAddress {
		t.Errorf("a client has the address %s (%v)", host, err)
	}
	if err := ask(http.DefaultClient); err == nil {
		t.Error("it is reached without the card")
	}
	links := func(start func([]int, *exec.Cmd) error) string {
		var out strings.Builder
		cmd := exec.CommandContext(t.Context(), "cat", "/proc/net/dev")
		cmd.Stdout = &out
		if err := errors.Join(start(cores, cmd), cmd.Wait()); err != nil {
			t.Error(err)
		}
		return out.String()
	}
	if s, cl := links(c.startServer), links(c.startClient); !strings.Contains(s, serverEnd) || strings.Contains(s, clientEnd) || !strings.Contains(cl, clientEnd) {
		t.Errorf("the server has %s\nthe client has %s", s, cl)
	}
	if err := c.close(); err != nil {
		t.Error(err)
	}
	if err := (&card{server: netns.None(), client: netns.None()}).connect(); err == nil {
		t.Error("a card without namespaces")
	}
	if in := links((*card)(nil).startServer); strings.Contains(in, "fanbench") {
		t.Error(in)
	}
	again, err := newCard(cores[:1])
	if err != nil {
		t.Fatal(fmt.Errorf("a second time: %w", err))
	}
	if err := again.close(); err != nil {
		t.Error(err)
	}
}
