package signalling

import (
	"context"
	"errors"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/msg"
	"github.com/fanfare-relay/fanfare/signalling/room"
	"github.com/fanfare-relay/fanfare/signalling/store"
	"github.com/fanfare-relay/fanfare/signalling/token"
)

// runRoom is a room's goroutine: it reads letters, lets the state decide, carries out what it
// says, and sleeps until its deadline. It ends when nobody needs the room.
func (s *Server) runRoom(r *liveRoom) {
	r.state = s.newState(r.key, time.Now())
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		letters, closing := s.hub.take(r)
		for _, l := range letters {
			s.deliver(r, l)
		}
		if closing {
			s.farewell(r)
			return
		}
		if len(letters) == 0 {
			s.step(r, room.Tick{})
		}
		if r.state.Empty() && len(r.sockets) == 0 && s.hub.retire(r) {
			return
		}
		timer.Stop()
		if at, ok := r.state.Deadline(); ok {
			timer.Reset(time.Until(at))
		}
		select {
		case <-r.wake:
		case <-timer.C:
		}
	}
}

// roomState decides what happens in a room.
type roomState interface {
	Step(room.Input, time.Time) []room.Output
	Deadline() (time.Time, bool)
	Empty() bool
}

func (s *Server) newState(key roomKey, now time.Time) roomState {
	if key.kind == msg.RoomFiles {
		return room.NewFiles(s.filesConfig(key.name, now))
	}
	return room.New(s.roomConfig(key, now), now)
}

// roomConfig is what the store knows of a stream.
func (s *Server) roomConfig(key roomKey, now time.Time) room.Config {
	c := room.Config{State: msg.StateIdle, ServerRoom: s.cfg.ServerRoom}
	rec, _, err := s.cfg.Store.Stream(key.name)
	if err != nil {
		s.log.Error("the stream's record cannot be read", "stream", key.name, "err", err)
	}
	c.Title, c.Access = rec.Title, accessOf(rec)
	switch {
	case rec.Live && now.Before(s.started.Add(room.Hold)):
		c.State = msg.StateAway // the server went down under it
	case !rec.LastLive.IsZero():
		c.State = msg.StateEnded
	}
	return c
}

func accessOf(rec store.Stream) msg.Access {
	return msg.Access{Password: len(rec.Password) > 0, Embed: rec.Embed}
}

// deliver takes one letter, and minds which socket speaks for an endpoint.
func (s *Server) deliver(r *liveRoom, l letter) {
	switch in := l.in.(type) {
	case room.Join:
		if old := r.sockets[in.Endpoint]; old != nil {
			old.finish(partingDone) // the same endpoint on a newer connection
		}
		r.sockets[in.Endpoint] = l.hello
	case room.Leave:
		if r.sockets[in.Endpoint] != l.from {
			return
		}
		delete(r.sockets, in.Endpoint)
		s.hub.absent(r, in.Endpoint)
	case room.Receive:
		if r.sockets[in.Endpoint] != l.from {
			return
		}
	}
	s.step(r, l.in)
}

func (s *Server) step(r *liveRoom, in room.Input) {
	// Carrying out an order may step again, and the outputs are good until the next step only.
	for _, o := range append([]room.Output(nil), r.state.Step(in, time.Now())...) {
		s.carryOut(r, o)
	}
}

func (s *Server) carryOut(r *liveRoom, o room.Output) {
	switch o := o.(type) {
	case room.Admit:
		s.welcome(r, o)
	case room.Send:
		if sock := r.sockets[o.To]; sock != nil {
			sock.send(o.Message)
		}
	case room.Carry:
		s.carry(r, o)
	case room.CloseEndpoint:
		if sock := r.sockets[o.Endpoint]; sock != nil {
			delete(r.sockets, o.Endpoint)
			sock.finish(partingDone)
		}
		s.hub.absent(r, o.Endpoint)
	case room.CloseSession:
		if s.plays.end(o.Session) {
			return
		}
		if err := s.cfg.Media.Close(o.Session, o.Reason); err != nil && !errors.Is(err, media.ErrNoSuchSession) {
			s.log.Warn("session not closed", "session", o.Session.Short(), "reason", o.Reason, "err", err)
		}
	case room.CloseStream:
		s.log.Info("stream closed", "stream", r.key.name, "reason", o.Reason)
		s.cfg.Media.CloseStream(r.key.name, o.Reason)
		if recording := s.spool.Recording(r.key.name); recording != nil {
			recording.Close()
		}
	case room.Measure:
		s.hub.running.Go(func() { s.measure(r.key) })
	case room.SaveFiles, room.TakeNumber, room.FreeNumber, room.PutOut, room.EndRoom:
		s.carryOutFiles(r, o)
	default:
		s.save(r, o)
	}
}

// linesWithin is how long the data plane may take to say what viewers get.
const linesWithin = 2 * time.Second

// measure asks what viewers of a stream get and what the server does with it, beside the room, which does not wait.
func (s *Server) measure(key roomKey) {
	ctx, cancel := context.WithTimeout(context.Background(), linesWithin)
	defer cancel()
	s.hub.post(key, letter{in: room.Measured{
		Lines: s.cfg.Media.Lines(ctx, key.name), Relaying: s.cfg.Media.Relaying(key.name),
	}})
}

