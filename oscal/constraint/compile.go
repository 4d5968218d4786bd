package constraint

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// evalFn is a compiled expression.
type evalFn func(d *dyn) Sequence

// oscalNamespace is the namespace of OSCAL, and the default of a prop's ns.
const oscalNamespace = "http://csrc.nist.gov/ns/oscal"

// xmlNamespace is the namespace of OSCAL's XML elements.
const xmlNamespace = "http://csrc.nist.gov/ns/oscal/1.0"

type compiler struct {
	src              string
	opts             CompileOptions
	names            *nameTables
	ignorePredicates bool // all predicates hold: what could the expression select?
	locals           []string
	slots            int
	err              *ExpressionError

	// What has been compiled already. One way is tried after another, so that
	// without these the work would double with each level of nesting.
	evals    map[*expr]evalFn
	paths    map[*expr]compiledPath
	booleans map[*expr]func(*dyn) bool
	preds    map[*expr]nodePred
}

type compiledPath struct {
	fn    nodesFn
	props pathProps
	ok    bool
}

func newCompiler(src string, o CompileOptions, ignorePredicates bool) *compiler {
	names := o.names
	if names == nil {
		names = namesOf(o.Metaschema)
	}
	return &compiler{
		src: src, opts: o, names: names, ignorePredicates: ignorePredicates, evals: map[*expr]evalFn{}, paths: map[*expr]compiledPath{},
		booleans: map[*expr]func(*dyn) bool{}, preds: map[*expr]nodePred{},
	}
}

func (c *compiler) fail(at int, code Code, format string, args ...any) {
	if c.err == nil || at < c.err.Offset {
		c.err = &ExpressionError{Expression: c.src, Offset: at, Code: code, Message: fmt.Sprintf(format, args...)}
	}
}

func never(*dyn) Sequence { return nil }

// compile returns the function that evaluates an expression. Problems are
// noted; the earliest in the text is reported.
func (c *compiler) compile(e *expr) evalFn {
	if f, ok := c.evals[e]; ok {
		return f
	}
	f := c.eval(e)
	c.evals[e] = f
	return f
}

