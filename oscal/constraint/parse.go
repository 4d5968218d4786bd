package constraint

import (
	"fmt"
	"slices"
	"strings"
)

// op says what an expr is.
type op uint8

const (
	opString    op = iota + 1 // text
	opNumber                  // text
	opVariable                // name
	opFocus                   // .
	opSequence                // kids
	opCall                    // name(kids)
	opIf                      // kids: condition, then, else
	opFor                     // name in kids[0] return kids[1]
	opLet                     // name := kids[0] return kids[1]
	opSome                    // name in kids[0] satisfies kids[1]
	opEvery                   //
	opOr                      // kids
	opAnd                     //
	opGeneral                 // text is the operator: = != < <= > >=
	opValue                   // eq ne lt le gt ge
	opNodeOrder               // is << >>
	opConcat                  // ||
	opRange                   // to
	opArith                   // + - * div idiv mod
	opNegate                  // unary minus
	opPlus                    // unary plus
	opUnion                   //
	opIntersect               //
	opExcept                  //
	opInstance                // kids[0] instance of typ
	opCastable                //
	opCast                    //
	opTreat                   //
	opMap                     // !
	opRoot                    // / as the start of a path
	opPath                    // kids[0]/kids[1]
	opStep                    // axis::test
	opFilter                  // kids[0][kids[1]]
	opLookup                  // kids[0]?key; key is kids[1], or absent for *
	opDynamic                 // kids[0](kids[1:])
	opArray                   // [kids]
	opArrayOf                 // array { kids[0] }
	opMapOf                   // map { kids[0]: kids[1], ... }
	opNoWay                   // text names a construct that parses but is not supported
)

// An expr is a node of the syntax tree of an expression.
type expr struct {
	op    op
	at    int
	name  string
	text  string
	axis  axis
	tests []nameTest // alternatives; opStep only
	typ   *seqType
	kids  []*expr
}

type axis uint8

const (
	axisChild axis = iota + 1
	axisAttribute
	axisSelf
	axisParent
	axisDescendant
	axisDescendantOrSelf
	axisAncestor
	axisAncestorOrSelf
	axisFollowingSibling
	axisPrecedingSibling
	axisFollowing
	axisPreceding
)

var axisNames = map[string]axis{
	"child": axisChild, "attribute": axisAttribute, "flag": axisAttribute, "self": axisSelf, "parent": axisParent,
	"descendant": axisDescendant, "descendant-or-self": axisDescendantOrSelf,
	"ancestor": axisAncestor, "ancestor-or-self": axisAncestorOrSelf,
	"following-sibling": axisFollowingSibling, "preceding-sibling": axisPrecedingSibling,
	"following": axisFollowing, "preceding": axisPreceding,
}

// A nameTest is one alternative of a node test: a name, or kind "*" (all of
// the axis' principal kind), "node", "element", "assembly", "field", "flag",
// "document", or one that selects nothing in OSCAL: "text", "comment",
// "processing-instruction".
type nameTest struct {
	name string
	kind string
}

// seqType is a sequence type; occurs is 0, '?', '*' or '+'.
type seqType struct {
	name   string // "item", "node" and so on, or an atomic type; "" for empty-sequence()
	kind   bool   // written with parentheses
	occurs byte
}

type parser struct {
	src    string
	tokens []token
	i      int
	depth  int
	err    *ExpressionError
}

// parse reads an expression. Names of functions and variables are not looked
// at here.
func parse(src string) (*expr, *ExpressionError) {
	tokens, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{src: src, tokens: tokens}
	e := p.expr()
	if p.err == nil && p.peek().kind != tokEOF {
		p.unexpected("the end of the expression or an operator")
	}
	if p.err != nil {
		return nil, p.err
	}
	return e, nil
}

func (p *parser) peek() token { return p.tokens[p.i] }

func (p *parser) peekAt(n int) token { return p.tokens[min(p.i+n, len(p.tokens)-1)] }

func (p *parser) next() token {
	t := p.tokens[p.i]
	if p.i < len(p.tokens)-1 {
		p.i++
	}
	return t
}

func (p *parser) fail(at int, format string, args ...any) {
	if p.err == nil {
		p.err = &ExpressionError{Expression: p.src, Offset: at, Code: CodeSyntax, Message: fmt.Sprintf(format, args...)}
	}
	p.i = len(p.tokens) - 1 // the end: all loops stop there
}

func (p *parser) unexpected(expected string) {
	p.fail(p.peek().at, "expected %s, found %s", expected, p.peek())
}

