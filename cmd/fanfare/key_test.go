package main

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

var keyInBanner = regexp.MustCompile(`/studio#key=(fanpub_[A-Za-z0-9_-]+)`)

func TestFirstStartPrintsTheKeyOnce(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	first := startServer(t, "--data", data)
	m := keyInBanner.FindStringSubmatch(first.banner)
	if m == nil {
		t.Fatalf("no key in\n%s", first.banner)
	}
	key := m[1]
	if got := first.post("/whip/a", key, "no offer"); got != http.StatusBadRequest {
		t.Errorf("an offer that is none, with the key: %d", got)
	}
	if got := first.post("/whip/a", "wrong", "no offer"); got != http.StatusUnauthorized {
		t.Errorf("with a wrong key: %d", got)
	}
	if code := first.stop(); code != 0 {
		t.Errorf("ended with %d: %s", code, first.log)
	}
	if strings.Contains(first.log.String(), key) {
		t.Errorf("the log has the key:\n%s", first.log)
	}

	second := startServer(t, "--data", data)
	if keyInBanner.MatchString(second.banner) || !strings.Contains(second.banner, "/studio\n") || !strings.Contains(second.banner, "fanfare key new") {
		t.Errorf("the second start prints\n%s", second.banner)
	}
	if got := second.post("/whip/a", key, "no offer"); got != http.StatusBadRequest {
		t.Errorf("the key is forgotten: %d", got)
	}
}

// A first start that fails must not use the key up: nobody has seen it.
func TestFirstStartThatFailsKeepsNoKey(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if code, _, err := command(t, "", "serve", "--data", data, "--listen", "192.0.2.1:8080"); code != exitFailed {
		t.Fatalf("ended with %d: %s", code, err)
	}
	if code, out, _ := command(t, "", "key", "list", "--data", data); code != 0 || out != "" {
		t.Errorf("keys: %d %q", code, out)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	nowhere := writerFunc(func([]byte) (int, error) { return 0, io.ErrClosedPipe })
	args := []string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--udp", "127.0.0.1:0"}
	if code := run(ctx, args, stdio{strings.NewReader(""), nowhere, &text{}}); code != exitFailed {
		t.Errorf("a banner that cannot be printed: %d", code)
	}
	if s := startServer(t, "--data", data); !keyInBanner.MatchString(s.banner) {
		t.Errorf("the first start that works prints\n%s", s.banner)
	}
}

func TestKeyNewBesideARunningServer(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, "--data", data, "--dev")
	for _, tt := range []struct {
		args        []string
		prefix      string
		mine, other int
	}{
		{nil, "fanpub_", http.StatusBadRequest, http.StatusBadRequest},
		{[]string{"--stream", "lecture"}, "fanstr_", http.StatusBadRequest, http.StatusForbidden},
	} {
		code, out, err := command(t, "", append([]string{"key", "new", "--data", data}, tt.args...)...)
		key := strings.TrimSpace(out)
		if code != 0 || !strings.HasPrefix(key, tt.prefix) || strings.Contains(err, key) {
			t.Fatalf("key new %v: %d %q %q", tt.args, code, out, err)
		}
		if got := s.post("/whip/lecture", key, "no offer"); got != tt.mine {
			t.Errorf("%v: own stream %d, want %d", tt.args, got, tt.mine)
		}
		if got := s.post("/whip/other", key, "no offer"); got != tt.other {
			t.Errorf("%v: another stream %d, want %d", tt.args, got, tt.other)
		}
	}
	if code, _, err := command(t, "", "key", "new", "--data", data, "--stream", "a b"); code != exitUsage || !strings.Contains(err, "--stream") {
		t.Errorf("a bad name: %d %q", code, err)
	}
}

func TestKeysAreListedAndRevoked(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if code, out, err := command(t, "", "key", "list", "--data", data); code != 0 || out != "" || !strings.Contains(err, "no keys") {
		t.Errorf("an empty folder: %d %q %q", code, out, err)
	}
	s := startServer(t, "--data", data, "--dev")
	first := keyInBanner.FindStringSubmatch(s.banner)[1]
	_, other, said := command(t, "", "key", "new", "--data", data)
	_, _, _ = command(t, "", "key", "new", "--data", data, "--stream", "lecture")
	id := regexp.MustCompile(`short id is ([0-9a-f]{8})`).FindStringSubmatch(said)
	code, out, _ := command(t, "", "key", "list", "--data", data)
	if code != 0 || strings.Count(out, "new streams\n") != 2 || !strings.Contains(out, "the stream lecture\n") || id == nil || !strings.Contains(out, id[1]) {
		t.Fatalf("list: %d\n%s\n%s", code, out, said)
	}
	for _, secret := range []string{first, strings.TrimSpace(other)} {
		if strings.Contains(out, secret) {
			t.Errorf("the list shows a key:\n%s", out)
		}
	}
	for name, tt := range map[string]struct {
		id   string
		code int
		say  string
	}{
		"too short":       {id[1][:7], exitUsage, "too short"},
		"unknown":         {"00000000", exitFailed, "no key"},
		"the key itself":  {first, exitFailed, "no key"},
		"a path":          {"../../etc/passwd", exitFailed, "no key"},
		"one of two good": {"00000000 " + id[1], exitFailed, "no key"},
	} {
		code, _, err := command(t, "", append([]string{"key", "revoke", "--data", data}, strings.Fields(tt.id)...)...)
		if code != tt.code || !strings.Contains(err, tt.say) || strings.Count(err, "\n") != 1 {
			t.Errorf("%s: %d %q", name, code, err)
		}
	}
	if got := s.post("/whip/a", strings.TrimSpace(other), "no offer"); got != http.StatusBadRequest {
		t.Errorf("before: %d", got)
	}
	if code, out, err := command(t, "", "key", "revoke", "--data", data, strings.ToUpper(id[1])); code != 0 || out != "Revoked "+id[1]+"\n" {
		t.Errorf("revoke: %d %q %q", code, out, err)
	}
	if got := s.post("/whip/a", strings.TrimSpace(other), "no offer"); got != http.StatusUnauthorized {
		t.Errorf("after: %d", got)
	}
	if got := s.post("/whip/a", first, "no offer"); got != http.StatusBadRequest {
		t.Errorf("the other key: %d", got)
	}
}
