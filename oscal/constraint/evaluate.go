package constraint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/issokit/issokit/internal/nearest"
	"github.com/issokit/issokit/oscal"
)

// An evaluator goes through a document once, in document order. At each node it
// evaluates the constraints that the node hosts, but for the verdicts on keys
// whose index is not there yet, and on allowed values, which need all constraints
// that look at a node.
type evaluator struct {
	*run
	opts   Options
	doc    *oscal.Document
	d      dyn // used over and over; one evaluation does not hold another
	sets   []*Set
	base   []int  // by set: number of its first constraint among all
	skip   []bool // by constraint
	counts []Count
	// filtered tells whether anything is skipped.
	filtered bool
	visited  int
	// What is skipped itself but has a part in the verdict on what is not:
	// indexes that are looked into, and all lists of values.
	lookups   map[string]bool
	anyValues bool

	stack    []group                      // of the nodes on the way down
	contexts map[*oscal.Node][]*hostRules // instances of the contexts of external sets
	indexes  map[string]*keyIndex
	deferred []deferredKey
	// Names of indexes that are looked into but that no set defines, and the first
	// constraint that was to look into one.
	unknown   map[string]bool
	undefined *compiled
	listed    []*oscal.Node // nodes with values that a constraint lists
	unlisted  []valueRecord
	passed    []valueRecord // as listed, with the constraint; only for counts
	suspects  int           // how many of unlisted are of closed constraints
	found     []found
	dropped   bool

	part     bool // this is the evaluator of a part of the document, see visitApart
	panicked any  // what ended it
}

// deferredKey is a key that is looked for in an index that is not there yet.
type deferredKey struct {
	c     *compiled
	scope *scope
	node  *oscal.Node
	key   string
	null  bool
}

// valueRecord says that allowed-values looked at a node.
type valueRecord struct {
	c    *compiled
	node *oscal.Node
}

// found is a finding before its place is looked up.
type found struct {
	c       *compiled
	node    *oscal.Node
	message string
	related *oscal.Node
	about   string // what the related node is
	err     error
	notice  bool
	open    bool // a value that all lists leave open
}

func newEvaluator(ctx context.Context, doc *oscal.Document, o Options) (*evaluator, error) {
	e := &evaluator{run: newRun(ctx), opts: o, doc: doc, indexes: map[string]*keyIndex{}, lookups: map[string]bool{}}
	e.now, e.loader, e.resolve, e.variables = o.Now, o.Loader, o.ResolveProfile, o.Variables
	if o.MaxSteps > 0 {
		e.maxSteps = o.MaxSteps
	}
	e.add(doc.Root(), doc, doc.Name())
	e.d.run = e.run
	if !o.NoBuiltIn {
		set, err := OfMetaschema(doc.Metaschema())
		if err != nil {
			return nil, err
		}
		e.sets = append(e.sets, set)
	}
	for _, s := range o.Sets {
		if !slices.Contains(e.sets, s) {
			e.sets = append(e.sets, s)
		}
	}
	defined := map[string]bool{}
	for _, s := range e.sets {
		e.base = append(e.base, len(e.skip))
		for _, c := range s.all {
			e.skip = append(e.skip, !e.wanted(c.Level, c.ID, c.Key))
			e.filtered = e.filtered || e.skip[len(e.skip)-1]
			if !e.skip[len(e.skip)-1] {
				e.anyValues = e.anyValues || c.Kind == KindAllowedValues
				if c.Kind == KindIndexHasKey {
					e.lookups[c.Name] = true
				}
			}
			if c.Kind == KindIndex {
				defined[c.Name] = true
			}
			if o.Counts {
				e.counts = append(e.counts, Count{Constraint: c.Constraint})
			}
		}
	}
	for name := range e.lookups {
		if !defined[name] {
			if e.unknown == nil {
				e.unknown = map[string]bool{}
			}
			e.unknown[name] = true
		}
	}
	return e, nil
}

