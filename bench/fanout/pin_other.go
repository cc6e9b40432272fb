//go:build !linux

package main

import (
	"errors"
	"net/http"
	"os/exec"
)

var errSystem = errors.New("the bench reads /proc and pins processes to cores: it needs Linux")

func allowed() ([]int, error) { return nil, errSystem }

func startOn([]int, *exec.Cmd) error { return errSystem }

func stayOn([]int) error { return errSystem }

// card: see card_linux.go.
type card struct{}

func newCard([]int) (*card, error) { return nil, errSystem }

func (*card) close() error { return nil }

func (*card) startServer([]int, *exec.Cmd) error { return errSystem }

func (*card) startClient([]int, *exec.Cmd) error { return errSystem }

func (*card) address() string { return "" }

func (*card) http() *http.Client { return http.DefaultClient }
