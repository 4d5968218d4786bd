package constraint

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/oscal"
)

// A mutantMaker builds, for one built-in constraint, a small document of the
// model that satisfies it: the way from a root to the host, what the target
// selects with all that its predicates ask for, and what the model requires
// beside that.
type mutantMaker struct {
	root  *oscal.Node
	doc   *oscal.Document
	uuids int
	fixed map[*oscal.Node]bool     // values that must stay
	ns    map[*oscal.Node][]string // the namespaces that a condition leaves to a node

	repairing bool
}

type unmakeable struct{ why string }

func (m *mutantMaker) give(why string, args ...any) { panic(unmakeable{fmt.Sprintf(why, args...)}) }

// wayTo finds the shortest way through the model from a member to one that has
// a property.
func wayTo(from *memberRules, is func(*memberRules) bool) []*oscal.Member {
	type stop struct {
		m    *memberRules
		prev int
	}
	queue := []stop{{from, -1}}
	seen := map[*oscal.Member]bool{from.member: true}
	for i := 0; i < len(queue); i++ {
		if m := queue[i].m; is(m) {
			var way []*oscal.Member
			for j := i; j >= 0; j = queue[j].prev {
				way = append(way, queue[j].m.member)
			}
			slices.Reverse(way)
			return way
		}
		if queue[i].m.below == nil {
			continue
		}
		for j := range queue[i].m.below.members {
			k := &queue[i].m.below.members[j]
			if !seen[k.member] {
				seen[k.member] = true
				queue = append(queue, stop{k, i})
			}
		}
	}
	return nil
}

func (m *mutantMaker) rulesOf(n *oscal.Node) *memberRules {
	if n.Parent() == nil {
		return BuiltIn().model().roots[n.Member()]
	}
	above := m.rulesOf(n.Parent())
	return &above.below.members[slices.IndexFunc(above.below.members, func(k memberRules) bool { return k.member == n.Member() })]
}

func (m *mutantMaker) child(n *oscal.Node, member *oscal.Member) *oscal.Node {
	if !member.Many() || member.Kind() == oscal.Flag {
		if k := n.Child(member.Name()); k != nil && k.Member() == member {
			return k
		}
	}
	k := oscal.NewNode(member)
	n.Append(k)
	if k.Kind() != oscal.Assembly {
		k.SetValue(m.value(k))
	}
	return k
}

// instance makes a way of members below the root, whose first member it is.
func (m *mutantMaker) instance(way []*oscal.Member) *oscal.Node {
	n := m.root
	for _, k := range way[1:] {
		n = m.child(n, k)
	}
	return n
}

func (m *mutantMaker) uuid() string {
	m.uuids++
	return oscal.UUID("mutant", fmt.Sprint(m.uuids))
}

// value gives a flag or field a value of its type, one of those that the
// constraints list if they list any.
func (m *mutantMaker) value(n *oscal.Node) string {
	if list, err := BuiltIn().AllowedValues(n.Path()); err == nil {
		for _, c := range list {
			if !c.AllowOther && !strings.Contains(c.Target, "[") || c.Target == "." {
				return firstEnum(c)
			}
		}
		for _, c := range list {
			if !c.AllowOther && !strings.Contains(strings.ReplaceAll(c.Target, "[has-oscal-namespace('http://csrc.nist.gov/ns/oscal')]", ""), "[") {
				return firstEnum(c)
			}
		}
	}
	switch n.Name() {
	case "oscal-version":
		return "1.2.2"
	case "telephone-number":
		return "2025550100"
	case "country":
		return "US"
	case "href":
		return "https://example.org/" + m.uuid()
	}
	return m.sample(n.Member().DataType())
}

