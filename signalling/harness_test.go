package signalling

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
	"golang.org/x/crypto/bcrypt"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/room"
	"github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/signalling/token"
	"github.com/fanfare-relay/fanfare/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plane is a data plane for tests of the HTTP surface: sessions without media. A text that
// begins with "bad" is refused as the real one refuses an offer.
type plane struct {
	tell func(media.Event)

	mu       sync.Mutex
	made     int
	sessions map[media.SessionID]planeSession
	wishes   map[media.SessionID]media.Wish
	options  media.PublishOptions // of the newest offer of a publisher
	fail     error                // the next offer's
	missed   func()               // called by a Patch of a session that is not there; nil for nothing
}

type planeSession struct {
	stream string
	role   media.Role
}

func (p *plane) Publish(_ context.Context, stream, offer string, options media.PublishOptions) (media.Answer, error) {
	p.mu.Lock()
	p.options = options
	p.mu.Unlock()
	return p.open(stream, offer, media.RolePublisher)
}

func (p *plane) Subscribe(_ context.Context, stream, offer string) (media.Answer, error) {
	return p.open(stream, offer, media.RoleSubscriber)
}

func (p *plane) Lines(_ context.Context, stream string) map[media.SessionID]media.ViewerLine {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := map[media.SessionID]media.ViewerLine{}
	for id, s := range p.sessions {
		if s == (planeSession{stream, media.RoleSubscriber}) {
			list[id] = media.ViewerLine{Estimate: 1_200_000, Height: 540, Bound: media.BoundLine}
		}
	}
	return list
}

func (p *plane) Relaying(string) media.Relaying {
	return media.Relaying{In: 300, Out: 290, Dropped: []media.Dropped{{Reason: "layer", Packets: 10}}, Delays: []uint64{290}}
}

func (p *plane) open(stream, offer string, role media.Role) (media.Answer, error) {
	p.mu.Lock()
	err := p.fail
	p.fail = nil
	if strings.HasPrefix(offer, "bad") {
		err = fmt.Errorf("%w: it says so", media.ErrBadOffer)
	}
	if err != nil {
		p.mu.Unlock()
		return media.Answer{}, err
	}
	var replaced []media.SessionID
	for id, s := range p.sessions {
		if role == media.RolePublisher && s == (planeSession{stream, role}) {
			replaced = append(replaced, id)
		}
	}
	p.made++
	id := media.SessionID(fmt.Sprintf("session-number-%07d", p.made))
	p.sessions[id] = planeSession{stream, role}
	p.mu.Unlock()
	for _, old := range replaced {
		_ = p.Close(old, media.CloseReplaced) // it was there a moment ago
	}
	return media.Answer{Session: id, SDP: "v=0 answer", ETag: "etag-" + string(id)}, nil
}

func (p *plane) Patch(_ context.Context, id media.SessionID, fragment string) (media.PatchAnswer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.sessions[id] == planeSession{}:
		if p.missed != nil {
			p.missed()
		}
		return media.PatchAnswer{}, media.ErrNoSuchSession
	case strings.HasPrefix(fragment, "bad"):
		return media.PatchAnswer{}, fmt.Errorf("%w: it says so", media.ErrBadFragment)
	case strings.HasPrefix(fragment, "restart") && p.sessions[id].role == media.RolePublisher:
		return media.PatchAnswer{}, media.ErrNoRestart
	case strings.HasPrefix(fragment, "restart"):
		return media.PatchAnswer{Restarted: true, Fragment: "a=ice-ufrag:x", ETag: "etag-new"}, nil
	}
	return media.PatchAnswer{}, nil
}

func (p *plane) Wish(id media.SessionID, wish media.Wish) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sessions[id].role != media.RoleSubscriber {
		return media.ErrNoSuchSession
	}
	p.wishes[id] = wish
	return nil
}

