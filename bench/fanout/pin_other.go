//go:build !linux

package main

import (
	"errors"
	"os/exec"
)

var errSystem = errors.New("the bench reads /proc and pins processes to cores: it needs Linux")

func allowed() ([]int, error) { return nil, errSystem }

func startOn([]int, *exec.Cmd) error { return errSystem }

func stayOn([]int) error { return errSystem }

func unsteered() error { return errSystem }

func steer([]int) (func() error, error) { return nil, errSystem }