func (c *compiler) eval(e *expr) evalFn {
	if nodes, _, ok := c.nodePath(e); ok {
		return nodeEval(nodes)
	}
	switch e.op {
	case opString:
		v := one(StringItem(e.text))
		return func(*dyn) Sequence { return v }
	case opNumber:
		n, integer, ok := parseNumber(e.text)
		if !ok {
			c.fail(e.at, CodeUnsupported, "the number %s is too long", clip(e.text))
			return never
		}
		v := one(numberItem(n, integer))
		return func(*dyn) Sequence { return v }
	case opVariable:
		return c.variable(e)
	case opFocus:
		return func(d *dyn) Sequence { return Sequence{d.focus()} }
	case opSequence:
		return c.sequence(e)
	case opCall:
		return c.call(e)
	case opIf:
		cond, yes, no := c.boolean(e.kids[0]), c.compile(e.kids[1]), c.compile(e.kids[2])
		return func(d *dyn) Sequence {
			if cond(d) {
				return yes(d)
			}
			return no(d)
		}
	case opFor:
		return c.forReturn(e)
	case opLet:
		value := c.compile(e.kids[0])
		slot, body := c.bound(e)
		return func(d *dyn) Sequence {
			d.vars[slot] = value(d)
			return body(d)
		}
	case opOr, opAnd, opSome, opEvery, opGeneral:
		b := c.boolean(e)
		return func(d *dyn) Sequence { return boolSeq(b(d)) }
	case opValue:
		return c.valueComparison(e)
	case opNodeOrder:
		return c.nodeComparison(e)
	case opConcat:
		a, b := c.compile(e.kids[0]), c.compile(e.kids[1])
		return func(d *dyn) Sequence { return stringSeq(d.str(a(d), "||") + d.str(b(d), "||")) }
	case opRange:
		return c.rng(e)
	case opArith:
		a, b, operator := c.compile(e.kids[0]), c.compile(e.kids[1]), e.text
		return func(d *dyn) Sequence {
			x, ok1 := d.single(a(d), operator)
			y, ok2 := d.single(b(d), operator)
			if !ok1 || !ok2 {
				return nil
			}
			return one(arith(operator, x, y))
		}
	case opNegate, opPlus:
		a := c.compile(e.kids[0])
		return func(d *dyn) Sequence {
			x, ok := d.single(a(d), "unary minus")
			if !ok {
				return nil
			}
			n := d.num(x, "unary minus")
			if e.op == opNegate {
				n = n.neg()
			}
			return one(numberItem(n, x.kind == kindInteger))
		}
	case opUnion, opIntersect, opExcept:
		return c.sets(e)
	case opInstance, opCastable, opCast, opTreat:
		return c.types(e)
	case opMap:
		a, b := c.compile(e.kids[0]), c.compile(e.kids[1])
		return func(d *dyn) Sequence {
			in := a(d)
			var out Sequence
			inner := *d
			inner.size = len(in)
			for i, it := range in {
				inner.item, inner.pos = it, i+1
				out = d.extend(out, b(&inner))
			}
			return out
		}
	case opPath:
		return c.path(e)
	case opFilter:
		return c.filter(e)
	case opLookup:
		return c.lookup(e)
	case opDynamic:
		return c.dynamicCall(e)
	case opArray:
		kids := c.all(e.kids)
		return func(d *dyn) Sequence {
			members := make([]Sequence, len(kids))
			for i, k := range kids {
				members[i] = k(d)
			}
			d.tick(len(kids))
			return one(arrayItem(members))
		}
	case opArrayOf:
		k := c.compile(e.kids[0])
		return func(d *dyn) Sequence {
			var members []Sequence
			for _, it := range k(d) {
				members = append(members, one(it))
			}
			d.tick(len(members))
			return one(arrayItem(members))
		}
	case opMapOf:
		kids := c.all(e.kids)
		return func(d *dyn) Sequence {
			m := newMapping(len(kids) / 2)
			for i := 0; i < len(kids); i += 2 {
				k, ok := d.single(kids[i](d), "the key of a map")
				if !ok {
					fail(CodeType, "the key of a map is empty")
				}
				if _, twice := m.get(k); twice {
					fail(CodeValue, "the key %s stands twice in a map", clip(k.String()))
				}
				m.set(k, kids[i+1](d))
			}
			d.tick(len(kids))
			return one(mapItem(m))
		}
	case opNoWay:
		c.fail(e.at, CodeUnsupported, "%s are not supported", e.text)
	case opStep:
		// nodePath has noted why the step is not possible.
	}
	return never
}

func (c *compiler) all(kids []*expr) []evalFn {
	out := make([]evalFn, len(kids))
	for i, k := range kids {
		out[i] = c.compile(k)
	}
	return out
}

// extend appends items and looks after the bound.
func (d *dyn) extend(out, more Sequence) Sequence {
	d.tick(1 + len(more))
	if len(out)+len(more) > maxItems {
		fail(CodeLimit, "a sequence of more than %d items", maxItems)
	}
	if out == nil {
		return more[:len(more):len(more)]
	}
	return append(out, more...)
}

func (c *compiler) sequence(e *expr) evalFn {
	kids := c.all(e.kids)
	return func(d *dyn) Sequence {
		var out Sequence
		for _, k := range kids {
			out = d.extend(out, k(d))
		}
		return out
	}
}

// bound compiles the body of an expression that binds a variable.
func (c *compiler) bound(e *expr) (slot int, body evalFn) {
	slot = len(c.locals)
	c.locals = append(c.locals, e.name)
	c.slots = max(c.slots, len(c.locals))
	body = c.compile(e.kids[1])
	c.locals = c.locals[:slot]
	return slot, body
}

func (c *compiler) variable(e *expr) evalFn {
	for i := len(c.locals) - 1; i >= 0; i-- {
		if c.locals[i] == e.name {
			return func(d *dyn) Sequence { return d.vars[i] }
		}
	}
	if !slices.Contains(c.opts.Variables, e.name) {
		c.fail(e.at, CodeVariable, "nothing binds the variable $%s", e.name)
	}
	name := e.name
	return func(d *dyn) Sequence { return d.variable(name) }
}

func (c *compiler) forReturn(e *expr) evalFn {
	in := c.compile(e.kids[0])
	slot, body := c.bound(e)
	return func(d *dyn) Sequence {
		var out Sequence
		for _, it := range in(d) {
			d.vars[slot] = one(it)
			out = d.extend(out, body(d))
		}
		return out
	}
}

