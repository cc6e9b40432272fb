package signalling

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/room"
)

// serveSocket is /ws.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	conn := s.upgrade(w, r)
	if conn == nil {
		return
	}
	defer s.sockets.Done()
	sock := newSocket(conn, s.log)
	written := make(chan struct{})
	go func() {
		sock.write()
		close(written)
	}()
	s.talk(sock, s.proxies.who(r), r.Host)
	<-written
}

// upgrade makes a WebSocket of the request, or answers why not and returns nil. The Origin of a
// page must be this host or the public one; programs send none. The caller tells s.sockets when
// it is done.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request) *websocket.Conn {
	if r.Header.Get("Upgrade") == "" {
		w.Header().Set("Upgrade", "websocket")
		problemNoWebSocket.write(w)
		return nil
	}
	if !s.originAllowed(r) {
		problemOrigin.write(w)
		return nil
	}
	if !s.hub.enter(&s.sockets) {
		problemShutdown.write(w)
		return nil
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the origin has been judged above, with a problem document
	})
	if err != nil {
		s.sockets.Done()
		return nil // Accept has answered
	}
	return conn
}

// originAllowed keeps pages of other sites from connecting in a viewer's name. Programs send no
// Origin; they have no visitors to abuse.
func (s *Server) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	host := hostOf(origin)
	return host != "" && (strings.EqualFold(host, r.Host) || strings.EqualFold(host, hostOf(s.cfg.PublicURL)))
}

// talk is a socket's life: hello, messages, leave.
func (s *Server) talk(sock *socket, from who, host string) {
	defer sock.kill("connection ended")
	s.figures.sockets.Inc()
	defer s.figures.sockets.Dec()
	h, err := sock.readHello()
	if err != nil {
		s.refuseHello(sock, err)
		return
	}
	id, welcome, refusal := s.admit(h, from, host, time.Now())
	if refusal != nil {
		s.log.Debug("hello refused", "address", from.address, "code", refusal.Code)
		sock.send(*refusal)
		sock.finish(partingRefused)
		sock.drain()
		return
	}
	sock.endpoint, sock.welcome = id, welcome
	if welcome.room.Kind == msg.RoomFiles {
		sock.out.ofFiles()
	}
	key := roomKey{welcome.room.Kind, welcome.room.Name}
	join := room.Join{
		Endpoint: id, Role: h.Role, Viewer: h.Viewer, Address: from.household,
		Near: s.near(key, from.household), Entry: welcome.entry,
	}
	if !s.hub.post(key, letter{in: join, hello: sock}) {
		sock.send(*wireError(&problemShutdown))
		sock.finish(partingShutdown)
		sock.drain()
		return
	}
	page := sock.read(func(m msg.ClientMessage) bool {
		return s.hub.post(key, letter{in: room.Receive{Endpoint: id, Message: m}, from: sock})
	})
	s.hub.post(key, letter{in: room.Leave{Endpoint: id, Page: page}, from: sock})
}

// refuseHello says why, as far as the other side can still hear it.
func (s *Server) refuseHello(sock *socket, err error) {
	switch {
	case errors.Is(err, msg.ErrBadMessage), errors.Is(err, msg.ErrTooLarge):
		sock.send(msg.Error{Code: msg.CodeOf(err), Text: "The first message must be a hello."})
		sock.finish(partingRefused)
		sock.drain()
	case errors.Is(err, errNotText):
		sock.finish(partingBinary)
		sock.drain()
	}
}