// Picture has two qualities, and follows the wish at once.
func (p *plane) Picture(_ context.Context, id media.SessionID) (media.Picture, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sessions[id].role != media.RoleSubscriber {
		return media.Picture{}, media.ErrNoSuchSession
	}
	out := media.Picture{
		Qualities: []media.Quality{{RID: "q", Width: 320, Height: 180, Bitrate: 150_000}, {RID: "f", Width: 1280, Height: 720, Bitrate: 2_400_000}},
		Estimate:  3_000_000, Bound: media.BoundSource,
	}
	out.Current = &out.Qualities[1]
	if w := p.wishes[id]; w.Hidden || w.MaxHeight > 0 && w.MaxHeight <= 180 {
		out.Current, out.Bound = &out.Qualities[0], media.BoundWish
	}
	return out, nil
}

func (p *plane) Close(id media.SessionID, reason media.CloseReason) error {
	p.mu.Lock()
	s, ok := p.sessions[id]
	delete(p.sessions, id)
	p.mu.Unlock()
	if !ok {
		return media.ErrNoSuchSession
	}
	p.tell(media.Event{Kind: media.EventDisconnected, Session: id, Stream: s.stream, Role: s.role, Reason: reason})
	return nil
}

func (p *plane) CloseStream(stream string, reason media.CloseReason) {
	p.mu.Lock()
	var all []media.SessionID
	for id, s := range p.sessions {
		if s.stream == stream {
			all = append(all, id)
		}
	}
	p.mu.Unlock()
	for _, id := range all {
		_ = p.Close(id, reason) // another may have been faster
	}
}

// connect tells that a session is up.
func (p *plane) connect(id media.SessionID) {
	p.mu.Lock()
	s := p.sessions[id]
	p.mu.Unlock()
	p.tell(media.Event{Kind: media.EventConnected, Session: id, Stream: s.stream, Role: s.role})
}

func (p *plane) failNext(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = err
}

func (p *plane) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sessions)
}

// rig is a server with a plane, a store and a publish key.
type rig struct {
	t     testing.TB
	srv   *Server
	plane *plane
	store *store.Store
	dir   string // of the store
	key   string
	log   *lockedBuffer
	// url and client reach the server.
	url    string
	client *http.Client
	// patience is how long a page waits for a message.
	patience time.Duration
}

// lockedBuffer keeps the log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// embedded compresses the pages once for all tests.
var embedded = sync.OnceValues(web.New)

func openStore(t testing.TB, dir string) *store.Store {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// newServer makes a rig without a listener.
func newServer(t testing.TB, st *store.Store, change ...func(*Config)) *rig {
	t.Helper()
	site, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, store: st, key: token.NewPublishKey(), log: &lockedBuffer{}, patience: 30 * time.Second}
	r.plane = &plane{sessions: map[media.SessionID]planeSession{}, wishes: map[media.SessionID]media.Wish{}, tell: func(e media.Event) { r.srv.Event(e) }}
	if err := st.AddKey(token.HashKey(r.key), store.Key{}); err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Media: r.plane, Store: st, Site: site, PublicURL: "http://live.example.org", STUN: ":3478",
		Logger: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&cfg)
	}
	if r.srv, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	r.srv.passwordCost = bcrypt.MinCost
	return r
}

// serve makes a rig that listens on loopback and ends with the test. Rigs share nothing and
// wait a lot (for disks, and for counts that are told once a second), so they run side by side.
func serve(t *testing.T, change ...func(*Config)) *rig {
	t.Helper()
	t.Parallel()
	return listen(t, change...)
}

// listen is serve for one after the other, as benchmarks are.
func listen(t testing.TB, change ...func(*Config)) *rig {
	t.Helper()
	dir := t.TempDir()
	st := openStore(t, dir)
	r := newServer(t, st, change...)
	r.dir = dir
	ts := httptest.NewServer(r.srv.Handler())
	r.url, r.client = ts.URL, ts.Client()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := r.srv.Close(ctx); err != nil {
			t.Error(err)
		}
		ts.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func unlimited(c *Config) { c.Unlimited = true }

// ask sends a request; headers are pairs of name and value.
func (r *rig) ask(method, path string, body io.Reader, headers ...string) *http.Response {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(text))
	return res
}

