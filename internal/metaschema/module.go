package metaschema

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// A module is one Metaschema module with the scope in which its names resolve.
type module struct {
	file                               string
	shortName, version, namespace, sum string
	root                               *Element
	imports                            []*module
	globals                            map[string]*Element // "define-assembly part" and so on
	found                              map[string]found    // what names mean, by kind and name, once looked up
}

type found struct {
	owner *module
	def   *Element
}

// lookup finds a definition: in the module itself, then in the imports, the
// last one first; local definitions do not leave their module.
func (m *module) lookup(kind, name string, outside bool) (*module, *Element) {
	key := kind + " " + name
	if e := m.globals[key]; e != nil && (!outside || e.Attrs["scope"] != "local") {
		return m, e
	}
	f, ok := m.found[key]
	if !ok {
		for _, imp := range slices.Backward(m.imports) {
			if f.owner, f.def = imp.lookup(kind, name, true); f.def != nil {
				break
			}
		}
		m.found[key] = f
	}
	return f.owner, f.def
}

// Limits of what is read.
type Limits struct {
	Bytes int64 // of all modules together, their entities put in
	Files int   // modules
}

// maxProblems is how many problems are noted.
const maxProblems = 1000

type loader struct {
	reader
	limits   Limits
	modules  map[string]*module // nil for one that cannot be used
	order    []*module          // as they were met, the first one first
	files    []string           // the same, those that cannot be used among them
	missing  bool               // a module that is imported cannot be used
	problems Problems
}

func (l *loader) problem(e *Element, rule, format string, args ...any) {
	switch n := len(l.problems); {
	case n == maxProblems-1:
		l.problems = append(l.problems, e.problem("limit", nil, "stopped after %d problems", n))
	case n < maxProblems:
		l.problems = append(l.problems, e.problem(rule, nil, format, args...))
	}
}

// sorted returns the problems in the order in which the modules were met and of
// their text: references are followed in another one.
func (l *loader) sorted() Problems {
	rank := func(file string) int {
		if i := slices.Index(l.files, file); i >= 0 {
			return i
		}
		return len(l.files) // the file of an entity
	}
	slices.SortStableFunc(l.problems, func(a, b Problem) int {
		return cmp.Or(rank(a.File)-rank(b.File), strings.Compare(a.File, b.File), a.Offset-b.Offset)
	})
	return l.problems
}

// load reads a module and what it imports. The stack holds the modules on the
// way here, at is the import that asks for it, nil for the first one. It is nil
// if there is nothing that could be used.
func (l *loader) load(name string, at *Element, stack []string) *module {
	if at == nil {
		at = &Element{File: name}
	}
	if slices.Contains(stack, name) {
		l.problem(at, "reference-unavailable", "the imports go in a circle: %s", strings.Join(append(stack, name), ", "))
		return nil
	}
	if m, ok := l.modules[name]; ok {
		return m
	}
	l.modules[name] = nil
	l.files = append(l.files, name)
	if len(l.modules) > l.limits.Files {
		l.problem(at, "limit", "more than %d modules", l.limits.Files)
		return nil
	}
	text, err := l.read(name)
	if err != nil {
		l.problems = append(l.problems, at.problem(ruleOf(err), err, "cannot read %s: %v", name, err))
		return nil
	}
	root, ps := l.parse(newSource(name, text))
	l.problems = append(l.problems, ps...) // one, or one for each entity
	if root == nil {
		return nil
	}
	if root.Name != "METASCHEMA" {
		l.problem(root, "root-missing", "expected <METASCHEMA>, found <%s>", root.Name)
		return nil
	}
	m := &module{
		file: name, shortName: root.ChildText("short-name"), version: root.ChildText("schema-version"), namespace: root.ChildText("namespace"),
		sum: fmt.Sprintf("%x", sha256.Sum256([]byte(text))), root: root, globals: map[string]*Element{}, found: map[string]found{},
	}
	l.modules[name] = m
	l.order = append(l.order, m)
	l.check(root)
	for _, c := range root.Kids {
		switch c.Name {
		case "import":
			href, ok := c.Attrs["href"]
			if !ok {
				continue
			}
			file, err := resolve(name, href)
			if err != nil {
				l.problem(c, "reference-unavailable", "cannot import: %v", err)
				l.missing = true
				continue
			}
			if imp := l.load(file, c, append(stack, name)); imp != nil {
				m.imports = append(m.imports, imp)
			} else {
				l.missing = true
			}
		case "define-assembly", "define-field", "define-flag":
			key := c.Name + " " + c.Attrs["name"]
			if first := m.globals[key]; first != nil && c.Attrs["name"] != "" {
				l.problem(c, "member-duplicate", "<%s> %s stands here a second time, the first is in line %d", c.Name, quote(c.Attrs["name"]), first.Line)
				continue
			}
			m.globals[key] = c
		}
	}
	return m
}

// readable makes sure that a file name is one of a file system.
func readable(fsys fs.FS, name string) Problems {
	if fsys == nil || !fs.ValidPath(name) || name == "." {
		return Problems{{Rule: "reference-unavailable", File: name, Message: fmt.Sprintf("expected the path of a file in the file system, found %s", quote(name))}}
	}
	return nil
}