func (m *mutantMaker) sample(t oscal.DataType) string {
	switch t {
	case oscal.TypeUUID:
		return m.uuid()
	case oscal.TypeToken, oscal.TypeString:
		m.uuids++
		return fmt.Sprintf("text-%d", m.uuids)
	case oscal.TypeURI, oscal.TypeURIReference:
		return "https://example.org/" + m.uuid()
	case oscal.TypeDate:
		return "2026-01-01"
	case oscal.TypeDateWithTimezone:
		return "2026-01-01Z"
	case oscal.TypeDateTime, oscal.TypeDateTimeWithTimezone:
		return "2026-01-01T00:00:00Z"
	case oscal.TypeEmailAddress:
		return "a@example.org"
	case oscal.TypeBase64:
		return "aGk="
	case oscal.TypeInteger, oscal.TypeNonNegativeInteger, oscal.TypePositiveInteger, oscal.TypeDecimal:
		return "7"
	case oscal.TypeBoolean:
		return "true"
	case oscal.TypeIPv4Address:
		return "192.0.2.1"
	case oscal.TypeIPv6Address:
		return "2001:db8::1"
	case oscal.TypeHostname:
		return "example.org"
	}
	return "text"
}

func firstEnum(c *Constraint) string {
	for _, e := range c.Enums {
		if e.Deprecated == "" {
			return e.Value
		}
	}
	return c.Enums[0].Value
}

// fill adds what the model requires.
func (m *mutantMaker) fill(n *oscal.Node) {
	d := n.Member().Definition()
	if d == nil {
		return
	}
	for k := range d.Members() {
		if d.Required(k) && n.Child(k.Name()) == nil {
			m.child(n, k)
		}
	}
	for k := range n.Children() {
		m.fill(k)
	}
}

func (m *mutantMaker) complete(t *testing.T) {
	m.fill(m.root)
	for range 20 {
		again := false
		for _, p := range m.doc.Check() {
			_, names, ok := strings.Cut(p.Message, "lacks one of ")
			if p.Rule != oscal.RuleChoice || !ok {
				continue
			}
			name := strings.Split(names, `"`)[1]
			for n := range m.root.Walk() {
				if n.Pointer() != p.Pointer {
					continue
				}
				for k := range n.Member().Definition().Members() {
					if k.JSONName() == name {
						m.fill(m.child(n, k))
						again = true
					}
				}
				break
			}
		}
		if !again {
			break
		}
	}
	var errs []string
	for _, p := range m.doc.Check() {
		if p.Level == oscal.Error {
			errs = append(errs, p.Error())
		}
	}
	require.Empty(t, errs)
}

// satisfy makes a node that a path selects from n.
func (m *mutantMaker) satisfy(n *oscal.Node, e *expr) *oscal.Node {
	switch e.op {
	case opFocus:
		return n
	case opRoot:
		return nil // the node above the root
	case opStep:
		return m.step(n, e)
	case opFilter:
		k := m.satisfy(n, e.kids[0])
		m.enforce(k, e.kids[1], true)
		return k
	case opUnion:
		if merged := mergeSteps(e); merged != nil {
			return m.step(n, merged)
		}
		for _, k := range e.kids {
			if made := m.try(func() *oscal.Node { return m.satisfy(n, k) }); made != nil {
				return made
			}
		}
	case opPath:
		left, right := e.kids[0], e.kids[1]
		if isAnyDescendant(left) || left.op == opPath && isAnyDescendant(left.kids[1]) {
			from := n
			if left.op == opPath {
				from = m.satisfy(n, left.kids[0])
			}
			return m.descendant(from, right)
		}
		if have := m.have(n, left); have != nil {
			return m.satisfy(have, right)
		}
		return m.satisfy(m.satisfy(n, left), right)
	}
	m.give("no way to satisfy %v of %s", e.op, e.name)
	return nil
}

func (m *mutantMaker) try(f func() *oscal.Node) (n *oscal.Node) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(unmakeable); !ok {
				panic(p)
			}
		}
	}()
	return f()
}

