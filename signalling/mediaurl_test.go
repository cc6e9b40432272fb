package signalling

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

// endless is a body without a declared length.
type endless struct{ left int }

func (e *endless) Read(b []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(len(b), e.left)
	e.left -= n
	for i := range n {
		b[i] = 'a'
	}
	return n, nil
}

func TestRefusals(t *testing.T) {
	r := serve(t, unlimited)
	theirs := token.NewPublishKey()
	bound := token.NewStreamKey()
	password, err := cheapHash("open sesame")
	if err := errors.Join(err, r.store.AddKey(token.HashKey(theirs), store.Key{}),
		r.store.AddKey(token.HashKey(bound), store.Key{Stream: "bound"}),
		r.store.CreateStream("theirs", store.Stream{Owner: token.HashKey(theirs)}),
		r.store.CreateStream("locked", store.Stream{Owner: token.HashKey(theirs), Password: password}),
		r.store.CreateStream("left", store.Stream{}), r.store.Remove("left", "address:127.0.0.1", r.srv.started)); err != nil {
		t.Fatal(err)
	}
	auth := func(key string) []string {
		return []string{"Content-Type", "application/sdp", "Authorization", "Bearer " + key}
	}
	plain := []string{"Content-Type", "application/sdp"}
	tests := []struct {
		name, method, path string
		headers            []string
		body               io.Reader
		status             int
		problem            string
	}{
		{"GET on WHIP", "GET", "/whip/a", nil, nil, 405, "method"},
		{"HEAD on WHIP", "HEAD", "/whip/a", nil, nil, 405, ""},
		{"PUT on WHIP", "PUT", "/whip/a", auth(r.key), strings.NewReader("x"), 405, "method"},
		{"GET on WHEP", "GET", "/whep/a", nil, nil, 405, "method"},
		{"PUT on WHEP", "PUT", "/whep/a", nil, strings.NewReader("x"), 405, "method"},
		{"GET on a session", "GET", "/whip/a/s", nil, nil, 405, "method"},
		{"POST on a session", "POST", "/whep/a/s", plain, strings.NewReader("x"), 405, "method"},

		{"no type", "POST", "/whip/a", []string{"Authorization", "Bearer " + r.key}, strings.NewReader("v=0"), 415, "media-type"},
		{"wrong type before wrong key", "POST", "/whip/a", []string{"Content-Type", "text/plain"}, strings.NewReader("v=0"), 415, "media-type"},
		{"wrong type on WHEP", "POST", "/whep/a", []string{"Content-Type", "application/json"}, strings.NewReader("v=0"), 415, "media-type"},
		{"no type in PATCH", "PATCH", "/whip/a/s", plain, strings.NewReader("x"), 415, "media-type"},

		{"huge, told in advance", "POST", "/whip/a", auth(r.key), strings.NewReader(strings.Repeat("a", 10<<20)), 413, "too-large"},
		{"huge, not told, before wrong key", "POST", "/whip/a", auth("wrong"), &endless{1 << 20}, 413, "too-large"},
		{"one byte too much", "POST", "/whep/theirs", plain, strings.NewReader(strings.Repeat("a", maxBody+1)), 413, "too-large"},
		{"huge PATCH", "PATCH", "/whep/a/s", []string{"Content-Type", typeFragment}, &endless{1 << 20}, 413, "too-large"},

		{"no key", "POST", "/whip/a", plain, strings.NewReader("v=0"), 401, "key"},
		{"wrong key", "POST", "/whip/a", auth("fanpub_nonsense"), strings.NewReader("v=0"), 401, "key"},
		{"wrong key before wrong name", "POST", "/whip/a%20b", auth("nonsense"), strings.NewReader("v=0"), 401, "key"},
		{"Basic instead of Bearer", "POST", "/whip/a", append(plain, "Authorization", "Basic "+r.key), strings.NewReader("v=0"), 401, "key"},
		{"no password", "POST", "/whep/locked", plain, strings.NewReader("v=0"), 401, "password"},
		{"wrong password", "POST", "/whep/locked", auth("open"), strings.NewReader("v=0"), 401, "password"},

		{"another owner's stream", "POST", "/whip/theirs", auth(r.key), strings.NewReader("v=0"), 403, "not-yours"},
		{"another stream's key", "POST", "/whip/theirs", auth(bound), strings.NewReader("v=0"), 403, "not-yours"},
		{"another stream's key for a new one", "POST", "/whip/new", auth(bound), strings.NewReader("v=0"), 403, "not-yours"},
		{"removed", "POST", "/whep/left", plain, strings.NewReader("v=0"), 403, "removed"},
		{"name too long", "POST", "/whip/" + strings.Repeat("a", 65), auth(r.key), strings.NewReader("v=0"), 400, "name"},
		{"name with a space", "POST", "/whip/a%20b", auth(r.key), strings.NewReader("v=0"), 400, "name"},
		{"name with dots before empty body", "POST", "/whip/..%2f..", auth(r.key), strings.NewReader(""), 400, "name"},
		{"wrong name on WHEP", "POST", "/whep/a%00", plain, strings.NewReader("v=0"), 400, "name"},
		{"unknown stream", "POST", "/whep/unknown", plain, strings.NewReader("v=0"), 404, "stream"},

		{"empty body", "POST", "/whip/a", auth(r.key), strings.NewReader(""), 400, "empty-body"},
		{"only white space", "POST", "/whep/theirs", plain, strings.NewReader(" \r\n"), 400, "empty-body"},
		{"a body that is no offer", "POST", "/whip/a", auth(r.key), strings.NewReader("bad"), 400, "offer"},
		{"a body that is no offer on WHEP", "POST", "/whep/theirs", plain, strings.NewReader("bad"), 400, "offer"},

		{"no delay of playout", "POST", "/whip/a?playout=now", auth(r.key), strings.NewReader("v=0"), 400, "playout"},
		{"a delay that ends before it begins", "POST", "/whip/a?playout=1s,0", auth(r.key), strings.NewReader("v=0"), 400, "playout"},
		{"empty body before a wrong delay", "POST", "/whip/a?playout=now", auth(r.key), strings.NewReader(""), 400, "empty-body"},

		{"unknown session", "DELETE", "/whip/a/nothing", auth(r.key), nil, 404, "session"},
		{"unknown session in PATCH", "PATCH", "/whep/a/nothing", []string{"Content-Type", typeFragment, "If-Match", "*"}, strings.NewReader("x"), 404, "session"},
		{"no such address", "GET", "/nothing/here", nil, nil, 404, "not-found"},
		{"POST to a page", "POST", "/studio", nil, strings.NewReader("x"), 405, "method"},
		{"GET on /ws", "GET", "/ws", nil, nil, 426, "websocket"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := r.ask(tt.method, tt.path, tt.body, tt.headers...)
			if res.StatusCode != tt.status {
				t.Fatalf("status %s, want %d", describe(res), tt.status)
			}
			if tt.problem != "" {
				checkProblem(t, res, tt.problem)
			}
			if tt.status == http.StatusMethodNotAllowed && res.Header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
			if tt.status == http.StatusUnauthorized && res.Header.Get("WWW-Authenticate") != "Bearer" {
				t.Error("401 without a challenge")
			}
		})
	}
	if n := r.plane.count(); n != 0 {
		t.Errorf("%d sessions were made", n)
	}
	for _, name := range []string{"a", "new"} {
		if _, found, _ := r.store.Stream(name); found {
			t.Errorf("a refused offer made the stream %q", name)
		}
	}
}

