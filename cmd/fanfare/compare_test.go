package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/compare"
	comparison "github.com/fanfare-relay/fanfare/compare/report"
)

// TestCompare: an experiment from a file makes the three files, and the page is what the samples say.
func TestCompare(t *testing.T) {
	dir := t.TempDir()
	file, out := filepath.Join(dir, "small.toml"), filepath.Join(dir, "out")
	text := "name = \"small\"\nrepeats = 1\nseconds = 1\nsettle_seconds = 0\ntopologies = [\"sfu\"]\n[base]\nviewers = 1\nbitrate_mbit = 0.2\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var said, failed bytes.Buffer
	if code := run(context.Background(), []string{"compare", "--experiment", file, "--out", out}, stdio{nil, &said, &failed}); code != 0 {
		t.Fatalf("code %d: %s", code, failed.String())
	}
	if !strings.Contains(said.String(), "\nAll of it took ") {
		t.Errorf("how long it took is not said: %s", said.String())
	}
	d := document(t, out)
	if len(d.Samples) != 1 || len(d.Samples[0].Viewers) != 1 {
		t.Fatalf("%d samples", len(d.Samples))
	}
	var page bytes.Buffer
	if err := comparison.WriteHTML(&page, d); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(filepath.Join(out, "report.html"))
	if err != nil || page.String() != string(written) {
		t.Errorf("the page is not what samples.json says: %v", err)
	}
	if _, err := os.Stat(filepath.Join(out, "samples.csv")); err != nil {
		t.Error(err)
	}
	again := filepath.Join(dir, "again")
	args := []string{"compare", "--from", filepath.Join(out, "samples.json"), "--hop-ms", "31", "--out", again}
	if code := run(context.Background(), args, stdio{nil, &said, &failed}); code != 0 {
		t.Fatalf("code %d: %s", code, failed.String())
	}
	if other := document(t, again); other.HopMS != 31 || len(other.Samples) != 1 || !strings.HasSuffix(other.Command, "--from samples.json --hop-ms 31 --out DIR") {
		t.Errorf("made again it has %g ms, %d samples, %q", other.HopMS, len(other.Samples), other.Command)
	}
}

