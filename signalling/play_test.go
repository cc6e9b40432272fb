package signalling

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

func byHTTP(c *Config) { c.HTTPMemory = 64 << 20 }

// recorded is what a recorder may have made, in pieces.
func recorded(t *testing.T) (pieces [][]byte) {
	t.Helper()
	data, err := os.ReadFile("../cmd/fanfare/demo/demo.webm")
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(slices.Chunk(data, 100_000))
}

func (r *rig) record(stream, recording string, n int, piece []byte) *http.Response {
	r.t.Helper()
	return r.ask(http.MethodPost, fmt.Sprintf("/record/%s/%s/%d", stream, recording, n), bytes.NewReader(piece),
		"Authorization", "Bearer "+r.key, "Content-Type", `video/webm;codecs="vp8,opus"`)
}

func (r *rig) recordAll(stream string, pieces [][]byte) {
	r.t.Helper()
	for i, piece := range pieces {
		if res := r.record(stream, "one", i, piece); res.StatusCode != http.StatusNoContent {
			r.t.Fatalf("piece %d: %s", i, describe(res))
		}
	}
}

// play opens a viewer's answer.
func (r *rig) play(stream, bearer string) *http.Response {
	r.t.Helper()
	res := r.ask(http.MethodPost, "/play/"+stream, nil, "Authorization", "Bearer "+bearer)
	var about struct{ Type string }
	if err := json.NewDecoder(res.Body).Decode(&about); err != nil || res.StatusCode != http.StatusCreated {
		r.t.Fatalf("play: %s", describe(res))
	}
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+res.Header.Get("Location"), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	answer, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = answer.Body.Close() })
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || got != about.Type {
		r.t.Fatalf("play: %d of type %q, promised was %q", answer.StatusCode, got, about.Type)
	}
	return answer
}

// A stream by plain HTTP: what the uploader posts is what viewers get, from a key frame on, and a viewer
// counts and is removed like any other.
func TestPlay(t *testing.T) {
	r := serve(t, byHTTP)
	r.publish("film")
	owner, _ := r.join(r.ownerHello("film"))
	viewer, welcome := r.join(viewerHello("film"))
	pieces := recorded(t)
	last := len(pieces) - 1
	r.recordAll("film", pieces[:last])

	answer := r.play("film", welcome.MediaToken)
	awaitThat(viewer, func(m msg.Viewers) bool { return m.Count == 1 })
	head := make([]byte, 4)
	if _, err := io.ReadFull(answer.Body, head); err != nil || !bytes.Equal(head, pieces[0][:4]) {
		t.Fatalf("the answer begins with %x (%v)", head, err)
	}
	if res := r.record("film", "one", last, pieces[last]); res.StatusCode != http.StatusNoContent {
		t.Fatal(describe(res))
	}
	tail := pieces[last][len(pieces[last])-64:]
	var got []byte
	for !bytes.HasSuffix(got, tail) {
		b := make([]byte, 32<<10)
		n, err := answer.Body.Read(b)
		if got = append(got, b[:n]...); err != nil {
			t.Fatalf("it ends after %d bytes: %v", len(got), err)
		}
	}

	if address := answer.Request.URL.Path; strings.Contains(r.log.String(), address[len("/play/film/"):]) {
		t.Error("the log has the capability")
	}
	owner.say(msg.Remove{Endpoint: welcome.Endpoint})
	_, _ = io.ReadAll(answer.Body) // broken off or not: it ends
	if code := await[msg.Error](viewer).Code; code != msg.CodeRemoved {
		t.Errorf("the viewer is told %q", code)
	}
	if res := r.ask(http.MethodPost, "/play/film", nil, "Authorization", "Bearer "+welcome.MediaToken); res.StatusCode != http.StatusForbidden {
		t.Errorf("a removed viewer comes back: %s", describe(res))
	}
}

