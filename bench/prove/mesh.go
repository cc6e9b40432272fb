package main

import (
	"cmp"
	"context"
	"regexp"
	"strconv"
	"strings"
)

// meshExperiments measure files from peer to peer. The tests that they run count and log; what is
// promised is judged here.
var meshExperiments = []experiment{
	{
		title: "A swarm of files", command: "go test ./mesh/peer -run TestCappedSwarm -v -args -swarm-receivers 2,5,10 -swarm-mib 32 -swarm-uplink 1048576",
		why: "Real peers on loopback, an uploader and N receivers in one process, each of which sends at most 1 MiB of leaves a second. \"Bound by time\" is the fluid bound max(F/u, N·F/((N+1)·u)) divided by the time until the last receiver has every file in its place.",
		run: judged("./mesh/peer", "TestCappedSwarm", []promise{
			{"bound by time", 0.92, false}, {"copies sent, 10", 1.10, true}, {"pieces", 512, false},
		}, "-swarm-receivers", "2,5,10", "-swarm-mib", "32", "-swarm-uplink", "1048576"),
	},
	{
		title: "The uploader leaves", command: "go test ./mesh/peer -run TestUploaderLeaves -v -args -swarm-receivers 2,5,10 -swarm-mib 32 -swarm-uplink 1048576",
		why: "The uploader sends four times as fast as a receiver and leaves as soon as `fanfare send` would say that it is safe to close, with hardly more than one copy out. The test fails when a receiver does not get everything from the others.",
		run: judged("./mesh/peer", "TestUploaderLeaves", []promise{{"copies sent when the uploader left", 1.06, true}}, "-swarm-receivers", "2,5,10", "-swarm-mib", "32", "-swarm-uplink", "1048576"),
	},
	{
		title: "One pair", command: "go test ./mesh/peer -run TestPairRate -v -args -pair-mib 256 -pair-turns 5",
		why: "256 MiB from one peer to another on loopback, verified and on disk, in turns with a raw pion data channel of the same settings and message sizes in the same process. Rates are medians of the turns.",
		run: judged("./mesh/peer", "TestPairRate", []promise{{"pair by raw", 0.90, false}}, "-pair-mib", "256", "-pair-turns", "5"),
	},
	{
		title: "Twenty processes of a transfer are killed", command: "go test ./cmd/fanfare -run TestTransferKilled -v -args -kills 20 -kills-mib 1024 -kills-rate 24M",
		why: "`fanfare get`, `fanfare send` and `fanfare serve` die by kill -9 in turns in one transfer of 1 GiB, and are started again. The test fails when the result differs, or more than one piece is fetched again for any of the twenty: of what was on disk when a receiver died, and of leaves that came twice.",
		run: judged("./cmd/fanfare", "TestTransferKilled", []promise{
			{"processes killed", 20, false}, {"pieces fetched again", 1, true}, {"most pieces fetched again", 1, true},
		}, "-kills", "20", "-kills-mib", "1024", "-kills-rate", "24M"),
	},
	{
		title: "Memory of a receiver of files", command: "go test ./cmd/fanfare -run TestReceiverMemory -v -args -memory-mib 4096",
		why: "`fanfare get` of 4 GiB of random bytes into a folder, on one machine with who sends them. The highest resident memory, less that when the program has just started.",
		run: judged("./cmd/fanfare", "TestReceiverMemory", []promise{{"MiB fetched", 4096, false}, {"MiB above the start", 96, true}}, "-memory-mib", "4096"),
	},
	{
		title: "A sparse file", command: "go test ./cmd/fanfare -run TestSparseFile -v -args -sparse-mib 5120",
		why: "5 GiB, nearly all of them holes, with words at several places before and behind 4 GiB. The test fails when another file arrives.",
		run: judged("./cmd/fanfare", "TestSparseFile", []promise{{"MiB fetched", 5120, false}, {"words beyond 4 GiB", 3, false}}, "-sparse-mib", "5120"),
	},
	{
		title: "A million faults", command: "go test ./mesh/peer -run TestFaults -v -args -faults 1000000",
		why: "Two peers with their stores on disk, in virtual time, over a line that flips bits, cuts, doubles and swaps frames on both channels. The test fails when a wrong byte is stored, or a receiver that gets the right ones afterwards does not finish.",
		run: judged("./mesh/peer", "TestFaults", []promise{{"faults injected", 1e6, false}}, "-faults", "1000000"),
	},
}

