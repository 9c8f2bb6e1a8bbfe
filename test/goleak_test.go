package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// watched is how the tests of a package fail when a goroutine is left over.
var watched = regexp.MustCompile(`goleak\.(VerifyTestMain|Find)\(|streamtest\.Main\(`)

// unwatched are the programs, without tests of their own, that start goroutines, and why that is well.
var unwatched = map[string]string{
	"../examples/bycode": "its one worker ends with the program, which test runs",
	"../test/bench":      "it measures, and nothing stands on it",
}

// Whoever starts a goroutine waits for it: a package that starts any has tests that fail when one is left over.
func TestPackagesThatStartGoroutinesAreWatched(t *testing.T) {
	starts, watches := map[string]string{}, map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "tools" || len(d.Name()) > 2 && d.Name()[0] == '.'):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		switch dir := filepath.ToSlash(filepath.Dir(path)); {
		case strings.HasSuffix(path, "_test.go"):
			watches[dir] = watches[dir] || watched.Match(text)
		default:
			if at := startsGoroutine(f); at.IsValid() {
				starts[dir] = files.Position(at).String()
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(starts) < 5 {
		t.Errorf("only %d packages start goroutines: the search is wrong", len(starts))
	}
	for dir, at := range starts {
		if !watches[dir] && unwatched[dir] == "" {
			t.Errorf("%s starts a goroutine, and no test of its package looks for what is left over: goleak.VerifyTestMain", at)
		}
	}
}

// startsGoroutine returns where a file starts its first goroutine: by a go statement, or by the Go of a group that waits.
func startsGoroutine(f *ast.File) (at token.Pos) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			at = n.Pos()
		case *ast.CallExpr:
			if method, ok := n.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "Go" {
				at = n.Pos()
			}
		}
		return !at.IsValid()
	})
	return at
}
