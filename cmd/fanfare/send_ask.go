package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/fanfare-relay/fanfare/mesh/peer"
	"github.com/fanfare-relay/fanfare/mesh/seal"
)

// The sender's person: is asked about those who wait to be let in, and removes those who are in.

// attend puts one question after the other, and carries out what is typed. At a terminal something can be typed at
// any time; what another program writes is an answer, and taken when there is a question.
func (s *sending) attend(ctx context.Context) {
	var lines chan string // nil where nobody is, or not any more
	if s.asks() {
		lines = readLines(ctx, s.std.in)
	}
	var about *peer.Asked
	for {
		waiting, typed := s.waiting, lines
		if about != nil {
			waiting = nil
		} else if !s.terminal {
			typed = nil
		}
		select {
		case <-ctx.Done():
			return
		case who := <-waiting:
			s.warn(who)
			if lines == nil {
				s.refuse(who)
				continue
			}
			about = &who
			s.status.say(question(who, s.words(who.Key, who.Name)))
		case line, ok := <-typed:
			switch {
			case ok && s.removes(line):
				continue
			case !ok:
				lines = nil
				s.unread.Store(true)
			}
			if about != nil && ok {
				s.peer.Decide(about.Key, isYes(line))
			} else if about != nil {
				s.refuse(*about)
			}
			about = nil
		}
	}
}

// warn says once that somebody may be guessing the password.
func (s *sending) warn(who peer.Asked) {
	if who.Guessed && !s.warned {
		s.warned = true
		s.status.say(s.guessed())
	}
}

// refuse is the answer where nobody can give one.
func (s *sending) refuse(who peer.Asked) {
	why := "."
	if s.asks() {
		why = ": standard input has ended, so nobody can answer."
	}
	s.status.say(nameOrSomebody(who.Name) + " was refused" + why)
	s.peer.Decide(who.Key, false)
}

// readLines reads lines until ctx ends. The goroutine ends with the process: a terminal cannot be told to stop
// waiting. A program in the background is not stopped for it; it then has nobody to ask.
func readLines(ctx context.Context, from io.Reader) chan string {
	ignoreTerminalStops()
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(from); scan.Scan(); {
			select {
			case lines <- scan.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}

// asks tells whether somebody is there to be asked, though --approve was not given.
func (s *sending) asks() bool { return s.cmd.Approve || s.terminal }

// guessed says what follows from too many wrong passwords.
func (s *sending) guessed() string {
	if s.asks() && !s.unread.Load() {
		return "Somebody may be guessing the password: it was wrong too often. From now on you are asked about each who knows it."
	}
	return "Somebody may be guessing the password: it was wrong too often. Nobody else is let in, as nobody can be asked here. Interrupt, and send again with --new-link and another password."
}

// question asks about one who waits, with the check words.
func question(who peer.Asked, words string) string {
	name := nameOrSomebody(who.Name)
	return name + " asks to come in." + checkSentence(words, name) + " Type y to let it in, n to refuse."
}

func isYes(line string) bool {
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}

// letsIn says who was let in, and how to take that back where somebody can: nobody can type at a terminal that is
// not read any more, as in the background.
func (s *sending) letsIn(who peer.Admitted) {
	number, words := s.inside.add(who), "Let in: "+nameOrSomebody(who.Name)+"."
	if s.terminal && !s.unread.Load() {
		words += fmt.Sprintf(" Type remove %d to take that back.", number)
	}
	s.status.say(words)
}

// removes takes the word "remove", with a number or a name; false for another line.
func (s *sending) removes(line string) bool {
	word, whom, _ := strings.Cut(strings.TrimSpace(line), " ")
	if word != "remove" {
		return false
	}
	who, words := s.inside.find(strings.TrimSpace(whom))
	if words == "" {
		words = s.remove(who)
	}
	s.status.say(words)
	return true
}

// remove puts somebody out for good, and says what came of it.
func (s *sending) remove(who peer.Admitted) (words string) {
	removed, err := s.peer.Remove(who.Key)
	if err != nil && !errors.Is(err, peer.ErrManyRemoved) {
		return "Cannot remove " + nameOrSomebody(who.Name) + ": " + err.Error() + "."
	}
	s.inside.remove(who.Key)
	s.events.write("removed", map[string]any{"name": who.Name})
	words = nameOrSomebody(who.Name) + " was removed, and gets nothing more."
	if err != nil {
		words = nameOrSomebody(who.Name) + " was removed here, but " + err.Error() + "; end this and send again with --new-link."
	}
	if err := s.session.remove(removed); err != nil {
		words += " Nobody remembers that after a restart: " + err.Error() + "."
	}
	return words
}

// inside are those who were let in and not removed, by numbers: anybody can take another's name.
type inside struct {
	mu  sync.Mutex
	all []peer.Admitted // by their numbers, from 1 on
	out map[seal.PublicKey]bool
}

func (in *inside) add(who peer.Admitted) (number int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.number(who)
}

func (in *inside) number(who peer.Admitted) int {
	for i, one := range in.all {
		if one.Key == who.Key {
			return i + 1
		}
	}
	in.all = append(in.all, who)
	return len(in.all)
}

// note takes up receivers of an earlier run, who are not let in once more.
func (in *inside) note(peers []peer.PeerStatus) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, p := range peers {
		in.number(peer.Admitted{Key: p.Key, Name: p.Name})
	}
}

func (in *inside) remove(key seal.PublicKey) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.out == nil {
		in.out = map[seal.PublicKey]bool{}
	}
	in.out[key] = true
}

// find gives whom a number or a name means, or words on who there are where that is not one of them.
func (in *inside) find(whom string) (who peer.Admitted, words string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	var named []peer.Admitted
	var list []string
	for i, one := range in.all {
		if in.out[one.Key] {
			continue
		}
		if strconv.Itoa(i+1) == whom {
			return one, ""
		}
		if one.Name == whom && whom != "" {
			named = append(named, one)
		}
		list = append(list, fmt.Sprintf("%d %s", i+1, nameOrSomebody(one.Name)))
	}
	switch {
	case len(named) == 1:
		return named[0], ""
	case len(list) == 0:
		return who, "Nobody is in."
	}
	return who, "Type remove and one of these numbers: " + strings.Join(list, ", ") + "."
}
