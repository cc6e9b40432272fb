package store

import (
	"errors"
	"os"
	"path"
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
	Check    Checker
	// Selected tells by file which are wanted; nil for all. Of the others no more is fetched than what
	// shares a piece with those.
	Selected []bool
	// Identity and Signer are kept with the transfer, for Find in the next run.
	Identity, Signer []byte
}

// Sink is a transfer on its way to disk. It lies in a folder of its own, NAME.fanfare-part, until
// Finish moves what is whole to its place. Its methods may be called from several goroutines, Finish
// and Close when no other runs.
type Sink struct {
	spec    Spec
	layout  manifest.Layout
	wanted  []bool // by piece: it holds something of a file that is wanted
	disk    disk
	out     *os.Root
	part    string   // name of the folder of the unfinished transfer
	inside  *os.Root // that folder
	journal *journal
	handles *handles
	placed  map[string]string // first part of the path → where it is now, below out
	aside   map[int]bool      // files that are not wanted and were taken out of a folder that was placed
	resumed bool

	finished bool
	moving   sync.RWMutex // Finish keeps readers and writers away while it moves files
	flushing sync.Mutex   // one at a time
	quit     chan struct{}
	ended    sync.WaitGroup
	wake     chan struct{}

	mu      sync.Mutex
	roots   []Root
	known   []bool // by piece: its root is in the journal, and is the uploader's once Recheck has run
	whole   []bool
	dirtied []bool        // bytes may have been written in an earlier run: what is there are no zeros
	begun   map[int][]int // of pieces that are not whole, the leaves that seem to be on disk from an earlier run
	doubt   []bool        // bytes may be lost that the system has taken: they are read, checked and written again
	pending []int         // whole pieces that the journal does not have yet
	dirty   map[int]bool
	touched map[int]bool // pieces that were written since the last flush
	failed  error        // ErrFull until a flush goes through; others are for good
}

// Limits of what a crash makes a Sink hash again.
const (
	flushEvery  = time.Second
	flushPieces = 32
)

// Names in the folder of an unfinished transfer.
const (
	partSuffix  = ".fanfare-part"
	filesName   = "files"
	asideName   = "rest" // what is not wanted, out of folders that were moved to their places
	journalName = "journal"
	probeName   = "probe"
)

// OpenSink begins a transfer, or goes on with an unfinished one of the same manifest that it finds in
// the folder: then Recheck must run before anything else. It fails with ErrBusy while another process
// has it, with ErrFull and with ErrTooLarge.
func OpenSink(spec Spec) (*Sink, error) { return openSinkOn(bare, spec) }

func openSinkOn(d disk, spec Spec) (*Sink, error) {
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
		spec: spec, layout: layout, disk: d, out: out, placed: map[string]string{}, aside: map[int]bool{},
		quit: make(chan struct{}), wake: make(chan struct{}, 1),
		wanted: make([]bool, n), roots: make([]Root, n), known: make([]bool, n), whole: make([]bool, n),
		dirtied: make([]bool, n), doubt: make([]bool, n), dirty: map[int]bool{}, touched: map[int]bool{}, begun: map[int][]int{},
	}
	for i := range spec.Manifest.Files {
		if first, end := layout.FilePieces(i); s.Selected(i) {
			for p := first; p < end; p++ {
				s.wanted[p] = true
			}
		}
	}
	s.handles = newHandles(s.openFile)
	if err := s.prepare(); err != nil {
		_ = s.Close() // what it would say is less than err
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
func (s *Sink) Wanted(piece int) bool { return s.wanted[piece] }

// Missing tells whether a piece that is wanted is not whole.
func (s *Sink) Missing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, wanted := range s.wanted {
		if wanted && !s.whole[i] {
			return true
		}
	}
	return false
}

// Rest is the name of the folder in which Close leaves what an earlier run had fetched of files that
// are not wanted in this one; empty where there is nothing of that kind.
func (s *Sink) Rest() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, known := range s.known {
		if known && !s.wanted[i] {
			return s.part
		}
	}
	return ""
}

// Close closes everything. What was fetched stays for the next run, unless Finish has moved all of it.
func (s *Sink) Close() error {
	close(s.quit)
	s.ended.Wait()
	var err error
	if s.journal != nil {
		err = s.Flush()
		_ = s.journal.f.Close() // synced
	}
	s.handles.close()
	if s.inside != nil {
		_ = s.inside.Close()
	}
	if s.finished && s.Rest() == "" {
		err = errors.Join(err, s.clear())
	}
	_ = s.out.Close()
	return err
}

// clear removes the folder of the transfer. The journal goes last: until then the next run finds that
// everything is in its place.
func (s *Sink) clear() error {
	for _, name := range []string{filesName, asideName, probeName, journalName} {
		if err := s.out.RemoveAll(path.Join(s.part, name)); err != nil {
			return err
		}
	}
	return s.out.RemoveAll(s.part)
}