// accept takes a symbol if it is next.
func (p *parser) accept(symbol string) bool {
	if p.peek().is(symbol) {
		p.i++
		return true
	}
	return false
}

func (p *parser) expect(symbol string) {
	if !p.accept(symbol) {
		p.unexpected(fmt.Sprintf("%q", symbol))
	}
}

// word tells whether the next token is a name that serves as a keyword here.
func (p *parser) word(words ...string) bool {
	t := p.peek()
	return t.kind == tokName && slices.Contains(words, t.text)
}

func (p *parser) expectWord(w string) {
	if !p.word(w) {
		p.unexpected(fmt.Sprintf("%q", w))
		return
	}
	p.next()
}

// expr is Expr: one or more single expressions with commas.
func (p *parser) expr() *expr {
	at := p.peek().at
	e := p.single()
	if !p.peek().is(",") {
		return e
	}
	s := &expr{op: opSequence, at: at, kids: []*expr{e}}
	for p.accept(",") {
		s.kids = append(s.kids, p.single())
	}
	return s
}

func (p *parser) single() *expr {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxExpressionDepth {
		p.fail(p.peek().at, "the expression is nested deeper than %d", maxExpressionDepth)
		return &expr{}
	}
	if t := p.peek(); t.kind == tokName {
		after := p.peekAt(1)
		switch {
		case after.is("$") && (t.text == "for" || t.text == "let" || t.text == "some" || t.text == "every"):
			return p.binding()
		case after.is("(") && t.text == "if":
			return p.conditional()
		}
	}
	return p.or()
}

// binding is for, let, some and every, with one or more variables: a chain of
// these with one variable each.
func (p *parser) binding() *expr {
	t := p.next()
	ops := map[string]op{"for": opFor, "let": opLet, "some": opSome, "every": opEvery}
	var chain []*expr
	for first := true; first || p.accept(","); first = false {
		e := &expr{op: ops[t.text], at: p.peek().at, name: p.variable()}
		if t.text == "let" {
			p.expect(":=")
		} else {
			p.expectWord("in")
		}
		e.kids = []*expr{p.single()}
		chain = append(chain, e)
		if p.err != nil {
			return e
		}
	}
	if t.text == "some" || t.text == "every" {
		p.expectWord("satisfies")
	} else {
		p.expectWord("return")
	}
	body := p.single()
	for _, e := range slices.Backward(chain) {
		e.kids = append(e.kids, body)
		body = e
	}
	return body
}

func (p *parser) variable() string {
	p.expect("$")
	if t := p.peek(); t.kind != tokName || strings.HasSuffix(t.text, ":*") {
		p.unexpected("the name of a variable")
		return ""
	}
	return p.next().text
}

func (p *parser) conditional() *expr {
	e := &expr{op: opIf, at: p.next().at}
	p.expect("(")
	e.kids = append(e.kids, p.expr())
	p.expect(")")
	p.expectWord("then")
	e.kids = append(e.kids, p.single())
	p.expectWord("else")
	e.kids = append(e.kids, p.single())
	return e
}

func (p *parser) or() *expr  { return p.words(opOr, "or", p.and) }
func (p *parser) and() *expr { return p.words(opAnd, "and", p.comparison) }

// words reads operands with a keyword between them into one expr.
func (p *parser) words(o op, word string, operand func() *expr) *expr {
	e := operand()
	if !p.word(word) {
		return e
	}
	all := &expr{op: o, at: p.peek().at, kids: []*expr{e}}
	for p.word(word) {
		p.next()
		all.kids = append(all.kids, operand())
	}
	return all
}

func (p *parser) comparison() *expr {
	left := p.concat()
	t := p.peek()
	e := &expr{at: t.at, text: t.text}
	switch {
	case t.kind == tokSymbol && slices.Contains([]string{"=", "!=", "<", "<=", ">", ">="}, t.text):
		e.op = opGeneral
	case p.word("eq", "ne", "lt", "le", "gt", "ge"):
		e.op = opValue
	case p.word("is"), t.is("<<"), t.is(">>"):
		e.op = opNodeOrder
	default:
		return left
	}
	p.next()
	e.kids = []*expr{left, p.concat()}
	return e
}

// binary reads left-associative operators.
func (p *parser) binary(o op, isOp func() bool, operand func() *expr) *expr {
	e := operand()
	for isOp() {
		t := p.next()
		e = &expr{op: o, at: t.at, text: t.text, kids: []*expr{e, operand()}}
	}
	return e
}