// checkProblem holds an answer to RFC 9457.
func checkProblem(t *testing.T, res *http.Response, name string) {
	t.Helper()
	if got := res.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	var doc struct {
		Type, Title, Detail string
		Status              int
	}
	if err := json.NewDecoder(res.Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if doc.Type != problemPrefix+name || doc.Status != res.StatusCode || doc.Title == "" || len(doc.Detail) < 10 {
		t.Errorf("problem %+v, want %q", doc, name)
	}
}

func TestErrorsOfTheDataPlane(t *testing.T) {
	r := serve(t, unlimited)
	for _, tt := range []struct {
		err     error
		status  int
		problem string
		retry   string
	}{
		{media.ErrBusy, 503, "busy", "5"},
		{media.BusyError{After: 7200 * time.Millisecond}, 503, "busy", "8"},
		{media.ErrClosed, 503, "shutdown", "2"},
		{errors.New("a secret of the inside"), 500, "internal", ""},
		{fmt.Errorf("%w: too many m-lines", media.ErrBadOffer), 400, "offer", ""},
	} {
		r.plane.failNext(tt.err)
		res := r.offer("/whip/a", r.key)
		if res.StatusCode != tt.status || res.Header.Get("Retry-After") != tt.retry {
			t.Errorf("%v: %d, Retry-After %q", tt.err, res.StatusCode, res.Header.Get("Retry-After"))
		}
		if strings.Contains(describe(res), "secret") {
			t.Errorf("the answer passes on what is inside: %s", describe(res))
		}
		checkProblem(t, res, tt.problem)
	}
}

func TestAcceptedOffer(t *testing.T) {
	r := serve(t)
	for _, path := range []string{"/whip/a", "/whep/a"} {
		res := r.offer(path, map[bool]string{true: r.key}[path == "/whip/a"])
		if res.StatusCode != http.StatusCreated {
			t.Fatalf("%s: %s", path, describe(res))
		}
		location := res.Header.Get("Location")
		if !strings.HasPrefix(location, path+"/session-") {
			t.Errorf("%s: Location %q", path, location)
		}
		for header, want := range map[string]string{
			"Content-Type": typeSDP, "Accept-Patch": typeFragment, "Access-Control-Allow-Origin": "*",
			"ETag": `"etag-` + string(sessionOf(location)) + `"`, "Link": `<stun:127.0.0.1:3478>; rel="ice-server"`,
		} {
			if got := res.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", path, header, got, want)
			}
		}
		if exposed := res.Header.Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "Location") || !strings.Contains(exposed, "ETag") || !strings.Contains(exposed, "Link") {
			t.Errorf("%s: exposed headers %q", path, exposed)
		}
		if res.Header.Get("Set-Cookie") != "" || res.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Error("cookies have no place here")
		}
		if !strings.Contains(describe(res), "v=0 answer") {
			t.Errorf("%s: no answer: %s", path, describe(res))
		}
	}
}

