package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"sync"
)

// The journal is a file of records, each kind u8 ‖ length u32 ‖ payload ‖ CRC-32C u32 over what is
// before. What follows the first record that is not whole was being written when the process ended,
// and is cut off. Numbers are big-endian.
//
// The order on disk makes it true: a piece's root is written when its first leaf comes, the word that
// the piece is whole only after its bytes were synced.
const (
	recordHead   = 1 + 4
	recordTail   = 4
	maxRecord    = 5 << 20
	journalMagic = "fanfare journal 1\n"
)

// recordKind is the first byte of a record.
type recordKind uint8

const (
	recordIdentity recordKind = 1 + iota // bytes that the caller keeps
	recordManifest                       // room length u8 ‖ room ‖ blob
	recordSigner                         // bytes that the caller keeps, about the uploader
	recordRoot                           // piece u32 ‖ hash ‖ signature
	recordWhole                          // first u32 ‖ count u32: pieces that are on disk
	recordPlaced                         // name length u16 ‖ name ‖ final name: about to be moved
)

var errJournal = errors.New("this is not a journal of fanfare, or of another version")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type record struct {
	kind    recordKind
	payload []byte
}

func appendRecord(dst []byte, kind recordKind, payload ...[]byte) []byte {
	start, length := len(dst), 0
	for _, p := range payload {
		length += len(p)
	}
	dst = append(dst, byte(kind))
	dst = binary.BigEndian.AppendUint32(dst, uint32(length))
	for _, p := range payload {
		dst = append(dst, p...)
	}
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// readRecord takes the next record off b; ok is false where there is none that is whole.
func readRecord(b []byte) (r record, rest []byte, ok bool) {
	if len(b) < recordHead+recordTail {
		return record{}, b, false
	}
	length := int64(binary.BigEndian.Uint32(b[1:]))
	if length > maxRecord || int64(len(b)) < recordHead+length+recordTail {
		return record{}, b, false
	}
	end := recordHead + int(length)
	if crc32.Checksum(b[:end], castagnoli) != binary.BigEndian.Uint32(b[end:]) {
		return record{}, b, false
	}
	return record{recordKind(b[0]), b[recordHead:end]}, b[end+recordTail:], true
}

// past is what a journal tells of an earlier run.
type past struct {
	identity []byte
	room     string
	blob     []byte
	signer   []byte
	roots    map[int]Root
	whole    [][2]int // first, count
	placed   map[string]string
	length   int // bytes of the journal that are good
}

// parseJournal reads a journal. It fails with errJournal when b is none; a tail that is not whole is
// left out.
func parseJournal(b []byte) (past, error) {
	p := past{roots: map[int]Root{}, placed: map[string]string{}}
	rest, ok := bytes.CutPrefix(b, []byte(journalMagic))
	if !ok {
		return p, errJournal
	}
	for {
		r, after, ok := readRecord(rest)
		if !ok || !p.take(r) {
			break
		}
		rest = after
	}
	p.length = len(b) - len(rest)
	if p.blob == nil {
		return p, errJournal
	}
	return p, nil
}

// take notes a record, or tells that it is none of ours.
func (p *past) take(r record) bool {
	b := r.payload
	switch r.kind {
	case recordIdentity:
		p.identity = b
	case recordManifest:
		if len(b) < 1 || len(b) < 1+int(b[0]) {
			return false
		}
		room, blob := b[1:1+b[0]], b[1+b[0]:]
		if len(blob) <= signatureSize { // somebody else's: ours have a manifest behind the signature
			return false
		}
		p.room, p.blob = string(room), blob
	case recordSigner:
		p.signer = b
	case recordRoot:
		if len(b) != 4+32+64 {
			return false
		}
		p.roots[int(binary.BigEndian.Uint32(b))] = Root{[32]byte(b[4:]), [64]byte(b[36:])}
	case recordWhole:
		if len(b) != 8 {
			return false
		}
		p.whole = append(p.whole, [2]int{int(binary.BigEndian.Uint32(b)), int(binary.BigEndian.Uint32(b[4:]))})
	case recordPlaced:
		if len(b) < 2 || len(b) < 2+int(binary.BigEndian.Uint16(b)) {
			return false
		}
		n := 2 + int(binary.BigEndian.Uint16(b))
		p.placed[string(b[2:n])] = string(b[n:])
	default:
		return false
	}
	return true
}

func manifestRecord(room string, blob []byte) []byte {
	return appendRecord(nil, recordManifest, []byte{byte(len(room))}, []byte(room), blob)
}

func rootRecord(piece int, r Root) []byte {
	return appendRecord(nil, recordRoot, binary.BigEndian.AppendUint32(nil, uint32(piece)), r.Hash[:], r.Signature[:])
}

func wholeRecord(dst []byte, first, count int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(first))
	return appendRecord(dst, recordWhole, binary.BigEndian.AppendUint32(b, uint32(count)))
}

func placedRecord(name, final string) []byte {
	return appendRecord(nil, recordPlaced, binary.BigEndian.AppendUint16(nil, uint16(len(name))), []byte(name), []byte(final))
}

// journal is the open file. Its methods are called by one goroutine at a time, but for sync.
type journal struct {
	f      file
	mu     sync.Mutex
	length int64  // bytes
	synced int64  // of them, that are on disk for good
	tail   []byte // the others
	again  bool   // the tail was perhaps dropped by the system, and is to be written again
}

// append writes to the end. What a failed write leaves behind the end is written over, or cut off by
// who reads it.
func (j *journal) append(records []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	b, at := records, j.length
	if j.again {
		b, at = slices.Concat(j.tail, records), j.synced
	}
	if _, err := j.f.WriteAt(b, at); err != nil {
		return wrapFull(err)
	}
	j.tail = append(j.tail, records...)
	j.length, j.again = at+int64(len(b)), false
	return nil
}

// note appends for good.
func (j *journal) note(records []byte) error {
	if err := j.append(records); err != nil {
		return err
	}
	j.mu.Lock()
	until := j.length
	j.mu.Unlock()
	err := wrapFull(j.f.Sync())
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.again = true // the system may think of the tail as written: only new bytes make it try again
		return err
	}
	if until > j.synced {
		j.tail = append([]byte(nil), j.tail[until-j.synced:]...)
		j.synced = until
	}
	return nil
}

// maxJournal bounds what is read back: the manifest, and some hundred bytes for each of the most
// pieces, twice.
const maxJournal = 128 << 20

// readJournal reads an open journal from its start.
func readJournal(f *os.File) (past, error) {
	b, err := io.ReadAll(io.LimitReader(f, maxJournal))
	if err != nil {
		return past{}, fmt.Errorf("read the journal: %w", err)
	}
	return parseJournal(b)
}
