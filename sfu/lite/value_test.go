package lite

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// shellFiles wait for the network; all others decide, and must stay values.
var shellFiles = []string{"handshaker.go", "handshake.go", "pipe.go"}

// TestValueHasNoShell: no socket, lock, log, goroutine, or clock in the leg.
func TestValueHasNoShell(t *testing.T) {
	barred := []string{"net", "os", "sync", "sync/atomic", "log", "log/slog", "context", "syscall"}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || slices.Contains(shellFiles, name) {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			if path, _ := strconv.Unquote(i.Path.Value); slices.Contains(barred, path) {
				t.Errorf("%s imports %s", name, path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine", set.Position(x.Pos()))
			case *ast.SelectorExpr:
				pkg, _ := x.X.(*ast.Ident)
				if pkg != nil && pkg.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker"}, x.Sel.Name) {
					t.Errorf("%s uses time.%s", set.Position(x.Pos()), x.Sel.Name)
				}
			}
			return true
		})
	}
}