func (c *compiler) rng(e *expr) evalFn {
	a, b := c.compile(e.kids[0]), c.compile(e.kids[1])
	return func(d *dyn) Sequence {
		x, y := a(d), b(d)
		if len(x) == 0 || len(y) == 0 {
			return nil
		}
		from, to := d.integer(x, "to"), d.integer(y, "to")
		if from > to {
			return nil
		}
		if to-from < 0 || to-from >= maxItems {
			fail(CodeLimit, "a range of more than %d items", maxItems)
		}
		d.tick(to - from + 1)
		out := make(Sequence, 0, to-from+1)
		for i := from; i <= to; i++ {
			out = append(out, IntegerItem(int64(i)))
		}
		return out
	}
}

// Comparisons and conditions.

// boolean compiles an expression whose effective boolean value is wanted.
func (c *compiler) boolean(e *expr) func(*dyn) bool {
	if f, ok := c.booleans[e]; ok {
		return f
	}
	f := c.truth(e)
	c.booleans[e] = f
	return f
}

func (c *compiler) truth(e *expr) func(*dyn) bool {
	switch e.op {
	case opOr, opAnd:
		kids := make([]func(*dyn) bool, len(e.kids))
		for i, k := range e.kids {
			kids[i] = c.boolean(k)
		}
		stop := e.op == opOr
		return func(d *dyn) bool {
			for _, k := range kids {
				if k(d) == stop {
					return stop
				}
			}
			return !stop
		}
	case opSome, opEvery:
		in := c.compile(e.kids[0])
		slot := len(c.locals)
		c.locals = append(c.locals, e.name)
		c.slots = max(c.slots, len(c.locals))
		body := c.boolean(e.kids[1])
		c.locals = c.locals[:slot]
		stop := e.op == opSome
		return func(d *dyn) bool {
			for _, it := range in(d) {
				d.tick(1)
				d.vars[slot] = one(it)
				if body(d) == stop {
					return stop
				}
			}
			return !stop
		}
	case opGeneral:
		a, b, operator := c.compile(e.kids[0]), c.compile(e.kids[1]), e.text
		return func(d *dyn) bool {
			x, y := d.atomize(a(d)), d.atomize(b(d))
			if len(x) > 16 && len(y) > 16 && operator == "=" {
				if equal, ok := d.anyEqualText(x, y); ok {
					return equal
				}
			}
			for _, p := range x {
				d.tick(len(y))
				for _, q := range y {
					if holds(operator, compare(p, q)) {
						return true
					}
				}
			}
			return false
		}
	case opCall:
		if name, ok := c.functionName(e); ok && name == "not" && len(e.kids) == 1 {
			k := c.boolean(e.kids[0])
			return func(d *dyn) bool { return !k(d) }
		}
	}
	if nodes, _, ok := c.nodePath(e); ok {
		return func(d *dyn) bool { return d.any(nodes, d.focusNode()) }
	}
	f := c.compile(e)
	return func(d *dyn) bool { return d.truth(f(d)) }
}

// anyEqualText compares two long lists of text by a table; ok is false if there
// is something else than text among them.
func (d *dyn) anyEqualText(x, y Sequence) (equal, ok bool) {
	seen := make(map[string]struct{}, len(x))
	for _, it := range x {
		if !it.isText() {
			return false, false
		}
		seen[it.text] = struct{}{}
	}
	d.tick(len(x) + len(y))
	for _, it := range y {
		if !it.isText() {
			return false, false
		}
		if _, found := seen[it.text]; found {
			equal = true
		}
	}
	return equal, true
}

// any tells whether a path selects something.
func (d *dyn) any(nodes nodesFn, n *oscal.Node) bool {
	found := nodes(d, n, d.buffer())
	d.release(found)
	return len(found) > 0
}

func (c *compiler) valueComparison(e *expr) evalFn {
	a, b, operator := c.compile(e.kids[0]), c.compile(e.kids[1]), e.text
	return func(d *dyn) Sequence {
		x, ok1 := d.single(a(d), operator)
		y, ok2 := d.single(b(d), operator)
		if !ok1 || !ok2 {
			return nil
		}
		return boolSeq(holds(operator, compare(x, y)))
	}
}

