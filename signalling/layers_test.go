package signalling

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfare-relay/fanfare/media"
)

func decodePicture(t *testing.T, res *http.Response) picture {
	t.Helper()
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != typeJSON {
		t.Fatal(describe(res))
	}
	var p picture
	d := json.NewDecoder(res.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLayers(t *testing.T) {
	r := serve(t)
	r.publish("a")
	path := r.offer("/whep/a", "").Header.Get("Location") + "/layers"
	first := decodePicture(t, r.ask(http.MethodGet, path, nil))
	if len(first.Qualities) != 2 || first.Current == nil || first.Current.Height != 720 || first.Bound != media.BoundSource || first.Estimate != 3_000_000 {
		t.Errorf("%+v", first)
	}
	for body, want := range map[string]media.Wish{
		`{"maxHeight":180,"hidden":false}`: {MaxHeight: 180},
		`{"hidden":true}`:                  {Hidden: true},
		` {} `:                             {},
		`{"maxHeight":65536}`:              {MaxHeight: 65536},
	} {
		res := r.ask(http.MethodPost, path, strings.NewReader(body), "Content-Type", "application/json; charset=utf-8")
		height := 720
		if want.Hidden || want.MaxHeight == 180 {
			height = 180
		}
		if p := decodePicture(t, res); p.Current == nil || p.Current.Height != height {
			t.Errorf("%s: %+v", body, p)
		}
		if got := r.plane.wishes[sessionOf(strings.TrimSuffix(path, "/layers"))]; got != want {
			t.Errorf("%s is told as %+v", body, got)
		}
	}
	res := r.ask(http.MethodOptions, path, nil, "Origin", "https://elsewhere.example")
	if res.StatusCode != http.StatusNoContent || res.Header.Get("Access-Control-Allow-Methods") != layerMethods ||
		res.Header.Get("Access-Control-Allow-Origin") != "*" || res.Header.Get("Accept-Post") != typeJSON {
		t.Errorf("OPTIONS: %s %v", describe(res), res.Header)
	}
	if res := r.ask(http.MethodHead, path, nil); res.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %s", describe(res))
	}
}

func TestLayersRefusals(t *testing.T) {
	r := serve(t, unlimited)
	published := r.publish("a")
	watched := r.offer("/whep/a", "").Header.Get("Location")
	theirs := r.offer("/whep/a", "secret").Header.Get("Location")
	gone := r.offer("/whep/a", "").Header.Get("Location")
	if res := r.ask(http.MethodDelete, gone, nil); res.StatusCode != http.StatusOK {
		t.Fatal(describe(res))
	}
	typed := []string{"Content-Type", typeJSON}
	for _, tt := range []struct {
		name, method, path string
		headers            []string
		body               io.Reader
		status             int
		problem            string
	}{
		{"PUT", "PUT", watched, typed, strings.NewReader("{}"), 405, "method"},
		{"DELETE", "DELETE", watched, nil, nil, 405, "method"},
		{"no type", "POST", watched, nil, strings.NewReader("{}"), 415, "media-type"},
		{"another type", "POST", watched, []string{"Content-Type", typeSDP}, strings.NewReader("{}"), 415, "media-type"},
		{"huge", "POST", watched, typed, strings.NewReader(strings.Repeat(" ", maxBody+1)), 413, "too-large"},
		{"huge, not told", "POST", watched, typed, &endless{1 << 20}, 413, "too-large"},
		{"empty", "POST", watched, typed, strings.NewReader(""), 400, "wish"},
		{"no object", "POST", watched, typed, strings.NewReader("[]"), 400, "wish"},
		{"text behind it", "POST", watched, typed, strings.NewReader("{} {}"), 400, "wish"},
		{"unknown member", "POST", watched, typed, strings.NewReader(`{"height":1}`), 400, "wish"},
		{"less than nothing", "POST", watched, typed, strings.NewReader(`{"maxHeight":-1}`), 400, "wish"},
		{"more than any screen", "POST", watched, typed, strings.NewReader(`{"maxHeight":65537}`), 400, "wish"},
		{"half a line", "POST", watched, typed, strings.NewReader(`{"maxHeight":0.5}`), 400, "wish"},
		{"a publisher", "GET", strings.Replace(published, "whip", "whep", 1), nil, nil, 404, "session"},
		{"under whip", "GET", published, nil, nil, 404, "not-found"},
		{"another stream", "GET", strings.Replace(watched, "/a/", "/b/", 1), nil, nil, 404, "session"},
		{"nobody", "POST", "/whep/a/nobody", typed, strings.NewReader("{}"), 404, "session"},
		{"one that has left", "GET", gone, nil, nil, 404, "session"},
		{"without its token", "GET", theirs, nil, nil, 401, "session-key"},
		{"without its token, a wish", "POST", theirs, typed, strings.NewReader("{}"), 401, "session-key"},
		{"with its token", "GET", theirs, []string{"Authorization", "Bearer secret"}, nil, 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := r.ask(tt.method, tt.path+"/layers", tt.body, tt.headers...)
			if res.StatusCode != tt.status {
				t.Fatalf("%s, want %d", describe(res), tt.status)
			}
			if tt.problem != "" {
				checkProblem(t, res, tt.problem)
			}
		})
	}
}

// The examples of the protocol's document are read, and lose nothing on their way.
func TestLayersExamples(t *testing.T) {
	text, err := os.ReadFile("../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	example := func(name string) string {
		m := regexp.MustCompile("(?s)```json " + name + "\n(.*?)\n```").FindSubmatch(text)
		if m == nil {
			t.Fatalf("docs/PROTOCOL.md has no example of a %s", name)
		}
		return string(m[1])
	}
	if got, p := parseWish(example("wish")); p != nil || got != (media.Wish{MaxHeight: 360}) {
		t.Errorf("%+v, %v", got, p)
	}
	var p picture
	d := json.NewDecoder(strings.NewReader(example("picture")))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(example("picture"), string(again)); diff != "" {
		t.Errorf("(-document +again):\n%s", diff)
	}
	for _, b := range []media.Bound{media.BoundLine, media.BoundWish, media.BoundSource} {
		if !strings.Contains(string(text), fmt.Sprintf("`%s`", b)) {
			t.Errorf("docs/PROTOCOL.md does not explain %q", b)
		}
	}
}

// Whatever comes is a wish within the limits, or refused.
func FuzzParseWish(f *testing.F) {
	f.Add(`{"maxHeight":360,"hidden":true}`)
	f.Fuzz(func(t *testing.T, text string) {
		if w, p := parseWish(text); p == nil && (w.MaxHeight < 0 || w.MaxHeight > maxHeight) {
			t.Fatalf("%+v", w)
		}
	})
}
