package oscal

import (
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf8"

	"github.com/issokit/issokit/internal/nearest"
)

// A binder builds the tree of a document while a reader of some format walks
// through its text. It knows the model; the readers know their syntax.
type binder struct {
	doc      *Document
	opts     ReadOptions
	problems Problems
	places   []*Node // of the problems
	nodes    int
	slab     []Node
	stopped  bool // after a fatal problem nothing more is read
}

// A frame is an object of the text that is being bound.
type frame struct {
	node *Node
	def  *Definition
	last *Node  // the child put in last
	seen uint64 // bit n: member n was there
	next int    // member to look at first
}

// problem notes a problem at a byte offset, negative for none, and, for the
// pointer, a node.
func (b *binder) problem(level Level, rule Rule, offset int, n *Node, format string, args ...any) {
	if len(b.problems) >= b.opts.MaxProblems {
		return
	}
	p := Problem{Level: level, Rule: rule, File: b.doc.name, Pointer: n.Pointer(), Message: fmt.Sprintf(format, args...)}
	if b.doc.format == XML {
		p.Path = n.Path()
	}
	if offset >= 0 {
		p.Position = b.doc.position(offset)
	}
	if len(b.problems) == b.opts.MaxProblems-1 {
		p.Level, p.Rule, p.Pointer, p.Path = Error, RuleLimit, "", ""
		p.Message = fmt.Sprintf("stopped after %d problems", b.opts.MaxProblems-1)
		b.stopped, n = true, nil
	}
	b.problems, b.places = append(b.problems, p), append(b.places, n)
}

// sorted returns the problems in document order. Whether an item stands in an
// array or alone is known only now.
func (b *binder) sorted() Problems {
	var l Locator
	for i, n := range b.places {
		if n != nil {
			b.problems[i].Pointer = l.Pointer(n)
		}
	}
	sortProblems(b.problems)
	return b.problems
}

// related gives the last problem the place of a node that it is about too.
func (b *binder) related(n *Node) {
	p := &b.problems[len(b.problems)-1]
	if n == nil || p.Rule == RuleLimit {
		return
	}
	p.Related = append(p.Related, b.doc.place(nil, n))
}

// place is where a node of the document is.
func (d *Document) place(l *Locator, n *Node) Place {
	p := Place{File: d.name, Position: d.Position(n), Pointer: l.Pointer(n)}
	if d.format == XML {
		p.Path = l.Path(n)
	}
	return p
}

func (b *binder) fatal(rule Rule, offset int, format string, args ...any) {
	b.problem(Error, rule, offset, nil, format, args...)
	b.stopped = true
}

// checkEncoding tells whether the text is UTF-8.
func (b *binder) checkEncoding() bool {
	text := b.doc.text
	switch {
	case strings.HasPrefix(text, "\xfe\xff"), strings.HasPrefix(text, "\xff\xfe"),
		strings.HasPrefix(text, "\x00"), len(text) > 1 && text[1] == 0:
		b.fatal(RuleEncoding, 0, "expected UTF-8, found UTF-16 or UTF-32")
	case utf8.ValidString(text):
		return true
	default:
		i := 0
		for i < len(text) {
			r, n := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			i += n
		}
		b.fatal(RuleEncoding, i, "expected UTF-8, found the byte 0x%02X", text[i])
	}
	return false
}

// detect finds the format from the first character.
func (b *binder) detect() {
	text := strings.TrimLeft(strings.TrimPrefix(b.doc.text, bom), " \t\r\n")
	switch {
	case text == "":
		b.fatal(RuleFormat, 0, "the document is empty")
	case b.doc.format != 0:
	case text[0] == '{', text[0] == '[':
		b.doc.format = JSON
	case text[0] == '<':
		b.doc.format = XML
	default:
		b.doc.format = YAML
	}
}

func (b *binder) newNode(m *Member, offset int) *Node {
	if len(b.slab) == 0 {
		// Slabs grow with the document, so that a small one costs little.
		b.slab = make([]Node, min(max(16, b.nodes/4), 1024))
	}
	n := &b.slab[0]
	b.slab = b.slab[1:]
	n.member, n.at = m, uint32(offset)+1
	b.nodes++
	if b.nodes > b.opts.MaxNodes && !b.stopped {
		b.fatal(RuleLimit, offset, "the document has more than %d nodes", b.opts.MaxNodes)
	}
	return n
}

// rootMember returns the root that has a name: of one of the models, or the one
// that the caller asked for.
func (b *binder) rootMember(name string) *Member {
	if f := b.opts.Fragment; f != nil {
		if f.name == name {
			return f
		}
		return nil
	}
	return b.opts.Metaschema.Root(name)
}