func (c *compiler) nodeComparison(e *expr) evalFn {
	a, b, operator := c.compile(e.kids[0]), c.compile(e.kids[1]), e.text
	node := func(s Sequence) *oscal.Node {
		if len(s) > 1 || len(s) == 1 && s[0].kind != kindNode {
			fail(CodeType, "%s: expected a node, found %s", operator, s.describe())
		}
		if len(s) == 0 {
			return nil
		}
		return s[0].node
	}
	return func(d *dyn) Sequence {
		x, y := node(a(d)), node(b(d))
		if x == nil || y == nil {
			return nil
		}
		switch operator {
		case "<<":
			return boolSeq(d.compareOrder(x, y) < 0)
		case ">>":
			return boolSeq(d.compareOrder(x, y) > 0)
		}
		return boolSeq(x == y)
	}
}

// Paths whose parts are not all steps of nodes, and sets of nodes.

func nodesOf(s Sequence, what string) []*oscal.Node {
	out := make([]*oscal.Node, len(s))
	for i, it := range s {
		if it.kind != kindNode {
			fail(CodeType, "%s: expected nodes, found %s", what, Sequence{it}.describe())
		}
		out[i] = it.node
	}
	return out
}

func nodeSeq(nodes []*oscal.Node) Sequence {
	if len(nodes) == 0 {
		return nil
	}
	out := make(Sequence, len(nodes))
	for i, n := range nodes {
		out[i] = NodeItem(n)
	}
	return out
}

func nodeEval(nodes nodesFn) evalFn {
	return func(d *dyn) Sequence {
		found := nodes(d, d.focusNode(), d.buffer())
		out := nodeSeq(found)
		d.release(found)
		return out
	}
}

func (c *compiler) sets(e *expr) evalFn {
	a, b, what := c.compile(e.kids[0]), c.compile(e.kids[1]), e.op
	return func(d *dyn) Sequence {
		x, y := nodesOf(a(d), "a set of nodes"), nodesOf(b(d), "a set of nodes")
		if what == opUnion {
			return nodeSeq(d.sortNodes(append(x, y...)))
		}
		in := make(map[*oscal.Node]bool, len(y))
		for _, n := range y {
			in[n] = true
		}
		x = slices.DeleteFunc(x, func(n *oscal.Node) bool { return in[n] != (what == opIntersect) })
		return nodeSeq(d.sortNodes(x))
	}
}

func (c *compiler) path(e *expr) evalFn {
	left := c.compile(e.kids[0])
	if nodes, props, ok := c.nodePath(e.kids[1]); ok {
		return func(d *dyn) Sequence {
			in := nodesOf(left(d), "/")
			var out []*oscal.Node
			for _, n := range in {
				out = nodes(d, n, out)
			}
			d.tick(len(in) + len(out))
			if len(in) > 1 || !props.sorted {
				out = d.sortNodes(out)
			}
			return nodeSeq(out)
		}
	}
	right := c.compile(e.kids[1])
	return func(d *dyn) Sequence {
		in := left(d)
		nodesOf(in, "/")
		inner := *d
		inner.size = len(in)
		var out Sequence
		for i, it := range in {
			inner.item, inner.pos = it, i+1
			out = d.extend(out, right(&inner))
		}
		nodes := 0
		for _, it := range out {
			if it.kind == kindNode {
				nodes++
			}
		}
		switch nodes {
		case 0:
			return out
		case len(out):
			return nodeSeq(d.sortNodes(nodesOf(out, "/")))
		}
		fail(CodeType, "the last step of a path gives both nodes and values")
		return nil
	}
}

// filter is a predicate on something that is not a path of nodes.
func (c *compiler) filter(e *expr) evalFn {
	in := c.compile(e.kids[0])
	if c.ignorePredicates {
		return in
	}
	cond := c.compile(e.kids[1])
	return func(d *dyn) Sequence {
		s := in(d)
		inner := *d
		inner.size = len(s)
		var out Sequence
		for i, it := range s {
			inner.item, inner.pos = it, i+1
			if d.selects(cond(&inner), i+1) {
				out = append(out, it)
			}
		}
		d.tick(len(s))
		return out
	}
}

