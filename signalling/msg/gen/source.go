package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"unicode"
)

// source is what the Go text of package msg says and reflection does not.
type source struct {
	docs   map[string]string // "Hello" or "Hello.Token" → comment
	enums  []enum            // in order of appearance
	limits []limit
}

// enum is a string type with its constants.
type enum struct {
	name   string
	values []constant
}

type constant struct{ value, doc string } // value with its quotes

// limit is an exported integer constant.
type limit struct{ name, value, doc string }

// parse reads every Go file of the folder except tests, in order of name.
func parse(dir string) (source, error) {
	s := source{docs: map[string]string{}}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return s, err
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return s, err
		}
		for _, decl := range f.Decls {
			if g, ok := decl.(*ast.GenDecl); ok {
				s.add(g)
			}
		}
	}
	return s, nil
}

func (s *source) add(g *ast.GenDecl) {
	for _, spec := range g.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			s.addType(spec, comment(g.Doc, spec.Doc))
		case *ast.ValueSpec:
			if g.Tok == token.CONST {
				s.addConst(spec, comment(spec.Doc, spec.Comment))
			}
		}
	}
}

func (s *source) addType(spec *ast.TypeSpec, doc string) {
	s.docs[spec.Name.Name] = doc
	switch t := spec.Type.(type) {
	case *ast.Ident:
		if t.Name == "string" {
			s.enums = append(s.enums, enum{name: spec.Name.Name})
		}
	case *ast.StructType:
		for _, f := range t.Fields.List {
			for _, n := range f.Names {
				s.docs[spec.Name.Name+"."+n.Name] = comment(f.Doc, f.Comment)
			}
		}
	}
}

// addConst sorts a constant into its enum, by its type, or into the limits, when it has none.
func (s *source) addConst(spec *ast.ValueSpec, doc string) {
	if len(spec.Values) != 1 || !spec.Names[0].IsExported() {
		return
	}
	if t, ok := spec.Type.(*ast.Ident); ok {
		for i := range s.enums {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok && s.enums[i].name == t.Name {
				s.enums[i].values = append(s.enums[i].values, constant{lit.Value, doc})
			}
		}
		return
	}
	if v, ok := number(spec.Values[0]); ok {
		s.limits = append(s.limits, limit{screaming(spec.Names[0].Name), v, doc})
	}
}

// number writes a literal, or a shift of literals, as TypeScript reads it.
func number(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Value, e.Kind == token.INT
	case *ast.BinaryExpr:
		x, okX := number(e.X)
		y, okY := number(e.Y)
		return x + " " + e.Op.String() + " " + y, okX && okY
	}
	return "", false
}

// screaming turns MaxSealed into MAX_SEALED.
func screaming(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

func comment(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if text := strings.TrimSpace(g.Text()); text != "" {
			return text
		}
	}
	return ""
}
