package main

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"time"
)

// Sender and reader of one process: everything arrives, whole, and is counted. The sockets hold all that is sent, so nothing
// depends on how busy the machine is.
func TestSendAndReceive(t *testing.T) {
	o := options{viewers: 3, batch: 2.2, rate: 321, during: 100 * time.Millisecond}
	in, said := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := receive(o, said)
		_ = said.CloseWithError(err)
		ended <- err
	}()
	f, err := measure(o, in)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if f.Lost != 0 || f.Packets == 0 || f.MeanBytes < 500 || f.MeanBytes > 1200 {
		t.Errorf("%+v", f)
	}
}

func TestReadNumbers(t *testing.T) {
	in := bufio.NewReader(strings.NewReader("[4 5]\n7\nx\n"))
	for _, want := range []int{2, 1} {
		if got, err := readNumbers(in); err != nil || len(got) != want {
			t.Errorf("%v, %v", got, err)
		}
	}
	for range 2 {
		if got, err := readNumbers(in); err == nil {
			t.Errorf("%v is no number", got)
		}
	}
}

func TestTheReaderMustFit(t *testing.T) {
	if _, err := measure(options{viewers: 2, batch: 1, during: time.Second}, strings.NewReader("[4]\n")); err == nil {
		t.Error("one socket is enough for two viewers")
	}
}