func (b *binder) rootExpected() string {
	what := "member"
	if b.doc.format == XML {
		what = "element"
	}
	if f := b.opts.Fragment; f != nil {
		return "expected one root " + what + ": " + f.name
	}
	var names []string
	for r := range b.opts.Metaschema.Roots() {
		names = append(names, r.name)
	}
	return "expected one root " + what + ": " + strings.Join(names, ", ")
}

// root binds a member beside the document's root.
func (b *binder) root(name string, offset int) *Node {
	m := b.rootMember(name)
	switch {
	case m == nil:
		b.problem(Error, RuleUnknown, offset, nil, "unknown member %s; %s", quote(name), b.rootExpected())
	case b.doc.root != nil && b.doc.root.member == m:
		b.problem(Error, RuleDuplicate, offset, nil, "%s stands here a second time", quote(name))
	case b.doc.root != nil:
		b.problem(Error, RuleRootSeveral, offset, nil, "expected one root, found %s beside %s", quote(name), quote(b.doc.root.Name()))
	default:
		b.doc.root = b.newNode(m, offset)
		return b.doc.root
	}
	return nil
}

func (b *binder) open(n *Node) frame { return frame{node: n, def: n.member.Definition()} }

// begun takes into account that the name of an object is one of its flags.
func (b *binder) begun(f *frame) {
	f.last, f.seen = f.node.first, 1<<f.node.first.member.order
}

// isValueKey tells whether name is the member that holds the value of a field.
func (f *frame) isValueKey(name string) bool { return f.def.valueKey != "" && f.def.valueKey == name }

// isValueName tells whether name is the value of the flag that gives the value
// of a field its name: if it is no member.
func (f *frame) isValueName(name string) bool {
	flag := f.def.valueKeyFlag()
	if flag == nil {
		return false
	}
	m := f.def.memberByJSON(name, 0)
	return m == nil || m == flag
}

// valueBit stands in frame.seen for the value of a field with flags.
const valueBit = 1 << 63

// valueMember binds the value member of a field with flags and tells whether it
// may stand here.
func (b *binder) valueMember(f *frame, name string, offset int) bool {
	flag := f.def.valueKeyFlag()
	switch {
	case f.seen&valueBit == 0:
	case flag != nil:
		b.problem(Error, RuleUnknown, offset, f.node, "unknown member %s in %s, which has its value already", quote(name), f.node.Name())
		return false
	default:
		b.problem(Error, RuleDuplicate, offset, f.node, "%s stands twice in one object", quote(name))
		return false
	}
	f.seen |= valueBit
	if flag != nil {
		f.seen |= 1 << flag.order
		b.scalar(b.add(f, flag, offset), flag.dtype, name, offset)
	}
	return true
}

// named adds an item of a group by key, with the flag whose value is its name.
func (b *binder) named(f *frame, m *Member, name string, nameAt, at int) *Node {
	n := b.add(f, m, at)
	key := b.newNode(m.Definition().keyFlag(), nameAt)
	key.parent, n.first = n, key
	b.scalar(key, key.member.dtype, name, nameAt)
	return n
}

// member finds the member of an object that has a name in JSON and YAML. It is
// nil, and the problem noted, if it is unknown or there already.
func (b *binder) member(f *frame, name string, offset int) *Member {
	m := f.def.memberByJSON(name, f.next)
	if m == nil {
		b.problem(Error, RuleUnknown, offset, f.node, "unknown member %s in %s%s", quote(name), f.node.Name(), suggest(name, f.def))
		return nil
	}
	if f.seen>>m.order&1 == 1 {
		b.problem(Error, RuleDuplicate, offset, f.node, "%s stands twice in one object", quote(name))
		b.related(f.node.Child(m.name))
		return nil
	}
	f.seen |= 1 << m.order
	f.next = int(m.order) + 1
	if m.deprecated != "" {
		b.problem(Warning, RuleDeprecated, offset, f.node, "%s is deprecated since %s %s", quote(name), f.def.release(), m.deprecated)
	}
	return m
}

// add makes a child and puts it at its place in model order.
func (b *binder) add(f *frame, m *Member, offset int) *Node {
	n := b.newNode(m, offset)
	n.parent = f.node
	p := f.last
	if p == nil || p.member.order > m.order {
		if first := f.node.first; first == nil || first.member.order > m.order {
			n.next, f.node.first = first, n
			f.last = n
			return n
		}
		p = f.node.first
	}
	for p.next != nil && p.next.member.order <= m.order {
		p = p.next
	}
	n.next, p.next = p.next, n
	f.last = n
	return n
}