func (p *parser) concat() *expr {
	return p.binary(opConcat, func() bool { return p.peek().is("||") }, p.rng)
}

func (p *parser) rng() *expr {
	e := p.additive()
	if p.word("to") {
		e = &expr{op: opRange, at: p.next().at, kids: []*expr{e, p.additive()}}
	}
	return e
}

func (p *parser) additive() *expr {
	return p.binary(opArith, func() bool { return p.peek().is("+") || p.peek().is("-") }, p.multiplicative)
}

func (p *parser) multiplicative() *expr {
	return p.binary(opArith, func() bool { return p.peek().is("*") || p.word("div", "idiv", "mod") }, p.union)
}

func (p *parser) union() *expr {
	return p.binary(opUnion, func() bool { return p.peek().is("|") || p.word("union") }, p.intersect)
}

func (p *parser) intersect() *expr {
	e := p.instance()
	for p.word("intersect", "except") {
		t := p.next()
		o := opIntersect
		if t.text == "except" {
			o = opExcept
		}
		e = &expr{op: o, at: t.at, kids: []*expr{e, p.instance()}}
	}
	return e
}

// instance is "instance of", "treat as", "castable as" and "cast as", which
// bind in this order, the last the tightest.
func (p *parser) instance() *expr {
	e := p.arrow()
	for _, form := range []struct {
		op     op
		first  string
		second string
	}{{opCast, "cast", "as"}, {opCastable, "castable", "as"}, {opTreat, "treat", "as"}, {opInstance, "instance", "of"}} {
		if !p.word(form.first) || p.peekAt(1).text != form.second {
			continue
		}
		at := p.next().at
		p.next()
		e = &expr{op: form.op, at: at, kids: []*expr{e}, typ: p.sequenceType()}
	}
	return e
}

func (p *parser) sequenceType() *seqType {
	t := p.peek()
	if t.kind != tokName {
		p.unexpected("a type")
		return &seqType{}
	}
	p.next()
	s := &seqType{name: t.text}
	if p.accept("(") {
		s.kind = true
		if t.text == "empty-sequence" {
			p.expect(")")
			s.name = ""
			return s
		}
		// What stands in the parentheses (a name, the type of an entry) narrows
		// the type further than OSCAL has kinds for.
		for depth := 1; depth > 0; {
			switch u := p.next(); {
			case u.kind == tokEOF:
				p.unexpected(`")"`)
				return s
			case u.is("("):
				depth++
			case u.is(")"):
				depth--
			}
		}
	}
	if u := p.peek(); u.is("?") || u.is("*") || u.is("+") {
		s.occurs = u.text[0]
		p.next()
	}
	return s
}

func (p *parser) arrow() *expr {
	e := p.unary()
	for p.peek().is("=>") {
		at := p.next().at
		t := p.peek()
		switch {
		case t.kind == tokName && !strings.HasSuffix(t.text, ":*"):
			p.next()
			e = &expr{op: opCall, at: t.at, name: t.text, kids: append([]*expr{e}, p.arguments()...)}
		case t.is("$"):
			f := &expr{op: opVariable, at: t.at, name: p.variable()}
			e = &expr{op: opDynamic, at: at, kids: append([]*expr{f, e}, p.arguments()...)}
		default:
			p.unexpected("the name of a function after =>")
			return e
		}
	}
	return e
}

func (p *parser) unary() *expr {
	t := p.peek()
	if !t.is("-") && !t.is("+") {
		return p.simpleMap()
	}
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxExpressionDepth {
		p.fail(t.at, "the expression is nested deeper than %d", maxExpressionDepth)
		return &expr{}
	}
	p.next()
	o := opNegate
	if t.text == "+" {
		o = opPlus
	}
	return &expr{op: o, at: t.at, kids: []*expr{p.unary()}}
}

func (p *parser) simpleMap() *expr {
	return p.binary(opMap, func() bool { return p.peek().is("!") }, p.path)
}