// wanted applies the filters.
func (e *evaluator) wanted(level Level, names ...string) bool {
	named := func(list []string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return n != "" && slices.Contains(list, n) })
	}
	return level >= e.opts.MinLevel && (len(e.opts.Only) == 0 || named(e.opts.Only)) && !named(e.opts.Except)
}

// number returns the place of a constraint among all of the run.
func (e *evaluator) number(c *compiled) int {
	for i, s := range e.sets {
		if s == c.set {
			return e.base[i] + c.order
		}
	}
	return 0
}

// skipped tells whether a filter leaves a constraint out.
func (e *evaluator) skipped(c *compiled) bool { return e.filtered && e.skip[e.number(c)] }

// structure gives the problems of structure as findings.
func (e *evaluator) structure() []Finding {
	problems := e.doc.Problems()
	if e.doc.Format() == 0 {
		problems = e.doc.Check()
	}
	return slices.DeleteFunc(StructureFindings(problems), func(f Finding) bool { return !e.wanted(f.Level, f.Rule) })
}

// evaluate does the work.
func (e *evaluator) evaluate() (err error) {
	defer func() {
		if p := recover(); p != nil {
			s, ok := p.(stopped)
			if !ok {
				panic(p)
			}
			err = s.err
		}
	}()
	if err := e.ctx.Err(); err != nil {
		return err
	}
	e.findContexts()
	root := e.doc.Root()
	rules := &memberRules{member: root.Member()}
	for _, s := range e.sets {
		if s.model == nil || s.metaschema != e.doc.Metaschema() {
			continue
		}
		if r := s.model().roots[root.Member()]; r != nil {
			rules = r
		}
	}
	e.contextsAt(e.source(root).top, nil)
	e.visit(root, rules, nil)
	if e.undefined != nil {
		return fmt.Errorf("constraint: %s: no set defines the index %q", e.undefined.Key, e.undefined.Name)
	}
	for _, k := range e.deferred {
		ix := e.indexes[k.c.Name]
		if ix == nil {
			// The hosts of the index do not occur in this document: it is empty.
			ix = &keyIndex{}
		}
		e.steps = 0
		e.lookUp(k, ix)
	}
	e.judgeValues()
	return nil
}

// versions is what the versions of the document's model are versions of.
func (e *evaluator) versions() string {
	if e.doc.Metaschema() == nil {
		return "OSCAL"
	}
	return "version"
}

// visit evaluates what a node hosts, then what the nodes below host.
func (e *evaluator) visit(n *oscal.Node, rules *memberRules, s *scope) {
	if e.visited++; e.visited&0xfff == 0 {
		if err := e.ctx.Err(); err != nil {
			panic(stopped{err})
		}
	}
	mark, listed, unlisted := len(e.stack), len(e.listed), len(e.unlisted)
	present := e.groupChildren(n, rules.below)
	groups := e.stack[mark:]
	e.run.host, e.groups = n, groups
	for i, r := range rules.rules {
		s = e.evaluateAll(r, rules.needs[i], present, n, s)
	}
	if e.contexts != nil {
		s = e.contextsAt(n, s)
	}
	for _, g := range groups {
		if len(g.rules.rules) == 0 && (g.rules.below == nil || !g.rules.below.any) && e.contexts == nil {
			continue
		}
		if e.visitApart(g, s) {
			continue
		}
		for k := g.first; k != nil && k.Member() == g.member; k = k.Next() {
			e.visit(k, g.rules, s)
		}
	}
	e.stack = e.stack[:mark]
	e.forgetListed(listed, unlisted)
}

// forgetListed drops records that no verdict will need: of nodes that were noted
// as listed since some place, too. Most constraints look at what is near their
// host, so that few records are left for the end.
func (e *evaluator) forgetListed(listed, unlisted int) {
	near, open := e.listed[listed:], e.unlisted[unlisted:]
	if e.counts != nil || len(near) == 0 || len(open) == 0 || len(near)*len(open) > 4096 {
		return
	}
	kept := open[:0]
	for _, r := range open {
		if !slices.Contains(near, r.node) {
			kept = append(kept, r)
		} else if !r.c.AllowOther {
			e.suspects--
		}
	}
	e.unlisted = e.unlisted[:unlisted+len(kept)]
}

