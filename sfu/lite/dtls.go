package lite

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"time"

	"github.com/fanfare-relay/fanfare/media"
)

// The numbers of RFC 6347 and RFC 5246 that matter after a handshake.
const (
	recordHeader           = 13
	recordChangeCipherSpec = 20
	recordAlert            = 21
	recordHandshake        = 22
	messageClientHello     = 1

	alertLevelFatal  = 2
	alertCloseNotify = 0
)

const (
	// repeatInterval is the least time between two repeats of our last flight.
	repeatInterval = 20 * time.Millisecond
	// maxAttempts is how many handshakes of a leg may fail. Only the peer itself can
	// begin one (it takes an authentic check), and a browser needs one.
	maxAttempts = 4
)

// afterHandshake is all that a leg keeps of its DTLS association. The connection of the
// library is gone: it would cost four goroutines a viewer.
type afterHandshake struct {
	// lastFlight is ChangeCipherSpec and Finished as they were sent. Repeating the
	// very bytes uses no nonce twice; a peer that has them takes them for a replay.
	lastFlight []byte
	repeated   time.Time
	// closeNotify is the record that the library made when it was closed.
	closeNotify []byte
	// alerts opens the peer's alerts: AES-128-GCM with its write key and IV.
	alertKey [16]byte
	alertIV  [4]byte
}

// receiveDTLS handles DTLS before, during and after the handshake.
func (l *Leg) receiveDTLS(b []byte, from Path, now time.Time, out *Out) DropReason {
	if !l.knows(from) {
		return DropUncheckedAddress
	}
	first, _, ok := nextRecord(b)
	if !ok {
		return DropDTLSMalformed
	}
	switch l.state {
	case stateConnected:
		return l.receiveRecords(b, from, now, out)
	case stateNew:
		if !first.isClientHello() || l.attempts == maxAttempts {
			return DropDTLSUnexpected
		}
		l.state = stateHandshaking
	}
	if !l.nominated {
		// The peer talks DTLS on the pair that it has selected, before it nominates.
		l.media = from
	}
	out.Handshake = append(out.Handshake, Datagram{Data: b, Path: from})
	return DropNone
}

// receiveRecords handles what comes after the handshake: repeats of the peer's last
// flight, when ours was lost, and alerts.
func (l *Leg) receiveRecords(b []byte, from Path, now time.Time, out *Out) DropReason {
	reason := DropDTLSUnexpected
	for len(b) > 0 {
		r, rest, ok := nextRecord(b)
		if !ok {
			return DropDTLSMalformed
		}
		b = rest
		switch r.kind() {
		case recordChangeCipherSpec, recordHandshake:
			// The whole flight may be in this datagram; one answer is enough.
			return l.repeatFlight(from, now, out)
		case recordAlert:
			reason = l.receiveAlert(r, out)
			if l.state == stateClosed {
				return reason
			}
		}
	}
	return reason
}

func (l *Leg) repeatFlight(to Path, now time.Time, out *Out) DropReason {
	if now.Sub(l.dtls.repeated) < repeatInterval {
		return DropDTLSRepeat
	}
	l.dtls.repeated = now
	out.send(out.keep(l.dtls.lastFlight), to)
	return DropNone
}

// receiveAlert believes an authentic close_notify or fatal alert and nothing else.
func (l *Leg) receiveAlert(r record, out *Out) DropReason {
	level, description, ok := l.dtls.openAlert(r)
	switch {
	case !ok:
		return DropDTLSAlert
	case description == alertCloseNotify:
		l.end(media.CloseByClient, out)
	case level == alertLevelFatal:
		l.end(media.CloseFailed, out)
	default:
		return DropDTLSAlert
	}
	return DropNone
}

// openAlert decrypts an alert record of epoch 1 (RFC 5288 section 3, RFC 6347 section
// 4.1.2.1). The cipher is made anew: it happens once in the life of a leg.
func (a *afterHandshake) openAlert(r record) (level, description byte, ok bool) {
	const explicit, tag, alert = 8, 16, 2
	if len(r) != recordHeader+explicit+alert+tag || binary.BigEndian.Uint16(r[3:]) == 0 {
		return 0, 0, false
	}
	block, err := aes.NewCipher(a.alertKey[:])
	if err != nil {
		return 0, 0, false
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return 0, 0, false
	}
	nonce := append(a.alertIV[:len(a.alertIV):len(a.alertIV)], r[recordHeader:recordHeader+explicit]...)
	data := append([]byte(nil), r[3:11]...) // epoch and sequence number
	data = append(data, r[0], r[1], r[2], 0, alert)
	plain, err := aead.Open(nil, nonce, r[recordHeader+explicit:], data)
	if err != nil {
		return 0, 0, false
	}
	return plain[0], plain[1], true
}

// record is one whole DTLS record with its header.
type record []byte

// nextRecord cuts the first record off a datagram.
func nextRecord(b []byte) (r record, rest []byte, ok bool) {
	if len(b) < recordHeader || b[1] != 0xFE {
		return nil, nil, false
	}
	n := recordHeader + int(binary.BigEndian.Uint16(b[11:]))
	if n > len(b) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

func (r record) kind() byte { return r[0] }

// IsSealedAlert tells whether b begins with an encrypted DTLS alert (RFC 6347 section 4.1), which a
// peer sends when it closes. Nobody has looked whether it is authentic.
func IsSealedAlert(b []byte) bool {
	r, _, ok := nextRecord(b)
	return ok && r.kind() == recordAlert && binary.BigEndian.Uint16(r[3:]) != 0
}

// isClientHello is also true for a fragment of one.
func (r record) isClientHello() bool {
	return r.kind() == recordHandshake && binary.BigEndian.Uint16(r[3:]) == 0 &&
		len(r) > recordHeader && r[recordHeader] == messageClientHello
}

// Finish gives the leg the result of its handshake, or Result{Err: err} when it could not
// begin. Afterwards the leg is connected, or waits for another ClientHello, or (wrong
// fingerprint) is closed.
func (l *Leg) Finish(r Result, now time.Time, out *Out) {
	l.Advance(now, out) // a result after the deadline comes too late
	if l.state != stateHandshaking {
		return
	}
	if r.Err == nil {
		r.Err = l.connect(r, out)
	}
	switch {
	case r.Err == nil:
	case errors.Is(r.Err, ErrFingerprint):
		l.end(media.CloseFailed, out)
	default:
		l.state = stateNew
		if !errors.Is(r.Err, ErrBusy) {
			l.attempts++
		}
	}
}

// connect installs the keys.
func (l *Leg) connect(r Result, out *Out) error {
	session, err := newSession(r.Profile, &r.keys)
	if err != nil {
		return err
	}
	for _, ssrc := range l.repeats {
		session.allowRepeats(uint32(ssrc))
	}
	l.srtp = session
	l.dtls = &afterHandshake{
		lastFlight: r.lastFlight, closeNotify: r.closeNotify,
		alertKey: r.alertKey, alertIV: r.alertIV,
	}
	l.state = stateConnected
	out.event(Event{Kind: EventConnected, Path: l.media})
	return nil
}