// path is PathExpr.
func (p *parser) path() *expr {
	t := p.peek()
	var e *expr
	switch {
	case p.accept("/"):
		e = &expr{op: opRoot, at: t.at}
		if !p.startsStep() {
			return e
		}
		e = &expr{op: opPath, at: t.at, kids: []*expr{e, p.step()}}
	case p.accept("//"):
		e = &expr{op: opRoot, at: t.at}
		e = &expr{op: opPath, at: t.at, kids: []*expr{e, anyDescendant(t.at)}}
		e = &expr{op: opPath, at: t.at, kids: []*expr{e, p.step()}}
	default:
		e = p.step()
	}
	for {
		t := p.peek()
		switch {
		case p.accept("/"):
		case p.accept("//"):
			e = &expr{op: opPath, at: t.at, kids: []*expr{e, anyDescendant(t.at)}}
		default:
			return e
		}
		e = &expr{op: opPath, at: t.at, kids: []*expr{e, p.step()}}
	}
}

// anyDescendant is what // stands for.
func anyDescendant(at int) *expr {
	return &expr{op: opStep, at: at, axis: axisDescendantOrSelf, tests: []nameTest{{kind: "node"}}}
}

// startsStep tells whether a step may begin here; after a lone / it need not.
func (p *parser) startsStep() bool {
	switch t := p.peek(); t.kind {
	case tokName, tokNumber, tokString:
		return true
	case tokSymbol:
		return slices.Contains([]string{"@", "*", ".", "..", "(", "$", "[", "?"}, t.text)
	}
	return false
}

// step is one step of a path: an axis step or a postfix expression.
func (p *parser) step() *expr {
	t := p.peek()
	if e := p.axisStep(); e != nil {
		for p.peek().is("[") {
			e = p.predicate(e)
		}
		return e
	}
	if p.err != nil {
		return &expr{at: t.at}
	}
	return p.postfix()
}

// kindTests are the node tests with parentheses.
var kindTests = map[string]string{
	"node": "node", "element": "element", "attribute": "flag", "text": "text", "comment": "comment",
	"processing-instruction": "processing-instruction", "document-node": "document",
	"assembly": "assembly", "field": "field", "flag": "flag",
}

// axisStep reads an axis step without its predicates, nil if none is here.
func (p *parser) axisStep() *expr {
	t := p.peek()
	e := &expr{op: opStep, at: t.at, axis: axisChild}
	switch {
	case p.accept(".."):
		e.axis, e.tests = axisParent, []nameTest{{kind: "node"}}
		return e
	case p.accept("@"):
		e.axis = axisAttribute
		p.nodeTest(e)
		return e
	case t.is("*"):
		p.nodeTest(e)
		return e
	case t.kind != tokName:
		return nil
	}
	after := p.peekAt(1)
	if after.is("::") {
		a, ok := axisNames[t.text]
		if !ok {
			p.fail(t.at, "there is no axis %s", t)
			return e
		}
		e.axis = a
		p.next()
		p.next()
		p.nodeTest(e)
		return e
	}
	if after.is("(") || after.is("#") || after.is("{") && (t.text == "map" || t.text == "array") {
		kind := kindTests[t.text]
		if !after.is("(") || kind == "" {
			return nil
		}
		if kind == "flag" {
			e.axis = axisAttribute
		}
	}
	p.nodeTest(e)
	return e
}

func (p *parser) nodeTest(e *expr) {
	t := p.peek()
	switch {
	case p.accept("*"):
		e.tests = []nameTest{{kind: "*"}}
		if p.peek().is(":") && p.peekAt(1).kind == tokName && p.peek().at == t.end && p.peekAt(1).at == t.end+1 {
			p.next()
			e.tests = []nameTest{{name: p.next().text}}
		}
	case t.kind != tokName:
		p.unexpected("a name or a test of a node")
	case p.peekAt(1).is("("):
		kind := kindTests[t.text]
		if kind == "" {
			p.unexpected("a name or a test of a node")
			return
		}
		p.next()
		p.next()
		test := nameTest{kind: kind}
		switch u := p.peek(); {
		case u.kind == tokName || u.kind == tokString:
			test.name = p.next().text
		case p.accept("*"):
		}
		p.expect(")")
		e.tests = []nameTest{test}
	default:
		e.tests = []nameTest{{name: p.next().text}}
	}
}

func (p *parser) predicate(e *expr) *expr {
	at := p.peek().at
	p.expect("[")
	e = &expr{op: opFilter, at: at, kids: []*expr{e, p.expr()}}
	p.expect("]")
	return e
}

func (p *parser) postfix() *expr {
	e := p.primary()
	for p.err == nil {
		t := p.peek()
		switch {
		case t.is("["):
			e = p.predicate(e)
		case t.is("("):
			e = &expr{op: opDynamic, at: t.at, kids: append([]*expr{e}, p.arguments()...)}
		case t.is("?"):
			p.next()
			e = p.lookup(e, t.at)
		default:
			return e
		}
	}
	return e
}