func (m *mutantMaker) step(n *oscal.Node, e *expr) *oscal.Node {
	if e.axis == axisSelf || e.axis == axisParent {
		if e.axis == axisParent {
			return n.Parent()
		}
		return n
	}
	if n == nil {
		return m.root
	}
	for _, t := range e.tests {
		if d := n.Member().Definition(); d != nil {
			for k := range d.Members() {
				if k.Name() == t.name && (k.Kind() == oscal.Flag) == (e.axis == axisAttribute) {
					return m.child(n, k)
				}
			}
		}
	}
	m.give("%s has no %s", n.Name(), e.tests[0].name)
	return nil
}

// descendant makes a node somewhere below n that a step with predicates selects.
func (m *mutantMaker) descendant(n *oscal.Node, e *expr) *oscal.Node {
	if e.op == opFilter {
		k := m.descendant(n, e.kids[0])
		m.enforce(k, e.kids[1], true)
		return k
	}
	if e.op == opUnion {
		e = mergeSteps(e)
	}
	if n == nil {
		n = m.root
	}
	rules := m.rulesOf(n)
	way := wayTo(rules, func(k *memberRules) bool {
		return k != rules && k.member.Kind() != oscal.Flag && slices.ContainsFunc(e.tests, func(t nameTest) bool { return t.name == k.member.Name() })
	})
	if way == nil {
		m.give("nothing below %s is a %s", n.Name(), e.tests[0].name)
	}
	for _, k := range way[1:] {
		n = m.child(n, k)
	}
	return n
}

// enforce makes a condition on a node hold, or not.
func (m *mutantMaker) enforce(n *oscal.Node, e *expr, want bool) {
	set := func(path *expr, v string) {
		k := m.satisfy(n, path)
		k.SetValue(v)
		m.fixed[k] = true
	}
	switch e.op {
	case opAnd, opOr:
		if (e.op == opAnd) == want {
			for _, k := range e.kids {
				m.enforce(n, k, want)
			}
			return
		}
		m.enforce(n, e.kids[0], want)
	case opGeneral:
		switch values := literals(e.kids[1]); {
		case e.text == ">":
			a, b := "1", "9"
			if want {
				a, b = b, a
			}
			set(e.kids[0], a)
			set(e.kids[1], b)
		case want:
			set(e.kids[0], values[0])
		default:
			for _, k := range selectedBy(n, e.kids[0]) {
				if slices.Contains(values, k.Value()) {
					k.SetValue("zz-other")
				}
			}
		}
	case opStep, opPath, opFilter:
		if want {
			m.satisfy(n, e)
			return
		}
		for _, k := range selectedBy(n, e) {
			k.Parent().Remove(k)
		}
	case opCall:
		switch e.name {
		case "not":
			m.enforce(n, e.kids[0], !want)
		case "exists":
			m.enforce(n, e.kids[0], want)
		case "starts-with":
			if want {
				set(e.kids[0], e.kids[1].text+m.uuid())
			} else {
				set(e.kids[0], "https://example.org/"+m.uuid())
			}
		case "has-oscal-namespace":
			ns := literals(e.kids[0])
			if !slices.Contains(ns, oscalNamespace) {
				n.Set("ns", ns[0])
			}
			m.ns[n] = ns
		default:
			m.give("no way to enforce %s", e.name)
		}
	default:
		m.give("no way to enforce %v", e.op)
	}
}

// have returns what a path selects already, when a document is repaired.
func (m *mutantMaker) have(n *oscal.Node, e *expr) *oscal.Node {
	if !m.repairing || n == nil || e.op == opRoot {
		return nil
	}
	if have := selectedBy(n, e); len(have) > 0 {
		return have[0]
	}
	return nil
}

// selectedBy evaluates a part of an expression that is a path.
func selectedBy(n *oscal.Node, e *expr) []*oscal.Node {
	nodes, _, _ := newCompiler("", CompileOptions{}, false).startPath(e)
	return nodes(&dyn{run: newRun(context.Background())}, n, nil)
}

