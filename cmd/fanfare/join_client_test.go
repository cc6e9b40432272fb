package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/logging"
	"github.com/pion/stun/v3"
)

// joiner is a viewer as cheap as one can be: it joins as a browser does (WHEP with a real browser's offer, a check,
// DTLS) and then only answers checks. Nothing of it is shared with the relay's own code.
type joiner struct {
	client      *http.Client
	offer       string
	certificate tls.Certificate
}

var (
	fingerprintLine = regexp.MustCompile(`a=fingerprint:[^\r\n]+`)
	ufragLine       = regexp.MustCompile(`a=ice-ufrag:([^\r\n]+)`)
	pwdLine         = regexp.MustCompile(`a=ice-pwd:([^\r\n]+)`)
	candidateLine   = regexp.MustCompile(`a=candidate:\S+ 1 udp \d+ (127\.0\.0\.1) (\d+) typ host`)
)

// newJoiner reads a real browser's offer.
func newJoiner(file string) (*joiner, error) {
	offer, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	certificate, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(certificate.Certificate[0])
	var digits []string
	for _, x := range hash {
		digits = append(digits, strings.ToUpper(hex.EncodeToString([]byte{x})))
	}
	text := fingerprintLine.ReplaceAllString(string(offer), "a=fingerprint:sha-256 "+strings.Join(digits, ":"))
	// Every browser has a connection of its own.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return &joiner{client: client, offer: text, certificate: certificate}, nil
}

// seatTaken is a viewer who has joined.
type seatTaken struct {
	conn     *net.UDPConn
	pwd      string // the viewer's own
	checked  chan struct{}
	media    chan struct{}
	toDTLS   chan []byte
	once     [2]sync.Once
	Answered time.Duration // from the POST to the answer
	Playing  time.Duration // to the first SRTP packet
}

// errRefused is a POST that was not answered with 201.
type errRefused struct {
	status     int
	retryAfter string
}

func (e errRefused) Error() string {
	return fmt.Sprintf("status %d, Retry-After %q", e.status, e.retryAfter)
}

// join returns when the first SRTP packet has come. The viewer stays until the seat is left.
func (j *joiner) join(ctx context.Context, url string) (*seatTaken, error) {
	begin := time.Now()
	ufrag, pwd := randomHex(4), randomHex(16)
	offer := ufragLine.ReplaceAllString(j.offer, "a=ice-ufrag:"+ufrag)
	offer = pwdLine.ReplaceAllString(offer, "a=ice-pwd:"+pwd)
	answer, err := j.post(ctx, url, offer)
	if err != nil {
		return nil, err
	}
	s := &seatTaken{pwd: pwd, checked: make(chan struct{}), media: make(chan struct{}), toDTLS: make(chan []byte, 64)}
	s.Answered = time.Since(begin)
	theirUfrag, theirPwd := ufragLine.FindStringSubmatch(answer), pwdLine.FindStringSubmatch(answer)
	at := candidateLine.FindStringSubmatch(answer)
	if theirUfrag == nil || theirPwd == nil || at == nil {
		return nil, fmt.Errorf("an answer without credentials or candidate: %q", answer)
	}
	remote, err := net.ResolveUDPAddr("udp4", at[1]+":"+at[2])
	if err != nil {
		return nil, err
	}
	if s.conn, err = net.DialUDP("udp4", nil, remote); err != nil {
		return nil, err
	}
	go s.read()
	if err := s.connect(ctx, j.certificate, theirUfrag[1]+":"+ufrag, theirPwd[1]); err != nil {
		s.leave()
		return nil, err
	}
	s.Playing = time.Since(begin)
	return s, nil
}

func (j *joiner) post(ctx context.Context, url, offer string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(offer))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/sdp")
	res, err := j.client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusCreated {
		return "", errRefused{res.StatusCode, res.Header.Get("Retry-After")}
	}
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func (s *seatTaken) connect(ctx context.Context, certificate tls.Certificate, user, key string) error {
	if err := s.check(ctx, user, key); err != nil {
		return err
	}
	conn, err := dtls.ClientWithOptions(s, s.conn.RemoteAddr(),
		dtls.WithCertificates(certificate), dtls.WithInsecureSkipVerify(true),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret), dtls.WithFlightInterval(time.Second),
		dtls.WithLoggerFactory(&logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}))
	if err != nil {
		return err
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	select {
	case <-s.media:
		return nil
	case <-ctx.Done():
		return errors.New("no media")
	}
}

// check nominates the one pair there is, again and again until it is answered.
func (s *seatTaken) check(ctx context.Context, user, key string) error {
	again := time.NewTicker(250 * time.Millisecond)
	defer again.Stop()
	for {
		m, err := stun.Build(stun.BindingRequest, stun.TransactionID, stun.NewUsername(user),
			stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
			stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0x6e, 0, 1, 0xff}},
			stun.RawAttribute{Type: stun.AttrUseCandidate},
			stun.NewShortTermIntegrity(key), stun.Fingerprint)
		if err != nil {
			return err
		}
		if _, err := s.conn.Write(m.Raw); err != nil {
			return err
		}
		select {
		case <-s.checked:
			return nil
		case <-again.C:
		case <-ctx.Done():
			return errors.New("no answer to a check")
		}
	}
}

// read sorts what comes (RFC 7983) and ends with the socket.
func (s *seatTaken) read() {
	buf := make([]byte, 2048)
	for {
		n, err := s.conn.Read(buf)
		if err != nil {
			close(s.toDTLS)
			return
		}
		switch b := buf[:n]; {
		case n == 0:
		case b[0] < 2:
			s.readSTUN(b)
		case b[0] >= 20 && b[0] < 64:
			select {
			case s.toDTLS <- append([]byte(nil), b...):
			default:
			}
		case b[0] >= 128 && n > 12 && (b[1] < 192 || b[1] > 223):
			s.once[1].Do(func() { close(s.media) })
		}
	}
}

func (s *seatTaken) readSTUN(b []byte) {
	m := &stun.Message{Raw: append([]byte(nil), b...)}
	if m.Decode() != nil {
		return
	}
	switch m.Type {
	case stun.BindingSuccess:
		s.once[0].Do(func() { close(s.checked) })
	case stun.BindingRequest:
		local := s.conn.RemoteAddr().(*net.UDPAddr)
		answer, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess,
			&stun.XORMappedAddress{IP: local.IP, Port: local.Port}, stun.NewShortTermIntegrity(s.pwd), stun.Fingerprint)
		if err == nil {
			_, _ = s.conn.Write(answer.Raw)
		}
	}
}

// leave closes the socket, as a machine that loses its network does.
func (s *seatTaken) leave() { _ = s.conn.Close() }

// The rest is net.PacketConn for the DTLS library.

func (s *seatTaken) ReadFrom(b []byte) (int, net.Addr, error) {
	d, ok := <-s.toDTLS
	if !ok {
		return 0, nil, net.ErrClosed
	}
	return copy(b, d), s.conn.RemoteAddr(), nil
}

func (s *seatTaken) WriteTo(b []byte, _ net.Addr) (int, error) { return s.conn.Write(b) }
func (s *seatTaken) Close() error                              { return nil }
func (s *seatTaken) LocalAddr() net.Addr                       { return s.conn.LocalAddr() }
func (s *seatTaken) SetDeadline(time.Time) error               { return nil }
func (s *seatTaken) SetReadDeadline(time.Time) error           { return nil }
func (s *seatTaken) SetWriteDeadline(time.Time) error          { return nil }

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
