package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// meter reads processor time and memory of another process from /proc (proc(5)). It is off without a process.
type meter struct {
	pid int
	on  bool
}

// reading is one look.
type reading struct {
	at           time.Time
	user, system time.Duration
	rss          int64 // bytes
}

func (r reading) cpu() time.Duration { return r.user + r.system }

// ownMeter reads this process.
func ownMeter() meter { return meter{pid: os.Getpid(), on: true} }

func newMeter(pid int) (meter, error) {
	if pid == 0 {
		return meter{}, nil
	}
	m := meter{pid: pid, on: true}
	_, err := m.read()
	return m, err
}

// clockTick is the unit of times in /proc: USER_HZ is 100 on every architecture that Go runs on.
const clockTick = 10 * time.Millisecond

var errNotStat = errors.New("its format is not known")

func (m meter) read() (reading, error) {
	if !m.on {
		return reading{}, nil
	}
	dir := "/proc/" + strconv.Itoa(m.pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return reading{}, fmt.Errorf("cannot measure process %d: %w", m.pid, err)
	}
	r, err := parseStat(stat, int64(os.Getpagesize()))
	if err != nil {
		return reading{}, fmt.Errorf("cannot measure process %d: %w", m.pid, err)
	}
	r.at = time.Now()
	return r, nil
}

// parseStat reads utime, stime and rss, fields 14, 15 and 24. The name, field 2, stands in brackets and may hold anything.
func parseStat(b []byte, page int64) (reading, error) {
	i := bytes.LastIndexByte(b, ')')
	fields := bytes.Fields(b[i+1:])
	if i < 0 || len(fields) < 22 {
		return reading{}, errNotStat
	}
	var n [3]int64
	for i, f := range []int{14, 15, 24} {
		v, err := strconv.ParseInt(string(fields[f-3]), 10, 64)
		if err != nil {
			return reading{}, errNotStat
		}
		n[i] = v
	}
	return reading{user: time.Duration(n[0]) * clockTick, system: time.Duration(n[1]) * clockTick, rss: n[2] * page}, nil
}