// noRules are those of a member that the sets say nothing of.
var noRules = &memberRules{}

// groupChildren puts the children of a node on the stack of groups and tells
// which there are: bit n for member n of the definition, and the bit of itself.
func (e *evaluator) groupChildren(n *oscal.Node, below *definitionRules) (present uint64) {
	present = itself
	i := 0
	var last *oscal.Member
	for k := n.First(); k != nil; k = k.Next() {
		m := k.Member()
		if m == last {
			continue
		}
		last = m
		rules := noRules
		if below != nil {
			// Members and nodes are both in model order.
			for i < len(below.members) && below.members[i].member != m {
				i++
			}
			if i == len(below.members) {
				i = max(0, slices.IndexFunc(below.members, func(r memberRules) bool { return r.member == m }))
			}
			rules = &below.members[i]
			present |= 1 << i
		}
		e.stack = append(e.stack, group{m, k, rules})
	}
	return present
}

// contextsAt evaluates the contexts of external sets that a node is an instance
// of.
func (e *evaluator) contextsAt(n *oscal.Node, s *scope) *scope {
	for _, r := range e.contexts[n] {
		s = e.evaluateAll(r, nil, 0, n, s)
	}
	return s
}

// evaluateAll evaluates the constraints of a host on one instance and returns
// the scope for what follows. A constraint that needs children which are not
// present has no targets.
func (e *evaluator) evaluateAll(r *hostRules, needs []uint64, present uint64, n *oscal.Node, s *scope) *scope {
	if len(r.lets) > 0 {
		s = &scope{outer: s, host: NodeItem(n), lets: make([]letCell, len(r.lets))}
		for i, l := range r.lets {
			s.lets[i].let = l
		}
	}
	if len(r.sweeps) > 0 {
		e.steps, e.current = 0, nil
		if err := e.protect("", func() { e.sweep(r, n, s) }); err != nil {
			e.failed(r.sweeps[0], n, err)
		}
	}
	// One guard serves all constraints of the host; after an error the next one
	// goes on.
	for next := 0; next < len(r.constraints); next++ {
		err := e.protect("", func() {
			for ; next < len(r.constraints); next++ {
				if needs != nil && needs[next]&present == 0 {
					continue
				}
				e.steps, e.current = 0, nil
				c := r.constraints[next]
				switch {
				case e.skipped(c) && !(c.Kind == KindIndex && e.lookups[c.Name]) && !(c.Kind == KindAllowedValues && e.anyValues):
				case c.swept:
				case c.Kind == KindIndexHasKey && e.unknown[c.Name]:
					if e.undefined == nil {
						e.undefined = c
					}
				default:
					e.constraint(c, n, s)
				}
			}
		})
		if err != nil {
			e.failed(r.constraints[next], n, err)
		}
	}
	return s
}

// failed makes a finding of the error of an evaluation.
func (e *evaluator) failed(c *compiled, n *oscal.Node, err error) {
	x, ok := err.(*ExpressionError)
	if !ok {
		panic(stopped{err})
	}
	e.add1(found{c: c, node: n, message: "the constraint cannot be evaluated: " + x.Message + expressionOf(x), err: x})
}

func expressionOf(x *ExpressionError) string {
	if x.Expression == "" {
		return ""
	}
	return ", in " + clip(x.Expression)
}

func (e *evaluator) add1(f found) {
	if e.skipped(f.c) && !(f.err != nil && e.lookups[f.c.Name]) {
		return
	}
	if len(e.found) >= e.opts.MaxFindings {
		e.dropped = true
		return
	}
	e.found = append(e.found, f)
}

func (e *evaluator) count(c *compiled, ok bool) {
	if e.counts == nil {
		return
	}
	n := &e.counts[e.number(c)]
	if ok {
		n.Passed++
	} else {
		n.Failed++
	}
}

