//go:build !linux

package main

// otherProgram is what this test binary shall be instead of fanfare: nothing here.
func otherProgram() func() { return nil }
