// Package fanfare_test holds the project to docs/ARCHITECTURE.md: who may import whom, and what
// the packages that decide may not touch. The table in that document is read, not repeated, so the
// document cannot come to lie.
package fanfare_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/fanfare-relay/fanfare"

// deciding lists the packages that are plain values: no clock, socket, lock, log, goroutine or
// hidden random source. The exceptions are those that docs/ARCHITECTURE.md names.
var deciding = map[string][]string{
	"media":              nil,
	"media/codec":        nil,
	"media/seq":          nil,
	"media/ring":         {"sync/atomic"}, // one writer, many readers
	"media/nack":         nil,
	"media/report":       nil,
	"media/ext":          nil,
	"media/estimate":     nil,
	"media/fec":          nil,
	"media/fragment":     nil,
	"media/pace":         nil,
	"media/container":    {"os"}, // files on disk
	"signalling/overlay": nil,
	"signalling/room":    nil,
	"signalling/relay":   nil,
	"compare/experiment": nil,
	"compare/stats":      nil,
	"mesh/seal":          nil,
	"mesh/pake":          nil,
	"mesh/schedule":      nil,
	"mesh/merkle":        nil,
	"mesh/manifest":      nil,
	"mesh/wire":          nil,
	"mesh/swarmsim":      nil,
}

// Imports and names that a deciding package may not use.
var (
	barredImports = []string{"crypto/rand", "log", "log/slog", "net", "net/http", "os", "os/signal", "runtime", "sync", "sync/atomic", "syscall"}
	barredUses    = map[string][]string{
		"time":         {"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"},
		"math/rand":    {"Float64", "Int", "Intn", "Int63", "Perm", "Read", "Seed", "Shuffle", "Uint32", "Uint64"},
		"math/rand/v2": {"Float64", "Int", "IntN", "Int64", "N", "Perm", "Shuffle", "Uint32", "Uint64"},
	}
	barredNames = []string{"base", "common", "helper", "helpers", "lib", "misc", "shared", "types", "util", "utils"}
)

// Two facts beyond the table: pion/webrtc is named in few places, so that its next major version is
// a small change; a TURN server of this major version can be killed by one datagram.
var onlyIn = map[string][]string{
	"github.com/pion/webrtc/v3": {"bench/baseline", "cmd/fanfare", "compare", "endpoint", "mesh/peer", "sfu", "sfu/sfutest"},
	"github.com/pion/turn/v2":   nil,
	"go.etcd.io/bbolt":          {"signalling/store"},
	"filippo.io/nistec":         {"mesh/pake"}, // points of P-256, for what crypto/ecdh does not do
	"github.com/go-chi/chi/v5":  {"signalling", "cmd/fanfare"},
}

// pkg is what `go list` tells of a package; Path is relative to the module, "." for its root.
type pkg struct {
	ImportPath, Name, Dir   string
	Imports, Deps           []string
	GoFiles, IgnoredGoFiles []string
	Path                    string `json:"-"`
}

func ours(importPath string) (string, bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

func packages(t *testing.T) map[string]pkg {
	t.Helper()
	var stderr bytes.Buffer
	list := exec.Command("go", "list", "-json=ImportPath,Name,Dir,Imports,Deps,GoFiles,IgnoredGoFiles", "./...")
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	found := map[string]pkg{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		if rel, ok := ours(p.ImportPath); ok && len(p.GoFiles) > 0 {
			p.Path = rel
			found[rel] = p
		}
	}
}

// table reads "| `package` | … | may import |" rows: package → the words of its last column.
func table(t *testing.T) map[string][]string {
	t.Helper()
	doc, err := os.ReadFile("docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z/0-9]+)` \\|.*\\| ([^|]+) \\|$").FindAllStringSubmatch(string(doc), -1) {
		rows[m[1]] = strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' || r == ' ' })
	}
	if len(rows) < 10 {
		t.Fatalf("read only %d packages from the table of docs/ARCHITECTURE.md", len(rows))
	}
	return rows
}

// allows tells whether a word of the table covers an import: "media/seq", "seq" beside it,
// "media/…" for media and all below it, "everything".
func allows(word, from, to string) bool {
	if word == "everything" {
		return true
	}
	if above, ok := strings.CutSuffix(word, "/…"); ok {
		return to == above && from != above || strings.HasPrefix(to, above+"/")
	}
	return word == to || path.Join(path.Dir(from), word) == to || path.Join(from, word) == to
}

// row finds the table's row for a package. A generator or a tool of a package (package main) and
// data embedded below one follow the row of the folder above, and may import that.
func row(rows map[string][]string, p pkg) (words []string, documented bool) {
	if words, ok := rows[p.Path]; ok {
		return words, true
	}
	if above := path.Dir(p.Path); p.Name == "main" && above != "." {
		if words, ok := rows[above]; ok {
			return append(slices.Clone(words), above), true
		}
	}
	return nil, false
}

func TestArrows(t *testing.T) {
	rows := table(t)
	for name, p := range packages(t) {
		words, documented := row(rows, p)
		if !documented {
			t.Errorf("%s: not in the table of docs/ARCHITECTURE.md", name)
			continue
		}
		for _, imported := range p.Imports {
			to, isOurs := ours(imported)
			if isOurs && !slices.ContainsFunc(words, func(word string) bool { return allows(word, name, to) }) {
				t.Errorf("%s imports %s; docs/ARCHITECTURE.md allows %v", name, to, words)
			}
		}
	}
}

// The halves must not meet by a detour either, and code for tests stays in tests.
func TestNoDetours(t *testing.T) {
	below := func(top string) func(string) bool {
		return func(p string) bool { return p == top || strings.HasPrefix(p, top+"/") }
	}
	barred := []struct {
		from, to func(string) bool
		why      string
	}{
		{below("signalling"), below("sfu"), "signalling sees media as SDP text"},
		{below("sfu"), below("signalling"), "the data plane knows no rooms"},
		{below("endpoint"), below("sfu"), "a client must not share code with the server that it measures"},
		{below("sfu"), below("endpoint"), "the server must not share code with the client that measures it"},
		{below("media"), func(p string) bool { return !below("media")(p) }, "media knows nobody"},
		{func(p string) bool { return !strings.HasSuffix(p, "test") }, func(p string) bool {
			return slices.Contains([]string{"media/mediatest", "sfu/sfutest", "mesh/meshtest", "internal/script"}, p)
		}, "packages for tests are imported by tests only"},
	}
	for name, p := range packages(t) {
		for _, dep := range p.Deps {
			to, isOurs := ours(dep)
			for _, b := range barred {
				if isOurs && b.from(name) && b.to(to) {
					t.Errorf("%s depends on %s: %s", name, to, b.why)
				}
			}
		}
	}
}

func TestFewPlaces(t *testing.T) {
	for name, p := range packages(t) {
		for _, imported := range p.Imports {
			if places, listed := onlyIn[imported]; listed && !slices.Contains(places, name) {
				t.Errorf("%s imports %s, which only %v may", name, imported, places)
			}
		}
	}
}

// In the program only the server may touch the data plane: load measures it from outside.
func TestOnlyServeWiresTheDataPlane(t *testing.T) {
	p := packages(t)["cmd/fanfare"]
	for _, file := range p.GoFiles {
		for _, spec := range parse(t, filepath.Join(p.Dir, file)).Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if to, _ := ours(imported); (to == "sfu" || strings.HasPrefix(to, "sfu/")) && !strings.HasPrefix(file, "serve") {
				t.Errorf("cmd/fanfare/%s imports %s; only serve*.go may", file, to)
			}
		}
	}
}

