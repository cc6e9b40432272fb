package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
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
		} else if !isTerminal(s.std.in) {
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
func (s *sending) asks() bool { return s.cmd.Approve || isTerminal(s.std.in) }

// guessed says what follows from too many wrong passwords.
func (s *sending) guessed() string {
	if s.asks() {
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

// letsIn says who was let in, and how to take that back where somebody can.
func (s *sending) letsIn(who peer.Admitted) {
	number, words := s.inside.add(who), "Let in: "+nameOrSomebody(who.Name)+"."
	if isTerminal(s.std.in) {
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
	key, words := s.inside.find(strings.TrimSpace(whom))
	if words != "" {
		s.status.say(words)
	} else {
		s.peer.Remove(key)
	}
	return true
}

// inside are those who were let in and not removed, by numbers: anybody can take another's name.
type inside struct {
	mu    sync.Mutex
	count int
	all   []insider
}

type insider struct {
	number int
	peer.Admitted
}

func (in *inside) add(who peer.Admitted) (number int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.count++
	in.all = append(in.all, insider{in.count, who})
	return in.count
}

func (in *inside) remove(key seal.PublicKey) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.all = slices.DeleteFunc(in.all, func(one insider) bool { return one.Key == key })
}

// find gives whom a number or a name means, or words on who there are where that is not one of them.
func (in *inside) find(whom string) (key seal.PublicKey, words string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	var named []insider
	var list []string
	for _, one := range in.all {
		if strconv.Itoa(one.number) == whom {
			return one.Key, ""
		}
		if one.Name == whom && whom != "" {
			named = append(named, one)
		}
		list = append(list, fmt.Sprintf("%d %s", one.number, nameOrSomebody(one.Name)))
	}
	switch {
	case len(named) == 1:
		return named[0].Key, ""
	case len(list) == 0:
		return key, "Nobody is in."
	}
	return key, "Type remove and one of these numbers: " + strings.Join(list, ", ") + "."
}