func TestPlayEndsWithTheStream(t *testing.T) {
	r := serve(t, byHTTP)
	r.publish("film")
	owner, _ := r.join(r.ownerHello("film"))
	r.recordAll("film", recorded(t))
	answer := r.play("film", "")
	owner.say(msg.Stop{})
	_, _ = io.ReadAll(answer.Body)
	checkProblem(t, r.ask(http.MethodPost, "/play/film", nil), "no-recording")
}

func TestPlayRefusals(t *testing.T) {
	r := serve(t, byHTTP, unlimited)
	password, err := cheapHash("open sesame")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]store.Stream{"mine": {}, "locked": {Password: password}, "theirs": {}} {
		s.Owner = token.HashKey(r.key)
		if name == "theirs" {
			s.Owner = token.HashKey("another")
		}
		if err := r.store.CreateStream(name, s); err != nil {
			t.Fatal(err)
		}
	}
	r.recordAll("locked", recorded(t))
	expired, err := r.srv.gate.signFor(-1, token.KindPlay, token.Capability{Role: token.RoleSubscriber, Room: "stream", Stream: "mine"}, r.srv.started)
	if err != nil {
		t.Fatal(err)
	}
	webm := []string{"Content-Type", "video/webm", "Authorization", "Bearer " + r.key}
	tests := []struct {
		name, method, path string
		headers            []string
		body               string
		status             int
		problem            string
	}{
		{"no recording", "POST", "/play/mine", nil, "", 404, "no-recording"},
		{"no stream", "POST", "/play/nothing", nil, "", 404, "stream"},
		{"no password", "POST", "/play/locked", nil, "", 401, "password"},
		{"GET without an address", "GET", "/play/locked", nil, "", 405, "method"},
		{"a made-up address", "GET", "/play/locked/made-up", nil, "", 404, "address"},
		{"an address of another time", "GET", "/play/mine/" + expired, nil, "", 404, "address"},
		{"no key", "POST", "/record/mine/x/0", webm[:2], "x", 401, "key"},
		{"another owner's stream", "POST", "/record/theirs/x/0", webm, "x", 403, "not-yours"},
		{"no stream to record", "POST", "/record/nothing/x/0", webm, "x", 403, "not-yours"},
		{"a type that is none", "POST", "/record/mine/x/0", append([]string{"Content-Type", "text/html"}, webm[2:]...), "x", 415, "media-type"},
		{"a type with more behind it", "POST", "/record/mine/x/0", append([]string{"Content-Type", `video/webm;codecs="vp8";x=<script>`}, webm[2:]...), "x", 415, "media-type"},
		{"not the first piece", "POST", "/record/mine/x/3", webm, "x", 409, "piece"},
		{"no number", "POST", "/record/mine/x/first", webm, "x", 404, "not-found"},
		{"garbage", "POST", "/record/mine/x/0", webm, "this is no recording", 400, "recorded"},
		{"too large", "POST", "/record/mine/x/0", webm, strings.Repeat("x", maxPiece+1), 413, "too-large"},
		{"the end of none", "DELETE", "/record/mine/x", webm, "", 404, "no-recording"},
		{"a file without a key", "POST", "/spool", nil, "x", 401, "key"},
		{"a file that does not fit", "POST", "/spool", webm, strings.Repeat("x", 60<<20), 503, "spool"},
		{"no file", "GET", "/spool/made-up", nil, "", 404, "address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := r.ask(tt.method, tt.path, strings.NewReader(tt.body), tt.headers...)
			if res.StatusCode != tt.status {
				t.Fatalf("status %s, want %d", describe(res), tt.status)
			}
			checkProblem(t, res, tt.problem)
		})
	}
	if res := r.ask(http.MethodPost, "/spool", io.MultiReader(strings.NewReader("x")), webm...); res.StatusCode != http.StatusLengthRequired {
		t.Errorf("a file of unknown length: %s", describe(res))
	}
	if res := r.ask(http.MethodDelete, "/record/locked/one", nil, webm...); res.StatusCode != http.StatusOK {
		t.Errorf("the end of a recording: %s", describe(res))
	}
}