// verdict counts, and notes a finding for what is not ok.
func (e *evaluator) verdict(c *compiled, s *scope, n *oscal.Node, ok bool, message func() string) {
	e.count(c, ok)
	if !ok {
		e.add1(found{c: c, node: n, message: e.message(c, s, n, message)})
	}
}

// message fills in the template of a constraint, or makes the message of its
// kind.
func (e *evaluator) message(c *compiled, s *scope, n *oscal.Node, otherwise func() string) string {
	if c.message == nil {
		return otherwise()
	}
	var b strings.Builder
	for _, p := range c.message {
		if p.expr == nil {
			b.WriteString(p.text)
			continue
		}
		var out Sequence
		d := dyn{run: e.run}
		if err := e.protect(p.expr.text, func() { p.expr.at(&d, s, n); out = p.expr.fn(&d) }); err != nil {
			if _, ok := err.(*ExpressionError); !ok {
				panic(stopped{err})
			}
			b.WriteString(p.text) // it stays to be seen what was meant
			continue
		}
		b.WriteString(strings.Join(out.Strings(), ", "))
	}
	return b.String()
}

// targets returns the nodes that a constraint is about.
func (e *evaluator) targets(c *compiled, n *oscal.Node, s *scope, buf []*oscal.Node) []*oscal.Node {
	if c.target == nil {
		return append(buf, n)
	}
	return c.target.appendNodes(&e.d, s, n, buf)
}

func (e *evaluator) constraint(c *compiled, host *oscal.Node, s *scope) {
	if c.target == nil && c.Kind == KindAllowedValues {
		e.allowedValue(c, host)
		return
	}
	nodes := e.targets(c, host, s, e.buffer())
	switch c.Kind {
	case KindAllowedValues:
		for _, n := range nodes {
			e.allowedValue(c, n)
		}
	case KindMatches:
		for _, n := range nodes {
			e.match(c, s, n)
		}
	case KindExpect, KindReport:
		for _, n := range nodes {
			ok := c.test.holds(&e.d, s, n)
			if c.Kind == KindReport {
				ok = !ok // what a report looks for is there
			}
			e.verdict(c, s, n, ok, func() string {
				if c.Kind == KindReport {
					return "this holds: " + c.Test
				}
				return "this does not hold: " + c.Test
			})
		}
	case KindHasCardinality:
		ok := len(nodes) >= c.MinOccurs && (c.MaxOccurs < 0 || len(nodes) <= c.MaxOccurs)
		e.verdict(c, s, host, ok, func() string {
			return fmt.Sprintf("expected %s of %s, found %d", bounds(c.MinOccurs, c.MaxOccurs), c.Target, len(nodes))
		})
	case KindIndex:
		if e.newIndex(c, host) {
			ix := &keyIndex{host: host, keys: newKeyTable(len(nodes))}
			e.indexes[c.Name] = ix
			e.unique(c, s, nodes, ix.keys)
		}
	case KindIndexHasKey:
		e.hasKey(c, s, nodes)
	case KindIsUnique:
		if len(nodes) > 8 {
			e.unique(c, s, nodes, newKeyTable(len(nodes)))
		} else if len(nodes) > 0 {
			e.uniqueFew(c, s, nodes)
		}
	}
	e.release(nodes)
}

func bounds(lo, hi int) string {
	switch {
	case hi < 0:
		return "at least " + strconv.Itoa(lo)
	case lo == hi:
		return "exactly " + strconv.Itoa(lo)
	case lo == 0:
		return "at most " + strconv.Itoa(hi)
	}
	return fmt.Sprintf("%d to %d", lo, hi)
}

