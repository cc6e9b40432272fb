package fragment

import "fmt"

// Identifiers of elements (RFC 9559 section 5), with their length markers.
const (
	idEBML        = 0x1A45DFA3
	idSegment     = 0x18538067
	idTracks      = 0x1654AE6B
	idTrackEntry  = 0xAE
	idTrackNumber = 0xD7
	idTrackType   = 0x83
	idCluster     = 0x1F43B675
	idSimpleBlock = 0xA3
	idBlockGroup  = 0xA0
	idBlock       = 0xA1
	idReference   = 0xFB
	idCues        = 0x1C53BB6B
	idTags        = 0x1254C367
	idSeekHead    = 0x114D9B74
	idInfo        = 0x1549A966
	idChapters    = 0x1043A770
	idAttachments = 0x1941A469
)

const trackTypeVideo = 1

// giveUp bounds what is kept back of a cluster in which no picture comes.
const giveUp = MaxHeld / 2

// unknownSize is what a length of all ones says (RFC 8794 section 6.2): the element ends where another of
// its parents' children begins. Live recordings have it for the segment and for clusters.
const unknownSize = ^uint64(0)

// webm cuts one recording. What stands before the first cluster is Init. A cluster is kept back until its
// first picture tells what it begins with, and goes on as it comes.
type webm struct {
	pictures map[uint64]bool // track numbers
	segment  bool            // its header has been seen
	media    bool            // a cluster has been seen
	skip     uint64          // of the body of an element of which nothing more is to be learnt
	skipInit bool
	cluster  bool // within one
}

// element is the head of one. Its body may not be there yet.
type element struct {
	id   uint32
	size uint64
	head int // bytes of identifier and size
}

func (w *webm) next(b []byte) (int, Part, error) {
	if w.skip > 0 {
		n := int(min(w.skip, uint64(len(b))))
		w.skip -= uint64(n)
		return n, Part{Init: w.skipInit}, nil
	}
	e, ok, err := readElement(b)
	if err != nil || !ok {
		return 0, Part{}, err
	}
	switch {
	case !w.segment:
		return w.beforeSegment(b, e)
	case e.id == idCluster:
		return w.beginCluster(b, e)
	case w.cluster && !topLevel(e.id):
		return w.pass(e)
	case !w.media:
		return w.beforeMedia(b, e)
	}
	w.cluster = false
	return w.pass(e)
}

// pass takes an element's head, and its body as it comes.
func (w *webm) pass(e element) (int, Part, error) {
	if e.size == unknownSize {
		return 0, Part{}, fmt.Errorf("%w: an element without a size", ErrFormat)
	}
	w.skip, w.skipInit = e.size, !w.media
	return e.head, Part{Init: !w.media}, nil
}

func (w *webm) beforeSegment(b []byte, e element) (int, Part, error) {
	switch e.id {
	case idEBML:
		return w.whole(b, e)
	case idSegment:
		w.segment = true
		return e.head, Part{Init: true}, nil
	}
	return 0, Part{}, fmt.Errorf("%w: element %X before the segment", ErrFormat, e.id)
}

// whole takes a small element when all of it is there.
func (w *webm) whole(b []byte, e element) (int, Part, error) {
	if e.size > MaxInit {
		return 0, Part{}, fmt.Errorf("%w: element %X", ErrTooLarge, e.id)
	}
	n := e.head + int(e.size)
	if len(b) < n {
		return 0, Part{}, nil
	}
	return n, Part{Init: true}, nil
}

func (w *webm) beforeMedia(b []byte, e element) (int, Part, error) {
	if e.id != idTracks {
		if e.size > MaxInit {
			return 0, Part{}, fmt.Errorf("%w: element %X", ErrTooLarge, e.id)
		}
		return w.pass(e)
	}
	n, p, err := w.whole(b, e)
	if n > 0 && err == nil {
		w.pictures, err = readTracks(b[e.head:n])
	}
	return n, p, err
}

// beginCluster judges a cluster by its first picture, as soon as that has come.
func (w *webm) beginCluster(b []byte, e element) (int, Part, error) {
	if w.pictures == nil {
		return 0, Part{}, fmt.Errorf("%w: media before the tracks", ErrFormat)
	}
	key, known, err := w.firstPicture(b[e.head:], e.size)
	if err != nil || !known {
		return 0, Part{}, err
	}
	w.media, w.cluster = true, true
	return e.head, Part{Key: key}, nil
}

// firstPicture looks into a cluster's body, as far as it is there. known: it can be said whether a player
// can begin here. Sound alone can begin anywhere.
func (w *webm) firstPicture(body []byte, size uint64) (key, known bool, err error) {
	if len(w.pictures) == 0 {
		return true, true, nil
	}
	whole := uint64(len(body)) >= size || len(body) > giveUp
	if uint64(len(body)) > size {
		body = body[:size]
	}
	for {
		e, ok, err := readElement(body)
		if err != nil {
			return false, false, err
		}
		if !ok {
			return false, whole, nil // it holds no picture
		}
		if topLevel(e.id) {
			return false, true, nil
		}
		key, of, ok := blockIn(body, e)
		if !ok {
			return false, whole, nil
		}
		if w.pictures[of] {
			return key, true, nil
		}
		if uint64(len(body)-e.head) < e.size {
			return false, whole, nil
		}
		body = body[e.head+int(e.size):]
	}
}