// A file goes up whole and down in ranges, until its address is given up.
func TestSpool(t *testing.T) {
	r := serve(t, byHTTP)
	data := bytes.Repeat([]byte("0123456789"), 30_000)
	left := r.srv.spool.Left()
	res := r.ask(http.MethodPost, "/spool", bytes.NewReader(data), "Authorization", "Bearer "+r.key)
	if res.StatusCode != http.StatusCreated {
		t.Fatal(describe(res))
	}
	address := res.Header.Get("Location")
	whole := r.ask(http.MethodGet, address, nil)
	if got, _ := io.ReadAll(whole.Body); !bytes.Equal(got, data) || whole.Header.Get("Content-Disposition") != "attachment" {
		t.Errorf("%d bytes came back, %v", len(got), whole.Header)
	}
	part := r.ask(http.MethodGet, address, nil, "Range", "bytes=7-11")
	if got := describe(part); got != "206 78901" {
		t.Errorf("a range: %s", got)
	}
	if head := r.ask(http.MethodHead, address, nil); head.Header.Get("Content-Length") != strconv.Itoa(len(data)) {
		t.Errorf("HEAD: %v", head.Header)
	}
	if res := r.ask(http.MethodDelete, address, nil); res.StatusCode != http.StatusOK || r.srv.spool.Left() != left {
		t.Errorf("DELETE: %s, %d bytes left of %d", describe(res), r.srv.spool.Left(), left)
	}
	checkProblem(t, r.ask(http.MethodGet, address, nil), "address")
}

// The address of a file dies with the key that it was made with, and with no other.
func TestSpoolOfARevokedKey(t *testing.T) {
	r := serve(t, byHTTP)
	bound := token.NewStreamKey()
	if err := r.store.AddKey(token.HashKey(bound), store.Key{Stream: "film"}); err != nil {
		t.Fatal(err)
	}
	keep := func(key string) string {
		res := r.ask(http.MethodPost, "/spool", strings.NewReader("a file"), "Authorization", "Bearer "+key)
		if res.StatusCode != http.StatusCreated {
			t.Fatal(describe(res))
		}
		return res.Header.Get("Location")
	}
	own, others := keep(r.key), keep(bound)
	if err := store.RevokeKey(r.dir, token.HashKey(r.key)); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		checkProblem(t, r.ask(method, own, nil), "address")
	}
	if res := r.ask(http.MethodHead, own, nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("HEAD: %s", describe(res))
	}
	if got := describe(r.ask(http.MethodGet, others, nil)); got != "200 a file" {
		t.Errorf("by another key: %s", got)
	}
	checkProblem(t, r.ask(http.MethodPost, "/spool", strings.NewReader("a file"), "Authorization", "Bearer "+r.key), "key")
}

// Who waits for a recording is slowed down, and keeps nobody from watching.
func TestPlayHasARateOfItsOwn(t *testing.T) {
	r := serve(t, byHTTP)
	r.publish("film")
	res := r.ask(http.MethodPost, "/play/film", nil)
	for n := 0; res.StatusCode != http.StatusTooManyRequests; n++ { // some come back while it asks
		if n > 10*goodPerMinute {
			t.Fatalf("%d questions are answered", n)
		}
		res = r.ask(http.MethodPost, "/play/film", nil)
	}
	checkProblem(t, res, "rate")
	if res := r.offer("/whep/film", ""); res.StatusCode != http.StatusCreated {
		t.Errorf("nobody may watch: %s", describe(res))
	}
	// So have the answers; none of these comes back before it is asked.
	for range goodPerMinute {
		r.srv.meters.played.spend("127.0.0.1", time.Now().Add(time.Hour))
	}
	checkProblem(t, r.ask(http.MethodGet, "/play/film/made-up", nil), "rate")
}

func TestPlainHTTPCanBeSwitchedOff(t *testing.T) {
	r := serve(t)
	for _, path := range []string{"/play/a", "/record/a/b/0", "/spool"} {
		checkProblem(t, r.ask(http.MethodPost, path, nil), "plain-http")
	}
	checkProblem(t, r.ask(http.MethodGet, "/spool/made-up", nil), "plain-http")
}