// scalar gives a node its value and checks it.
func (b *binder) scalar(n *Node, t DataType, value string, offset int) {
	n.value = value
	if t == TypeMarkupLine && value == "" {
		// Published templates leave titles empty; the XML schema takes them, the
		// JSON schema does not.
		b.problem(Warning, RuleDatatype, offset, n, "%s is empty", n.Name())
		return
	}
	if t == TypeMarkupMultiline && strings.TrimLeft(value, " \t\r\n") == "" {
		b.problem(Warning, RuleDatatype, offset, n, "%s says nothing", n.Name())
		return
	}
	if !t.Valid(value) {
		b.problem(Error, RuleDatatype, offset, n, "expected a %s (%s), found %s", t, t.Form(), quote(value))
	}
}

// emptyArray notes an array without items.
func (b *binder) emptyArray(f *frame, m *Member, offset int) {
	what := "array"
	if m.array == byKey {
		what = "object"
	}
	b.problem(Error, RuleEmptyArray, offset, f.node, "the %s %s must have one item at least, or be left out", what, quote(m.json))
}

// arrayOfOne notes an array of one item where that must stand without an array
// (Metaschema, Instances, in-json SINGLETON_OR_ARRAY). The JSON schema that
// NIST publishes for OSCAL takes one.
func (b *binder) arrayOfOne(f *frame, m *Member, offset int) {
	if m.array == inSingletonOrArray && f.def.loaded != nil {
		b.shape(f, m, offset, "one item without an array", "an array of one item")
	}
}

// shape notes that one JSON shape was found where another is expected.
func (b *binder) shape(f *frame, m *Member, offset int, expected, found string) {
	rule := RuleShape
	if found == "null" {
		rule = RuleNull
	}
	b.problem(Error, rule, offset, f.node, "%s: expected %s, found %s", quote(m.json), expected, found)
}

// close checks at the end of an object what can only be known there.
func (b *binder) close(f *frame) {
	d := f.def
	if missing := d.required &^ f.seen; missing != 0 {
		for missing != 0 {
			i := bits.TrailingZeros64(missing)
			missing &^= 1 << i
			b.problem(Error, RuleMissing, int(f.node.at)-1, f.node, "%s lacks the required %s", f.node.Name(), b.label(&d.members[i]))
		}
	}
	if d.valueKey != "" && f.seen&valueBit == 0 {
		b.problem(Error, RuleMissing, int(f.node.at)-1, f.node, "%s lacks its value, the member %s", f.node.Name(), quote(d.valueKey))
	}
	for _, c := range d.choices {
		switch n := bits.OnesCount64(f.seen & c.mask); {
		case n > 1:
			b.problem(Error, RuleChoice, int(f.node.at)-1, f.node, "%s has %s, expected only one of these", f.node.Name(), b.names(d, f.seen&c.mask, " and "))
		case n == 0 && c.required:
			b.problem(Error, RuleChoice, int(f.node.at)-1, f.node, "%s lacks one of %s", f.node.Name(), b.names(d, c.mask, ", "))
		}
	}
	if d.loaded != nil {
		b.closeLoaded(f)
	}
}

// closeLoaded checks what the models of OSCAL do not have.
func (b *binder) closeLoaded(f *frame) {
	d, n := f.def, f.node
	at := int(n.at) - 1
	for _, o := range d.loaded.bounds {
		m, items := &d.members[o.member], 0
		for c := n.first; c != nil; c = c.next {
			if c.member == m {
				items++
			}
		}
		switch {
		case items == 0: // required or not
		case items < o.least:
			b.problem(Error, RuleMissing, at, n, "%s has %d of %s, expected %d at least", n.Name(), items, b.label(m), o.least)
		case o.most > 0 && items > o.most:
			b.problem(Error, RuleDuplicate, at, n, "%s has %d of %s, expected %d at most", n.Name(), items, b.label(m), o.most)
		}
	}
	var m *Member
	var keys map[string]bool
	for c := n.first; c != nil; c = c.next {
		if c.member.array != byKey {
			continue
		}
		if c.member != m {
			m, keys = c.member, map[string]bool{}
		}
		flag := c.member.Definition().keyFlag()
		key := c.flag(flag)
		switch {
		case key == nil && !c.member.Definition().Required(flag):
			b.problem(Error, RuleMissing, int(c.at)-1, c, "%s lacks %s, the key of its group", c.Name(), b.label(flag))
		case key != nil && keys[key.value]:
			b.problem(Error, RuleDuplicate, int(key.at)-1, c, "a second %s has the key %s", c.Name(), quote(key.value))
		case key != nil:
			keys[key.value] = true
		}
	}
	if key := n.flag(d.valueKeyFlag()); key != nil {
		if other := d.memberByJSON(key.value, 0); other != nil && other != key.member {
			b.problem(Error, RuleShape, int(key.at)-1, n, "%s is %s, which is the name of another member in JSON", b.label(key.member), quote(key.value))
		}
	}
}