func TestNames(t *testing.T) {
	for name, p := range packages(t) {
		for _, word := range append(strings.Split(name, "/"), p.Name) {
			if slices.Contains(barredNames, word) {
				t.Errorf("%s: %q says nothing of what is inside", name, word)
			}
		}
	}
}

func TestDecidingPackagesArePlainValues(t *testing.T) {
	all := packages(t)
	for name, allowed := range deciding {
		p, ok := all[name]
		if !ok {
			t.Errorf("%s: no such package", name)
			continue
		}
		for _, file := range slices.Concat(p.GoFiles, p.IgnoredGoFiles) {
			for _, complaint := range impurities(parse(t, filepath.Join(p.Dir, file)), allowed) {
				t.Errorf("%s/%s: %s", name, file, complaint)
			}
		}
	}
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// impurities lists what a deciding package may not hold: barred imports, clocks, goroutines.
func impurities(file *ast.File, allowed []string) []string {
	var found []string
	uses := map[string][]string{} // local name → barred members
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if slices.Contains(barredImports, imported) && !slices.Contains(allowed, imported) {
			found = append(found, "imports "+imported)
		}
		if members, ok := barredUses[imported]; ok {
			local := path.Base(strings.TrimSuffix(imported, "/v2"))
			if spec.Name != nil {
				local = spec.Name.Name
			}
			uses[local] = members
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, "starts a goroutine")
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && slices.Contains(uses[x.Name], n.Sel.Name) {
				found = append(found, fmt.Sprintf("uses %s.%s", x.Name, n.Sel.Name))
			}
		}
		return true
	})
	return found
}

// The checker itself must see what it is for.
func TestImpuritiesAreSeen(t *testing.T) {
	tests := []struct {
		name, source string
		allowed      []string
		want         []string
	}{
		{name: "plain", source: `import "time"; var d = 3 * time.Second`},
		{name: "clock", source: `import "time"; func f() time.Time { return time.Now() }`, want: []string{"uses time.Now"}},
		{name: "renamed clock", source: `import clock "time"; func f() { clock.Sleep(1) }`, want: []string{"uses clock.Sleep"}},
		{name: "lock", source: `import "sync"; var m sync.Mutex`, want: []string{"imports sync"}},
		{name: "allowed", source: `import "sync/atomic"; var n atomic.Int64`, allowed: []string{"sync/atomic"}},
		{name: "goroutine", source: `func f() { go f() }`, want: []string{"starts a goroutine"}},
		{name: "hidden chance", source: `import "math/rand/v2"; var n = rand.IntN(3)`, want: []string{"uses rand.IntN"}},
		{name: "given chance", source: `import "math/rand/v2"; func f(r *rand.Rand) int { return r.IntN(3) }`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x; "+test.source, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := impurities(file, test.allowed); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAllows(t *testing.T) {
	tests := []struct {
		word, from, to string
		want           bool
	}{
		{"media", "media/seq", "media", true},
		{"seq", "media/ring", "media/seq", true},
		{"msg", "signalling/room", "signalling/msg", true},
		{"media/…", "sfu", "media/nack", true},
		{"media/…", "sfu", "media", true},
		{"sfu/…", "sfu", "sfu/udp", true},
		{"sfu/…", "signalling", "sfu", true},
		{"everything", "cmd/fanfare", "sfu", true},
		{"nothing", "media", "media/seq", false},
		{"–", "sfu/udp", "media", false},
		{"media", "sfu", "media/seq", false},
	}
	for _, test := range tests {
		if got := allows(test.word, test.from, test.to); got != test.want {
			t.Errorf("allows(%q, %q, %q) = %v", test.word, test.from, test.to, got)
		}
	}
}
