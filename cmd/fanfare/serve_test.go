package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-relay/fanfare/endpoint"
	"github.com/fanfare-relay/fanfare/media"
)

// text is what a command writes, while it writes.
type text struct {
	mu   sync.Mutex
	b    bytes.Buffer
	copy io.Writer // nil for none
}

func (w *text) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.copy != nil {
		_, _ = w.copy.Write(p)
	}
	return w.b.Write(p)
}

// also copies what is written from now on.
func (w *text) also(to io.Writer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.copy = to
}

func (w *text) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// command runs a command to its end.
func command(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err text
	code = run(t.Context(), args, stdio{strings.NewReader(stdin), &out, &err})
	return code, out.String(), err.String()
}

// running is a server in this process.
type running struct {
	t      *testing.T
	url    string
	banner string
	log    *text
	stop   func() int
}

// startServer runs serve on free ports and returns when it has said where it is.
func startServer(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	read, write := io.Pipe()
	r := &running{t: t, log: &text{}}
	ended := make(chan int, 1)
	go func() {
		args := append([]string{"serve", "--listen", "127.0.0.1:0", "--udp", "127.0.0.1:0"}, args...)
		ended <- run(ctx, args, stdio{strings.NewReader(""), write, r.log})
		_ = write.Close()
	}()
	r.stop = sync.OnceValue(func() int {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { r.stop() })
	lines := bufio.NewScanner(read)
	for lines.Scan() {
		r.banner += lines.Text() + "\n"
		if m := regexp.MustCompile(`Home +(\S+)/$`).FindStringSubmatch(lines.Text()); m != nil {
			r.url = m[1]
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, read) }() // ends when serve does
	if r.url == "" {
		t.Fatalf("serve ended with %d: %s", r.stop(), r.log)
	}
	return r
}

func (r *running) post(path, key, body string) int {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/sdp")
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func TestPublishKeyByFlag(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("a key from a file, long enough\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "--data", t.TempDir(), "--publish-key", "@"+file)
	if strings.Contains(s.banner, "#key=") {
		t.Errorf("a given key needs no other:\n%s", s.banner)
	}
	if got := s.post("/whip/a", "a key from a file, long enough", "no offer"); got != http.StatusBadRequest {
		t.Errorf("the key is not taken: %d", got)
	}
}

func TestServeSaysWhatToDo(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tcp.Close() }()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = udp.Close() }()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "fanfare.db"), []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	locked := t.TempDir()
	startServer(t, "--data", locked)
	for name, tt := range map[string]struct {
		args []string
		code int
		say  string
	}{
		"web port taken":           {[]string{"--listen", tcp.Addr().String()}, exitFailed, "choose another with --listen"},
		"media port taken":         {[]string{"--listen", "127.0.0.1:0", "--udp", udp.LocalAddr().String()}, exitFailed, "choose another with --udp"},
		"not this machine":         {[]string{"--listen", "192.0.2.1:8080"}, exitFailed, "check --listen"},
		"no address":               {[]string{"--listen", "8080"}, exitUsage, "--listen"},
		"no port":                  {[]string{"--listen", "127.0.0.1:http-ish"}, exitUsage, "--listen"},
		"unreadable certificate":   {[]string{"--listen", "127.0.0.1:0", "--tls-cert", filepath.Join(dir, "none"), "--tls-key", file}, exitFailed, "check --tls-cert and --tls-key"},
		"no certificate":           {[]string{"--listen", "127.0.0.1:0", "--tls-cert", file, "--tls-key", file}, exitFailed, "check --tls-cert and --tls-key"},
		"certificate without key":  {[]string{"--tls-cert", file}, exitUsage, "give both or neither"},
		"two certificates":         {[]string{"--tls-self", "--tls-cert", file, "--tls-key", file}, exitUsage, "--tls-self"},
		"dev for everybody":        {[]string{"--dev", "--listen", ":8080"}, exitUsage, "127.0.0.1 only"},
		"dev on an address":        {[]string{"--dev", "--listen", "192.0.2.1:8080"}, exitUsage, "127.0.0.1 only"},
		"data folder is a file":    {[]string{"--data", file}, exitFailed, "choose another folder"},
		"data folder in use":       {[]string{"--data", locked}, exitFailed, "in use by another server"},
		"damaged database":         {[]string{"--data", damaged}, exitFailed, "move the file away"},
		"proxy that is none":       {[]string{"--listen", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--trusted-proxy", "next door"}, exitUsage, "--trusted-proxy"},
		"public address is a name": {[]string{"--listen", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--public-address", "here"}, exitUsage, "--public-address"},
		"public URL is no origin":  {[]string{"--listen", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--public-url", "live.example.org"}, exitUsage, "--public-url"},
		"less than no viewers":     {[]string{"--viewers-by-server", "-1"}, exitUsage, "--viewers-by-server"},
		"memory of less than none": {[]string{"--http-memory", "-1"}, exitUsage, "--http-memory"},
		"no address of TURN":       {[]string{"--turn", "https://turn.example.org", "--turn-secret", "s"}, exitUsage, "turn:turn.example.org"},
		"TURN without a secret":    {[]string{"--turn", "turn:turn.example.org"}, exitUsage, "--turn-secret"},
		"a secret of no TURN":      {[]string{"--turn-secret", "s"}, exitUsage, "no server"},
		"relay of less than none":  {[]string{"--file-relay", "-1"}, exitUsage, "--file-relay"},
		"secret's file is missing": {[]string{"--publish-key", "@" + filepath.Join(dir, "none")}, exitFailed, "secret's file"},
		"secret is empty":          {[]string{"--publish-key", "-"}, exitFailed, "empty"},
		"unknown flag":             {[]string{"--nonsense"}, exitUsage, "--help"},
		"playout of one time":      {[]string{"--playout-delay", "200ms"}, exitUsage, "--playout-delay"},
		"playout the wrong way":    {[]string{"--playout-delay", "2s,1s"}, exitUsage, "the shorter one first"},
		"playout too long":         {[]string{"--playout-delay", "0,41s"}, exitUsage, "40.95s"},
		"unknown level of the log": {[]string{"--log-level", "loud"}, exitUsage, "--log-level"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"serve"}, tt.args...)
			if !strings.Contains(strings.Join(tt.args, " "), "--data") {
				args = append(args, "--data", t.TempDir())
			}
			code, out, err := command(t, "", args...)
			if code != tt.code || !strings.Contains(err, tt.say) || strings.Count(err, "\n") != 1 || out != "" {
				t.Errorf("exit %d, want %d; standard error %q, want %q in it; standard output %q", code, tt.code, err, tt.say, out)
			}
		})
	}
}

func TestHelpTeaches(t *testing.T) {
	code, out, _ := command(t, "", "serve", "--help")
	for _, want := range []string{"--listen", "FANFARE_PUBLISH_KEY", "fanfare serve --demo", "--tls-self", "--trusted-proxy"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, no %q in\n%s", code, want, out)
		}
	}
	if code, out, _ := command(t, "", "version"); code != 0 || !strings.HasPrefix(out, "fanfare ") {
		t.Errorf("version: %d %q", code, out)
	}
}

func TestFlagsByEnvironment(t *testing.T) {
	t.Setenv("FANFARE_DATA", t.TempDir())
	t.Setenv("FANFARE_PUBLISH_KEY", "a key from the environment")
	t.Setenv("FANFARE_PUBLIC_URL", "https://live.example.org")
	t.Setenv("FANFARE_PLAYOUT_DELAY", "0,200ms")
	t.Setenv("FANFARE_UDP_SEGMENT", "false")
	t.Setenv("FANFARE_TRUSTED_PROXY", "10.0.0.0/8,192.0.2.1")
	ctx, cancel := context.WithCancel(t.Context())
	var out text
	done := make(chan int, 1)
	started := writerFunc(func(p []byte) (int, error) {
		cancel() // it is up, and that is all this test asks for
		return out.Write(p)
	})
	go func() {
		done <- run(ctx, []string{"serve", "--listen", "127.0.0.1:0", "--udp", "127.0.0.1:0"}, stdio{strings.NewReader(""), started, &text{}})
	}()
	if code := <-done; code != 0 || !strings.Contains(out.String(), "https://live.example.org/studio\n") {
		t.Errorf("exit %d:\n%s", code, out.String())
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(" from the file \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[secret]string{
		"": "", "plain": "plain", "-": "from standard input", secret("@" + file): "from the file",
	} {
		got, err := in.read(strings.NewReader("from standard input\nsecond line\n"))
		if err != nil || got != want {
			t.Errorf("%q: %q %v, want %q", string(in), got, err, want)
		}
	}
	if text := secret("canary").LogValue().String(); strings.Contains(text, "canary") {
		t.Errorf("the log shows %q", text)
	}
}

// TestDemo watches the demo as any player would: the relay, the publisher, the rooms and the
// viewer are all the real ones.
func TestDemo(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--data", t.TempDir(), "--demo", "--dev")
	if strings.Contains(s.banner, "/w/demo") && !strings.Contains(s.banner, s.url) {
		t.Errorf("banner\n%s", s.banner)
	}
	identity, err := endpoint.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	seen := map[media.Codec]int{}
	viewer := endpoint.NewViewer(endpoint.ViewerConfig{
		URL: s.url + "/whep/" + demoStream,
		OnFrame: func(f endpoint.Frame) {
			seen[f.Codec]++
			if seen[media.CodecVP8] >= 10 && seen[media.CodecOpus] >= 10 {
				cancel()
			}
		},
	}, identity)
	// The demo may need a moment to make its stream; until then the server knows of none.
	for ctx.Err() == nil {
		_ = viewer.Run(ctx) // why it ended is seen in what it saw
	}
	if seen[media.CodecVP8] < 10 || seen[media.CodecOpus] < 10 {
		t.Errorf("seen %v; log\n%s", seen, s.log)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("ended with %d", code)
	}
}

func TestDataFolder(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_DATA_HOME", home)
	if got, err := dataFolder(""); err != nil || got != filepath.Join(home, "fanfare") {
		t.Errorf("%q %v", got, err)
	}
	if got, err := dataFolder("here"); err != nil || got != "here" {
		t.Errorf("%q %v", got, err)
	}
}

// Problem documents are the same over a real listener.
func TestBadOffersAgainstTheRealRelay(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--data", t.TempDir(), "--dev", "--publish-key", "a key for this test")
	section := "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:%d\r\na=rtpmap:96 VP8/90000\r\na=sendonly\r\n"
	head := "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef0123456789\r\n" +
		"a=fingerprint:sha-256 " + strings.TrimSuffix(strings.Repeat("AB:", 32), ":") + "\r\na=setup:actpass\r\n"
	many := head
	for i := range 300 {
		many += fmt.Sprintf(section, i)
	}
	for name, offer := range map[string]string{
		"300 m-lines":    many,
		"RTP/AVP":        strings.ReplaceAll(head+fmt.Sprintf(section, 0), "UDP/TLS/RTP/SAVPF", "RTP/AVP"),
		"no fingerprint": regexp.MustCompile(`a=fingerprint[^\n]*\n`).ReplaceAllString(head+fmt.Sprintf(section, 0), ""),
		"only receives":  strings.ReplaceAll(head+fmt.Sprintf(section, 0), "sendonly", "recvonly"),
		"JSON":           `{"sdp":"v=0"}`,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/whip/a", strings.NewReader(offer))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/sdp")
		req.Header.Set("Authorization", "Bearer a key for this test")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct{ Type, Detail string }
		err = json.NewDecoder(res.Body).Decode(&doc)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusBadRequest || !strings.HasSuffix(doc.Type, ":offer") || doc.Detail == "" {
			t.Errorf("%s: %d %+v %v", name, res.StatusCode, doc, err)
		}
	}
}