// browserExperiments measure what the pages do with files: in real browsers by the stories of web/e2e, and by a unit
// test.
var browserExperiments = []experiment{
	{
		title: "A million faults between pages", command: "FANFARE_FUZZ=1000000x npm --prefix web test -- src/mesh/peer/faults.test.ts",
		why: "The same for two peers as they are in pages: their scripts, with WebCrypto, in Node.js and in virtual time, over a line of the same kind. The test fails when a wrong byte is to be stored, an error is not of the other side's making, or a receiver that gets the right ones afterwards does not finish.",
		run: script([]promise{{"faults injected, pages", 1e6, false}}, "FANFARE_FUZZ=1000000x", "npm", "--prefix", "web", "run", "--silent", "test", "--", "src/mesh/peer/faults.test.ts"),
	},
	{
		title: "Files in real browsers", command: "FANFARE_E2E_MIB=64 make e2e E2E='files: Chromium gives|files: .* reload'",
		why: "A Chromium page gives 64 MiB, and then a folder of 200 small files, to two pages of Chromium, one of Firefox and `fanfare get --seed`; it sends at most 1.5 MiB of them a second. Every result is compared by SHA-256. Then pages are reloaded in the middle of a transfer: a receiver's, from the reload on, or where the browser asks whether the page may write in a place of the person's, from the click on \"Go on\"; the sender's, from the click on \"Continue\" or the choice of the same file on.",
		run: story("", "files: Chromium gives|files: .* reload", []promise{
			{"copies that the page sent", 1.3, true}, {"seconds from the reload of a receiver", 3, true},
			{"seconds from the click after a reload of the sender", 5, true}, {"seconds from the file chosen again", 5, true},
			{"seconds from the click after a reload of a receiver", 5, true},
		}, "FANFARE_E2E_MIB=64"),
	},
	{
		title: "One pair of Chromium pages", command: "cd web/e2e && FANFARE_E2E_ONLY='one pair' npm run measure",
		why: "256 MiB from one page to another on loopback, verified and in the browser's private file system, in turns with a raw data channel between two pages, with messages of the same size. Rates are medians of three turns.",
		run: story("measure", "one pair", []promise{{"pair by raw", 0.90, false}}),
	},
	{
		title: "Memory of a Chromium page that receives", command: "cd web/e2e && FANFARE_E2E_ONLY='memory of a Chromium page' npm run measure",
		why: "4 GiB from `fanfare send`, of a sparse file, into the browser's private file system. The highest resident memory of the page's process, less that when the names are shown.",
		run: story("measure", "memory of a Chromium page", []promise{{"MiB above the start", 96, true}}),
	},
}

// promise is a limit for the figures whose name begins with a text.
type promise struct {
	name  string
	limit float64
	most  bool // or else at least
}

func (p promise) String() string {
	sign := "≥"
	if p.most {
		sign = "≤"
	}
	return sign + " " + strconv.FormatFloat(p.limit, 'f', -1, 64)
}

// numberLine is what a test logs that leaves judging to this program.
var numberLine = regexp.MustCompile(`figure: (.*) = (-?[\d.]+)$`)

// judged runs a test once and holds the numbers that it logs against what is promised.
func judged(pkg, name string, promises []promise, args ...string) func(context.Context, string) ([]figure, error) {
	return func(ctx context.Context, _ string) ([]figure, error) {
		line := append([]string{"test", pkg, "-run", "^" + name + "$", "-count", "1", "-timeout", "30m", "-v", "-args"}, args...)
		text, err := output(ctx, "go", line...)
		figures := judge(text, promises)
		passed := strings.Contains(text, "--- PASS: "+name+" ")
		return append(figures, figure{"the test", map[bool]string{true: "passed", false: "failed"}[passed], "passes", passed}), err
	}
}

// story runs stories of web/e2e, by a script of its package ("" for its tests), and holds the numbers
// that they log against what is promised.
func story(name, only string, promises []promise, env ...string) func(context.Context, string) ([]figure, error) {
	return func(ctx context.Context, fanfare string) ([]figure, error) {
		line := append([]string{"FANFARE_PROGRAM=" + fanfare, "FANFARE_E2E_ONLY=" + only}, env...)
		line = append(line, "npm", "--prefix", "web/e2e", "run", "--silent", cmp.Or(name, "test"))
		return script(promises, line...)(ctx, fanfare)
	}
}

// script runs tests of the pages by a command and its environment.
func script(promises []promise, line ...string) func(context.Context, string) ([]figure, error) {
	return func(ctx context.Context, _ string) ([]figure, error) {
		text, err := output(ctx, "env", append([]string{"NO_COLOR=1"}, line...)...)
		figures := judge(text, promises)
		return append(figures, figure{"the tests", map[bool]string{true: "passed", false: "failed"}[err == nil], "pass", err == nil}), err
	}
}

func judge(text string, promises []promise) (figures []figure) {
	for line := range strings.Lines(text) {
		m := numberLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		f := figure{name: m[1], value: m[2]}
		value, err := strconv.ParseFloat(m[2], 64)
		for _, p := range promises {
			if strings.HasPrefix(m[1], p.name) {
				f.limit, f.met = p.String(), err == nil && (p.most && value <= p.limit || !p.most && value >= p.limit)
			}
		}
		figures = append(figures, f)
	}
	return figures
}
