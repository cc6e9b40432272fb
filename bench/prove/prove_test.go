package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestReadHome(t *testing.T) {
	got, err := readHome(strings.NewReader("\nFanfare is running.\n\n  Publish   http://127.0.0.1:4/studio#key=x\n  Home      http://127.0.0.1:4/\n"))
	if err != nil || got != "http://127.0.0.1:4" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := readHome(strings.NewReader("fanfare: no\n")); err == nil {
		t.Error("an address was found in a text without one")
	}
}

func TestPage(t *testing.T) {
	met := figure{"a", "1 ms", "≤ 2 ms", true}
	for _, c := range []struct {
		name   string
		result result
		missed bool
		want   string
	}{
		{"met", result{figures: []figure{met}}, false, "| a | 1 ms | ≤ 2 ms |"},
		{"nothing promised", result{figures: []figure{{"a", "1 ms", "", false}}}, false, "| a | 1 ms |  |"},
		{"missed", result{figures: []figure{met, {"b", "3", "≤ 2", false}}}, true, "| b | 3 | **missed:** ≤ 2 |"},
		{"failed", result{figures: []figure{met}, err: errors.New("it broke")}, true, "**Failed:** it broke"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := document{results: []result{c.result}}
			if p.missed() != c.missed {
				t.Errorf("missed: %v", p.missed())
			}
			if text := p.markdown(); !strings.Contains(text, c.want) {
				t.Errorf("the page lacks %q:\n%s", c.want, text)
			}
		})
	}
}

func TestGarbageFigures(t *testing.T) {
	const said = "500000 datagrams in 10.000 s\n"
	for _, c := range []struct {
		name, said, report string
		grown              int64
		failed             bool
		missed             []string
	}{
		{"good", said, `{"connected":20,"packetsReceived":100000,"packetsLost":100}`, 1 << 20, false, nil},
		{"lost", said, `{"connected":20,"packetsReceived":100000,"packetsLost":101}`, 0, false, []string{"packets lost after repair"}},
		{"too slow", "500000 datagrams in 11.000 s\n", `{"connected":20,"packetsReceived":1}`, 0, false, []string{"garbage sent"}},
		{"grown", said, `{"connected":20,"packetsReceived":1}`, 9 << 20, false, []string{"resident memory, after less before"}},
		{"a viewer has gone", said, `{"connected":20,"lost":1,"packetsReceived":1}`, 0, false, []string{"viewers with a picture, to the end"}},
		{"no sender", "", `{}`, 0, true, nil},
	} {
		figures, err := garbageFigures(c.said, watching{report: c.report}, c.grown)
		var missed []string
		for _, f := range figures {
			if f.limit != "" && !f.met {
				missed = append(missed, f.name)
			}
		}
		if (err != nil) != c.failed || !slices.Equal(missed, c.missed) {
			t.Errorf("%s: missed %q, %v", c.name, missed, err)
		}
	}
}

func TestLogLine(t *testing.T) {
	m := logLine.FindStringSubmatch("    killed_test.go:230: figure: 0 of 5 viewers reconnected")
	if m == nil || m[1] != "0 of 5 viewers reconnected" {
		t.Errorf("%q", m)
	}
	if logLine.MatchString("--- PASS: TestX (0.00s)") {
		t.Error("a verdict was taken for a figure")
	}
}

func TestJudge(t *testing.T) {
	const text = "    x_test.go:1: figure: bound by time, 2 receivers = 0.95\n" +
		"    x_test.go:2: figure: bound by time, 5 receivers = 0.91\n" +
		"    x_test.go:3: figure: copies sent, 10 receivers = 1.10\n    x_test.go:4: figure: in words\n"
	got := judge(text, []promise{{"bound by time", 0.92, false}, {"copies sent, 10", 1.1, true}})
	want := []figure{
		{"bound by time, 2 receivers", "0.95", "≥ 0.92", true},
		{"bound by time, 5 receivers", "0.91", "≥ 0.92", false},
		{"copies sent, 10 receivers", "1.10", "≤ 1.1", true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}