// blockIn reads the head of a block: its track, and whether it is a key frame (RFC 9559 sections 10.1 and
// 10.2). Elements that are no blocks have track 0. ok is false when more must come.
func blockIn(b []byte, e element) (key bool, track uint64, ok bool) {
	switch e.id {
	case idSimpleBlock:
		return blockHead(b[e.head:])
	case idBlockGroup:
		if uint64(len(b)-e.head) < e.size {
			return false, 0, false
		}
		track, referring := groupIn(b[e.head : e.head+int(e.size)])
		return !referring, track, true
	}
	return false, 0, true
}

// blockHead reads
//
//	track (a number of variable length) | time, 16 bits | flags, 8 bits: the first is that of a key frame
func blockHead(b []byte) (key bool, track uint64, ok bool) {
	track, n, ok := readNumber(b)
	if !ok || len(b) < n+3 {
		return false, 0, false
	}
	return b[n+2]&0x80 != 0, track, true
}

// groupIn tells a block group's track, and whether it refers to other pictures.
func groupIn(body []byte) (track uint64, referring bool) {
	for len(body) > 0 {
		e, ok, err := readElement(body)
		if err != nil || !ok || uint64(len(body)-e.head) < e.size {
			return track, referring
		}
		switch e.id {
		case idBlock:
			_, track, _ = blockHead(body[e.head : e.head+int(e.size)])
		case idReference:
			referring = true
		}
		body = body[e.head+int(e.size):]
	}
	return track, referring
}

// readTracks finds the tracks that are pictures.
func readTracks(body []byte) (map[uint64]bool, error) {
	pictures := map[uint64]bool{}
	err := eachChild(body, func(id uint32, entry []byte) error {
		if id != idTrackEntry {
			return nil
		}
		var number, kind uint64
		err := eachChild(entry, func(id uint32, value []byte) error {
			switch id {
			case idTrackNumber:
				number = readUint(value)
			case idTrackType:
				kind = readUint(value)
			}
			return nil
		})
		if kind == trackTypeVideo && number != 0 {
			pictures[number] = true
		}
		return err
	})
	return pictures, err
}

func eachChild(body []byte, do func(id uint32, body []byte) error) error {
	for len(body) > 0 {
		e, ok, err := readElement(body)
		if err != nil {
			return err
		}
		if !ok || uint64(len(body)-e.head) < e.size {
			return fmt.Errorf("%w: an element is longer than what holds it", ErrFormat)
		}
		end := e.head + int(e.size)
		if err := do(e.id, body[e.head:end]); err != nil {
			return err
		}
		body = body[end:]
	}
	return nil
}

// topLevel: children of the segment, which end a cluster without a size.
func topLevel(id uint32) bool {
	switch id {
	case idCluster, idCues, idTags, idSeekHead, idInfo, idTracks, idChapters, idAttachments, idEBML, idSegment:
		return true
	}
	return false
}

// readElement reads the head of an element (RFC 8794 sections 5 and 6). ok is false when it is not all
// there.
func readElement(b []byte) (e element, ok bool, err error) {
	if len(b) == 0 {
		return e, false, nil
	}
	n := lengthOf(b[0])
	if n > 4 {
		return e, false, fmt.Errorf("%w: no identifier of an element", ErrFormat)
	}
	if len(b) <= n {
		return e, false, nil
	}
	for _, c := range b[:n] {
		e.id = e.id<<8 | uint32(c)
	}
	if lengthOf(b[n]) > 8 {
		return e, false, fmt.Errorf("%w: no size of an element", ErrFormat)
	}
	size, m, ok := readNumber(b[n:])
	if !ok {
		return e, false, nil
	}
	e.head, e.size = n+m, size
	if size == 1<<(7*m)-1 {
		e.size = unknownSize
	}
	return e, true, nil
}

// lengthOf is the length of a number by its first byte: the place of the first bit that is set; 9 for none.
func lengthOf(first byte) int {
	n := 1
	for mask := byte(0x80); mask != 0 && first&mask == 0; mask >>= 1 {
		n++
	}
	return n
}

// readNumber reads a number of variable length without its marker.
func readNumber(b []byte) (value uint64, n int, ok bool) {
	if len(b) == 0 {
		return 0, 0, false
	}
	n = lengthOf(b[0])
	if n > 8 || len(b) < n {
		return 0, 0, false
	}
	value = uint64(b[0]) &^ (1 << (8 - n))
	for _, c := range b[1:n] {
		value = value<<8 | uint64(c)
	}
	return value, n, true
}

func readUint(b []byte) uint64 {
	var v uint64
	for _, c := range b[:min(len(b), 8)] {
		v = v<<8 | uint64(c)
	}
	return v
}