// selects tells whether the value of a predicate selects the item at a
// position: a number is the position, anything else its effective boolean value.
func (d *dyn) selects(v Sequence, pos int) bool {
	if len(v) == 1 && v[0].isNumber() {
		n := v[0].num()
		return !n.nan && n.cmp(number{i: int64(pos)}) == 0
	}
	return d.truth(v)
}

func (c *compiler) lookup(e *expr) evalFn {
	of := c.compile(e.kids[0])
	if len(e.kids) == 1 {
		if distinct := c.distinctByKey(e.kids[0]); distinct != nil {
			return distinct
		}
		return func(d *dyn) Sequence {
			var out Sequence
			for _, it := range of(d) {
				switch it.kind {
				case kindArray:
					for _, m := range it.v.(*array).members {
						out = d.extend(out, m)
					}
				case kindMap:
					for _, en := range it.v.(*mapping).entries {
						out = d.extend(out, en.value)
					}
				default:
					fail(CodeType, "?*: expected arrays and maps, found %s", Sequence{it}.describe())
				}
			}
			return out
		}
	}
	key := c.compile(e.kids[1])
	return func(d *dyn) Sequence {
		keys := d.atomize(key(d))
		var out Sequence
		for _, it := range of(d) {
			for _, k := range keys {
				out = d.extend(out, d.get(it, k))
			}
		}
		return out
	}
}

// get looks up a key in a map, or a position in an array.
func (d *dyn) get(of, key Item) Sequence {
	switch of.kind {
	case kindArray:
		a := of.v.(*array)
		i := d.integer(one(key), "the index of an array")
		if i < 1 || i > len(a.members) {
			fail(CodeValue, "the index %d is not in an array of %d members", i, len(a.members))
		}
		return a.members[i-1]
	case kindMap:
		v, _ := of.v.(*mapping).get(key)
		return v
	}
	fail(CodeType, "expected an array or a map, found %s", Sequence{of}.describe())
	return nil
}

// distinctByKey recognises map:merge(SEQUENCE ! map:entry(KEY, .))?*, by which
// constraint sets drop what has a key that was there before, and does that
// without making a map for each item.
func (c *compiler) distinctByKey(e *expr) evalFn {
	if name, ok := c.functionName(e); !ok || name != "map:merge" || len(e.kids) != 1 || e.kids[0].op != opMap {
		return nil
	}
	m := e.kids[0]
	if name, ok := c.functionName(m.kids[1]); !ok || name != "map:entry" || len(m.kids[1].kids) != 2 || m.kids[1].kids[1].op != opFocus {
		return nil
	}
	seq, key := c.compile(m.kids[0]), c.compile(m.kids[1].kids[0])
	return func(d *dyn) Sequence {
		in := seq(d)
		inner := *d
		inner.size = len(in)
		seen := make(map[string]struct{}, len(in))
		var out Sequence
		for i, it := range in {
			inner.item, inner.pos = it, i+1
			k, ok := d.single(key(&inner), "map:entry")
			if !ok {
				fail(CodeType, "map:entry: the key is empty")
			}
			mk := mapKey(k)
			if _, there := seen[mk]; !there {
				seen[mk] = struct{}{}
				out = append(out, it)
			}
		}
		d.tick(len(in))
		return out
	}
}

// dynamicCall calls an array or a map with a key.
func (c *compiler) dynamicCall(e *expr) evalFn {
	kids := c.all(e.kids)
	if len(kids) != 2 {
		c.fail(e.at, CodeUnsupported, "calls of function items are not supported; an array or a map takes one argument")
		return never
	}
	return func(d *dyn) Sequence {
		f := kids[0](d)
		if len(f) != 1 {
			fail(CodeType, "expected an array or a map to call, found %s", f.describe())
		}
		k, ok := d.single(kids[1](d), "the key of a lookup")
		if !ok {
			fail(CodeType, "the key of a lookup is empty")
		}
		return d.get(f[0], k)
	}
}

// Types.