// names lists members by the names that they have in the format of the
// document.
func (b *binder) names(d *Definition, mask uint64, sep string) string {
	var names []string
	for i := range d.members {
		switch {
		case mask>>i&1 == 0:
		case b.doc.format == XML:
			names = append(names, quote(d.members[i].name))
		default:
			names = append(names, quote(d.members[i].json))
		}
	}
	return strings.Join(names, sep)
}

// label calls a member what it is in the format of the document.
func (b *binder) label(m *Member) string {
	switch {
	case b.doc.format != XML:
		return "member " + quote(m.json)
	case m.kind == Flag:
		return "attribute " + quote(m.name)
	}
	return "element <" + m.element() + ">"
}

// finish looks at the whole document once its text has been read.
func (b *binder) finish() {
	d := b.doc
	if d.root == nil || d.Metaschema() != nil {
		return
	}
	if v := d.root.Child("metadata").Child("oscal-version"); v != nil {
		if _, ok := ParseVersion(v.value); !ok {
			b.problem(Warning, RuleVersion, int(v.at)-1, v, "oscal-version %s is not among 1.0.0 to 1.2.x; the model of %s is used", quote(v.value), ModelVersion)
		}
	}
}

// Check looks for all that is wrong with the structure of the document as its
// tree is now: required members that are missing, members that exclude each
// other, values that are not of their data type. It finds in a tree that was
// read what [Parse] found, but for what no tree can hold, such as unknown
// members.
func (d *Document) Check() Problems {
	b := &binder{doc: d, opts: (&ReadOptions{}).withDefaults()}
	b.check(d.root)
	b.finish()
	return b.sorted()
}

func (b *binder) check(n *Node) {
	if b.stopped {
		return
	}
	if n.member.kind != Assembly {
		b.scalar(n, n.member.dtype, n.value, int(n.at)-1)
	}
	if n.member.kind == Flag {
		return
	}
	f := frame{node: n, def: n.member.Definition(), seen: valueBit}
	for c := n.first; c != nil; c = c.next {
		if c.member.array == 0 && f.seen>>c.member.order&1 == 1 {
			b.problem(Error, RuleDuplicate, int(c.at)-1, c, "%s stands twice in %s", quote(c.Name()), n.Name())
			b.related(n.Child(c.Name()))
		}
		f.seen |= 1 << c.member.order
		b.check(c)
	}
	b.close(&f)
}

// quote shows a piece of the document in a message, cut to a length that a
// line holds.
func quote(s string) string {
	if utf8.RuneCountInString(s) > 60 {
		r := []rune(s)
		return fmt.Sprintf("%q...", string(r[:57]))
	}
	return fmt.Sprintf("%q", s)
}

// suggest names the member whose name is nearest to one that is unknown.
func suggest(name string, d *Definition) string {
	var names []string
	for i := range d.members {
		if name == d.members[i].name {
			return "; did you mean " + quote(d.members[i].json) + "?"
		}
		names = append(names, d.members[i].json)
	}
	if near := nearest.Name(name, names); near != "" {
		return "; did you mean " + quote(near) + "?"
	}
	return ""
}

// suggestXML names the attribute or element whose name is nearest to one that
// is unknown.
func suggestXML(name string, d *Definition, flag bool) string {
	var names []string
	near := ""
	for i := range d.members {
		m := &d.members[i]
		switch {
		case m.xml == xmlUnwrapped || (m.kind == Flag) != flag:
			if name == m.name {
				return map[bool]string{true: "; it is an element here", false: "; it is an attribute here"}[flag]
			}
		case name == m.json, name == m.name:
			near = m.element()
		default:
			names = append(names, m.element())
		}
	}
	if near == "" {
		near = nearest.Name(name, names)
	}
	switch {
	case near == "":
		return ""
	case flag:
		return "; did you mean " + quote(near) + "?"
	}
	return "; did you mean <" + near + ">?"
}