// offer posts SDP with a bearer, "" for none.
func (r *rig) offer(path, bearer string) *http.Response {
	r.t.Helper()
	headers := []string{"Content-Type", "application/sdp"}
	if bearer != "" {
		headers = append(headers, "Authorization", "Bearer "+bearer)
	}
	return r.ask(http.MethodPost, path, strings.NewReader("v=0 offer"), headers...)
}

// publish makes a stream live by WHIP and returns its session URL.
func (r *rig) publish(stream string) (location string) {
	r.t.Helper()
	res := r.offer("/whip/"+stream, r.key)
	if res.StatusCode != http.StatusCreated {
		r.t.Fatalf("publish: %s", describe(res))
	}
	location = res.Header.Get("Location")
	r.plane.connect(sessionOf(location))
	return location
}

func sessionOf(location string) media.SessionID {
	return media.SessionID(location[strings.LastIndexByte(location, '/')+1:])
}

func describe(res *http.Response) string {
	text, _ := io.ReadAll(res.Body) // a buffer, see ask
	res.Body = io.NopCloser(bytes.NewReader(text))
	return fmt.Sprint(res.StatusCode, " ", string(text))
}

// page is an endpoint on /ws.
type page struct {
	t        testing.TB
	conn     *websocket.Conn
	patience time.Duration
}

func (r *rig) dial() *page {
	r.t.Helper()
	conn, _, err := websocket.Dial(r.t.Context(), r.url+"/ws", &websocket.DialOptions{HTTPClient: r.client})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(1 << 20)
	return &page{r.t, conn, r.patience}
}

// join dials and says hello.
func (r *rig) join(h msg.Hello) (*page, msg.Welcome) {
	r.t.Helper()
	p := r.dial()
	p.say(h)
	return p, await[msg.Welcome](p)
}

func viewerHello(stream string) msg.Hello {
	return msg.Hello{Version: msg.Version, Room: msg.RoomRef{Kind: msg.RoomStream, Name: stream}, Role: msg.RoleSubscriber}
}

func (r *rig) ownerHello(stream string) msg.Hello {
	h := viewerHello(stream)
	h.Role, h.Token = msg.RolePublisher, r.key
	return h
}

func (p *page) say(m msg.ClientMessage) {
	p.t.Helper()
	data, err := msg.Encode(m)
	if err != nil {
		p.t.Fatal(err)
	}
	p.write(websocket.MessageText, data)
}

func (p *page) write(kind websocket.MessageType, data []byte) {
	p.t.Helper()
	if err := p.conn.Write(p.t.Context(), kind, data); err != nil {
		p.t.Fatal(err)
	}
}

// next reads one message; the error is the connection's end.
func (p *page) next() (msg.ServerMessage, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), p.patience)
	defer cancel()
	_, data, err := p.conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	m, err := msg.DecodeServer(data)
	if err != nil {
		p.t.Fatalf("%s: %v", data, err)
	}
	return m, nil
}

// await skips messages until one of this type.
func await[M msg.ServerMessage](p *page) M {
	p.t.Helper()
	return awaitThat(p, func(M) bool { return true })
}

func awaitThat[M msg.ServerMessage](p *page, wanted func(M) bool) M {
	p.t.Helper()
	for {
		m, err := p.next()
		if err != nil {
			var want M
			p.t.Fatalf("waiting for %s: %v", want.Type(), err)
		}
		if got, ok := m.(M); ok && wanted(got) {
			return got
		}
	}
}

func (p *page) awaitState(s msg.StreamState) {
	p.t.Helper()
	awaitThat(p, func(m msg.State) bool { return m.State == s })
}

// closed reads to the end and returns the close code.
func (p *page) closed() websocket.StatusCode {
	p.t.Helper()
	for {
		if _, err := p.next(); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

func openOf(id media.SessionID) room.Open {
	return room.Open{Session: id, Role: media.RolePublisher}
}

// cheapHash spares the race detector what it multiplies.
func cheapHash(password string) ([]byte, error) { return store.HashPassword(password, bcrypt.MinCost) }