// allowedValue notes whether a constraint lists the value of a node.
func (e *evaluator) allowedValue(c *compiled, n *oscal.Node) {
	v := textOfNode(n)
	deprecated, listed := c.lists(v)
	if deprecated {
		for _, x := range c.Enums {
			if x.Value == v {
				e.add1(found{c: c, node: n, message: fmt.Sprintf("the value %s is deprecated since %s %s", clip(v), e.versions(), x.Deprecated), notice: true})
			}
		}
	}
	if listed {
		e.listed = append(e.listed, n)
		if e.counts != nil {
			e.passed = append(e.passed, valueRecord{c, n})
		}
		return
	}
	if !c.AllowOther {
		e.suspects++
	}
	e.unlisted = append(e.unlisted, valueRecord{c, n})
}

// lists looks a value up. In a short list that is faster than by hash.
func (c *compiled) lists(v string) (deprecated, listed bool) {
	if len(c.Enums) > 8 {
		deprecated, listed = c.values[v]
		return deprecated, listed
	}
	for i := range c.Enums {
		if c.Enums[i].Value == v {
			return c.Enums[i].Deprecated != "", true
		}
	}
	return false, false
}

// judgeValues decides over values: one is fine if any constraint lists it, or
// if none of those that look at it is closed.
func (e *evaluator) judgeValues() {
	bad := make(map[*oscal.Node]bool, e.suspects)
	for _, r := range e.unlisted {
		if !r.c.AllowOther {
			bad[r.node] = true
		}
	}
	if len(bad) > 0 {
		for _, n := range e.listed {
			delete(bad, n)
		}
	}
	for _, r := range e.passed {
		e.count(r.c, true)
	}
	if e.opts.OpenLists && e.opts.MinLevel <= LevelInformational {
		e.openValues(bad)
	}
	if len(bad) == 0 && e.counts == nil {
		return
	}
	for _, r := range e.unlisted {
		e.count(r.c, !bad[r.node])
		if !bad[r.node] {
			continue
		}
		e.add1(found{c: r.c, node: r.node, message: e.message(r.c, nil, r.node, func() string {
			s, meant := notListed(r.node.Value(), r.c)
			if meant != "" {
				s += "; did you mean " + meant + "?"
			}
			return s
		})})
	}
}

// openValues notes the values that no list has where all allow others: one
// finding for a node, of the list with the value that may have been meant or, if
// none is near, of the first. A message of a set would speak of a violation.
func (e *evaluator) openValues(bad map[*oscal.Node]bool) {
	lists := map[*oscal.Node][]*compiled{}
	var nodes []*oscal.Node
	for _, r := range e.unlisted {
		if bad[r.node] || e.skipped(r.c) {
			continue
		}
		if lists[r.node] == nil {
			nodes = append(nodes, r.node)
		}
		lists[r.node] = append(lists[r.node], r.c)
	}
	for _, n := range e.listed {
		delete(lists, n)
	}
	for _, n := range nodes {
		cs := lists[n]
		if cs == nil {
			continue
		}
		f := found{c: cs[0], node: n, open: true}
		var meant string
		f.message, meant = notListed(n.Value(), cs...)
		f.message += "; others are allowed"
		if meant != "" {
			f.message += ", but did you mean " + meant + "?"
			f.c = cs[slices.IndexFunc(cs, func(c *compiled) bool { _, has := c.values[meant]; return has })]
		}
		e.add1(f)
	}
}

// notListed says that lists lack a value, and which one may have been meant, ""
// if none is near.
func notListed(value string, lists ...*compiled) (message, meant string) {
	var names []string
	for _, c := range lists {
		for _, x := range c.Enums {
			if x.Deprecated == "" {
				names = append(names, x.Value)
			}
		}
	}
	message = fmt.Sprintf("the value %s is not one of %s", clip(value), list(names))
	// Numbers, dates and single letters are not misspelt but other.
	if strings.IndexFunc(value, unicode.IsLetter) < 0 || len(value) < 3 {
		return message, ""
	}
	return message, nearest.Name(value, names)
}

// list names the values of an enumeration, the first twelve if there are many.
func list(names []string) string {
	if len(names) > 12 {
		return strings.Join(names[:12], ", ") + " and " + strconv.Itoa(len(names)-12) + " more"
	}
	return strings.Join(names, ", ")
}