// atomicTypes maps names of types, without prefix, to what they are here:
// those of XML Schema and those of Metaschema.
var atomicTypes = map[string]oscal.DataType{
	"string": oscal.TypeString, "token": oscal.TypeToken, "uuid": oscal.TypeUUID, "uri": oscal.TypeURI,
	"uri-reference": oscal.TypeURIReference, "anyURI": oscal.TypeURIReference,
	"date": oscal.TypeDate, "date-with-timezone": oscal.TypeDateWithTimezone,
	"date-time": oscal.TypeDateTime, "dateTime": oscal.TypeDateTime, "date-time-with-timezone": oscal.TypeDateTimeWithTimezone,
	"dateTimeStamp": oscal.TypeDateTimeWithTimezone,
	"email-address": oscal.TypeEmailAddress, "base64": oscal.TypeBase64, "base64Binary": oscal.TypeBase64,
	"integer": oscal.TypeInteger, "int": oscal.TypeInteger, "long": oscal.TypeInteger,
	"non-negative-integer": oscal.TypeNonNegativeInteger, "nonNegativeInteger": oscal.TypeNonNegativeInteger,
	"positive-integer": oscal.TypePositiveInteger, "positiveInteger": oscal.TypePositiveInteger,
	"decimal": oscal.TypeDecimal, "double": oscal.TypeDecimal, "float": oscal.TypeDecimal, "boolean": oscal.TypeBoolean,
	"ip-v4-address": oscal.TypeIPv4Address, "ip-v6-address": oscal.TypeIPv6Address, "hostname": oscal.TypeHostname,
	"dayTimeDuration": typeDuration, "day-time-duration": typeDuration, "anyAtomicType": typeAnyAtomic, "any-atomic-type": typeAnyAtomic,
	"untypedAtomic": oscal.TypeString, "numeric": typeNumeric,
}

// Types of XPath that no flag or field of the model has.
const (
	typeDuration oscal.DataType = 200 + iota
	typeAnyAtomic
	typeNumeric
)

// atomicType finds a type by its name; prefixes of XML Schema and Metaschema
// are known.
func atomicType(name string) (oscal.DataType, bool) {
	if prefix, local, ok := strings.Cut(name, ":"); ok {
		if prefix != "xs" && prefix != "meta" {
			return 0, false
		}
		name = local
	}
	t, ok := atomicTypes[name]
	return t, ok
}

func (c *compiler) types(e *expr) evalFn {
	in, typ := c.compile(e.kids[0]), e.typ
	switch e.op {
	case opInstance, opTreat:
		is := c.typeTest(e.at, typ)
		test := func(d *dyn, s Sequence) bool {
			if typ.name == "" || len(s) == 0 {
				return len(s) == 0 && (typ.name == "" || typ.occurs == '?' || typ.occurs == '*')
			}
			if len(s) > 1 && typ.occurs != '*' && typ.occurs != '+' {
				return false
			}
			for _, it := range s {
				if !is(it) {
					return false
				}
			}
			return true
		}
		return func(d *dyn) Sequence {
			s := in(d)
			if ok := test(d, s); e.op == opInstance {
				return boolSeq(ok)
			} else if !ok {
				fail(CodeType, "treat as: %s is not a %s", s.describe(), typ.name)
			}
			return s
		}
	}
	t, ok := atomicType(typ.name)
	if !ok || typ.kind || t == typeAnyAtomic || t == typeNumeric {
		c.fail(e.at, CodeUnsupported, "there is no type %s to cast to", typ.name)
		return never
	}
	return func(d *dyn) Sequence {
		a := d.atomize(in(d))
		if len(a) == 0 && typ.occurs == '?' {
			if e.op == opCastable {
				return boolSeq(true)
			}
			return nil
		}
		var v Item
		ok := false
		if len(a) == 1 {
			v, ok = cast(a[0], t)
		}
		if e.op == opCastable {
			return boolSeq(ok)
		}
		if !ok {
			fail(CodeValue, "cannot cast %s to %s", a.describe(), typ.name)
		}
		return one(v)
	}
}

