package main

type keyCmd struct {
	New keyNewCmd `cmd:"" help:"Make a new publish key, or a key for one stream."`
}

type keyNewCmd struct{}

// Run makes the key.
func (*keyNewCmd) Run(std stdio) error { return nil }
