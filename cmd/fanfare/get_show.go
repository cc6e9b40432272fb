package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/fanfare-relay/fanfare/mesh/peer"
)

// getLine is the progress in one line: a bar, verified bytes, rate, time left, peers, and why nothing comes.
func getLine(st peer.Status, rate float64, stall string) string {
	if st.Total == 0 {
		if stall == "" {
			stall = "Connecting"
		}
		return stall + " …"
	}
	const width = 16
	full := int(percent(st.Held, st.Total)) * width / 100
	line := fmt.Sprintf("%s%s %3d %% of %s", strings.Repeat("█", full), strings.Repeat("░", width-full), percent(st.Held, st.Total), size(uint64(st.Total)))
	if stall != "" {
		return line + "; " + strings.ToLower(stall[:1]) + stall[1:]
	}
	if rate > 0 {
		left := time.Duration(float64(st.Total-st.Held) / rate * float64(time.Second)).Round(time.Second)
		line += fmt.Sprintf(", %s/s, %v left", size(uint64(rate)), left)
	}
	return fmt.Sprintf("%s, %s", line, peersOf(st))
}

// peersOf counts those who are connected, and says when the slow way through the server is all there is.
func peersOf(st peer.Status) string {
	relayed := 0
	for _, p := range st.Peers {
		if p.Relayed {
			relayed++
		}
	}
	switch {
	case len(st.Peers) == 0:
		return "no peers"
	case relayed == len(st.Peers):
		return fmt.Sprintf("%d peers by the server's relay", relayed)
	}
	return fmt.Sprintf("%d peers", len(st.Peers))
}

func needs(n int) string {
	if n == 1 {
		return "somebody needs what is"
	}
	return fmt.Sprintf("%d others need what is", n)
}

// clip keeps the first characters of a text.
func clip(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}

// harmless is a stranger's text as a terminal may show it: what would move the cursor, write the clipboard
// or turn the direction of reading is shown as a mark.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
