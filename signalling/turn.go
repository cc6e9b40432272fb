package signalling

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what TURN servers compute, see servers
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/pion/stun/v3"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// turnLife is how long credentials are good that are made for one member.
const turnLife = 24 * time.Hour

// TURN are TURN servers (RFC 8656) that the operator lends to members of rooms of files.
type TURN struct {
	// URLs as in RFC 7065: "turn:turn.example.org:3478", "turns:turn.example.org?transport=tcp".
	URLs []string
	// User and Secret are what all members show. Without a User the Secret is one that the TURN servers
	// share with this server, and each member is given credentials of its own that end after a day.
	User, Secret string
}

// ErrTURN is for servers that cannot be used.
var ErrTURN = errors.New("the TURN servers cannot be used")

// Validate tells whether they can be used; the error is ErrTURN.
func (t TURN) Validate() error {
	for _, text := range t.URLs {
		if u, err := stun.ParseURI(text); err != nil || (u.Scheme != stun.SchemeTypeTURN && u.Scheme != stun.SchemeTypeTURNS) {
			return fmt.Errorf("%w: %q is no address such as turn:turn.example.org:3478 or turns:turn.example.org?transport=tcp", ErrTURN, text)
		}
	}
	if len(t.URLs) > 0 && t.Secret == "" {
		return fmt.Errorf("%w: there is no secret for them", ErrTURN)
	}
	if len(t.URLs) == 0 && (t.User != "" || t.Secret != "") {
		return fmt.Errorf("%w: there is a user or a secret, and no server", ErrTURN)
	}
	return nil
}

// servers is what a member is told. Credentials of its own are made the way that TURN servers know as
// their REST API (draft-uberti-behave-turn-rest-00, section 2.2), which wants HMAC-SHA-1.
func (t TURN) servers(endpoint string, now time.Time) []msg.TURNServer {
	if len(t.URLs) == 0 {
		return nil
	}
	user, credential := t.User, t.Secret
	if user == "" {
		user = strconv.FormatInt(now.Add(turnLife).Unix(), 10) + ":" + endpoint
		mac := hmac.New(sha1.New, []byte(t.Secret))
		mac.Write([]byte(user))
		credential = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	var out []msg.TURNServer
	for _, url := range t.URLs {
		out = append(out, msg.TURNServer{URL: url, Username: user, Credential: credential})
	}
	return out
}