func mustParse(text string) *expr {
	e, err := parse(text)
	if err != nil {
		panic(err)
	}
	return e
}

// regexSamples has a value for each regular expression of the built-in set.
var regexSamples = map[string]string{
	"^[0-9]{3}[0-9]{1,12}$": "2025550100", "[A-Z]{2}": "US",
	"^[0-9a-fA-F]{56}$": strings.Repeat("a", 56), "^[0-9a-fA-F]{64}$": strings.Repeat("a", 64),
	"^[0-9a-fA-F]{96}$": strings.Repeat("a", 96), "^[0-9a-fA-F]{128}$": strings.Repeat("a", 128),
	"(?:[0-9a-zA-Z-._~/?!$&'()*+,;=:@]|%[0-9A-F][0-9A-F])+": "part=1",
}

// mutate makes the document of a constraint and returns what makes a mutant of
// it and gives the path at which it is to be caught.
func (m *mutantMaker) mutate(t *testing.T, c *compiled, way []*oscal.Member) func() string {
	host := m.instance(way)
	var target *oscal.Node
	if c.Kind != KindHasCardinality || c.MinOccurs > 0 || c.MaxOccurs > 0 {
		target = m.satisfy(host, mustParse(c.Target))
	}
	switch c.Kind {
	case KindAllowedValues:
		target.SetValue(firstEnum(c.Constraint))
		m.fixed[target] = true
		return func() string { target.SetValue("zz-none"); return target.Path() }
	case KindMatches:
		v, prefix := regexSamples[c.Regex], ""
		if strings.Contains(strings.ReplaceAll(c.Target, "not(starts-with", ""), "starts-with") {
			prefix = "#" // what the target asks for
		}
		if v == "" {
			v = m.sample(c.DataType)
		}
		if prefix != "" {
			v = prefix + m.uuid()
		}
		target.SetValue(v)
		m.fixed[target] = true
		return func() string { target.SetValue(prefix + "zz zz"); return target.Path() }
	case KindExpect:
		m.enforce(target, mustParse(c.Test), true)
		return func() string { m.enforce(target, mustParse(c.Test), false); return target.Path() }
	case KindHasCardinality:
		if c.MinOccurs > 0 {
			return func() string {
				r := newRun(t.Context())
				r.source(host)
				for _, k := range c.target.appendNodes(&dyn{run: r}, nil, host, nil) {
					k.Parent().Remove(k)
				}
				return host.Path()
			}
		}
		return func() string {
			for range c.MaxOccurs {
				m.again(host, target)
			}
			return host.Path()
		}
	case KindIndex, KindIsUnique:
		for i := range c.keys {
			m.keyNode(target, &c.keys[i])
		}
		return func() string { return m.again(host, target).Path() }
	case KindIndexHasKey:
		m.enter(c, target)
		return func() string {
			k := m.keyNode(target, &c.keys[0])
			if v := k.Value(); strings.HasPrefix(v, "#") {
				k.SetValue("#" + m.uuid())
			} else {
				k.SetValue(m.uuid())
			}
			return target.Path()
		}
	}
	m.give("kind")
	return nil
}

// keyNode returns the node of a component of a key.
func (m *mutantMaker) keyNode(n *oscal.Node, k *compiledKey) *oscal.Node {
	e := mustParse(k.expr.text)
	if have := selectedBy(n, e); len(have) > 0 {
		return have[0]
	}
	return m.satisfy(n, e)
}

