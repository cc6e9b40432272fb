//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// ignoreTerminalStops keeps a program in the background from being stopped when it reads from the terminal: reading
// fails then.
func ignoreTerminalStops() { signal.Ignore(syscall.SIGTTIN) }
