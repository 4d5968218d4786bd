package constraint

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/issokit/issokit/oscal"
)

// Bounds of one evaluation. They are far above what a constraint needs and
// keep a hostile one from hanging or from eating memory.
const (
	maxSteps  = 100_000_000 // visited nodes and made items, per expression; the default
	maxItems  = 2_000_000   // items of one sequence of values
	maxMatch  = 1_000_000   // matches of a regular expression in one string
	maxString = 16 << 20    // bytes of one string that is put together
	maxDepth  = 1000        // nested evaluations: lets, recurse-depth
)

// documentMember marks the node above the root of a document, which the model
// has no member for.
var documentMember = new(oscal.Member)

func isDocument(n *oscal.Node) bool { return n.Member() == documentMember }

// A source is a document that takes part in a run.
type source struct {
	root  *oscal.Node
	top   *oscal.Node // the node above the root
	doc   *oscal.Document
	uri   string // absolute, or as the caller named it
	index int    // order among the documents of the run
	order map[*oscal.Node]int32

	byName map[string]*nodeList // fields and assemblies
}

// A group is the children of one member: they follow each other.
type group struct {
	member *oscal.Member
	first  *oscal.Node
	rules  *memberRules
}

// A run is what all evaluations over one document share: documents that were
// loaded, compiled regular expressions, the clock. It serves one goroutine.
type run struct {
	ctx     context.Context
	now     time.Time
	loader  Loader
	resolve ResolveFunc

	sources  map[*oscal.Node]*source // by root and by the node above it
	byURI    map[string]*source
	failed   map[string]error // documents that could not be loaded
	resolved map[*oscal.Node]*source
	regexps  map[string]*regexp.Regexp

	variables map[string]Sequence
	steps     int
	maxSteps  int
	depth     int
	current   *Expression     // being evaluated, for the error of one
	buffers   [][]*oscal.Node // not in use

	// The children of the node that is visited, so that its constraints need not
	// look for them one by one.
	host   *oscal.Node
	groups []group
}

func newRun(ctx context.Context) *run {
	return &run{
		ctx: ctx, maxSteps: maxSteps, sources: map[*oscal.Node]*source{}, byURI: map[string]*source{}, failed: map[string]error{},
		resolved: map[*oscal.Node]*source{}, regexps: map[string]*regexp.Regexp{},
	}
}

// add makes a document take part.
func (r *run) add(root *oscal.Node, doc *oscal.Document, uri string) *source {
	s := &source{root: root, doc: doc, uri: uri, index: len(r.sources), top: oscal.NewNode(documentMember)}
	r.sources[root], r.sources[s.top] = s, s
	return s
}

// source returns the document that a node belongs to; a tree that is not known
// yet becomes one without a name.
func (r *run) source(n *oscal.Node) *source {
	root := n.Root()
	if s := r.sources[root]; s != nil {
		return s
	}
	return r.add(root, nil, "")
}

// tick counts work, and looks from time to time whether to stop.
func (r *run) tick(n int) {
	before := r.steps
	r.steps += n
	if before>>12 != r.steps>>12 {
		if err := r.ctx.Err(); err != nil {
			panic(stopped{err})
		}
		if r.steps > r.maxSteps {
			fail(CodeLimit, "more than %d steps", r.maxSteps)
		}
	}
}

// stopped carries the error of a context that is done out of an evaluation.
type stopped struct{ err error }

// fail ends an evaluation with an error. Expressions are compiled to functions
// that give values; errors take this way out of them, up to [run.protect].
func fail(code Code, format string, args ...any) {
	panic(&ExpressionError{Offset: -1, Code: code, Message: fmt.Sprintf(format, args...)})
}

// protect calls f and returns the error that it ended with: that of the
// context, or an [ExpressionError] of the expression or, where none is named, of
// the one that was being evaluated.
func (r *run) protect(expression string, f func()) (err error) {
	depth := r.depth
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *ExpressionError:
			// The error of a let reaches its users as it is.
			switch {
			case p.Expression != "":
			case expression != "":
				p.Expression = expression
			case r.current != nil:
				p.Expression = r.current.text
			}
			r.depth = depth
			err = p
		case stopped:
			err = p.err
		default:
			panic(p)
		}
	}()
	f()
	return nil
}

