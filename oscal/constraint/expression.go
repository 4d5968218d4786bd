package constraint

import (
	"context"
	"time"

	"github.com/issokit/issokit/oscal"
)

// CompileOptions configure [Compile]; nil means the defaults.
type CompileOptions struct {
	// Variables are the names of the variables, without the dollar sign, that
	// [EvalOptions] will give values to.
	Variables []string
	// RelativeRoot reads a leading slash relative to the context item instead of
	// the document, as the reference engine does inside nested contexts.
	RelativeRoot bool
	// Namespaces binds prefixes of element names to namespaces. Names of the
	// namespace of the models are known; others are refused.
	Namespaces map[string]string
	// Metaschema has the models that the names are of; default: those of OSCAL.
	Metaschema *oscal.Metaschema
	names      *nameTables // of it, where many expressions are compiled
}

// An Expression is a compiled Metapath expression. It is immutable: several
// goroutines may evaluate it at once.
type Expression struct {
	text  string
	fn    evalFn
	nodes nodesFn    // set if the expression is a path of nodes from the context
	first *memberSet // what the first step of such a path selects, nil if it is not known
	test  nodePred   // its effective boolean value
	// everywhere is set if the expression selects all nodes of some members in the
	// document of the context node, as //part does.
	everywhere *memberSet
	names      *nameTables
	slots      int
}

// Compile compiles a Metapath expression. Functions and variables are resolved
// here, so that what is unknown, and what the engine does not support, is an
// [ExpressionError] now and not a surprise later.
func Compile(expression string, opts *CompileOptions) (*Expression, error) {
	var o CompileOptions
	if opts != nil {
		o = *opts
	}
	e, err := compileExpression(expression, o, false)
	if err != nil {
		return nil, err
	}
	return e, nil
}

func compileExpression(text string, o CompileOptions, ignorePredicates bool) (*Expression, *ExpressionError) {
	tree, err := parse(text)
	if err != nil {
		return nil, err
	}
	c := newCompiler(text, o, ignorePredicates)
	fn := c.compile(tree)
	nodes, _, _ := c.startPath(tree)
	test := c.predicate(tree)
	if c.err != nil {
		return nil, c.err
	}
	return &Expression{text: text, fn: fn, nodes: nodes, first: c.first(tree), everywhere: c.everywhere(tree), names: c.names, test: test, slots: c.slots}, nil
}

// String returns the text of the expression.
func (e *Expression) String() string { return e.text }

// EvalOptions configure [Expression.Eval]; nil means the defaults.
type EvalOptions struct {
	// Document is the document of the context node; functions such as base-uri
	// and doc need its name. Optional.
	Document *oscal.Document
	// Now is what current-dateTime and current-date return. Where it is zero
	// these are errors.
	Now time.Time
	// Loader gives the documents that doc and its like ask for. Without it they
	// are errors that match [ErrNoLoader], and doc-available is false.
	Loader Loader
	// ResolveProfile resolves a profile for resolve-profile. A catalog resolves
	// to itself without it.
	ResolveProfile ResolveFunc
	// Variables give values to the variables named in [CompileOptions].
	Variables map[string]Sequence
	// MaxSteps bounds the work: nodes that are visited and items that are made.
	// Default 100,000,000, some seconds.
	MaxSteps int
}

// Eval evaluates the expression with a node as context item. A nil node means
// the node above the root of opts.Document or, without a document, none.
//
// The error is the one of ctx if that is done, else an [ExpressionError].
// Evaluation is bounded in work, depth and memory; it never changes a document.
func (e *Expression) Eval(ctx context.Context, node *oscal.Node, opts *EvalOptions) (Sequence, error) {
	var o EvalOptions
	if opts != nil {
		o = *opts
	}
	r := newRun(ctx)
	r.now, r.loader, r.resolve, r.variables = o.Now, o.Loader, o.ResolveProfile, o.Variables
	if o.MaxSteps > 0 {
		r.maxSteps = o.MaxSteps
	}
	var item Item
	if o.Document != nil {
		s := r.add(o.Document.Root(), o.Document, o.Document.Name())
		item = NodeItem(s.top)
	}
	if node != nil {
		item = NodeItem(node)
	}
	var out Sequence
	err := r.protect(e.text, func() { out = e.eval(r, nil, item) })
	if err != nil {
		return nil, err
	}
	return out, nil
}

// eval evaluates inside a run. Errors end it by panic, see [fail].
func (e *Expression) eval(r *run, s *scope, item Item) Sequence {
	d := dyn{run: r, scope: s, item: item, pos: 1, size: 1}
	if e.slots > 0 {
		d.vars = make([]Sequence, e.slots)
	}
	return e.fn(&d)
}

// at makes a dynamic context, used over and over, that of the expression.
func (e *Expression) at(d *dyn, s *scope, n *oscal.Node) {
	e.in(d, s)
	d.item, d.pos, d.size = NodeItem(n), 1, 1
}

// in is at for what is a function of nodes, which takes no item.
func (e *Expression) in(d *dyn, s *scope) {
	d.current, d.scope = e, s
	if len(d.vars) < e.slots {
		d.vars = make([]Sequence, e.slots)
	}
}

// appendNodes appends the nodes that the expression selects; a value that is
// not a node is an error.
func (e *Expression) appendNodes(d *dyn, s *scope, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
	if e.nodes != nil {
		e.in(d, s)
		return e.nodes(d, n, out)
	}
	e.at(d, s, n)
	for _, it := range e.fn(d) {
		if it.kind != kindNode {
			fail(CodeType, "the target must be nodes, found %s", Sequence{it}.describe())
		}
		out = append(out, it.node)
	}
	return out
}

// holds returns the effective boolean value on a node.
func (e *Expression) holds(d *dyn, s *scope, n *oscal.Node) bool {
	e.in(d, s)
	return e.test(d, n)
}