// welcome says hello back; tokens were made when the hello was judged.
func (s *Server) welcome(r *liveRoom, a room.Admit) {
	sock := r.sockets[a.Endpoint]
	if sock == nil {
		return
	}
	w := sock.welcome
	if a.Files != nil {
		a.Files.Relay = w.relay
		if !w.entry {
			a.Files.TURN = s.cfg.TURN.servers(a.Endpoint, time.Now())
			s.hub.present(r, a.Endpoint)
		}
	}
	sock.send(msg.Welcome{
		Endpoint: a.Endpoint, Room: w.room, Role: w.role, Instance: s.instance, Resume: w.resume,
		MediaToken: w.mediaToken, MediaURL: w.mediaURL, PublicURL: s.cfg.PublicURL, STUN: w.stun,
		Stream: a.Stream, Viewers: a.Viewers, Access: a.Access,
		Files: a.Files,
	})
}

func (s *Server) carry(r *liveRoom, c room.Carry) {
	to := r.sockets[c.To]
	if to != nil && to.carry(msg.Deliver{From: c.From, Sealed: c.Sealed}) {
		s.figures.envelopes.WithLabelValues("carried").Inc()
		return
	}
	s.figures.envelopes.WithLabelValues("slow").Inc()
	if from := r.sockets[c.From]; from != nil {
		from.send(msg.Undelivered{To: c.To, Code: msg.CodeRate})
	}
}

// save carries out what must outlive the room. A full disk does not end a stream: what cannot
// be remembered is told to the owner, and logged.
func (s *Server) save(r *liveRoom, o room.Output) {
	var err error
	switch o := o.(type) {
	case room.SaveAccess:
		err = s.saveAccess(r, o)
	case room.ChangeLink:
		err = s.changeLink(r, o)
	default:
		if err = s.remember(r.key.name, o); err != nil {
			s.step(r, room.SaveFailed{})
		}
	}
	if err != nil {
		s.log.Error("the stream's record cannot be written", "stream", r.key.name, "err", err)
	}
}

// remember stores what nobody waits for.
func (s *Server) remember(stream string, o room.Output) error {
	switch o := o.(type) {
	case room.Remember:
		return s.cfg.Store.Remove(stream, o.Subject, time.Now())
	case room.SaveTitle:
		return s.cfg.Store.UpdateStream(stream, func(rec *store.Stream) { rec.Title = o.Title })
	case room.SaveLive:
		s.log.Info("stream state", "stream", stream, "live", o.Live)
		return s.cfg.Store.UpdateStream(stream, func(rec *store.Stream) {
			if rec.Live = o.Live; o.Live {
				rec.LastLive = time.Now().UTC()
			}
		})
	}
	return nil
}

func (s *Server) saveAccess(r *liveRoom, o room.SaveAccess) error {
	var hash []byte
	var err error
	if o.Set.Password != nil {
		hash, err = store.HashPassword(*o.Set.Password, s.passwordCost)
	}
	var access msg.Access
	if err == nil {
		err = s.cfg.Store.UpdateStream(r.key.name, func(rec *store.Stream) {
			if o.Set.Password != nil {
				rec.Password = hash
			}
			if o.Set.Embed != nil {
				rec.Embed = *o.Set.Embed
			}
			access = accessOf(*rec)
		})
	}
	if err != nil {
		s.tellFailure(r, o.By, err)
		return err
	}
	s.step(r, room.AccessSaved{Access: access})
	return nil
}

func (s *Server) changeLink(r *liveRoom, o room.ChangeLink) error {
	name := token.NewName()
	if err := s.cfg.Store.RenameStream(r.key.name, name); err != nil {
		s.tellFailure(r, o.By, err)
		return err
	}
	s.log.Info("link changed", "stream", r.key.name)
	s.step(r, room.LinkChanged{Name: name, URL: s.cfg.PublicURL + "/w/" + name})
	return nil
}

func (s *Server) tellFailure(r *liveRoom, endpoint string, err error) {
	if sock := r.sockets[endpoint]; sock != nil {
		sock.send(*wireError(problemOf(err)))
	}
}

// farewell tells everyone that the server stops. Streams stay "live" in the store, so that
// they are "back in a moment" when the server is.
func (s *Server) farewell(r *liveRoom) {
	for _, sock := range r.sockets {
		sock.send(msg.Goodbye{Code: msg.CodeShutdown, Text: "The server is being stopped or restarted.", RetryAfter: 1})
		sock.finish(partingShutdown)
	}
}

// Event is the data plane's way in: give it to the data plane as its OnEvent. It does not block.
func (s *Server) Event(e media.Event) { s.hub.event(e) }

// Close says goodbye to every endpoint, and waits for rooms and sockets until ctx ends. The
// data plane is its owner's to close.
func (s *Server) Close(ctx context.Context) error {
	s.closing.Do(func() {
		s.stop()
		s.spool.Close()
		s.hub.close()
	})
	ended := make(chan struct{})
	go func() {
		s.sockets.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
