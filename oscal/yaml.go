package oscal

import (
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// readYAML binds a YAML text. Scalars take the type of the model, never that
// of YAML: an unquoted yes in a string is the string yes.
func readYAML(b *binder) {
	text := strings.TrimPrefix(b.doc.text, bom)
	loader, err := yaml.NewLoader(strings.NewReader(text), yaml.WithV4Defaults())
	if err != nil {
		b.fatal(RuleSyntax, 0, "%v", err)
		return
	}
	var doc, more yaml.Node
	if err := loader.Load(&doc); err != nil {
		b.yamlError(err)
		return
	}
	r := &yamlReader{binder: b, open: map[*yaml.Node]bool{}}
	if len(doc.Content) == 1 {
		r.document(doc.Content[0])
	}
	switch err := loader.Load(&more); {
	case err == nil && !b.stopped:
		b.fatal(RuleTrailing, r.offset(&more), "expected one YAML document, found a second one")
	case err != nil && !errors.Is(err, io.EOF):
		b.yamlError(err)
	}
}

func (b *binder) yamlError(err error) {
	if errors.Is(err, io.EOF) {
		b.fatal(RuleFormat, 0, "the document is empty")
		return
	}
	offset := 0
	message := err.Error()
	var e *yaml.LoadError
	if errors.As(err, &e) {
		offset = b.doc.offsetOf(e.Mark.Line, e.Mark.Column)
		message = e.Message
	}
	b.fatal(RuleSyntax, offset, "%s", message)
}

type yamlReader struct {
	*binder
	depth   int
	open    map[*yaml.Node]bool // anchored nodes that are being expanded
	visited int                 // nodes visited, those of expanded aliases each time
}

func (r *yamlReader) offset(n *yaml.Node) int { return r.doc.offsetOf(n.Line, n.Column) }

// found describes a node in the words of JSON.
func yamlFound(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "an array"
	}
	if isNull(n) {
		return "null"
	}
	return quote(n.Value)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Style == 0 }

// enter follows an alias to what it stands for and counts against the limits.
// It returns nil when there is nothing to be read; leave must follow otherwise.
func (r *yamlReader) enter(n *yaml.Node) *yaml.Node {
	if r.stopped {
		return nil
	}
	at := n
	if n.Kind == yaml.AliasNode {
		n = n.Alias
		if n == nil || r.open[n] {
			r.problem(Error, RuleAlias, r.offset(at), nil, "the alias *%s stands inside its own anchor", at.Value)
			return nil
		}
	}
	r.visited++
	r.depth++
	switch {
	case r.visited > r.opts.MaxNodes || r.visited > 1_000_000+10*len(r.doc.text):
		r.fatal(RuleLimit, r.offset(at), "the aliases of the document expand to too many nodes")
	case r.depth > r.opts.MaxDepth:
		r.fatal(RuleLimit, r.offset(at), "objects and arrays are nested deeper than %d", r.opts.MaxDepth)
	case n.Style&yaml.TaggedStyle != 0 && !strings.HasPrefix(n.Tag, "!!"):
		r.problem(Error, RuleUnsupported, r.offset(at), nil, "the tag %s has no meaning here", quote(n.Tag))
	}
	if r.stopped {
		r.depth--
		return nil
	}
	if n.Anchor != "" {
		r.open[n] = true
	}
	return n
}

func (r *yamlReader) leave(n *yaml.Node) {
	r.depth--
	if n.Anchor != "" {
		delete(r.open, n)
	}
}

func (r *yamlReader) document(n *yaml.Node) {
	n = r.enter(n)
	if n == nil {
		return
	}
	defer r.leave(n)
	if n.Kind != yaml.MappingNode {
		r.fatal(RuleShape, r.offset(n), "expected an object, found %s", yamlFound(n))
		return
	}
	schema := false
	r.members(n, nil, func(key, v *yaml.Node) {
		if key.Value == "$schema" && v.Kind == yaml.ScalarNode && !schema {
			r.doc.schema, schema = v.Value, true
			return
		}
		root := r.root(key.Value, r.offset(key))
		if root == nil {
			return
		}
		if v = r.enter(v); v == nil {
			return
		}
		if v.Kind == yaml.MappingNode {
			r.object(v, root)
		} else {
			r.problem(Error, RuleShape, r.offset(v), root, "expected an object, found %s", yamlFound(v))
		}
		r.leave(v)
	})
}

// members calls f for each pair of a mapping whose key is a plain name.
func (r *yamlReader) members(n *yaml.Node, at *Node, f func(key, v *yaml.Node)) {
	for i := 0; i+1 < len(n.Content) && !r.stopped; i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind == yaml.AliasNode && key.Alias != nil && key.Alias.Kind == yaml.ScalarNode:
			key = &yaml.Node{Kind: yaml.ScalarNode, Value: key.Alias.Value, Line: key.Line, Column: key.Column}
		case key.Kind != yaml.ScalarNode:
			r.problem(Error, RuleShape, r.offset(key), at, "expected a member name, found %s", yamlFound(key))
			continue
		}
		if key.Tag == "!!merge" {
			r.problem(Error, RuleUnsupported, r.offset(key), at, "the merge key << is not supported")
			continue
		}
		f(key, v)
	}
}