// enter puts the key of a node in the index that a constraint looks it up in:
// it makes an entry, and gives both the same key.
func (m *mutantMaker) enter(c *compiled, target *oscal.Node) {
	for _, ix := range BuiltIn().all {
		if ix.Kind != KindIndex || ix.Name != c.Name {
			continue
		}
		way := wayTo(m.rulesOf(m.root), hosts(ix))
		if way == nil {
			continue
		}
		entry := m.satisfy(m.instance(way), mustParse(ix.Target))
		m.fill(entry)
		for i := range c.keys {
			have, want := m.keyNode(entry, &ix.keys[i]), m.keyNode(target, &c.keys[i])
			if m.fixed[want] && have.Member().DataType().Valid(want.Value()) {
				have.SetValue(want.Value())
				continue
			}
			if c.keys[i].re == nil && !strings.Contains(c.Target, "starts-with") {
				want.SetValue(have.Value())
				continue
			}
			want.SetValue("#" + have.Value())
		}
		return
	}
	m.give("the index %s is not in the model of %s", c.Name, m.root.Name())
}

// repair does for all findings what the constraints ask for.
func (m *mutantMaker) repair(t *testing.T) {
	m.repairing = true
	for range 8 {
		found := m.findings(t)
		if len(found) == 0 {
			return
		}
		for _, f := range found {
			if !slices.ContainsFunc(m.findings(t), func(now Finding) bool { return now.Constraint == f.Constraint && now.Node == f.Node }) {
				continue // another repair did this one
			}
			m.try(func() *oscal.Node {
				c := BuiltIn().all[slices.IndexFunc(BuiltIn().all, func(c *compiled) bool { return c.Constraint == f.Constraint })]
				switch {
				case m.fixed[f.Node] && c.Kind == KindAllowedValues:
					m.otherType(t, f.Node)
				case m.fixed[f.Node] && c.Kind == KindIndexHasKey:
					m.enter(c, f.Node)
				case m.fixed[f.Node]:
				case c.Kind == KindMatches:
					f.Node.SetValue(cmp.Or(regexSamples[c.Regex], m.sample(c.DataType)))
				case c.Kind == KindAllowedValues:
					f.Node.SetValue(firstEnum(c.Constraint))
				case c.Kind == KindExpect:
					m.enforce(f.Node, mustParse(c.Test), true)
				case c.Kind == KindHasCardinality && c.MinOccurs > 0:
					m.satisfy(f.Node, mustParse(c.Target))
				case c.Kind == KindIndexHasKey:
					m.enter(c, f.Node)
				case c.Kind == KindIndex || c.Kind == KindIsUnique:
					m.keyNode(f.Node, &c.keys[0]).SetValue(m.uuid())
				}
				return nil
			})
		}
		m.complete(t)
	}
}

// findings are those of the document, without what needs another document.
func (m *mutantMaker) findings(t *testing.T) []Finding {
	r, err := Validate(t.Context(), m.doc, nil)
	require.NoError(t, err)
	return slices.DeleteFunc(r.Findings, func(f Finding) bool { return errors.Is(f.Err, ErrNoLoader) })
}

// otherType looks for a type of the owner of a prop, or a namespace of the prop,
// that lets the prop have its name.
func (m *mutantMaker) otherType(t *testing.T, name *oscal.Node) {
	prop := name.Parent()
	fine := func() bool {
		return !slices.ContainsFunc(m.findings(t), func(f Finding) bool { return f.Node == name })
	}
	if f := prop.Parent().Child("type"); f != nil && f.Kind() == oscal.Flag && !m.fixed[f] {
		old := f.Value()
		for _, v := range []string{"software", "service", "interconnection", "hardware", "validation", "system", "network"} {
			if f.SetValue(v); fine() {
				return
			}
		}
		f.SetValue(old)
	}
	if prop.Name() != "prop" {
		return
	}
	namespaces, bound := m.ns[prop]
	if !bound {
		namespaces = []string{"https://example.org/ns"}
	}
	for _, ns := range namespaces {
		if prop.Set("ns", ns); fine() {
			return
		}
	}
	prop.Set("ns", oscalNamespace)
}