// buffer returns an empty list for nodes on the way; release takes it back.
func (r *run) buffer() []*oscal.Node {
	if n := len(r.buffers); n > 0 {
		b := r.buffers[n-1]
		r.buffers = r.buffers[:n-1]
		return b
	}
	return make([]*oscal.Node, 0, 64)
}

func (r *run) release(b []*oscal.Node) { r.buffers = append(r.buffers, b[:0]) }

func (r *run) enter() {
	if r.depth++; r.depth > maxDepth {
		fail(CodeLimit, "evaluations are nested deeper than %d", maxDepth)
	}
}

func (r *run) leave() { r.depth-- }

// dyn is the dynamic context of an expression: its focus and its variables.
type dyn struct {
	*run
	scope *scope
	vars  []Sequence // variables that the expression itself binds, by slot
	item  Item
	pos   int
	size  int
}

// A scope holds the lets of one instance of a host definition.
type scope struct {
	outer *scope
	host  Item
	lets  []letCell
}

type letCell struct {
	let   *compiledLet
	state uint8 // 0 not evaluated, 1 being evaluated, 2 evaluated
	value Sequence
	err   *ExpressionError
}

type compiledLet struct {
	name string
	expr *Expression
}

// variable returns the value of a variable that the expression does not bind.
func (d *dyn) variable(name string) Sequence {
	for s := d.scope; s != nil; s = s.outer {
		// The last let of a name holds.
		for i := len(s.lets) - 1; i >= 0; i-- {
			if s.lets[i].let.name == name {
				return d.let(s, i)
			}
		}
	}
	if v, ok := d.variables[name]; ok {
		return v
	}
	fail(CodeVariable, "the variable $%s has no value here", name)
	return nil
}

// let evaluates a variable of a host, once. It sees those before it.
func (d *dyn) let(s *scope, i int) Sequence {
	c := &s.lets[i]
	before := &scope{outer: s.outer, host: s.host, lets: s.lets[:i]}
	switch c.state {
	case 1:
		fail(CodeVariable, "the variable $%s depends on itself", c.let.name)
	case 0:
		c.state = 1
		current := d.current
		d.enter()
		err := d.protect(c.let.expr.text, func() { c.value = c.let.expr.eval(d.run, before, s.host) })
		if e, ok := err.(*ExpressionError); ok {
			c.err = e
		} else if err != nil {
			panic(stopped{err})
		}
		d.leave()
		c.state, d.current = 2, current
	}
	if c.err != nil {
		e := *c.err
		panic(&e)
	}
	return c.value
}

func (d *dyn) focus() Item {
	if d.item.kind == 0 {
		fail(CodeType, "there is no context item here")
	}
	return d.item
}

func (d *dyn) focusNode() *oscal.Node {
	it := d.focus()
	if it.kind != kindNode {
		fail(CodeType, "the context item of a step must be a node, it is %s", Sequence{it}.describe())
	}
	return it.node
}

// Items and values.

func one(i Item) Sequence { return Sequence{i} }

func stringSeq(s string) Sequence {
	if len(s) > maxString {
		fail(CodeLimit, "a string of more than %d bytes", maxString)
	}
	return Sequence{StringItem(s)}
}

func boolSeq(b bool) Sequence { return Sequence{BooleanItem(b)} }

func numberItem(n number, integer bool) Item {
	if n.r != nil && n.r.Num().BitLen()+n.r.Denom().BitLen() > maxNumberBits {
		fail(CodeLimit, "a number of more than %d bits", maxNumberBits)
	}
	if integer {
		return Item{kind: kindInteger, v: n}
	}
	return Item{kind: kindDecimal, v: n}
}

// atomize returns the typed values of items: that of a flag or field by the
// data type of the model. A value that is not of its type stays text; the
// structure of the document is checked elsewhere. The members of arrays are
// atomized in place.
func (d *dyn) atomize(s Sequence) Sequence {
	for i := range s {
		if k := s[i].kind; k == kindNode || k >= kindArray {
			out := make(Sequence, 0, len(s))
			for _, it := range s {
				out = d.atomizeItem(out, it)
			}
			return out
		}
	}
	return s
}

func (d *dyn) atomizeItem(out Sequence, it Item) Sequence {
	switch it.kind {
	case kindNode:
		return append(out, d.typed(it.node))
	case kindArray:
		for _, m := range it.v.(*array).members {
			for _, x := range m {
				out = d.atomizeItem(out, x)
			}
		}
		return out
	case kindMap:
		fail(CodeType, "a map has no typed value")
	}
	return append(out, it)
}

