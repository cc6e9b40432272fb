package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	json, err := os.Open(filepath.Join(out, "samples.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer json.Close()
	d, err := comparison.ReadJSON(json)
	if err != nil || len(d.Samples) != 1 || len(d.Samples[0].Viewers) != 1 {
		t.Fatalf("%v: %d samples", err, len(d.Samples))
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
}

func TestCompareRefuses(t *testing.T) {
	dir := t.TempDir()
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
	} {
		var said, failed bytes.Buffer
		if code := run(context.Background(), append([]string{"compare"}, c.args...), stdio{nil, &said, &failed}); code != c.code || !strings.Contains(failed.String(), c.want) {
			t.Errorf("%v: code %d: %s", c.args, code, failed.String())
		}
	}
}