// The owner says with the offer how long players of the stream are to wait.
func TestPlayoutOfAStream(t *testing.T) {
	r := serve(t)
	for _, c := range []struct {
		query string
		want  *media.PlayoutDelay
	}{
		{"", nil},
		{"?playout=0,200ms", &media.PlayoutDelay{Most: 200 * time.Millisecond}},
		{"?playout=300ms%2C%201s", &media.PlayoutDelay{Least: 300 * time.Millisecond, Most: time.Second}},
	} {
		if res := r.offer("/whip/a"+c.query, r.key); res.StatusCode != http.StatusCreated {
			t.Fatal(describe(res))
		}
		if got := r.plane.options.PlayoutDelay; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %v, want %v", c.query, got, c.want)
		}
	}
}

func TestOptionsAndHead(t *testing.T) {
	r := serve(t)
	for path, methods := range map[string]string{
		"/whip/a": "OPTIONS, POST", "/whep/a": "HEAD, OPTIONS, POST", "/whip/a/s": sessionMethods, "/whep/a/s": sessionMethods,
	} {
		res := r.ask(http.MethodOptions, path, nil, "Origin", "https://elsewhere.example", "Access-Control-Request-Method", "POST")
		if res.StatusCode != http.StatusNoContent || res.Header.Get("Access-Control-Allow-Methods") != methods ||
			!strings.Contains(res.Header.Get("Access-Control-Allow-Headers"), "Authorization") {
			t.Errorf("OPTIONS %s: %d %v", path, res.StatusCode, res.Header)
		}
		post, patch := res.Header.Get("Accept-Post"), res.Header.Get("Accept-Patch")
		if isSession := strings.Count(path, "/") == 3; isSession && patch != typeFragment || !isSession && post != typeSDP {
			t.Errorf("OPTIONS %s: Accept-Post %q, Accept-Patch %q", path, post, patch)
		}
	}
	if res := r.ask(http.MethodHead, "/whep/a", nil); res.StatusCode != http.StatusOK {
		t.Errorf("HEAD on WHEP: %d", res.StatusCode)
	}
}