// again repeats the lowest repeatable node between the host and the target, and
// returns the copy of the target.
func (m *mutantMaker) again(host, target *oscal.Node) *oscal.Node {
	var steps []string
	for n := target; n != host && n.Parent() != nil; n = n.Parent() {
		if n.Member().Many() {
			k := n.Clone()
			n.Parent().InsertAfter(k, n)
			for _, s := range slices.Backward(steps) {
				k = k.Child(s)
			}
			return k
		}
		steps = append(steps, n.Name())
	}
	// The model has one only: the mutant is not valid in its structure either.
	k := target.Clone()
	target.Parent().InsertAfter(k, target)
	return k
}

func hosts(c *compiled) func(*memberRules) bool {
	return func(m *memberRules) bool {
		return slices.ContainsFunc(m.rules, func(r *hostRules) bool { return slices.Contains(r.constraints, c) })
	}
}

// makeMutant tries the roots in turn.
func makeMutant(t *testing.T, c *compiled) (m *mutantMaker, mutate func() string, why string) {
	for r := range oscal.Roots() {
		way := wayTo(BuiltIn().model().roots[r], hosts(c))
		if way == nil {
			continue
		}
		m = &mutantMaker{root: oscal.NewNode(r), fixed: map[*oscal.Node]bool{}, ns: map[*oscal.Node][]string{}}
		m.doc = oscal.NewDocument(m.root)
		ok := func() (ok bool) {
			defer func() {
				if p := recover(); p != nil {
					u, is := p.(unmakeable)
					if !is {
						panic(p)
					}
					why = u.why
				}
			}()
			mutate = m.mutate(t, c, way)
			return true
		}()
		if ok {
			m.complete(t)
			m.repair(t)
			return m, mutate, ""
		}
	}
	if why == "" {
		why = "no model has its host"
	}
	return nil, nil, why
}

// neverFires are constraints of OSCAL 1.2.2 that no document can violate: what
// their targets go through is not in the model. Host is the definition that they
// are evaluated on, and step the member that it lacks; without a host nothing in
// the model uses the definition (mapping-common has a global flag that no
// assembly refers to).
var neverFires = map[string]struct {
	host string
	step string
	kind oscal.Kind // flag or not
}{
	"mapping-common:match-with-child-controls(flag)#0": {},
	// (.)[@type=...] asks for a flag that components have.
	"implementation-common:inventory-item#2": {"inventory-item", "type", oscal.Flag},
	// ./system/@value and ./type[...]/@value: both are flags of an action.
	"metadata:action#2": {"action", "system", oscal.Assembly},
	"metadata:action#3": {"action", "type", oscal.Assembly},
}

// TestNeverFires: nothing in the tables of the model lets the constraints of
// neverFires select a node, and what makes their verdict works where it can be
// shown: on a node of another definition that has what the target asks for.
func TestNeverFires(t *testing.T) {
	find := func(key string) *compiled {
		return BuiltIn().all[slices.IndexFunc(BuiltIn().all, func(c *compiled) bool { return c.Key == key })]
	}
	for key, w := range neverFires {
		hosted := map[string]bool{}
		seen := map[*definitionRules]bool{}
		var walk func(m *memberRules)
		walk = func(m *memberRules) {
			if hosts(find(key))(m) {
				hosted[m.member.Name()] = true
				for k := range m.member.Definition().Members() {
					require.False(t, k.Name() == w.step && (k.Kind() == oscal.Flag) == (w.kind == oscal.Flag), key)
				}
			}
			if m.below != nil && !seen[m.below] {
				seen[m.below] = true
				for i := range m.below.members {
					walk(&m.below.members[i])
				}
			}
		}
		for _, m := range BuiltIn().model().roots {
			walk(m)
		}
		want := map[string]bool{}
		if w.host != "" {
			want[w.host] = true
		}
		require.Equal(t, want, hosted, key)
	}

	fires := func(key string, host *oscal.Node) []string {
		e, err := newEvaluator(t.Context(), oscal.NewDocument(host.Root()), Options{MaxFindings: 10})
		require.NoError(t, err)
		e.constraint(find(key), host, nil)
		e.judgeValues()
		var paths []string
		for _, f := range e.found {
			paths = append(paths, f.node.Path())
		}
		return paths
	}
	root := oscal.NewRoot("component-definition")
	component := root.Add("component")
	component.Set("type", "software")
	prop := component.Add("prop")
	prop.Set("name", "vendor-name")
	require.Empty(t, fires("implementation-common:inventory-item#2", component))
	prop.Set("name", "vendor")
	require.Equal(t, []string{"/component-definition[1]/component[1]/prop[1]/@name"}, fires("implementation-common:inventory-item#2", component))
	require.Equal(t, []string{"/component-definition[1]/component[1]/@type"}, fires("mapping-common:match-with-child-controls(flag)#0", component.Child("type")))
	component.Set("type", "yes")
	require.Empty(t, fires("mapping-common:match-with-child-controls(flag)#0", component.Child("type")))
	// No definition at all has an element of these names with a flag value: the
	// list is as far as one gets.
	for key, value := range map[string]string{"metadata:action#2": oscalNamespace, "metadata:action#3": "approval"} {
		_, listed := find(key).lists(value)
		require.True(t, listed)
		_, listed = find(key).lists("zz-none")
		require.False(t, listed)
	}
}