// textOfNode returns the text of a flag or field: that of markup is what stays
// without the formatting, as the string value of its XML is.
func textOfNode(n *oscal.Node) string {
	switch n.Kind() {
	case oscal.Flag:
		return n.Value()
	case oscal.Field:
		if m := n.Markup(); m != nil {
			return m.Plain(func(*oscal.Markup) string { return "" })
		}
		return n.Value()
	}
	fail(CodeType, "an assembly has no value: %s", n.Path())
	return ""
}

// typed returns the typed value of a node.
func (d *dyn) typed(n *oscal.Node) Item {
	s := textOfNode(n)
	switch t := n.Member().DataType(); t {
	case oscal.TypeInteger, oscal.TypeNonNegativeInteger, oscal.TypePositiveInteger, oscal.TypeDecimal:
		if v, integer, ok := parseNumber(s); ok {
			return numberItem(v, integer)
		}
	case oscal.TypeBoolean:
		switch s {
		case "true", "1":
			return BooleanItem(true)
		case "false", "0":
			return BooleanItem(false)
		}
	case oscal.TypeDate, oscal.TypeDateTime, oscal.TypeDateWithTimezone, oscal.TypeDateTimeWithTimezone:
		if m, ok := parseMoment(s); ok {
			return momentItem(m)
		}
	}
	return Item{kind: kindUntyped, text: s}
}

// single returns the only atomic item of a sequence; ok is false if there is
// none, more than one is an error.
func (d *dyn) single(s Sequence, what string) (it Item, ok bool) {
	if len(s) == 0 {
		return Item{}, false
	}
	if len(s) == 1 && s[0].kind != kindNode && s[0].kind < kindArray {
		return s[0], true
	}
	a := d.atomize(s)
	if len(a) > 1 {
		fail(CodeType, "%s: expected one value at most, found %s", what, a.describe())
	}
	if len(a) == 0 {
		return Item{}, false
	}
	return a[0], true
}

// str returns the string that an argument is; nothing counts as "".
func (d *dyn) str(s Sequence, what string) string {
	it, ok := d.single(s, what)
	if !ok {
		return ""
	}
	return it.String()
}

// num returns the number that an argument is; text of a document is read as one.
func (d *dyn) num(it Item, what string) number {
	switch {
	case it.isNumber():
		return it.num()
	case it.kind == kindUntyped:
		if n, _, ok := parseNumber(it.text); ok {
			return n
		}
		fail(CodeValue, "%s: expected a number, found %s", what, clip(it.text))
	}
	fail(CodeType, "%s: expected a number, found %s", what, Sequence{it}.describe())
	return number{}
}

// integer returns the whole number that an argument is.
func (d *dyn) integer(s Sequence, what string) int {
	it, ok := d.single(s, what)
	if !ok {
		fail(CodeType, "%s: expected a whole number, found nothing", what)
	}
	n := d.num(it, what)
	if !n.isInt() {
		fail(CodeType, "%s: expected a whole number, found %s", what, n)
	}
	if n.r != nil { // beyond 64 bits: as far away as an index can be
		return n.sign() << 62
	}
	return int(n.i)
}

func (d *dyn) truth(s Sequence) bool {
	b, ok := s.effective()
	if !ok {
		fail(CodeType, "no effective boolean value of %s", s.describe())
	}
	return b
}

// compare compares two atomic values: -1, 0, 1; 2 if one of them is not a
// number. Text of a document is converted to what it is compared with; a date
// is its midnight.
func compare(a, b Item) int {
	if a.kind == kindUntyped && b.kind != kindUntyped && b.kind != kindString {
		a = convertTo(a, b)
	} else if b.kind == kindUntyped && a.kind != kindUntyped && a.kind != kindString {
		b = convertTo(b, a)
	}
	switch {
	case a.isText() && b.isText():
		return strings.Compare(a.text, b.text) // UTF-8 sorts by code points
	case a.isNumber() && b.isNumber():
		x, y := a.num(), b.num()
		if x.nan || y.nan {
			return 2
		}
		return x.cmp(y)
	case a.kind == kindBoolean && b.kind == kindBoolean:
		x, y := a.v.(bool), b.v.(bool)
		switch {
		case x == y:
			return 0
		case y:
			return -1
		}
		return 1
	case isMoment(a) && isMoment(b):
		return a.v.(moment).t.Compare(b.v.(moment).t)
	case a.kind == kindDuration && b.kind == kindDuration:
		return cmp.Compare(a.v.(time.Duration), b.v.(time.Duration))
	}
	fail(CodeType, "cannot compare %s with %s", Sequence{a}.describe(), Sequence{b}.describe())
	return 0
}

