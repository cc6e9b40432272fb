package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// The two ends of a card. Their addresses are loopback's, which are no machine's: a server without limits listens on no other.
const (
	serverEnd, clientEnd         = "fanbench-s", "fanbench-c"
	serverAddress, clientAddress = "127.9.0.1", "127.9.0.2"
	network                      = "/24"
)

const (
	// moderation is how long an end waits after it has looked for packets, and then looks for what has come meanwhile, as network cards do
	// between two interrupts.
	moderation = 200 * time.Microsecond
	// polls is how often in a row an end may find nothing before it waits for an interrupt: for longer than a measurement.
	polls = 1_000_000
	// queues are those of an end, each of 256 messages.
	queues = 4
)

// card stands for a network card between server and clients: a pair of devices (veth), each in a network namespace of its own. What
// receiving costs the kernel is done by threads of it on the clients' core, who are woken by a timer as by a card that moderates its interrupts.
// Messages of several packets go over it whole, as they do to a card that cuts them itself.
type card struct {
	server, client netns.NsHandle
}

// newCard sets one up. It needs root; close takes it away.
func newCard(cores []int) (c *card, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	own, err := netns.Get()
	if err != nil {
		return nil, fmt.Errorf("network namespaces: %w", err)
	}
	defer own.Close()
	defer func() { err = errors.Join(err, netns.Set(own)) }()
	c = &card{server: netns.None(), client: netns.None()}
	for _, ns := range []*netns.NsHandle{&c.server, &c.client} {
		if *ns, err = netns.New(); err != nil {
			return nil, errors.Join(fmt.Errorf("a network namespace needs root: %w", err), c.close())
		}
	}
	if err := errors.Join(netns.Set(own), c.connect(), pollOn(cores)); err != nil {
		return nil, errors.Join(fmt.Errorf("a pair of network devices (veth): %w", err), c.close())
	}
	return c, nil
}

// connect makes the two ends in the namespace of the caller's thread, and moves each into its own.
func (c *card) connect() (err error) {
	if err := remove(); err != nil { // of a bench that was killed while it made them
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, remove())
		}
	}()
	pair := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: clientEnd}
	pair.Name, pair.NumTxQueues, pair.NumRxQueues = serverEnd, queues, queues
	pair.PeerNumTxQueues, pair.PeerNumRxQueues = queues, queues
	if err := netlink.LinkAdd(pair); err != nil {
		return err
	}
	for _, end := range []struct {
		name, address string
		ns            netns.NsHandle
	}{{serverEnd, serverAddress, c.server}, {clientEnd, clientAddress, c.client}} {
		if err := errors.Join(moderate(end.name), move(end.name, end.address, end.ns)); err != nil {
			return fmt.Errorf("%s: %w", end.name, err)
		}
	}
	return nil
}

// remove takes both ends away where the server's is in the namespace of the caller's thread.
func remove() error {
	link, err := netlink.LinkByName(serverEnd)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return err
	}
	return netlink.LinkDel(link)
}

// moderate has threads of the kernel receive at an end, and a timer wake them (Documentation/networking/napi.rst of Linux). It has to be up,
// and what is set stays when it moves.
func moderate(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	err = errors.Join(netlink.LinkSetUp(link), receiveOffload(name))
	for file, value := range map[string]int64{"threaded": 1, "napi_defer_hard_irqs": polls, "gro_flush_timeout": moderation.Nanoseconds()} {
		err = errors.Join(err, os.WriteFile(filepath.Join("/sys/class/net", name, file), []byte(strconv.FormatInt(value, 10)), 0o644))
	}
	return err
}

// receiveOffload switches on GRO, without which veth hands what it is sent to the sender's core (ETHTOOL_SGRO of ethtool.h).
func receiveOffload(name string) error {
	const setGRO = 0x2c
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	value := struct{ command, data uint32 }{setGRO, 1}
	request := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}{data: unsafe.Pointer(&value)}
	copy(request.name[:], name)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return fmt.Errorf("ETHTOOL_SGRO: %w", errno)
	}
	return nil
}

// move brings an end into a namespace and up.
func move(name, address string, ns netns.NsHandle) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	if err := netlink.LinkSetNsFd(link, int(ns)); err != nil {
		return err
	}
	return within(ns, func() error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		a, err := netlink.ParseAddr(address + network)
		if err != nil {
			return err
		}
		for _, conf := range []string{"all", name} { // loopback's addresses on another device
			if err := os.WriteFile(filepath.Join("/proc/sys/net/ipv4/conf", conf, "route_localnet"), []byte("1"), 0o644); err != nil {
				return err
			}
		}
		return errors.Join(netlink.LinkSetUp(link), netlink.AddrAdd(link, a))
	})
}

// pollOn has the threads that receive at both ends run on these cores alone, before everything else there, as what a card does.
func pollOn(cores []int) error {
	files, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return err
	}
	var set unix.CPUSet
	for _, core := range cores {
		set.Set(core)
	}
	found := 0
	for _, file := range files {
		name, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(string(name), "napi/fanbench-") {
			continue
		}
		found++
		id, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return err
		}
		if err := errors.Join(unix.SchedSetaffinity(id, &set), unix.Setpriority(unix.PRIO_PROCESS, id, -20)); err != nil {
			return fmt.Errorf("%s: %w", strings.TrimSpace(string(name)), err)
		}
	}
	if found == 0 {
		return errors.New("this kernel has no threads that receive (NAPI)")
	}
	return nil
}

// close takes both ends away, now: they would end with their namespaces, but some time later, and their threads with them.
func (c *card) close() error {
	var errs []error
	if c.server.IsOpen() {
		errs = append(errs, within(c.server, remove))
	}
	for _, ns := range []*netns.NsHandle{&c.server, &c.client} {
		if ns.IsOpen() {
			errs = append(errs, ns.Close())
		}
	}
	return errors.Join(errs...)
}

// within calls f with its thread in a namespace.
func within(ns netns.NsHandle, f func() error) error {
	runtime.LockOSThread()
	own, err := netns.Get()
	if err == nil {
		defer own.Close()
		err = netns.Set(ns)
	}
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err = f()
	if back := netns.Set(own); back != nil {
		return errors.Join(err, back) // the thread stays locked, and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}

// startServer and startClient start a command at an end of the card; of none, where there is no card.
func (c *card) startServer(cores []int, cmd *exec.Cmd) error {
	if c == nil {
		return startOn(cores, cmd)
	}
	return within(c.server, func() error { return startOn(cores, cmd) })
}

func (c *card) startClient(cores []int, cmd *exec.Cmd) error {
	if c == nil {
		return startOn(cores, cmd)
	}
	return within(c.client, func() error { return startOn(cores, cmd) })
}

// address is where a server listens.
func (c *card) address() string {
	if c == nil {
		return "127.0.0.1"
	}
	return serverAddress
}

// http asks a server as a client does.
func (c *card) http() *http.Client {
	if c == nil {
		return http.DefaultClient
	}
	dial := func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		var d net.Dialer // an address needs no name looked up: it dials on this thread
		err = within(c.client, func() (err error) { conn, err = d.DialContext(ctx, network, address); return err })
		return conn, err
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
}