// lookup reads the key after a question mark.
func (p *parser) lookup(of *expr, at int) *expr {
	e := &expr{op: opLookup, at: at, kids: []*expr{of}}
	switch t := p.peek(); {
	case p.accept("*"):
	case t.kind == tokName && !strings.Contains(t.text, ":"):
		p.next()
		e.kids = append(e.kids, &expr{op: opString, at: t.at, text: t.text})
	case t.kind == tokNumber && strings.Trim(t.text, "0123456789") == "":
		p.next()
		e.kids = append(e.kids, &expr{op: opNumber, at: t.at, text: t.text})
	case p.accept("("):
		e.kids = append(e.kids, p.parenthesized(t.at))
	default:
		p.unexpected("a key after ?")
	}
	return e
}

// parenthesized reads on after an opening parenthesis.
func (p *parser) parenthesized(at int) *expr {
	if p.accept(")") {
		return &expr{op: opSequence, at: at}
	}
	e := p.expr()
	p.expect(")")
	return e
}

func (p *parser) arguments() []*expr {
	p.expect("(")
	var args []*expr
	if p.accept(")") {
		return nil
	}
	for {
		if t := p.peek(); t.is("?") && (p.peekAt(1).is(",") || p.peekAt(1).is(")")) {
			p.next()
			args = append(args, &expr{op: opNoWay, at: t.at, text: "partial application of functions"})
		} else {
			args = append(args, p.single())
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return args
}

func (p *parser) primary() *expr {
	t := p.peek()
	switch t.kind {
	case tokString:
		p.next()
		return &expr{op: opString, at: t.at, text: t.text}
	case tokNumber:
		p.next()
		return &expr{op: opNumber, at: t.at, text: t.text}
	case tokSymbol:
		switch t.text {
		case ".":
			p.next()
			return &expr{op: opFocus, at: t.at}
		case "$":
			return &expr{op: opVariable, at: t.at, name: p.variable()}
		case "(":
			p.next()
			return p.parenthesized(t.at)
		case "[":
			return p.squareArray()
		case "?":
			p.next()
			return p.lookup(&expr{op: opFocus, at: t.at}, t.at)
		}
	case tokName:
		after := p.peekAt(1)
		switch {
		case after.is("{") && t.text == "map":
			return p.mapOf()
		case after.is("{") && t.text == "array":
			p.next()
			p.next()
			e := &expr{op: opArrayOf, at: t.at, kids: []*expr{{op: opSequence, at: t.at}}}
			if !p.peek().is("}") {
				e.kids[0] = p.expr()
			}
			p.expect("}")
			return e
		case after.is("#"):
			p.next()
			p.next()
			if p.peek().kind != tokNumber {
				p.unexpected("a number of arguments")
			}
			p.next()
			return &expr{op: opNoWay, at: t.at, text: "references to functions"}
		case after.is("(") && t.text == "function":
			return p.inlineFunction()
		case after.is("(") && !strings.HasSuffix(t.text, ":*"):
			p.next()
			return &expr{op: opCall, at: t.at, name: t.text, kids: p.arguments()}
		}
	}
	p.unexpected("an expression")
	return &expr{at: t.at}
}

func (p *parser) squareArray() *expr {
	e := &expr{op: opArray, at: p.next().at}
	if p.accept("]") {
		return e
	}
	for {
		e.kids = append(e.kids, p.single())
		if !p.accept(",") {
			break
		}
	}
	p.expect("]")
	return e
}

func (p *parser) mapOf() *expr {
	e := &expr{op: opMapOf, at: p.next().at}
	p.expect("{")
	if p.accept("}") {
		return e
	}
	for {
		key := p.single()
		p.expect(":")
		e.kids = append(e.kids, key, p.single())
		if !p.accept(",") {
			break
		}
	}
	p.expect("}")
	return e
}

// inlineFunction reads over a function that is written in place, so that it can
// be named as not supported.
func (p *parser) inlineFunction() *expr {
	e := &expr{op: opNoWay, at: p.next().at, text: "inline functions"}
	p.expect("(")
	for !p.peek().is(")") && p.err == nil {
		p.variable()
		if p.word("as") {
			p.next()
			p.sequenceType()
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	if p.word("as") {
		p.next()
		p.sequenceType()
	}
	p.expect("{")
	if !p.accept("}") {
		p.expr()
		p.expect("}")
	}
	return e
}
