package signalling

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

func TestTURNValidate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		turn TURN
		good bool
	}{
		"none":             {TURN{}, true},
		"one user for all": {TURN{URLs: []string{"turn:turn.example.org:3478"}, User: "fanfare", Secret: "s"}, true},
		"a shared secret":  {TURN{URLs: []string{"turn:turn.example.org", "turns:[2001:db8::7]:5349?transport=tcp"}, Secret: "s"}, true},
		"no secret":        {TURN{URLs: []string{"turn:turn.example.org"}, User: "fanfare"}, false},
		"no server":        {TURN{Secret: "s"}, false},
		"another service":  {TURN{URLs: []string{"stun:turn.example.org"}, Secret: "s"}, false},
		"a page":           {TURN{URLs: []string{"https://turn.example.org"}, Secret: "s"}, false},
		"no address":       {TURN{URLs: []string{"turn:"}, Secret: "s"}, false},
		"another protocol": {TURN{URLs: []string{"turn:turn.example.org?transport=sctp"}, Secret: "s"}, false},
	} {
		if err := c.turn.Validate(); (err == nil) != c.good || err != nil && !errors.Is(err, ErrTURN) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTURNServers: the credentials of a member are those that TURN servers compute from the same secret.
func TestTURNServers(t *testing.T) {
	t.Parallel()
	urls := []string{"turn:a.example.org", "turns:b.example.org"}
	now := time.Unix(1_700_000_000, 0)
	shared := TURN{URLs: urls, Secret: "north"}.servers("q1fWtdUkFzvGxmW8mVQnDg", now)
	want := []msg.TURNServer{
		{URL: urls[0], Username: "1700086400:q1fWtdUkFzvGxmW8mVQnDg", Credential: "CuUDxAycAfKurKGkfnoMMZFQPII="},
		{URL: urls[1], Username: "1700086400:q1fWtdUkFzvGxmW8mVQnDg", Credential: "CuUDxAycAfKurKGkfnoMMZFQPII="},
	}
	if diff := cmp.Diff(want, shared); diff != "" {
		t.Errorf("a shared secret:\n%s", diff)
	}
	one := TURN{URLs: urls[:1], User: "fanfare", Secret: "south"}.servers("q1fWtdUkFzvGxmW8mVQnDg", now)
	if diff := cmp.Diff([]msg.TURNServer{{URL: urls[0], Username: "fanfare", Credential: "south"}}, one); diff != "" {
		t.Errorf("one user for all:\n%s", diff)
	}
	if none := (TURN{}).servers("q1fWtdUkFzvGxmW8mVQnDg", now); none != nil {
		t.Errorf("servers out of nothing: %v", none)
	}
}

// TestTURNIsForMembers: who is in the room is told, who has only the number of its code is not.
func TestTURNIsForMembers(t *testing.T) {
	r := serve(t, func(c *Config) { c.TURN = TURN{URLs: []string{"turn:turn.example.org"}, Secret: "north"} })
	up, uw := r.join(r.uploaderHello("a"))
	_, dw := r.join(receiverHello("a"))
	for who, w := range map[string]msg.Welcome{"uploader": uw, "receiver": dw} {
		if len(w.Files.TURN) != 1 || !strings.HasSuffix(w.Files.TURN[0].Username, ":"+w.Endpoint) {
			t.Errorf("the %s is told %v", who, w.Files.TURN)
		}
	}
	up.say(msg.OpenCode{})
	if _, gw := r.join(entryHello(await[msg.ShortCode](up).Number)); gw.Files.TURN != nil {
		t.Errorf("one who has a number is told %v", gw.Files.TURN)
	}
}
