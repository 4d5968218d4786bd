package main

import (
	"cmp"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/constraint"
)

// dangling checks the references of an input. Documents at hand are those that
// were given with it.
func (v *validation) dangling(inputs []input, i int, folder *folder) []constraint.Finding {
	load := func(from *oscal.Document, href string) *oscal.Document {
		u, err := url.Parse(href)
		if err != nil {
			return nil
		}
		u.Fragment = ""
		file, ok := folder.mapped[u.String()]
		if !ok {
			if u.Scheme != "" || u.Host != "" || u.Path == "" {
				return nil
			}
			file = filepath.FromSlash(u.Path)
			if !filepath.IsAbs(file) {
				file = filepath.FromSlash(path.Join(filepath.ToSlash(filepath.Dir(from.Name())), u.Path))
			}
			file = cmp.Or(folder.mapped[filepath.ToSlash(file)], file)
		}
		for j := range inputs {
			if inputs[j].doc != nil && sameFile(inputs[j].file, file) {
				return inputs[j].doc
			}
		}
		return nil
	}
	ps := oscal.CheckReferences([]*oscal.Document{inputs[i].doc}, &oscal.ReferenceOptions{Load: load})
	ps = slices.DeleteFunc(ps, func(p oscal.Problem) bool {
		return p.Rule == oscal.RuleUnavailable && v.references != "strict"
	})
	found := constraint.StructureFindings(ps)
	for i := range found {
		f := &found[i]
		about := "what has this identifier"
		if f.Rule == string(oscal.RuleDuplicateID) {
			// The models ask for unique identifiers in words; where their constraints
			// do not ask for it too, other programs take the document.
			f.Level = constraint.LevelWarning
			about = "first with this identifier"
		}
		for j := range f.Related {
			f.Related[j].Message = about
		}
	}
	return slices.DeleteFunc(found, func(f constraint.Finding) bool {
		return f.Level < v.opts.MinLevel || v.opts.Only != nil && !slices.Contains(v.opts.Only, f.Rule) || slices.Contains(v.opts.Except, f.Rule)
	})
}

func sameFile(a, b string) bool {
	x, errX := filepath.Abs(a)
	y, errY := filepath.Abs(b)
	return errX == nil && errY == nil && x == y
}

// A lookup is a node whose value an index should have.
type lookup struct {
	index string
	node  *oscal.Node
}

// lookups are the nodes that a finding of index-has-key blames.
func lookups(f *constraint.Finding) []lookup {
	if f.Kind != constraint.KindIndexHasKey || f.Err != nil || len(f.Constraint.Keys) != 1 {
		return nil
	}
	name := f.Constraint.Name
	target := f.Constraint.Keys[0].Target
	if target == "." {
		return []lookup{{name, f.Node}}
	}
	var out []lookup
	for n := range f.Node.All(strings.TrimPrefix(target, "@")) {
		out = append(out, lookup{name, n})
	}
	return out
}

// onePerFault leaves out the findings that say of a key what another one says:
// the models have several constraints on some keys, at the key and at the object
// that it stands in. The one nearest to the key stays.
func onePerFault(found []constraint.Finding) []constraint.Finding {
	said := map[lookup]*constraint.Finding{}
	for i := range found {
		f := &found[i]
		for _, l := range lookups(f) {
			if before := said[l]; before == nil || f.Level > before.Level || f.Level == before.Level && f.Node == l.node && before.Node != l.node {
				said[l] = f
			}
		}
	}
	var out []constraint.Finding
	for i := range found {
		f := &found[i]
		ls := lookups(f)
		if len(ls) == 0 || slices.ContainsFunc(ls, func(l lookup) bool { return said[l] == f }) {
			out = append(out, *f)
		}
	}
	return out
}

// withReferences puts what is wrong with references among the other findings of
// a document, but for what a constraint says already: the weight that the model
// gives to it counts.
func withReferences(found []constraint.Finding, doc *oscal.Document, dangling []constraint.Finding) []constraint.Finding {
	said := map[string]bool{}
	for i := range found {
		f := &found[i]
		for _, l := range lookups(f) {
			said[l.node.Pointer()] = true
		}
		if (f.Kind == constraint.KindIndex || f.Kind == constraint.KindIsUnique) && len(f.Constraint.Keys) == 1 {
			if key := f.Constraint.Keys[0].Target; key == "@uuid" || key == "@id" {
				said[f.Node.Pointer()] = true
			}
		}
	}
	structure := 0 // those come first
	for structure < len(found) && found[structure].Kind == 0 {
		structure++
	}
	rest := slices.Clone(found[structure:])
	for _, f := range dangling {
		if !said[f.Pointer] {
			rest = append(rest, f)
		}
	}
	slices.SortStableFunc(rest, func(a, b constraint.Finding) int {
		aIn, bIn := a.File == doc.Name(), b.File == doc.Name()
		switch {
		case aIn && bIn:
			return cmp.Compare(a.Position.Offset, b.Position.Offset)
		case aIn:
			return -1
		case bIn:
			return 1
		}
		return 0
	})
	return append(found[:structure:structure], rest...)
}