func (r *yamlReader) object(n *yaml.Node, node *Node) {
	f := r.binder.open(node)
	if node.first != nil {
		r.begun(&f)
	}
	r.members(n, node, func(key, v *yaml.Node) {
		at := r.offset(key)
		if f.isValueKey(key.Value) || f.isValueName(key.Value) {
			if v := r.enter(v); v != nil {
				if isNull(v) {
					r.absent(&f, key.Value, at)
				} else if r.valueMember(&f, key.Value, at) {
					r.value(&f, node.member, node, v)
				}
				r.leave(v)
			}
			return
		}
		m := r.binder.member(&f, key.Value, at)
		if m == nil {
			return
		}
		v = r.enter(v)
		if v == nil {
			return
		}
		defer r.leave(v)
		switch {
		case isNull(v):
			f.seen &^= 1 << m.order
			r.absent(&f, key.Value, at)
		case m.array == 0 || m.array == inSingletonOrArray && v.Kind != yaml.SequenceNode:
			r.item(&f, m, v)
		case m.array == byKey:
			r.keyed(&f, m, v)
		case v.Kind != yaml.SequenceNode:
			r.shape(&f, m, r.offset(v), "an array", yamlFound(v))
		case len(v.Content) == 0:
			r.emptyArray(&f, m, r.offset(v))
		default:
			for _, item := range v.Content {
				if item = r.enter(item); item != nil {
					if isNull(item) {
						r.shape(&f, m, r.offset(item), "an item", "null")
					} else {
						r.item(&f, m, item)
					}
					r.leave(item)
				}
			}
			if len(v.Content) == 1 {
				r.arrayOfOne(&f, m, r.offset(v))
			}
		}
	})
	if !r.stopped {
		r.close(&f)
	}
}

// absent notes a null member, which in YAML counts as one that is not there.
func (r *yamlReader) absent(f *frame, name string, at int) {
	r.problem(Warning, RuleNull, at, f.node, "%s is null and counts as absent", quote(name))
}

// keyed binds the object of a group by key.
func (r *yamlReader) keyed(f *frame, m *Member, v *yaml.Node) {
	switch {
	case v.Kind != yaml.MappingNode:
		r.shape(f, m, r.offset(v), "an object", yamlFound(v))
		return
	case len(v.Content) == 0:
		r.emptyArray(f, m, r.offset(v))
	}
	r.members(v, f.node, func(key, v *yaml.Node) {
		if v = r.enter(v); v == nil {
			return
		}
		if isNull(v) {
			r.shape(f, m, r.offset(v), "an item", "null")
		} else if r.fits(f, m, v) {
			r.content(f, m, r.named(f, m, key.Value, r.offset(key), r.offset(v)), v)
		}
		r.leave(v)
	})
}

func (r *yamlReader) item(f *frame, m *Member, v *yaml.Node) {
	if r.fits(f, m, v) {
		r.content(f, m, r.add(f, m, r.offset(v)), v)
	}
}

// fits tells whether v is a value or an object, as the member wants it.
func (r *yamlReader) fits(f *frame, m *Member, v *yaml.Node) bool {
	switch plain := m.isPlain(); {
	case plain && v.Kind != yaml.ScalarNode:
		r.shape(f, m, r.offset(v), "a "+m.dtype.String(), yamlFound(v))
	case !plain && v.Kind != yaml.MappingNode:
		r.shape(f, m, r.offset(v), "an object", yamlFound(v))
	default:
		return true
	}
	return false
}

func (r *yamlReader) content(f *frame, m *Member, n *Node, v *yaml.Node) {
	if v.Kind == yaml.MappingNode {
		r.object(v, n)
	} else {
		r.value(f, m, n, v)
	}
}

// value binds a scalar. Text slots take what is written; a number or boolean
// must be written without quotes, as in JSON.
func (r *yamlReader) value(f *frame, m *Member, n *Node, v *yaml.Node) {
	t := m.dtype
	switch {
	case v.Kind != yaml.ScalarNode:
		r.shape(f, m, r.offset(v), "a "+t.String(), yamlFound(v))
		return
	case (t.isNumber() || t == TypeBoolean) && v.Style&^yaml.TaggedStyle != 0:
		n.value = v.Value
		r.shape(f, m, r.offset(v), "a "+t.String()+" without quotes", "a string")
		return
	case t == TypeBoolean && v.Value != "true" && v.Value != "false":
		n.value = v.Value
		r.shape(f, m, r.offset(v), "true or false", yamlFound(v))
		return
	}
	r.scalar(n, t, v.Value, r.offset(v))
}
