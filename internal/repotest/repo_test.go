// Package repotest tests the repository itself: who imports whom, which
// modules are used where, what is documented, what reads the clock.
package repotest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/issokit/issokit"

// mayImport is the import table: which of our packages a package may import.
// internal/* may be imported by all and imports none of these; cmd/*, examples/*
// and the generators in internal/gen/* may import all.
var mayImport = map[string][]string{
	"oscal":                 {},
	"oscal/profile":         {"oscal"},
	"oscal/constraint":      {"oscal"},
	"oscal/diff":            {"oscal"},
	"oscal/schema":          {"oscal"},
	"controls":              {"oscal"},
	"assessment":            {"oscal", "controls"},
	"assessment/scan":       {"oscal", "assessment"},
	"risk":                  {"oscal"},
	"risk/fair":             {},
	"risk/matrix":           {},
	"risk/vuln":             {},
	"vendors":               {"oscal"},
	"vendors/questionnaire": {},
	"incidents":             {"oscal"},
	"governance": {
		"oscal", "oscal/profile", "controls", "assessment", "assessment/scan", "risk", "risk/matrix",
		"risk/fair", "risk/vuln", "vendors", "vendors/questionnaire", "incidents",
	},
	"report": {
		"oscal", "controls", "assessment", "risk", "risk/matrix", "risk/fair", "risk/vuln", "vendors", "incidents", "governance",
	},
	"store":           {"store/driver"},
	"store/driver":    {},
	"store/approval":  {"store"},
	"store/documents": {"store", "oscal"},
	"store/memory":    {"store/driver", "store/internal/tree"},
	"store/file":      {"store/driver", "store/internal/tree"},
	"store/sqlite":    {"store/driver", "store/internal/sqldb"},
	"store/postgres":  {"store/driver", "store/internal/sqldb"},
	"store/storetest": {"store", "store/driver", "store/memory"},
	// Parts of the back ends: records in memory, records in SQL tables.
	"store/internal/tree":  {"store/driver"},
	"store/internal/sqldb": {"store/driver"},
}

// modules is the table of modules of others and of the packages that may use
// them; "test" stands for all files of tests.
var modules = map[string][]string{
	"github.com/defenseunicorns/go-oscal":      {"oscal", "internal/gen/oscalsince", "test"},
	"github.com/google/uuid":                   {"oscal"},
	"github.com/stretchr/testify":              {"test", "store/storetest"},
	"github.com/santhosh-tekuri/jsonschema/v5": {"oscal/schema", "test"},
	"github.com/go-json-experiment/json":       {"assessment/scan", "risk/vuln", "store", "test"},
	"go.yaml.in/yaml/v4":                       {"oscal", "internal/strictyaml", "test"},
	"github.com/spf13/cobra":                   {"cmd/isso"},
	"golang.org/x/mod":                         {"store", "store/storetest", "cmd/isso", "test"},
	"modernc.org/sqlite":                       {"cmd/isso", "examples/grc-service", "test"},
	"github.com/jackc/pgx/v5":                  {"cmd/isso", "test"},
	"gonum.org/v1/gonum":                       {"test"},
	"github.com/pandatix/go-cvss":              {"test"},
	"github.com/yuin/goldmark":                 {"test"},
}

// A file is one parsed Go file of the repository.
type file struct {
	name string // path from the root, with slashes
	pkg  string // folder
	test bool
	ast  *ast.File
}

var fset = token.NewFileSet()

func files(t *testing.T) []file {
	t.Helper()
	root := filepath.Join("..", "..")
	var out []file
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, p)
		name = filepath.ToSlash(name)
		if e.IsDir() {
			if name != "." && (strings.HasPrefix(e.Name(), ".") || e.Name() == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		out = append(out, file{name, path.Dir(name), strings.HasSuffix(name, "_test.go"), f})
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, out)
	return out
}

func free(pkg string) bool {
	return strings.HasPrefix(pkg, "cmd/") || strings.HasPrefix(pkg, "examples/")
}

