package main

import (
	"strings"
	"testing"
)

// TestLoadRefuses: numbers that cannot be are named with what can be, before anybody joins or a server is asked.
func TestLoadRefuses(t *testing.T) {
	const stream, link = "http://127.0.0.1:1/w/x", "http://127.0.0.1:1/f/x"
	for _, c := range []struct {
		args string
		want string
	}{
		{"whep " + stream + " --viewers=-1", "-n is -1; it can be 0 to 100000"},
		{"whep " + stream + " -n 100001", "-n is 100001"},
		{"whep " + stream + " -n 0", "there is nobody to join; give -n or --joins"},
		{"whep " + stream + " --joins=-2", "--joins is -2; it can be 0 to 100000"},
		{"whep " + stream + " --for=-5s", "--for is -5s; it can be 1ms to 168h0m0s"},
		{"whep " + stream + " --for 0s", "--for is 0s"},
		{"whep " + stream + " --settle=-1s", "--settle is -1s; it can be 0s to 1h0m0s"},
		{"whep " + stream + " --joins 3 --apart=-1s", "--apart is -1s; it can be 0s to 1h0m0s"},
		{"whep " + stream + " --ramp=-3", `"-3" is no rate from 0.01/s to 10000/s, such as 25/s`},
		{"whep " + stream + " --ramp 1e-300/s", "is no rate"},
		{"whep " + stream + " --ramp NaN", "is no rate"},
		{"whep " + stream + " --loss=-1", "is no percentage from 0 to 50"},
		{"whep " + stream + " --pid=-7", "--pid is -7"},
		{"whip " + stream + " --publishers=-1", "-n is -1; it can be 1 to 1000"},
		{"whip " + stream + " -n 0", "-n is 0"},
		{"whip " + stream + " --for=-1s", "--for is -1s; it can be 0s to 168h0m0s"},
		{"whip " + stream + " --key-every=-4s", "--key-every is -4s; it can be 0s to 1h0m0s"},
		{"whip " + stream + " --ramp 0", "is no rate"},
		{"whip " + stream + " --bitrate=-1M", "is no bit rate"},
		{"whip " + stream + " --pid=-7", "--pid is -7"},
		{"files " + link + " --receivers=-1", "-n is -1; it can be 1 to 63"},
		{"files " + link + " -n 64", "-n is 64"},
		{"files " + link + " --for=-1s", "--for is -1s; it can be 1ms to 168h0m0s"},
		{"files " + link + " --ramp 20000", "is no rate"},
		{"files " + link + " --up-rate=-2M", "a number of bytes a second from 1k on"},
		{"files " + link + " --pid=-7", "--pid is -7"},
	} {
		code, out, errs := command(t, "", append([]string{"load"}, strings.Fields(c.args)...)...)
		if code != exitUsage || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%s: code %d: %s%s; want %q", c.args, code, out, errs, c.want)
		}
	}
}