func (e *evaluator) match(c *compiled, s *scope, n *oscal.Node) {
	v := textOfNode(n)
	ok := (c.re == nil || c.re.MatchString(v)) && (c.DataType == 0 || c.DataType.Valid(v))
	e.verdict(c, s, n, ok, func() string {
		if c.re != nil && !c.re.MatchString(v) {
			return fmt.Sprintf("the value %s does not match %s", clip(v), c.Regex)
		}
		return fmt.Sprintf("the value %s is not a %s: %s", clip(v), c.DataType, c.DataType.Form())
	})
}

// unique puts nodes in an index and notes those whose key is there.
func (e *evaluator) unique(c *compiled, s *scope, nodes []*oscal.Node, keys *keyTable) {
	for _, n := range nodes {
		key, null := e.key(c, s, n)
		if null {
			continue // not indexed
		}
		head := keys.find(key)
		before := keys.first(head, nil)
		if before == nil {
			keys.put(head, key, n)
		}
		e.oneKey(c, s, n, before, key)
	}
}

// uniqueFew is unique for a few nodes, without a map.
func (e *evaluator) uniqueFew(c *compiled, s *scope, nodes []*oscal.Node) {
	var keys [8]string
	var first [8]*oscal.Node
	seen := 0
	for _, n := range nodes {
		key, null := e.key(c, s, n)
		if null {
			continue
		}
		i := slices.Index(keys[:seen], key)
		if i < 0 {
			keys[seen], first[seen] = key, n
			seen++
			e.oneKey(c, s, n, nil, key)
			continue
		}
		e.oneKey(c, s, n, first[i], key)
	}
}

// oneKey notes a node whose key another has. A node that an expression selects
// twice is one all the same.
func (e *evaluator) oneKey(c *compiled, s *scope, n, before *oscal.Node, key string) {
	ok := before == nil || before == n
	e.count(c, ok)
	if ok {
		return
	}
	what := c.Target
	if c.Name != "" {
		what = "the index " + c.Name
	}
	e.add1(found{c: c, node: n, related: before, about: "first with this key", message: e.message(c, s, n, func() string {
		return fmt.Sprintf("the key %s of %s stands here a second time", showKey(c, key), what)
	})})
}

// nullPart stands in a tuple for a component that has no value. It is no
// character of XML or JSON text that could be a value.
const nullPart = "\x00"

// key returns the key of a node as text; null if no component has a value.
func (e *evaluator) key(c *compiled, s *scope, n *oscal.Node) (key string, null bool) {
	if len(c.keys) == 1 {
		v, ok := e.keyPart(&c.keys[0], s, n)
		return v, !ok
	}
	null = true
	var b strings.Builder
	for i := range c.keys {
		v, ok := e.keyPart(&c.keys[i], s, n)
		if ok {
			null = false
		} else {
			v = nullPart
		}
		if i > 0 {
			b.WriteByte('\x01')
		}
		b.WriteString(v)
	}
	return b.String(), null
}

func (e *evaluator) keyPart(k *compiledKey, s *scope, n *oscal.Node) (string, bool) {
	var v string
	if k.flag != nil {
		f := flagOf(n, k.flag)
		if f == nil {
			return "", false
		}
		v = f.Value()
	} else {
		k.expr.at(&e.d, s, n)
		out := k.expr.fn(&e.d)
		if len(out) == 0 {
			return "", false
		}
		it, ok := e.d.single(out, "a key")
		if !ok {
			return "", false
		}
		v = it.String()
	}
	if k.re != nil {
		part, ok := k.part(v)
		if !ok {
			fail(CodeValue, "the key %s does not match its pattern", clip(v))
		}
		v = part
	}
	return v, true
}