func isMoment(i Item) bool { return i.kind == kindDate || i.kind == kindDateTime }

// convertTo reads text of a document as a value of the other's type.
func convertTo(text, other Item) Item {
	s := strings.TrimSpace(text.text)
	switch other.kind {
	case kindInteger, kindDecimal:
		if n, integer, ok := parseNumber(s); ok {
			return numberItem(n, integer)
		}
	case kindBoolean:
		switch s {
		case "true", "1":
			return BooleanItem(true)
		case "false", "0":
			return BooleanItem(false)
		}
	case kindDate, kindDateTime:
		if m, ok := parseMoment(s); ok {
			return momentItem(m)
		}
	case kindDuration:
		if v, ok := parseDuration(s); ok {
			return Item{kind: kindDuration, v: v}
		}
	}
	fail(CodeValue, "cannot compare: %s is no %s", clip(text.text), other.Type())
	return Item{}
}

// holds tells whether a comparison holds of the result of compare.
func holds(operator string, c int) bool {
	switch operator {
	case "=", "eq":
		return c == 0
	case "!=", "ne":
		return c != 0
	case "<", "lt":
		return c == -1
	case "<=", "le":
		return c == -1 || c == 0
	case ">", "gt":
		return c == 1
	case ">=", "ge":
		return c == 1 || c == 0
	}
	return false
}

// arith computes with two atomic values.
func arith(operator string, a, b Item) Item {
	if a.kind == kindUntyped {
		a = toNumber(a, operator)
	}
	if b.kind == kindUntyped {
		b = toNumber(b, operator)
	}
	if isMoment(a) || a.kind == kindDuration || isMoment(b) || b.kind == kindDuration {
		return timeArith(operator, a, b)
	}
	if !a.isNumber() || !b.isNumber() {
		fail(CodeType, "cannot compute %s %s %s", Sequence{a}.describe(), operator, Sequence{b}.describe())
	}
	x, y := a.num(), b.num()
	if x.nan || y.nan {
		return Item{kind: kindDecimal, v: number{nan: true}}
	}
	integer := a.kind == kindInteger && b.kind == kindInteger
	if y.sign() == 0 && operator != "+" && operator != "-" && operator != "*" {
		fail(CodeValue, "division by zero")
	}
	if x.r == nil && y.r == nil {
		const small = 1 << 31
		if -small < x.i && x.i < small && -small < y.i && y.i < small {
			switch operator {
			case "+":
				return numberItem(number{i: x.i + y.i}, integer)
			case "-":
				return numberItem(number{i: x.i - y.i}, integer)
			case "*":
				return numberItem(number{i: x.i * y.i}, integer)
			case "idiv":
				return numberItem(number{i: x.i / y.i}, true)
			case "mod":
				return numberItem(number{i: x.i % y.i}, integer)
			}
		}
	}
	r, p, q := new(big.Rat), x.rat(), y.rat()
	switch operator {
	case "+":
		return numberItem(ratNumber(r.Add(p, q)), integer)
	case "-":
		return numberItem(ratNumber(r.Sub(p, q)), integer)
	case "*":
		return numberItem(ratNumber(r.Mul(p, q)), integer)
	case "div":
		return numberItem(ratNumber(r.Quo(p, q)), false)
	}
	r.Quo(p, q)
	whole := new(big.Rat).SetInt(new(big.Int).Quo(r.Num(), r.Denom())) // towards zero
	if operator == "idiv" {
		return numberItem(ratNumber(whole), true)
	}
	return numberItem(ratNumber(r.Sub(p, whole.Mul(whole, q))), integer)
}

func toNumber(i Item, what string) Item {
	n, integer, ok := parseNumber(i.text)
	if !ok {
		fail(CodeValue, "%s: expected a number, found %s", what, clip(i.text))
	}
	return numberItem(n, integer)
}

