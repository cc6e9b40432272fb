package store

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/fanfare-relay/fanfare/mesh/manifest"
)

// Spec says what is stored and where.
type Spec struct {
	Out      string // the folder; it is made where it is missing
	Room     string
	Manifest manifest.Manifest
	Blob     []byte // the manifest as it was signed, verified
	// Selected tells by file which are wanted; nil for all. Of the others no more is kept than what
	// shares a piece with those.
	Selected []bool
	// Identity is kept with the transfer, for Identity to find in the next run.
	Identity []byte
}

// Sink is a transfer on its way to disk. It lies in a folder of its own, NAME.fanfare-part, until
// Finish moves what is whole to its place. Its methods may be called from several goroutines, Finish
// and Close when no other runs.
type Sink struct {
	spec    Spec
	layout  manifest.Layout
	out     *os.Root
	part    string   // name of the folder of the unfinished transfer
	inside  *os.Root // that folder
	journal *os.File
	handles *handles
	placed  map[string]string // first part of the path → where it is now, below out
	resumed bool

	finished bool
	moving   sync.RWMutex // Finish keeps readers and writers away while it moves files
	flushing sync.Mutex   // one at a time
	quit     chan struct{}
	ended    sync.WaitGroup
	wake     chan struct{}

	mu      sync.Mutex
	length  int64 // of the journal in bytes
	roots   []Root
	known   []bool // by piece: its root is in the journal
	whole   []bool
	dirtied []bool // bytes may have been written in an earlier run: what is there are no zeros
	pending []int  // whole pieces that the journal does not have yet
	dirty   map[int]bool
	failed  error // the journal or the disk can no longer be trusted
}

// Limits of what a crash makes a Sink hash again.
const (
	flushEvery  = time.Second
	flushPieces = 32
)

// scrap is the index of the file that keeps what is not wanted of pieces that are.
const scrap = -1

// Names in the folder of an unfinished transfer.
const (
	partSuffix  = ".fanfare-part"
	filesName   = "files"
	journalName = "journal"
	scrapName   = "scrap"
)

// OpenSink begins a transfer, or goes on with an unfinished one of the same manifest that it finds in
// the folder: then Recheck must run before anything else. It fails with ErrBusy while another process
// has it, and with ErrFull.
func OpenSink(spec Spec) (*Sink, error) {
	for _, f := range spec.Manifest.Files {
		if strings.HasSuffix(strings.ToLower(top(f.Path)), partSuffix) {
			return nil, &FileError{f.Path, ErrReserved}
		}
	}
	if err := os.MkdirAll(spec.Out, 0o777); err != nil {
		return nil, wrapFull(err)
	}
	out, err := os.OpenRoot(spec.Out)
	if err != nil {
		return nil, err
	}
	layout := spec.Manifest.Layout()
	n := layout.Pieces()
	s := &Sink{
		spec: spec, layout: layout, out: out, placed: map[string]string{},
		quit: make(chan struct{}), wake: make(chan struct{}, 1),
		roots: make([]Root, n), known: make([]bool, n), whole: make([]bool, n), dirtied: make([]bool, n),
		dirty: map[int]bool{},
	}
	s.handles = newHandles(s.openFile)
	if err := s.prepare(); err != nil {
		s.Close()
		return nil, wrapFull(err)
	}
	s.ended.Go(s.flushLoop)
	return s, nil
}

func (s *Sink) prepare() error {
	earlier, err := s.find()
	if err != nil {
		return err
	}
	if s.journal == nil {
		return s.begin()
	}
	s.resumed = true
	return s.restore(earlier)
}

// Resumed tells whether an unfinished transfer was found.
func (s *Sink) Resumed() bool { return s.resumed }

// Layout is how the files are cut.
func (s *Sink) Layout() manifest.Layout { return s.layout }

// Whole tells whether a piece is here.
func (s *Sink) Whole(piece int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.whole[piece]
}

// Root is the signed root of a piece, if one has come.
func (s *Sink) Root(piece int) (Root, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.roots[piece], s.known[piece]
}

// Selected tells whether a file is wanted.
func (s *Sink) Selected(file int) bool { return s.spec.Selected == nil || s.spec.Selected[file] }

// Wanted tells whether a piece holds anything of a file that is wanted.
func (s *Sink) Wanted(piece int) bool {
	for _, span := range s.layout.AppendSpans(nil, s.layout.PieceStart(piece), int64(s.layout.PieceLen(piece))) {
		if s.Selected(span.File) {
			return true
		}
	}
	return false
}

// Recheck hashes what lies on disk: what is beyond the journal, and what the journal vouches for, since
// a hand may have been at the files, and an earlier run may have ended before it had made good what it
// found wrong. It returns the number of bytes that were hashed.
func (s *Sink) Recheck(ctx context.Context, verify Verify) (hashed int64, err error) {
	buf := make([]byte, s.layout.Piece())
	for i := range s.whole {
		if !s.whole[i] && !s.known[i] {
			continue
		}
		if ctx.Err() != nil {
			return hashed, context.Cause(ctx)
		}
		hashed += int64(s.layout.PieceLen(i))
		switch good := s.check(i, buf, verify); {
		case good && !s.whole[i]:
			s.Complete(i)
		case !good:
			s.mu.Lock()
			s.whole[i] = false
			s.mu.Unlock()
		}
	}
	return hashed, s.Flush()
}

// check reads a piece and tells whether its bytes are right. A file that is gone has been made anew,
// so what cannot be read is wrong too.
func (s *Sink) check(piece int, buf []byte, verify Verify) bool {
	b := buf[:s.layout.PieceLen(piece)]
	return s.ReadPiece(piece, b) == nil && verify(piece, s.roots[piece], b)
}

// Close closes everything. What was fetched stays for the next run; after Finish only what has become
// of no use is removed.
func (s *Sink) Close() error {
	close(s.quit)
	s.ended.Wait()
	var err error
	if s.journal != nil {
		err = s.Flush()
		_ = s.journal.Close() // synced
	}
	s.handles.close()
	if s.inside != nil {
		_ = s.inside.Close()
	}
	if s.finished {
		err = errors.Join(err, s.out.RemoveAll(s.part))
	}
	_ = s.out.Close()
	return err
}