// crowded are constraints whose target no document of OSCAL 1.2.2 can have
// without a finding: where it is, another constraint is violated. Only is what
// is found then, with all done that can be; the document is clean without the
// node that Without names.
var crowded = map[string]struct {
	only    []string
	without string
}{
	// local-objective#4 asks for a prop method-id of OSCAL's namespace in a part,
	// and control-common:part#3 knows label, sort-id and alt-identifier only.
	"assessment-common:local-objective#0": {methodID, "objectives-and-methods"},
	"assessment-common:local-objective#1": {methodID, "objectives-and-methods"},
	"assessment-common:local-objective#2": {methodID, "objectives-and-methods"},
	"assessment-common:local-objective#3": {methodID, "objectives-and-methods"},
	"assessment-common:local-objective#4": {methodID, "objectives-and-methods"},
	// Version 3 of CVSS has no access-vector: facet#10 does not list it.
	"assessment-common:characterization/facet#16": {[]string{"oscal-facet-cvss3-name-values"}, "characterization"},
	// The names of props of components, of OSCAL's namespace, lack both.
	"component:defined-component#7": {[]string{"oscal-component-prop-name", "oscal-metadata-prop-name-values"}, "prop"},
	"component:defined-component#9": {[]string{"oscal-component-prop-name", "oscal-metadata-prop-name-values"}, "prop"},
	// The target is a link that starts with #, and its key, that link, is looked
	// up among UUIDs.
	"ssp:system-implementation#5": {[]string{"oscal-system-implementation-validation-index"}, "link"},
}

var methodID = []string{"oscal-part-prop-name", "oscal-metadata-prop-name-values"}

// TestEveryConstraintFires: for each of the 340 built-in constraints a valid
// document in which nothing is found, and a mutant of it that the constraint
// catches at the right place, in the tree and in the text. Open lists of values
// do so where they are asked for.
func TestEveryConstraintFires(t *testing.T) {
	fired, open := 0, 0
	for _, c := range BuiltIn().all {
		t.Run(c.Key, func(t *testing.T) {
			m, mutate, why := makeMutant(t, c)
			if _, never := neverFires[c.Key]; never {
				require.NotEmpty(t, why)
				return
			}
			require.Empty(t, why, c.Target)
			rules := func() (out []string) {
				for _, f := range m.findings(t) {
					out = append(out, f.Rule)
				}
				return out
			}
			crowd := crowded[c.Key]
			require.Equal(t, crowd.only, rules())
			if crowd.without != "" {
				m.without(t, crowd.without, func() { require.Empty(t, rules()) })
			}
			caught := func(o Options) (paths []string) {
				o.NoStructure, o.Only = true, []string{c.Key}
				r, err := Validate(t.Context(), m.doc, &o)
				require.NoError(t, err)
				for _, f := range r.Findings {
					paths = append(paths, f.Path)
				}
				return paths
			}
			if c.AllowOther {
				require.Empty(t, caught(Options{OpenLists: true}))
			}
			path := mutate()
			if got := caught(Options{}); !slices.Contains(got, path) {
				require.True(t, c.AllowOther)
				require.Empty(t, got)
				require.Contains(t, caught(Options{OpenLists: true}), path)
				open++
			} else {
				fired++
			}
			m.caughtInText(t, c, path)
		})
	}
	require.Equal(t, [2]int{279, 57}, [2]int{fired, open})
}