// timeArith computes with dates and durations (XPath functions and operators,
// section 9.7).
func timeArith(operator string, a, b Item) Item {
	switch {
	case isMoment(a) && isMoment(b) && operator == "-":
		return Item{kind: kindDuration, v: a.v.(moment).t.Sub(b.v.(moment).t)}
	case isMoment(a) && b.kind == kindDuration && (operator == "+" || operator == "-"):
		m, by := a.v.(moment), b.v.(time.Duration)
		if operator == "-" {
			by = -by
		}
		m.t = m.t.Add(by)
		if m.date {
			m.t = time.Date(m.t.Year(), m.t.Month(), m.t.Day(), 0, 0, 0, 0, m.t.Location())
		}
		return momentItem(m)
	case a.kind == kindDuration && isMoment(b) && operator == "+":
		return timeArith(operator, b, a)
	case a.kind == kindDuration && b.kind == kindDuration:
		x, y := a.v.(time.Duration), b.v.(time.Duration)
		switch operator {
		case "+":
			return Item{kind: kindDuration, v: x + y}
		case "-":
			return Item{kind: kindDuration, v: x - y}
		case "div":
			if y != 0 {
				return numberItem(ratNumber(big.NewRat(int64(x), int64(y))), false)
			}
			fail(CodeValue, "division by zero")
		}
	}
	fail(CodeType, "cannot compute %s %s %s", Sequence{a}.describe(), operator, Sequence{b}.describe())
	return Item{}
}

// Document order.

// sortNodes puts nodes in document order and drops repeated ones.
func (r *run) sortNodes(nodes []*oscal.Node) []*oscal.Node {
	if len(nodes) < 2 {
		return nodes
	}
	r.tick(len(nodes))
	if len(nodes) <= 8 {
		slices.SortFunc(nodes, r.compareOrder)
	} else {
		type key struct {
			doc int
			at  int32
			n   *oscal.Node
		}
		keys := make([]key, len(nodes))
		for i, n := range nodes {
			s := r.source(n)
			keys[i] = key{s.index, r.ordinal(s, n), n}
		}
		slices.SortFunc(keys, func(a, b key) int {
			if a.doc != b.doc {
				return a.doc - b.doc
			}
			return int(a.at - b.at)
		})
		for i := range keys {
			nodes[i] = keys[i].n
		}
	}
	return slices.Compact(nodes)
}

// ordinal returns the place of a node in document order. All nodes are
// numbered when this is needed first.
func (r *run) ordinal(s *source, n *oscal.Node) int32 {
	if n == s.top {
		return -1
	}
	if s.order == nil {
		s.order = map[*oscal.Node]int32{}
		for m := range s.root.Walk() {
			s.order[m] = int32(len(s.order))
		}
		r.tick(len(s.order))
	}
	return s.order[n]
}

// compareOrder compares two nodes without numbering the document: for a few
// nodes the way up to the ancestor that they share is shorter.
func (r *run) compareOrder(a, b *oscal.Node) int {
	if a == b {
		return 0
	}
	sa, sb := r.source(a), r.source(b)
	switch {
	case sa != sb:
		return sa.index - sb.index
	case a == sa.top:
		return -1
	case b == sa.top:
		return 1
	}
	da, db := depthOf(a), depthOf(b)
	x, y := a, b
	for ; da > db; da-- {
		x = x.Parent()
	}
	for ; db > da; db-- {
		y = y.Parent()
	}
	switch {
	case x == y && x == a:
		return -1 // a holds b
	case x == y:
		return 1
	}
	for x.Parent() != y.Parent() {
		x, y = x.Parent(), y.Parent()
	}
	for k := x.Next(); k != nil; k = k.Next() {
		r.steps++
		if k == y {
			return -1
		}
	}
	return 1
}

func depthOf(n *oscal.Node) int {
	d := 0
	for n = n.Parent(); n != nil; n = n.Parent() {
		d++
	}
	return d
}

// disjoint tells whether no node of a list in document order holds another: one
// that does also holds the one that follows it.
func disjoint(nodes []*oscal.Node) bool {
	for i := 1; i < len(nodes); i++ {
		if isDocument(nodes[i-1]) {
			return false
		}
		for p := nodes[i].Parent(); p != nil; p = p.Parent() {
			if p == nodes[i-1] {
				return false
			}
		}
	}
	return true
}