func TestPatch(t *testing.T) {
	r := serve(t, unlimited)
	published := r.publish("a")
	watched := r.offer("/whep/a", "").Header.Get("Location")
	etag := `"etag-` + string(sessionOf(watched)) + `"`
	whipEtag := `"etag-` + string(sessionOf(published)) + `"`
	for _, tt := range []struct {
		name, path, match, bearer, body string
		status                          int
		problem, etag                   string
	}{
		{"no precondition", watched, "", "", "candidate", 428, "if-match", ""},
		{"an old tag", watched, `"old"`, "", "candidate", 412, "etag", ""},
		{"a weak tag", watched, "W/" + etag, "", "candidate", 412, "etag", ""},
		{"empty", watched, etag, "", "", 400, "fragment", ""},
		{"nonsense", watched, etag, "", "bad", 400, "fragment", ""},
		{"candidates", watched, etag, "", "candidate", 204, "", ""},
		{"one of several tags", watched, `"x", ` + etag, "", "candidate", 204, "", ""},
		{"ICE restart", watched, "*", "", "restart", 200, "", `"etag-new"`},
		{"the tag before the restart", watched, etag, "", "candidate", 412, "etag", ""},
		{"the tag after the restart", watched, `"etag-new"`, "", "candidate", 204, "", ""},
		{"publisher without token", published, "*", "", "candidate", 401, "session-key", ""},
		{"publisher with another's token", published, "*", "wrong", "candidate", 401, "session-key", ""},
		{"publisher", published, whipEtag, r.key, "candidate", 204, "", ""},
		{"publisher's restart", published, "*", r.key, "restart", 422, "no-restart", ""},
		{"under another stream", strings.Replace(watched, "/a/", "/b/", 1), "*", "", "candidate", 404, "session", ""},
		{"under the other role", strings.Replace(watched, "whep", "whip", 1), "*", "", "candidate", 404, "session", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			headers := []string{"Content-Type", typeFragment}
			if tt.match != "" {
				headers = append(headers, "If-Match", tt.match)
			}
			if tt.bearer != "" {
				headers = append(headers, "Authorization", "Bearer "+tt.bearer)
			}
			res := r.ask(http.MethodPatch, tt.path, strings.NewReader(tt.body), headers...)
			if res.StatusCode != tt.status || res.Header.Get("ETag") != tt.etag {
				t.Fatalf("%s, ETag %q; want %d %q", describe(res), res.Header.Get("ETag"), tt.status, tt.etag)
			}
			if tt.problem != "" {
				checkProblem(t, res, tt.problem)
			}
		})
	}
}

func TestDelete(t *testing.T) {
	r := serve(t)
	published := r.publish("a")
	watched := r.offer("/whep/a", "").Header.Get("Location")
	if res := r.ask(http.MethodDelete, published, nil); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("DELETE without the key: %s", describe(res))
	}
	if res := r.ask(http.MethodDelete, watched, nil); res.StatusCode != http.StatusOK {
		t.Errorf("DELETE of an open stream's viewer: %s", describe(res))
	}
	if res := r.ask(http.MethodDelete, watched, nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("DELETE again: %s", describe(res))
	}
	if res := r.ask(http.MethodDelete, published, nil, "Authorization", "Bearer "+r.key); res.StatusCode != http.StatusOK {
		t.Errorf("DELETE with the key: %s", describe(res))
	}
	if n := r.plane.count(); n != 0 {
		t.Errorf("%d sessions left", n)
	}
}