// small is an experiment file.
func small(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "small.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// document reads samples.json.
func document(t *testing.T, out string) comparison.Document {
	t.Helper()
	json, err := os.Open(filepath.Join(out, "samples.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer json.Close()
	d, err := comparison.ReadJSON(json)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestCompareInterrupted: an interrupt in the middle keeps what was measured, marked as partial in all that is written. What a program
// that is killed leaves on the disk is that, too.
func TestCompareInterrupted(t *testing.T) {
	t.Parallel()
	file := small(t, "name = \"small\"\nrepeats = 100\nseconds = 1\nsettle_seconds = 0\ntopologies = [\"sfu\"]\n[base]\nviewers = 1\nbitrate_mbit = 0.2\n")
	list, err := (&compareCmd{Experiment: []string{file}}).experiments()
	if err != nil {
		t.Fatal(err)
	}
	runner, err := newRunner()
	if err != nil {
		t.Fatal(err)
	}
	d := comparison.Document{Experiments: list}
	plan, _ := compare.Plan(list, nil)
	d.Planned = len(plan)
	ctx, interrupt := context.WithCancel(t.Context())
	shown, out, again := 0, t.TempDir(), t.TempDir()
	st := newStatus(writerFunc(func(b []byte) (int, error) {
		if strings.Contains(string(b), "2 of 100") {
			if shown++; shown == 1 { // killed now
				kept, err := os.ReadFile(filepath.Join(out, samplesFile))
				if err != nil || os.WriteFile(filepath.Join(again, "killed.json"), kept, 0o600) != nil {
					t.Error(err)
				}
			}
			interrupt()
		}
		return len(b), nil
	}))
	st.terminal = true
	if err := carryOut(ctx, st, runner, plan, &d, outFolder(out).keep); err != nil || shown == 0 {
		t.Fatal(err, shown)
	}
	if !d.Interrupted || len(d.Samples) == 0 || len(d.Samples) > 2 || d.Samples[0].Problem == "it was interrupted" {
		t.Errorf("%d samples", len(d.Samples))
	}
	var page bytes.Buffer
	if err := comparison.WriteHTML(&page, d); err != nil || !strings.Contains(page.String(), "of 100 runs were made") {
		t.Errorf("the page does not say that it is partial: %v", err)
	}
	var said, failed bytes.Buffer
	if code := run(t.Context(), []string{"compare", "--from", filepath.Join(again, "killed.json"), "--out", again}, stdio{nil, &said, &failed}); code != 0 {
		t.Fatalf("code %d: %s", code, failed.String())
	}
	report, err := os.ReadFile(filepath.Join(again, "report.html"))
	if err != nil || !strings.Contains(string(report), "1 of 100 runs were made (the program ended before it was done)") ||
		!strings.Contains(said.String(), "Partial: 1 of 100 runs were made.") {
		t.Errorf("the report of what was left is not marked as partial: %v, %s", err, said.String())
	}
}

// TestCompareBeyond: a number of viewers that no machine carries is named before anything starts, and is left out.
func TestCompareBeyond(t *testing.T) {
	t.Parallel()
	file := small(t, "name = \"great\"\nrepeats = 1\nseconds = 600\ntopologies = [\"star\"]\n[base]\nviewers = 64\nbitrate_mbit = 10\n")
	d := comparison.Document{}
	cmd := compareCmd{Experiment: []string{file}}
	var err error
	if d.Experiments, err = cmd.experiments(); err != nil {
		t.Fatal(err)
	}
	plan, beyond := compare.Plan(d.Experiments, &comparison.Calibration{PacketMicroseconds: 100, Processors: 2, MostOfThem: 1.5})
	if len(plan) != 0 || len(beyond) != 1 || !strings.Contains(beyond[0], "64 viewers") {
		t.Errorf("%d runs, beyond: %v", len(plan), beyond)
	}
	var said, failed bytes.Buffer
	if runtime.GOMAXPROCS(0) > 4 || !ownMeter().on {
		return // a machine that may carry it, or that cannot tell
	}
	if code := run(t.Context(), []string{"compare", "--experiment", file, "--out", t.TempDir()}, stdio{nil, &said, &failed}); code != exitFailed {
		t.Fatalf("code %d", code)
	}
	for _, want := range []string{"Beyond this machine: great with 64 viewers by the star", "nothing is left that this machine carries"} {
		if !strings.Contains(failed.String(), want) {
			t.Errorf("%q is not said: %s", want, failed.String())
		}
	}
}

// TestCompareFilesAndProcesses: an experiment of a file, and one with a process for each role, in one report.
func TestCompareFilesAndProcesses(t *testing.T) {
	file := small(t, "name = \"file\"\nrepeats = 1\ntopologies = [\"swarm\", \"http\"]\n[base]\nviewers = 2\nround_trip_ms = 5\nuplink_mbit = 100\nfile_mib = 1\n")
	apart := small(t, "name = \"apart\"\nrepeats = 1\nseconds = 1\nsettle_seconds = 0.2\ntopologies = [\"sfu\"]\nprocesses = true\n[base]\nviewers = 2\nbitrate_mbit = 0.2\n")
	if !ownMeter().on {
		t.Log("this system does not tell processor time")
		return
	}
	out := t.TempDir()
	t.Setenv(asProgram, "1") // for the processes of the roles
	var said, failed bytes.Buffer
	if code := run(t.Context(), []string{"compare", "--experiment", file, "--experiment", apart, "--beyond", "--out", out}, stdio{nil, &said, &failed}); code != 0 {
		t.Fatalf("code %d: %s", code, failed.String())
	}
	d := document(t, out)
	if len(d.Samples) != 3 || d.Calibration == nil || d.Interrupted {
		t.Fatalf("%d samples", len(d.Samples))
	}
	for _, s := range d.Samples {
		if strings.HasPrefix(s.Problem, "it failed") || len(s.Receivers)+len(s.Processes) == 0 {
			t.Errorf("%s: %s", s.Topology, s.Problem)
		}
	}
	if p := d.Samples[2].Processes; len(p) != 4 || p[0].Role != comparison.RoleServer {
		t.Errorf("%+v", p)
	}
}

// TestCompareFiles: a file is there whole, as it is or as it was, and nothing else is.
func TestCompareFiles(t *testing.T) {
	dir := t.TempDir()
	o := outFolder(filepath.Join(dir, "new", "folder"))
	if err := o.prepare(); err != nil {
		t.Fatal(err)
	}
	put := func(text string, fault error) error {
		return o.put("a", func(w io.Writer) error { _, err := io.WriteString(w, text); return errors.Join(err, fault) })
	}
	if err := put("whole", nil); err != nil {
		t.Fatal(err)
	}
	if err := put("half", io.ErrShortWrite); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("%v", err)
	}
	list, err := os.ReadDir(string(o))
	if text, _ := os.ReadFile(filepath.Join(string(o), "a")); err != nil || len(list) != 1 || string(text) != "whole" {
		t.Errorf("%v: %v, %q", err, list, text)
	}
}

func TestCompareRefuses(t *testing.T) {
	dir := t.TempDir()
	full := filepath.Join(dir, "full") // nobody can write there, whoever it is
	if err := os.MkdirAll(filepath.Join(full, samplesFile+draftEnding), 0o700); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.toml")
	if err := os.WriteFile(bad, []byte("name = \"x\"\nviewer = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--experiment", bad, "--out", dir}, exitUsage, `line 2: there is no key "viewer"`},
		{[]string{"--experiment", filepath.Join(dir, "none.toml"), "--out", dir}, exitFailed, "none.toml"},
		{[]string{"--quick", "--experiment", bad, "--out", dir}, exitUsage, "--quick is an experiment of its own"},
		{[]string{"--quick"}, exitUsage, "--out"},
		{[]string{"--quick", "--repeats", "101", "--out", dir}, exitUsage, "--repeats is 101"},
		{[]string{"--quick", "--hop-ms=-3", "--out", dir}, exitUsage, "--hop-ms is -3"},
		{[]string{"--quick", "--hop-ms", "NaN", "--out", dir}, exitUsage, "--hop-ms is NaN"},
		{[]string{"--from", bad, "--out", dir}, exitFailed, "is not the samples.json of a comparison"},
		{[]string{"--from", bad, "--quick", "--out", dir}, exitUsage, "--from measures nothing"},
		{[]string{"--from", bad, "--hop-ms=-3", "--out", dir}, exitUsage, "--hop-ms is -3"},
		{[]string{"--quick", "--hop-cpu", "1001", "--out", dir}, exitUsage, "--hop-cpu is 1001"},
		{[]string{"--quick", "--out", full}, exitFailed, "nothing can be written to the folder " + full + " ("},
		{[]string{"--quick", "--out", filepath.Join(bad, "x")}, exitFailed, "); name another one by --out"},
	} {
		var said, failed bytes.Buffer
		if code := run(context.Background(), append([]string{"compare"}, c.args...), stdio{nil, &said, &failed}); code != c.code || !strings.Contains(failed.String(), c.want) {
			t.Errorf("%v: code %d: %s", c.args, code, failed.String())
		}
	}
}

// TestCompareSpace: what does not fit into the folder for temporary files is said before anything starts, with what to do.
func TestCompareSpace(t *testing.T) {
	file := small(t, "name = \"great\"\nrepeats = 1\ntopologies = [\"http\", \"swarm\"]\n[base]\nviewers = 9\nfile_mib = 100\nuplink_mbit = 100\n")
	list, err := (&compareCmd{Experiment: []string{file}}).experiments()
	if err != nil {
		t.Fatal(err)
	}
	plan, _ := compare.Plan(list, nil)
	need := compare.Space(plan)
	if whole := int64(10 * 100 << 20); need < whole || need > whole+100<<20 {
		t.Errorf("ten files of 100 MiB are %d bytes", need)
	}
	tells := func(n int64, err error) func(string) (int64, error) {
		return func(string) (int64, error) { return n, err }
	}
	for _, enough := range []func(string) (int64, error){tells(need, nil), tells(0, errors.ErrUnsupported)} {
		if err := hasSpace("tmp", need, enough); err != nil {
			t.Error(err)
		}
	}
	err = hasSpace("tmp", need, tells(30e6, nil))
	if err == nil || !strings.Contains(err.Error(), "need up to 1.05 GB in tmp") || !strings.Contains(err.Error(), "there are 30.0 MB: make room there, or name another folder by TMP") {
		t.Error(err)
	}
	if free, err := freeSpace(t.TempDir()); err == nil && free <= 0 {
		t.Errorf("%d bytes are free here", free)
	}
	stream := small(t, "name = \"small\"\nrepeats = 1\ntopologies = [\"sfu\"]\n[base]\nviewers = 1\nbitrate_mbit = 0.2\n")
	if list, err = (&compareCmd{Experiment: []string{stream}}).experiments(); err != nil {
		t.Fatal(err)
	}
	plan, _ = compare.Plan(list, nil)
	if compare.Space(plan)+compare.CalibrationSpace(list) != 0 {
		t.Error("a stream needs files")
	}
}

// TestCompareSpaceFirst: without room nothing is carried out: neither the look at what the machine carries, nor a run.
func TestCompareSpaceFirst(t *testing.T) {
	file := small(t, "name = \"small\"\nrepeats = 1\ntopologies = [\"http\"]\n[base]\nviewers = 1\nfile_mib = 1\nuplink_mbit = 100\n")
	for _, c := range []struct {
		name    string
		there   []int64 // at each question, one after another
		planned int
	}{
		{"for the look", []int64{0}, 0},
		{"for the runs", []int64{math.MaxInt64, 0}, 1},
	} {
		cmd := compareCmd{Experiment: []string{file}, Beyond: true, Out: t.TempDir()}
		questions := 0
		cmd.free = func(dir string) (int64, error) {
			if dir != os.TempDir() || questions == len(c.there) {
				t.Errorf("%s: question %d is of %s", c.name, questions, dir)
				return 0, nil
			}
			questions++
			return c.there[questions-1], nil
		}
		list, err := cmd.experiments()
		if err != nil {
			t.Fatal(err)
		}
		d := comparison.Document{Experiments: list}
		err = cmd.measure(t.Context(), stdio{nil, io.Discard, io.Discard}, &d)
		if err == nil || !strings.Contains(err.Error(), "the folder for temporary files") {
			t.Errorf("%s: %v", c.name, err)
		}
		if questions != len(c.there) || d.Planned != c.planned || len(d.Samples) > 0 {
			t.Errorf("%s: %d questions, %d runs planned, %d made", c.name, questions, d.Planned, len(d.Samples))
		}
	}
}