// typeTest returns a test of one item.
func (c *compiler) typeTest(at int, typ *seqType) func(Item) bool {
	if typ.name == "" {
		return func(Item) bool { return false }
	}
	if typ.kind {
		switch typ.name {
		case "item":
			return func(Item) bool { return true }
		case "map":
			return func(i Item) bool { return i.kind == kindMap }
		case "array":
			return func(i Item) bool { return i.kind == kindArray }
		case "function":
			return func(i Item) bool { return i.kind >= kindArray }
		}
		if kind := kindTests[typ.name]; kind != "" {
			return func(i Item) bool {
				return i.kind == kindNode && nameTest{kind: kind}.matches(i.node.Member(), axisSelf)
			}
		}
	}
	t, ok := atomicType(typ.name)
	if !ok || typ.kind {
		c.fail(at, CodeUnsupported, "there is no type %s", typ.name)
		return nil
	}
	return func(i Item) bool {
		if i.kind == kindNode || i.kind >= kindArray {
			return false
		}
		switch t {
		case typeAnyAtomic:
			return true
		case typeNumeric, oscal.TypeDecimal:
			return i.isNumber()
		case typeDuration:
			return i.kind == kindDuration
		case oscal.TypeInteger:
			return i.kind == kindInteger
		case oscal.TypeNonNegativeInteger:
			return i.kind == kindInteger && i.num().sign() >= 0
		case oscal.TypePositiveInteger:
			return i.kind == kindInteger && i.num().sign() > 0
		case oscal.TypeBoolean:
			return i.kind == kindBoolean
		case oscal.TypeDate:
			return i.kind == kindDate
		case oscal.TypeDateWithTimezone:
			return i.kind == kindDate && i.v.(moment).zone
		case oscal.TypeDateTime:
			return i.kind == kindDateTime
		case oscal.TypeDateTimeWithTimezone:
			return i.kind == kindDateTime && i.v.(moment).zone
		case oscal.TypeString:
			return i.isText()
		}
		return i.isText() && t.Valid(i.text)
	}
}

// cast converts an atomic value to a type.
func cast(i Item, t oscal.DataType) (Item, bool) {
	s := i.String()
	trimmed := strings.TrimSpace(s)
	switch t {
	case oscal.TypeString:
		return StringItem(s), true
	case oscal.TypeInteger, oscal.TypeNonNegativeInteger, oscal.TypePositiveInteger, oscal.TypeDecimal:
		var n number
		switch {
		case i.isNumber():
			n = i.num()
		case i.kind == kindBoolean:
			if i.v.(bool) {
				n.i = 1
			}
		case i.isText():
			var ok, integer bool
			if n, integer, ok = parseNumber(trimmed); !ok || t != oscal.TypeDecimal && !integer {
				return Item{}, false
			}
		default:
			return Item{}, false
		}
		if t == oscal.TypeDecimal {
			return numberItem(n, false), !n.nan
		}
		if n.nan {
			return Item{}, false
		}
		if !n.isInt() {
			n = ratNumber(new(big.Rat).SetInt(new(big.Int).Quo(n.r.Num(), n.r.Denom())))
		}
		ok := t == oscal.TypeInteger || n.sign() > 0 || t == oscal.TypeNonNegativeInteger && n.sign() == 0
		return numberItem(n, true), ok
	case oscal.TypeBoolean:
		switch {
		case i.kind == kindBoolean:
			return i, true
		case i.isNumber():
			return BooleanItem(!i.num().nan && i.num().sign() != 0), true
		case trimmed == "true" || trimmed == "1":
			return BooleanItem(true), i.isText()
		case trimmed == "false" || trimmed == "0":
			return BooleanItem(false), i.isText()
		}
		return Item{}, false
	case oscal.TypeDate, oscal.TypeDateWithTimezone, oscal.TypeDateTime, oscal.TypeDateTimeWithTimezone:
		m, ok := moment{}, false
		if isMoment(i) {
			m, ok = i.v.(moment), true
		} else if i.isText() {
			m, ok = parseMoment(trimmed)
			// Text must have the form of the type; only values change between them.
			ok = ok && m.date == (t == oscal.TypeDate || t == oscal.TypeDateWithTimezone)
		}
		if !ok || (t == oscal.TypeDateWithTimezone || t == oscal.TypeDateTimeWithTimezone) && !m.zone {
			return Item{}, false
		}
		if t == oscal.TypeDate || t == oscal.TypeDateWithTimezone {
			y, mo, day := m.t.Date()
			m.date, m.t = true, timeDate(y, mo, day, m.t.Location())
		} else {
			m.date = false
		}
		return momentItem(m), true
	case typeDuration:
		if i.kind == kindDuration {
			return i, true
		}
		v, ok := parseDuration(trimmed)
		return Item{kind: kindDuration, v: v}, ok && i.isText()
	}
	return StringItem(trimmed), t.Valid(trimmed)
}
