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

// given are the documents of inputs, by the absolute path of their file; of two of
// one path, the first.
func given(inputs []input) map[string]*oscal.Document {
	out := map[string]*oscal.Document{}
	for _, in := range inputs {
		if name, err := filepath.Abs(in.file); err == nil && in.doc != nil && out[name] == nil {
			out[name] = in.doc
		}
	}
	return out
}

// dangling checks the references of a document. Documents at hand are those that
// were given with it.
func (v *validation) dangling(doc *oscal.Document, given map[string]*oscal.Document, folder *folder) []constraint.Finding {
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
		name, err := filepath.Abs(file)
		if err != nil {
			return nil
		}
		return given[name]
	}
	ps := oscal.CheckReferences([]*oscal.Document{doc}, &oscal.ReferenceOptions{Load: load})
	ps = slices.DeleteFunc(ps, func(p oscal.Problem) bool {
		return p.Rule == oscal.RuleUnavailable && v.references != "strict"
	})
	found := constraint.StructureFindings(ps)
	for i := range found {
		if f := &found[i]; f.Rule == string(oscal.RuleDuplicateID) {
			// The models ask for unique identifiers in words; where their constraints
			// do not ask for it too, other programs take the document.
			f.Level = constraint.LevelWarning
		}
	}
	return v.filter(found)
}

// filter leaves out what was not asked for.
func (v *validation) filter(found []constraint.Finding) []constraint.Finding {
	return slices.DeleteFunc(found, func(f constraint.Finding) bool {
		return f.Level < v.opts.MinLevel || v.opts.Only != nil && !slices.Contains(v.opts.Only, f.Rule) || slices.Contains(v.opts.Except, f.Rule)
	})
}

// A fault is a key that is not in an index, or that two nodes have.
type fault struct {
	index string      // in which the key is not; "" for two nodes
	node  *oscal.Node // that is the key, or the second with it
	first *oscal.Node // with the key
	key   string      // what it is made of, where two nodes have it
}

// faults are what a finding of a constraint on keys is about.
func faults(f *constraint.Finding) []fault {
	if f.Err != nil || f.Constraint == nil || len(f.Constraint.Keys) != 1 {
		return nil
	}
	name, target := f.Constraint.Name, f.Constraint.Keys[0].Target
	switch f.Kind {
	case constraint.KindIndex, constraint.KindIsUnique:
		if len(f.Related) == 1 {
			return []fault{{node: f.Node, first: f.Related[0].Node, key: target}}
		}
	case constraint.KindIndexHasKey:
		if target == "." {
			return []fault{{index: name, node: f.Node}}
		}
		var out []fault
		for n := range f.Node.All(strings.TrimPrefix(target, "@")) {
			out = append(out, fault{index: name, node: n})
		}
		return out
	}
	return nil
}

// onePerFault leaves out the findings that say of a key what another one says:
// the models have several constraints on some keys, at the key and at the object
// that it stands in. The heaviest stays, then the one nearest to the key, then
// the first.
func onePerFault(found []constraint.Finding) []constraint.Finding {
	said := map[fault]*constraint.Finding{}
	for i := range found {
		f := &found[i]
		for _, x := range faults(f) {
			if before := said[x]; before == nil || f.Level > before.Level || f.Level == before.Level && f.Node == x.node && before.Node != x.node {
				said[x] = f
			}
		}
	}
	var out []constraint.Finding
	for i := range found {
		f := &found[i]
		xs := faults(f)
		if len(xs) == 0 || slices.ContainsFunc(xs, func(x fault) bool { return said[x] == f }) {
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
		for _, x := range faults(f) {
			if x.index != "" || x.key == "@uuid" || x.key == "@id" {
				said[x.node.Pointer()] = true
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