func TestImports(t *testing.T) {
	for _, f := range files(t) {
		for _, imp := range f.ast.Imports {
			p, err := strconv.Unquote(imp.Path.Value)
			require.NoError(t, err)
			ours, isOurs := strings.CutPrefix(p, module+"/")
			switch {
			case free(f.pkg) && isOurs, strings.HasPrefix(f.pkg, "internal/gen/") && isOurs:
			case isOurs && strings.HasPrefix(ours, "internal/"):
			case isOurs && f.test:
				// Tests may use what their package may not, e.g. the memory back end.
			case isOurs:
				require.Contains(t, mayImport[f.pkg], ours, "%s imports %s", f.name, ours)
			case strings.Contains(strings.Split(p, "/")[0], "."):
				i := slices.IndexFunc(slices.Collect(mapKeys(modules)), func(m string) bool { return p == m || strings.HasPrefix(p, m+"/") })
				require.GreaterOrEqual(t, i, 0, "%s imports %s, which is not in the table", f.name, p)
				allowed := modules[slices.Collect(mapKeys(modules))[i]]
				require.True(t, slices.Contains(allowed, f.pkg) || f.test && slices.Contains(allowed, "test"), "%s may not import %s", f.name, p)
			}
		}
		if !free(f.pkg) && !strings.HasPrefix(f.pkg, "internal/") && f.pkg != "." {
			require.Contains(t, mayImport, f.pkg, "package %s is not in the import table", f.pkg)
		}
	}
}

func mapKeys(m map[string][]string) func(func(string) bool) {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return slices.Values(keys)
}

// TestNothingFromOutside: domain packages take time, randomness and data as
// arguments.
func TestNothingFromOutside(t *testing.T) {
	// store opens files where its back end is a folder; its clock is an option
	// whose default is the system's.
	edge := []string{"store", "store/file", "store/storetest"}
	calls := map[string][]string{
		"time":      {"Now", "Since", "Until", "Sleep", "Tick"},
		"os":        {"Open", "ReadFile", "WriteFile", "Create", "Getenv", "Environ", "Getwd", "Chdir", "Exit"},
		"math/rand": nil, "net": nil, "net/http": nil, "crypto/rand": nil,
	}
	for _, f := range files(t) {
		if f.test || free(f.pkg) || strings.HasPrefix(f.pkg, "internal/") || slices.Contains(edge, f.pkg) {
			continue
		}
		names := map[string]string{}
		for _, imp := range f.ast.Imports {
			p, _ := strconv.Unquote(imp.Path.Value)
			names[path.Base(p)] = p
			if banned, ok := calls[p]; ok && banned == nil {
				t.Errorf("%s imports %s", f.name, p)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); ok && id.Obj == nil && slices.Contains(calls[names[id.Name]], sel.Sel.Name) {
				t.Errorf("%s: %s.%s", fset.Position(n.Pos()), id.Name, sel.Sel.Name)
			}
			return true
		})
	}
}

// TestDocumented: every exported name of a public package has a comment, every
// package one of its own.
func TestDocumented(t *testing.T) {
	packages := map[string]bool{}
	for _, f := range files(t) {
		if f.test || strings.HasPrefix(f.pkg, "internal/") {
			continue
		}
		packages[f.pkg] = packages[f.pkg] || f.ast.Doc != nil
		if free(f.pkg) {
			continue
		}
		generated := ast.IsGenerated(f.ast)
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) && !trivial(d) {
					t.Errorf("%s: %s has no comment", fset.Position(d.Pos()), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if generated && d.Doc != nil {
						continue
					}
					switch s := s.(type) {
					case *ast.TypeSpec:
						if s.Name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
							t.Errorf("%s: %s has no comment", fset.Position(s.Pos()), s.Name.Name)
						}
					case *ast.ValueSpec:
						if s.Names[0].IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
							t.Errorf("%s: %s has no comment", fset.Position(s.Pos()), s.Names[0].Name)
						}
					}
				}
			}
		}
	}
	for p, ok := range packages {
		require.True(t, ok, "package %s has no comment", p)
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

// trivial tells whether a method is one whose meaning the language fixes.
func trivial(d *ast.FuncDecl) bool {
	return d.Recv != nil && slices.Contains([]string{"Error", "Unwrap", "String", "MarshalText", "UnmarshalText", "MarshalJSON", "UnmarshalJSON", "Is"}, d.Name.Name)
}

// TestNoTraces: the project speaks of itself alone.
func TestNoTraces(t *testing.T) {
	for _, f := range files(t) {
		data, err := os.ReadFile(filepath.Join("..", "..", f.name))
		require.NoError(t, err)
		for _, word := range []string{"/wo" + "rk/", "/tm" + "p/", "/ro" + "ot/", "TO" + "DO", "FIX" + "ME"} {
			require.NotContains(t, string(data), word, f.name)
		}
	}
}