func showKey(c *compiled, key string) string {
	if len(c.keys) == 1 {
		return clip(key)
	}
	parts := strings.Split(key, "\x01")
	for i, p := range parts {
		if parts[i] = clip(p); p == nullPart {
			parts[i] = "none"
		}
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func (e *evaluator) hasKey(c *compiled, s *scope, nodes []*oscal.Node) {
	if len(nodes) == 0 {
		return
	}
	ix := e.indexes[c.Name]
	for _, n := range nodes {
		k := deferredKey{c: c, scope: s, node: n}
		k.key, k.null = e.key(c, s, n)
		if ix == nil {
			e.deferred = append(e.deferred, k)
			continue
		}
		e.lookUp(k, ix)
	}
}

func (e *evaluator) lookUp(k deferredKey, ix *keyIndex) {
	e.verdict(k.c, k.scope, k.node, !k.null && ix.has(k.key), func() string {
		if k.null {
			return fmt.Sprintf("this has no key for the index %s", k.c.Name)
		}
		return fmt.Sprintf("the key %s is not in the index %s", showKey(k.c, k.key), k.c.Name)
	})
}

// report gives findings their places and puts them in order.
func (e *evaluator) report(r *Report) {
	// What follows is bounded by the findings.
	e.steps, e.maxSteps = 0, math.MaxInt
	e.sortFound()
	for _, f := range e.found {
		out := Finding{
			Level: f.c.Level, Kind: f.c.Kind, Rule: f.c.Rule(), Constraint: f.c.Constraint, Node: f.node,
			Message: f.message, Err: f.err,
		}
		out.File, out.Position, out.Path, out.Pointer = e.place(f.node)
		out.byPath = e.source(f.node).isXML()
		if f.related != nil {
			rel := Related{Node: f.related, Message: f.about}
			rel.File, rel.Position, rel.Path, rel.Pointer = e.place(f.related)
			out.Related = []Related{rel}
		}
		if f.err != nil {
			out.Level = LevelError
			if errors.Is(f.err, ErrNoLoader) {
				out.Level = LevelWarning
			}
			if out.Level < e.opts.MinLevel {
				continue
			}
		}
		if f.open {
			out.Level = min(f.c.Level, LevelInformational)
		}
		if f.notice {
			out.Level = LevelInformational
			r.Notices = append(r.Notices, out)
			continue
		}
		r.Findings = append(r.Findings, out)
	}
	if e.dropped {
		r.Findings = append(r.Findings, Finding{
			Level: LevelError, Rule: string(oscal.RuleLimit), File: e.doc.Name(),
			Message: fmt.Sprintf("stopped after %d findings of constraints", e.opts.MaxFindings),
		})
	}
	for i, c := range e.counts {
		if c.Passed+c.Failed > 0 && !e.skip[i] {
			r.Counts = append(r.Counts, c)
		}
	}
}

// sortFound puts findings in document order, those at one node in table order;
// nodes of other documents come last, in the order in which these were loaded.
func (e *evaluator) sortFound() {
	byRule := func(a, b found) int { return cmp.Compare(e.number(a.c), e.number(b.c)) }
	if len(e.found) <= 1000 {
		slices.SortStableFunc(e.found, func(a, b found) int { return cmp.Or(e.compareOrder(a.node, b.node), byRule(a, b)) })
		return
	}
	slices.SortStableFunc(e.found, func(a, b found) int {
		sa, sb := e.source(a.node), e.source(b.node)
		return cmp.Or(sa.index-sb.index, cmp.Compare(e.ordinal(sa, a.node), e.ordinal(sb, b.node)), byRule(a, b))
	})
}

// isXML tells whether people know the places of a document by XML names.
func (s *source) isXML() bool { return s.doc != nil && s.doc.Format() == oscal.XML }

// place says where a node is.
func (e *evaluator) place(n *oscal.Node) (file string, at oscal.Position, path, pointer string) {
	s := e.source(n)
	if s.doc != nil {
		file, at = s.doc.Name(), s.doc.Position(n)
	}
	if isDocument(n) {
		return file, at, "/", ""
	}
	return file, at, n.Path(), n.Pointer()
}
