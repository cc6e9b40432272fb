package main

import (
	"context"
	"fmt"

	"github.com/fanfare-relay/fanfare/mesh/peer"
	"github.com/fanfare-relay/fanfare/mesh/seal"
)

// Check words: what the people at both ends compare, to be sure that nobody stands between. send says them
// with the question whether to let somebody in, or else once it is in; get says them while it waits for that,
// or else with what is shared. They take a moment of the processor, so the swarm's goroutine leaves them to
// another, which does one after another: whoever has the link can ask under as many keys as it likes.

// checkSentence follows another sentence. It says the words and what they are for; other sees them, too.
func checkSentence(words, other string) string {
	if words == "" {
		return ""
	}
	return fmt.Sprintf(" Check words: %s. %s sees the same when nobody stands between you.", words, other)
}

// checkLater has the words of one who was let in said, unless they were with the question.
func (s *sending) checkLater(who peer.Admitted) {
	if s.asked[who.Key] {
		return
	}
	select {
	case s.letIn <- who:
	default: // more than a room holds
	}
}

// check says the words of those who were let in.
func (s *sending) check(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case who := <-s.letIn:
			if words := s.words(who.Key, who.Name); words != "" {
				name := nameOrSomebody(who.Name)
				s.status.say(name + " is in." + checkSentence(words, name))
			}
		}
	}
}

// words works them out for one receiver, and tells programs.
func (s *sending) words(key seal.PublicKey, name string) string {
	words := s.peer.CheckWords(key)
	if words != "" {
		s.events.write("words", map[string]any{"name": name, "words": words})
	}
	return words
}

// check says the words once.
func (g *getting) check() {
	g.checked.Do(func() {
		if words := g.peer.CheckWords(seal.PublicKey{}); words != "" {
			g.events.write("words", map[string]any{"words": words})
			g.status.say("The sender is found." + checkSentence(words, "The sender"))
		}
	})
}