// A file that takes longer than the server gives a usual answer is answered all the same: here, any time at all.
func TestSlowUploadIsAnswered(t *testing.T) {
	r := serve(t, byHTTP)
	slow := httptest.NewUnstartedServer(r.srv.Handler())
	slow.Config.WriteTimeout = time.Nanosecond
	slow.Start()
	t.Cleanup(slow.Close)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, slow.URL+"/spool", strings.NewReader("a file"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	res, err := slow.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusCreated {
		t.Error(describe(res))
	}
}

// One client gets so many answers at a time, whoever asks, and others get theirs.
func TestPlaysAreBoundedForEachClient(t *testing.T) {
	p := newPlays(2)
	ended := 0
	begin := func(id media.SessionID, client string) *problem { return p.begin(id, client, func() { ended++ }) }
	for _, id := range []media.SessionID{"a", "b"} {
		if refused := begin(id, "one"); refused != nil {
			t.Fatal(refused)
		}
	}
	if refused := begin("c", "one"); refused == nil || refused.Name != problemRate.Name || refused.RetryAfter == 0 {
		t.Errorf("a third is refused with %v", refused)
	}
	if refused := begin("d", "two"); refused != nil {
		t.Error("another client is refused:", refused)
	}
	if !p.end("a") || p.end("a") || p.end("c") || ended != 1 {
		t.Errorf("%d ended", ended)
	}
	if refused := begin("e", "one"); refused != nil {
		t.Error("after one has ended:", refused)
	}
	for n := len(p.open); n < playsAtATime; n++ {
		if refused := begin(media.SessionID(fmt.Sprint(n)), fmt.Sprint("client ", n)); refused != nil {
			t.Fatal(n, refused)
		}
	}
	if refused := begin("last", "three"); refused == nil || refused.Name != problemBusy.Name {
		t.Errorf("beyond what there is in all: %v", refused)
	}
}

// An address to play from gives one client no more answers than that, and files count with them.
func TestAnswersOfOneClient(t *testing.T) {
	r := serve(t, byHTTP, unlimited)
	r.srv.plays.each = 2
	r.publish("film")
	r.recordAll("film", recorded(t))
	file := r.ask(http.MethodPost, "/spool", strings.NewReader("a file"), "Authorization", "Bearer "+r.key).Header.Get("Location")
	address := r.play("film", "").Request.URL.Path
	second := r.play("film", "")
	for _, path := range []string{address, file} {
		checkProblem(t, r.ask(http.MethodGet, path, nil), "rate")
	}
	_ = second.Body.Close()
	res := r.ask(http.MethodGet, file, nil)
	for n := 0; res.StatusCode == http.StatusTooManyRequests; n++ { // until the server notices that it has gone
		if n > 10_000 {
			t.Fatal(describe(res))
		}
		res = r.ask(http.MethodGet, file, nil)
	}
	if got := describe(res); got != "200 a file" {
		t.Error(got)
	}
}

// A file must come at a least rate, and in time.
func TestUploadsHaveTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w deadlines
		begin := time.Now()
		s := &steady{body: infinite{}, control: http.NewResponseController(&w), until: begin.Add(uploadWithin)}
		for time.Since(begin) < uploadWithin {
			if _, err := io.ReadFull(s, make([]byte, slowest)); err != nil {
				t.Fatal(err)
			}
			if left := time.Until(w.read); left <= 0 || left > slowWithin || w.read.After(s.until) || !w.write.After(w.read) {
				t.Fatalf("after %v there are %v to read, until %v to write", time.Since(begin), left, w.write)
			}
			time.Sleep(slowWithin - time.Second)
		}
		if _, _ = io.ReadFull(s, make([]byte, slowest)); w.read.After(s.until) {
			t.Errorf("it may come until %v", w.read)
		}
	})
}

type deadlines struct {
	httptest.ResponseRecorder
	read, write time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = t; return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = t; return nil }

// infinite is a body without end.
type infinite struct{}

func (infinite) Read(b []byte) (int, error) { return len(b), nil }