func TestWhoMayPublishAndWatch(t *testing.T) {
	r := serve(t, unlimited)
	bound := token.NewStreamKey()
	if err := r.store.AddKey(token.HashKey(bound), store.Key{Stream: "mine"}); err != nil {
		t.Fatal(err)
	}
	_, owner := r.join(r.ownerHello("page"))
	password := "open sesame"
	hash, err := cheapHash(password)
	if err := errors.Join(err, r.store.CreateStream("locked", store.Stream{Password: hash})); err != nil {
		t.Fatal(err)
	}
	withPassword := viewerHello("locked")
	withPassword.Password = password
	_, viewer := r.join(withPassword)
	for _, tt := range []struct {
		name, path, bearer string
		status             int
	}{
		{"publish key makes a stream", "/whip/fresh", r.key, 201},
		{"and publishes it again", "/whip/fresh", r.key, 201},
		{"stream key makes its stream", "/whip/mine", bound, 201},
		{"the publish key does not own that", "/whip/mine", r.key, 403},
		{"page's token", "/whip/page", owner.MediaToken, 201},
		{"page's token for another stream", "/whip/other", owner.MediaToken, 403},
		{"page's token for watching", "/whep/page", owner.MediaToken, 201}, // an open stream asks for nothing
		{"viewer's token for publishing", "/whip/locked", viewer.MediaToken, 401},
		{"password", "/whep/locked", password, 201},
		{"viewer's token", "/whep/locked", viewer.MediaToken, 201},
		{"viewer's resume token is no media token", "/whep/locked", viewer.Resume, 401},
		{"not live yet", "/whep/page", "", 201},
	} {
		if res := r.offer(tt.path, tt.bearer); res.StatusCode != tt.status {
			t.Errorf("%s: %s, want %d", tt.name, describe(res), tt.status)
		}
	}
	// A new password ends what was made from the old one.
	if err := r.store.UpdateStream("locked", func(rec *store.Stream) { rec.Password = []byte("another") }); err != nil {
		t.Fatal(err)
	}
	if res := r.offer("/whep/locked", viewer.MediaToken); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("token of the old password: %s", describe(res))
	}
}

// TestStreamsOfARevokedKey: a revoked key and its tokens open nothing; another publish key takes its streams over, which
// nobody else may.
func TestStreamsOfARevokedKey(t *testing.T) {
	r := serve(t, unlimited)
	other, bound := token.NewPublishKey(), token.NewStreamKey()
	if err := errors.Join(r.store.AddKey(token.HashKey(other), store.Key{}), r.store.AddKey(token.HashKey(bound), store.Key{Stream: "else"})); err != nil {
		t.Fatal(err)
	}
	_, owner := r.join(r.ownerHello("a"))
	if res := r.offer("/whip/a", other); res.StatusCode != http.StatusForbidden {
		t.Errorf("while the owner's key is good: %s", describe(res))
	}
	if err := store.RevokeKey(r.dir, token.HashKey(r.key)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, bearer string
		status       int
	}{
		{"the revoked key", r.key, 401},
		{"a page's token from it", owner.MediaToken, 401},
		{"another stream's key", bound, 403},
		{"another publish key", other, 201},
		{"and again", other, 201},
	} {
		if res := r.offer("/whip/a", tt.bearer); res.StatusCode != tt.status {
			t.Errorf("%s: %s, want %d", tt.name, describe(res), tt.status)
		}
	}
	if err := r.store.AddKey(token.HashKey(r.key), store.Key{}); err != nil {
		t.Fatal(err)
	}
	if res := r.offer("/whip/a", r.key); res.StatusCode != http.StatusForbidden {
		t.Errorf("the old key, good again: %s", describe(res))
	}
}

func TestEventsBeforeTheAnswer(t *testing.T) {
	r := serve(t)
	h := r.srv.hub
	id := media.SessionID("early")
	h.event(media.Event{Kind: media.EventConnected, Session: id, Stream: "a", Role: media.RolePublisher})
	h.event(media.Event{Kind: media.EventDisconnected, Session: id, Stream: "a", Role: media.RolePublisher, Reason: media.CloseFailed})
	if !h.reserve("x", 1) {
		t.Fatal("no place")
	}
	h.opened(id, &session{stream: "a", role: media.RolePublisher, client: "x"}, openOf(id))
	if _, there := h.session(id, "a", media.RolePublisher); there || !h.reserve("x", 1) {
		t.Error("a session that ended before its answer is still there")
	}
}

func TestFullDisk(t *testing.T) {
	r := serve(t)
	p := problemOf(fmt.Errorf("write: %w", store.ErrFull))
	if p.Status != http.StatusInsufficientStorage || wireError(p).Code != "internal" {
		t.Errorf("a full disk is %+v", p)
	}
	// The store is closed under the server: what was not stored is refused, nothing falls over.
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	if res := r.offer("/whip/a", r.key); res.StatusCode != http.StatusInternalServerError {
		t.Errorf("without a store: %s", describe(res))
	}
	if res := r.ask(http.MethodGet, "/readyz", nil); res.StatusCode == http.StatusOK {
		t.Errorf("ready without a store")
	}
}
