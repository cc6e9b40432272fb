package main

import "context"

type serveCmd struct{}

// Run serves until ctx ends.
func (*serveCmd) Run(ctx context.Context, std stdio) error { <-ctx.Done(); return nil }