// caughtInText writes the mutant and reads it again: the finding stands where
// the text has the node, by the reckoning of encoding/xml.
func (m *mutantMaker) caughtInText(t *testing.T, c *compiled, path string) {
	for _, format := range []oscal.Format{oscal.XML, oscal.JSON} {
		var b strings.Builder
		require.NoError(t, m.doc.Write(&b, &oscal.WriteOptions{Format: format}))
		text := b.String()
		doc, err := oscal.Parse(text, nil)
		require.NotNil(t, doc, err)
		if c.Key == "metadata:back-matter/resource#5" {
			// It asks of the base64 of a resource, of which the model has one, that
			// their names differ: a reader has to refuse the second before.
			require.Len(t, doc.Problems(), 1)
			require.Equal(t, oscal.RuleDuplicate, doc.Problems()[0].Rule)
			continue
		}
		r, err := Validate(t.Context(), doc, &Options{NoStructure: true, Only: []string{c.Key}, OpenLists: true})
		require.NoError(t, err)
		i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Path == path })
		require.GreaterOrEqual(t, i, 0, text)
		at := r.Findings[i].Position
		found := text[at.Offset:]
		require.True(t, strings.HasPrefix(strings.Split(text, "\n")[at.Line-1][at.Column-1:], strings.Split(found, "\n")[0]), at)
		element, flag, isFlag := strings.Cut(path, "/@")
		switch start, end := startTag(t, text, element, format); {
		case format == oscal.JSON:
			value := strings.HasPrefix(found, strconv.Quote(r.Findings[i].Node.Value()))
			require.True(t, value || !isFlag && strings.HasPrefix(found, "{"), found)
		case isFlag:
			require.True(t, start < at.Offset && at.Offset < end && strings.HasPrefix(found, flag+"="), found)
		default:
			require.Equal(t, start, at.Offset)
		}
	}
}

// startTag returns where the start tag of an element is, in bytes.
func startTag(t *testing.T, text, path string, format oscal.Format) (start, end int) {
	if format != oscal.XML {
		return 0, 0
	}
	d := xml.NewDecoder(strings.NewReader(text))
	var open []string            // path of each open element
	children := map[string]int{} // number by path without position
	for {
		start = int(d.InputOffset())
		token, err := d.Token()
		require.NoError(t, err, path)
		switch token := token.(type) {
		case xml.StartElement:
			p := "/" + token.Name.Local
			if len(open) > 0 {
				p = open[len(open)-1] + p
			}
			children[p]++
			p = fmt.Sprintf("%s[%d]", p, children[p])
			if open = append(open, p); p == path {
				return start, int(d.InputOffset())
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

// without calls f while the document lacks the first node of a name.
func (m *mutantMaker) without(t *testing.T, name string, f func()) {
	for n := range m.root.Walk() {
		if n.Name() == name {
			parent, children := n.Parent(), slices.Collect(n.Parent().Children())
			parent.Remove(n)
			f()
			parent.SetChildren(children)
			return
		}
	}
	t.Fatalf("there is no %s", name)
}
