//go:build !unix

package main

// ignoreTerminalStops has nothing to do where a terminal stops nobody.
func ignoreTerminalStops() {}
