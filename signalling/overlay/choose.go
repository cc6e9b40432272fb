package overlay

import (
	"fmt"
	"strings"
)

// choose picks the topology, and says why. The rules of Auto, in their order:
//
//  1. Nobody watches: SFU.
//  2. At most MostStar viewers, all of whom the uploader reaches, and an uplink that was measured and carries a copy for each
//     with a fifth to spare: star, the shortest way, on which nothing is encoded twice. A star stays as long as the
//     uplink carries the copies with a tenth to spare, so that it does not come and go.
//  3. More viewers than the server can serve, and somebody who may pass on: tree.
//  4. Else SFU: the uploader sends once, and no viewer depends on another.
func choose(f *Facts, before Topology) (Topology, string) {
	switch f.Wish {
	case SFU, Star, Tree:
		return f.Wish, "the uploader chose it"
	}
	n := len(f.Viewers)
	switch {
	case n == 0:
		return SFU, "nobody watches yet"
	case f.ServerRoom > 0 && n > f.ServerRoom && !f.starFits(before):
		if relays := f.relays(); relays > 0 {
			return Tree, fmt.Sprintf("the server serves %s and there are %d; %d may pass the picture on",
				viewers(f.ServerRoom), n, relays)
		}
		return SFU, fmt.Sprintf("the server is meant for %s and there are %d, but no viewer may pass the picture on", viewers(f.ServerRoom), n)
	case f.starFits(before):
		return Star, fmt.Sprintf("%s, all within reach, and an uplink of %s carries a copy of %s for each",
			viewers(n), megabits(float64(f.Uplink)), megabits(float64(f.Bitrate)))
	}
	return SFU, f.whyNoStar()
}

// starFits is rule 2.
func (f *Facts) starFits(before Topology) bool {
	n := len(f.Viewers)
	return n > 0 && n <= MostStar && f.unreached() == 0 && n <= f.copies(f.Uplink, starShare(before), 0)
}

// starShare is the part of the uplink that a star may use; one that stands may use more, so that it does not
// come and go.
func starShare(before Topology) float64 {
	if before == Star {
		return (1 + Share) / 2
	}
	return Share
}

func (f *Facts) unreached() (n int) {
	for _, v := range f.Viewers {
		if !f.reaches(Uploader, v.ID) {
			n++
		}
	}
	return n
}

func (f *Facts) relays() (n int) {
	for _, v := range f.Viewers {
		if f.capacity(v) > 0 {
			n++
		}
	}
	return n
}

func (f *Facts) whyNoStar() string {
	n := len(f.Viewers)
	switch {
	case n > MostStar:
		return fmt.Sprintf("%s are more than the %d that the uploader's browser serves alone", viewers(n), MostStar)
	case f.unreached() > 0:
		return fmt.Sprintf("%d of %s cannot be reached directly", f.unreached(), viewers(n))
	case f.Uplink <= 0 || f.Bitrate <= 0:
		return "the uploader's uplink has not been measured"
	}
	return fmt.Sprintf("an uplink of %s does not carry %d copies of %s with a fifth to spare",
		megabits(float64(f.Uplink)), n, megabits(float64(f.Bitrate)))
}

// sentence is the reason of a plan for people.
func sentence(f *Facts, t Topology, why string, p Plan) string {
	text := map[Topology]string{
		SFU: "By the server: ", Star: "Straight from the uploader: ", Tree: "Viewers pass it on: ",
	}[t] + why + "."
	onServer := 0
	for _, at := range p.Places {
		if at.From.Via == Server {
			onServer++
		}
	}
	if t != SFU && onServer > 0 {
		text += fmt.Sprintf(" The server still serves %s that cannot be reached or for whom there is no place.", viewers(onServer))
	}
	return text
}

func viewers(n int) string {
	if n == 1 {
		return "1 viewer"
	}
	return fmt.Sprintf("%d viewers", n)
}

func megabits(rate float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", rate/1e6), ".0") + " Mbit/s"
}
