package constraint

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/issokit/issokit/internal/nearest"
	"github.com/issokit/issokit/oscal"
)

// A function is one of the library. Its arguments are evaluated before.
type function struct {
	min, max int  // number of arguments; max -1 for any
	focus    bool // with no argument it works on the context item
	call     func(d *dyn, a []Sequence) Sequence
}

// Namespaces of functions and the prefixes that they have here. OSCAL's own
// functions have none.
var functionNamespaces = map[string]string{
	"http://www.w3.org/2005/xpath-functions":                  "",
	"http://www.w3.org/2005/xpath-functions/map":              "map:",
	"http://www.w3.org/2005/xpath-functions/array":            "array:",
	"http://www.w3.org/2001/XMLSchema":                        "xs:",
	"http://csrc.nist.gov/ns/metaschema/metapath-functions":   "",
	"http://csrc.nist.gov/ns/metaschema/metapath-functions/1": "",
}

// functionName returns the name of the function that is called, in the form
// that the library has it under.
func (c *compiler) functionName(e *expr) (string, bool) {
	if e.op != opCall {
		return "", false
	}
	if uri, ok := strings.CutPrefix(e.name, "Q{"); ok {
		uri, local, _ := strings.Cut(uri, "}")
		prefix, known := functionNamespaces[uri]
		return prefix + local, known
	}
	for _, prefix := range [...]string{"fn:", "mp:"} {
		if local, ok := strings.CutPrefix(e.name, prefix); ok {
			return local, true
		}
	}
	if local, ok := strings.CutPrefix(e.name, "meta:"); ok {
		return "xs:" + local, true
	}
	return e.name, true
}

func (c *compiler) call(e *expr) evalFn {
	name, ok := c.functionName(e)
	args := make([]evalFn, len(e.kids))
	for i, k := range e.kids {
		args[i] = c.compile(k)
	}
	if !ok {
		c.fail(e.at, CodeFunction, "there is no function %s", e.name)
		return never
	}
	if local, ok := strings.CutPrefix(name, "xs:"); ok {
		t, known := atomicTypes[local]
		if !known || t == typeAnyAtomic || t == typeNumeric {
			c.fail(e.at, CodeFunction, "there is no function %s", e.name)
			return never
		}
		if len(args) != 1 {
			c.fail(e.at, CodeFunction, "%s takes 1 argument, not %d", e.name, len(args))
			return never
		}
		return func(d *dyn) Sequence {
			it, ok := d.single(args[0](d), e.name)
			if !ok {
				return nil
			}
			v, ok := cast(it, t)
			if !ok {
				fail(CodeValue, "%s: cannot convert %s", e.name, Sequence{it}.describe())
			}
			return one(v)
		}
	}
	f, ok := library()[name]
	if !ok {
		hint := ""
		if near := nearestFunction(name); near != "" {
			hint = "; did you mean " + near + "?"
		}
		c.fail(e.at, CodeFunction, "there is no function %s%s", e.name, hint)
		return never
	}
	if len(args) < f.min || f.max >= 0 && len(args) > f.max {
		c.fail(e.at, CodeFunction, "%s takes %s, not %d", e.name, arity(f), len(args))
		return never
	}
	switch name {
	case "true":
		return func(*dyn) Sequence { return boolSeq(true) }
	case "false":
		return func(*dyn) Sequence { return boolSeq(false) }
	case "position":
		return func(d *dyn) Sequence { d.focus(); return one(IntegerItem(int64(d.pos))) }
	case "last":
		return func(d *dyn) Sequence { d.focus(); return one(IntegerItem(int64(d.size))) }
	case "not", "boolean":
		b, want := c.boolean(e.kids[0]), name == "boolean"
		return func(d *dyn) Sequence { return boolSeq(b(d) == want) }
	case "exists", "empty":
		if nodes, _, ok := c.nodePath(e.kids[0]); ok {
			return func(d *dyn) Sequence { return boolSeq(d.any(nodes, d.focusNode()) == (name == "exists")) }
		}
	case "count":
		if nodes, _, ok := c.nodePath(e.kids[0]); ok {
			return func(d *dyn) Sequence {
				found := nodes(d, d.focusNode(), d.buffer())
				d.release(found)
				return one(IntegerItem(int64(len(found))))
			}
		}
	case "recurse-depth":
		return c.recurseDepth(e, args)
	case "matches", "replace", "tokenize":
		c.checkRegex(e)
	}
	call, focus := f.call, f.focus
	return func(d *dyn) Sequence {
		d.tick(1)
		var room [4]Sequence
		values := room[:0]
		for _, a := range args {
			values = append(values, a(d))
		}
		if focus && len(values) == 0 {
			values = append(values, Sequence{d.focus()})
		}
		return call(d, values)
	}
}

func arity(f function) string {
	switch {
	case f.max < 0:
		return fmt.Sprintf("%d or more arguments", f.min)
	case f.min == f.max && f.min == 1:
		return "1 argument"
	case f.min == f.max:
		return fmt.Sprintf("%d arguments", f.min)
	}
	return fmt.Sprintf("%d to %d arguments", f.min, f.max)
}

// nearestFunction names a function that is written almost like the one asked for.
func nearestFunction(name string) string {
	var found []string
	squash := func(s string) string { return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s)) }
	for known := range library() {
		_, local, isPrefixed := strings.Cut(known, ":")
		if squash(known) == squash(name) || isPrefixed && local == name {
			found = append(found, known)
		}
	}
	if len(found) == 0 {
		return nearest.Name(name, slices.Sorted(maps.Keys(library())))
	}
	return slices.Min(found)
}

// checkRegex looks at a regular expression that is a literal when the
// expression is compiled.
func (c *compiler) checkRegex(e *expr) {
	if len(e.kids) < 2 || e.kids[1].op != opString {
		return
	}
	flags := ""
	if last := e.kids[len(e.kids)-1]; e.name != "replace" && len(e.kids) == 3 || len(e.kids) == 4 {
		if last.op != opString {
			return
		}
		flags = last.text
	}
	if _, err := compileRegex(e.kids[1].text, flags, false); err != nil {
		c.fail(e.kids[1].at, CodeUnsupported, "%v", err)
	}
}

// recurseDepth is recurse-depth([nodes,] path): the path is a string that is
// compiled once. Each node comes first, then what is found from it.
func (c *compiler) recurseDepth(e *expr, args []evalFn) evalFn {
	path := e.kids[len(e.kids)-1]
	if path.op != opString {
		c.fail(path.at, CodeUnsupported, "the path of recurse-depth must be a literal")
		return never
	}
	opts := c.opts
	opts.Variables = append(slices.Clone(opts.Variables), c.locals...)
	if len(c.locals) > 0 && strings.Contains(path.text, "$") {
		c.fail(path.at, CodeUnsupported, "local variables in the path of recurse-depth are not supported")
		return never
	}
	inner, err := compileExpression(path.text, opts, c.ignorePredicates)
	if err != nil {
		c.fail(path.at, err.Code, "in the path of recurse-depth, at %d: %s", err.Offset, err.Message)
		return never
	}
	return func(d *dyn) Sequence {
		var start Sequence
		if len(args) == 2 {
			start = args[0](d)
		} else {
			start = Sequence{d.focus()}
		}
		var out Sequence
		seen := map[*oscal.Node]bool{}
		var visit func(s Sequence)
		visit = func(s Sequence) {
			d.enter()
			for _, n := range nodesOf(s, "recurse-depth") {
				if seen[n] {
					continue
				}
				seen[n] = true
				out = d.extend(out, one(NodeItem(n)))
				visit(inner.eval(d.run, d.scope, NodeItem(n)))
			}
			d.leave()
		}
		visit(start)
		return out
	}
}

// library returns the functions by name. It is made when an expression is
// compiled first.
var library = sync.OnceValue(func() map[string]function {
	text := func(min, max int, f func(d *dyn, s []string) Sequence) function {
		return function{min, max, false, func(d *dyn, a []Sequence) Sequence {
			s := make([]string, len(a))
			for i := range a {
				s[i] = d.str(a[i], "a string")
			}
			return f(d, s)
		}}
	}
	numeric := func(f func(n number) number) function {
		return function{1, 1, false, func(d *dyn, a []Sequence) Sequence {
			it, ok := d.single(a[0], "a number")
			if !ok {
				return nil
			}
			n := d.num(it, "a number")
			if n.nan {
				return one(it)
			}
			return one(numberItem(f(n), it.kind == kindInteger))
		}}
	}
	part := func(f func(t time.Time) int) function {
		return function{1, 1, false, func(d *dyn, a []Sequence) Sequence {
			it, ok := d.single(a[0], "a date")
			if !ok {
				return nil
			}
			if it.isText() {
				if m, ok := parseMoment(it.text); ok {
					it = momentItem(m)
				}
			}
			if !isMoment(it) {
				fail(CodeType, "expected a date, found %s", a[0].describe())
			}
			return one(IntegerItem(int64(f(it.v.(moment).t))))
		}}
	}
	special := function{call: func(*dyn, []Sequence) Sequence { return nil }} // compiled by call itself
	fixed := func(min, max int) function { f := special; f.min, f.max = min, max; return f }
	lib := map[string]function{
		"true": fixed(0, 0), "false": fixed(0, 0), "position": fixed(0, 0), "last": fixed(0, 0), "not": fixed(1, 1),
		"boolean": fixed(1, 1), "recurse-depth": fixed(1, 2),

		"exists": {1, 1, false, func(_ *dyn, a []Sequence) Sequence { return boolSeq(len(a[0]) > 0) }},
		"empty":  {1, 1, false, func(_ *dyn, a []Sequence) Sequence { return boolSeq(len(a[0]) == 0) }},
		"count":  {1, 1, false, func(_ *dyn, a []Sequence) Sequence { return one(IntegerItem(int64(len(a[0])))) }},
		"data":   {0, 1, true, func(d *dyn, a []Sequence) Sequence { return d.atomize(a[0]) }},
		"string": {0, 1, true, func(d *dyn, a []Sequence) Sequence {
			if len(a[0]) == 1 && a[0][0].kind == kindNode {
				return stringSeq(d.typed(a[0][0].node).String())
			}
			return stringSeq(d.str(a[0], "string"))
		}},
		"number": {0, 1, true, func(d *dyn, a []Sequence) Sequence {
			if it, ok := d.single(a[0], "number"); ok {
				if v, ok := cast(it, oscal.TypeDecimal); ok {
					return one(v)
				}
			}
			return one(Item{kind: kindDecimal, v: number{nan: true}})
		}},
		"path": {0, 1, true, func(d *dyn, a []Sequence) Sequence {
			return ofNode(a[0], "path", func(n *oscal.Node) Sequence {
				if isDocument(n) {
					return stringSeq("/")
				}
				return stringSeq(n.Path())
			})
		}},
		"name":       {0, 1, true, nodeName},
		"local-name": {0, 1, true, nodeName},
		"root": {0, 1, true, func(d *dyn, a []Sequence) Sequence {
			return ofNode(a[0], "root", func(n *oscal.Node) Sequence { return one(NodeItem(d.source(n).top)) })
		}},
		"has-children": {0, 1, true, func(d *dyn, a []Sequence) Sequence {
			if len(a[0]) == 0 {
				return boolSeq(false)
			}
			return ofNode(a[0], "has-children", func(n *oscal.Node) Sequence {
				k := d.kids(n)
				for k != nil && k.Kind() == oscal.Flag {
					k = k.Next()
				}
				return boolSeq(k != nil)
			})
		}},

		"starts-with":      text(2, 2, func(_ *dyn, s []string) Sequence { return boolSeq(strings.HasPrefix(s[0], s[1])) }),
		"ends-with":        text(2, 2, func(_ *dyn, s []string) Sequence { return boolSeq(strings.HasSuffix(s[0], s[1])) }),
		"contains":         text(2, 2, func(_ *dyn, s []string) Sequence { return boolSeq(strings.Contains(s[0], s[1])) }),
		"codepoint-equal":  text(2, 2, func(_ *dyn, s []string) Sequence { return boolSeq(s[0] == s[1]) }),
		"substring-before": text(2, 2, func(_ *dyn, s []string) Sequence { b, _, ok := strings.Cut(s[0], s[1]); return stringSeq(iff(ok, b)) }),
		"substring-after":  text(2, 2, func(_ *dyn, s []string) Sequence { _, a, ok := strings.Cut(s[0], s[1]); return stringSeq(iff(ok, a)) }),
		"lower-case":       text(1, 1, func(_ *dyn, s []string) Sequence { return stringSeq(strings.ToLower(s[0])) }),
		"upper-case":       text(1, 1, func(_ *dyn, s []string) Sequence { return stringSeq(strings.ToUpper(s[0])) }),
		"concat": text(2, -1, func(_ *dyn, s []string) Sequence {
			total := 0
			for _, p := range s {
				total += len(p)
			}
			if total > maxString {
				fail(CodeLimit, "a string of more than %d bytes", maxString)
			}
			return stringSeq(strings.Join(s, ""))
		}),
		"translate": text(3, 3, func(_ *dyn, s []string) Sequence {
			from, to := []rune(s[1]), []rune(s[2])
			return stringSeq(strings.Map(func(r rune) rune {
				switch i := slices.Index(from, r); {
				case i < 0:
					return r
				case i < len(to):
					return to[i]
				}
				return -1
			}, s[0]))
		}),
		"string-length": {0, 1, true, func(d *dyn, a []Sequence) Sequence {
			return one(IntegerItem(int64(utf8.RuneCountInString(d.str(a[0], "string-length")))))
		}},
		"normalize-space": {0, 1, true, func(d *dyn, a []Sequence) Sequence {
			return stringSeq(strings.Join(strings.FieldsFunc(d.str(a[0], "normalize-space"), isXMLSpace), " "))
		}},
		"substring":   {2, 3, false, substring},
		"string-join": {1, 2, false, stringJoin},
		"compare": {2, 2, false, func(d *dyn, a []Sequence) Sequence {
			if len(a[0]) == 0 || len(a[1]) == 0 {
				return nil
			}
			return one(IntegerItem(int64(strings.Compare(d.str(a[0], "compare"), d.str(a[1], "compare")))))
		}},
		"contains-token": {2, 2, false, func(d *dyn, a []Sequence) Sequence {
			token := strings.TrimFunc(d.str(a[1], "contains-token"), isXMLSpace)
			for _, it := range d.atomize(a[0]) {
				if slices.Contains(strings.FieldsFunc(it.String(), isXMLSpace), token) {
					return boolSeq(true)
				}
			}
			return boolSeq(false)
		}},
		"string-to-codepoints": text(1, 1, func(d *dyn, s []string) Sequence {
			var out Sequence
			for _, r := range s[0] {
				out = append(out, IntegerItem(int64(r)))
			}
			d.tick(len(out))
			return out
		}),
		"codepoints-to-string": {1, 1, false, func(d *dyn, a []Sequence) Sequence {
			var b strings.Builder
			for _, it := range d.atomize(a[0]) {
				i := d.integer(one(it), "codepoints-to-string")
				if i <= 0 || i > unicode.MaxRune || !utf8.ValidRune(rune(i)) {
					fail(CodeValue, "%d is no code point of XML", i)
				}
				b.WriteRune(rune(i))
			}
			return stringSeq(b.String())
		}},
		"matches": {2, 3, false, func(d *dyn, a []Sequence) Sequence {
			s := d.str(a[0], "matches")
			d.tick(len(s) / 16)
			return boolSeq(d.regex(d.str(a[1], "matches"), d.flags(a, 2)).MatchString(s))
		}},
		"replace":  {3, 4, false, replace},
		"tokenize": {1, 3, false, tokenize},

		"abs": numeric(func(n number) number {
			if n.sign() < 0 {
				return n.neg()
			}
			return n
		}),
		"floor":   numeric(number.floor),
		"ceiling": numeric(func(n number) number { return n.neg().floor().neg() }),
		"round":   {1, 2, false, func(d *dyn, a []Sequence) Sequence { return round(d, a, false) }},
		"round-half-to-even": {1, 2, false, func(d *dyn, a []Sequence) Sequence {
			return round(d, a, true)
		}},
		"sum": {1, 2, false, sum},
		"avg": {1, 1, false, func(d *dyn, a []Sequence) Sequence {
			if len(a[0]) == 0 {
				return nil
			}
			total := sum(d, []Sequence{a[0]})
			return one(arith("div", total[0], IntegerItem(int64(len(d.atomize(a[0]))))))
		}},
		"min": {1, 1, false, func(d *dyn, a []Sequence) Sequence { return extreme(d, a[0], -1) }},
		"max": {1, 1, false, func(d *dyn, a []Sequence) Sequence { return extreme(d, a[0], 1) }},

		"head": {1, 1, false, func(_ *dyn, a []Sequence) Sequence { return a[0][:min(1, len(a[0]))] }},
		"tail": {1, 1, false, func(_ *dyn, a []Sequence) Sequence { return a[0][min(1, len(a[0])):] }},
		"insert-before": {3, 3, false, func(d *dyn, a []Sequence) Sequence {
			at := min(max(d.integer(a[1], "insert-before"), 1), len(a[0])+1) - 1
			d.tick(len(a[0]) + len(a[2]))
			return slices.Concat(a[0][:at], a[2], a[0][at:])
		}},
		"remove": {2, 2, false, func(d *dyn, a []Sequence) Sequence {
			at := d.integer(a[1], "remove")
			if at < 1 || at > len(a[0]) {
				return a[0]
			}
			d.tick(len(a[0]))
			return slices.Concat(a[0][:at-1], a[0][at:])
		}},
		"reverse": {1, 1, false, func(d *dyn, a []Sequence) Sequence {
			out := slices.Clone(a[0])
			slices.Reverse(out)
			d.tick(len(out))
			return out
		}},
		"unordered": {1, 1, false, func(_ *dyn, a []Sequence) Sequence { return a[0] }},
		"subsequence": {2, 3, false, func(d *dyn, a []Sequence) Sequence {
			from, to := window(d, a, "subsequence")
			var out Sequence
			for i, it := range a[0] {
				if inWindow(i+1, from, to) {
					out = append(out, it)
				}
			}
			d.tick(len(a[0]))
			return out
		}},
		"distinct-values": {1, 1, false, func(d *dyn, a []Sequence) Sequence {
			seen := map[string]bool{}
			var out Sequence
			for _, it := range d.atomize(a[0]) {
				if k := mapKey(it); !seen[k] {
					seen[k] = true
					out = append(out, it)
				}
			}
			d.tick(len(a[0]))
			return out
		}},
		"index-of": {2, 2, false, func(d *dyn, a []Sequence) Sequence {
			it, ok := d.single(a[1], "index-of")
			if !ok {
				fail(CodeType, "index-of: nothing to look for")
			}
			var out Sequence
			for i, x := range d.atomize(a[0]) {
				if mapKey(x) == mapKey(it) {
					out = append(out, IntegerItem(int64(i+1)))
				}
			}
			d.tick(len(a[0]))
			return out
		}},
		"exactly-one": {1, 1, false, func(_ *dyn, a []Sequence) Sequence { return counted(a[0], "exactly-one", len(a[0]) == 1) }},
		"one-or-more": {1, 1, false, func(_ *dyn, a []Sequence) Sequence { return counted(a[0], "one-or-more", len(a[0]) > 0) }},
		"zero-or-one": {1, 1, false, func(_ *dyn, a []Sequence) Sequence { return counted(a[0], "zero-or-one", len(a[0]) < 2) }},
		"deep-equal":  {2, 2, false, func(d *dyn, a []Sequence) Sequence { return boolSeq(deepEqual(d, a[0], a[1])) }},
		"error": {0, 3, false, func(d *dyn, a []Sequence) Sequence {
			message := "error()"
			if len(a) > 1 {
				message = d.str(a[1], "error")
			}
			fail(CodeValue, "%s", message)
			return nil
		}},

		"current-dateTime": {0, 0, false, func(d *dyn, _ []Sequence) Sequence { return one(momentItem(moment{t: d.clock(), zone: true})) }},
		"current-date": {0, 0, false, func(d *dyn, _ []Sequence) Sequence {
			y, m, day := d.clock().Date()
			return one(momentItem(moment{t: timeDate(y, m, day, d.clock().Location()), date: true, zone: true}))
		}},
		"implicit-timezone":     {0, 0, false, func(*dyn, []Sequence) Sequence { return one(Item{kind: kindDuration, v: time.Duration(0)}) }},
		"year-from-date":        part(time.Time.Year),
		"month-from-date":       part(func(t time.Time) int { return int(t.Month()) }),
		"day-from-date":         part(time.Time.Day),
		"year-from-dateTime":    part(time.Time.Year),
		"month-from-dateTime":   part(func(t time.Time) int { return int(t.Month()) }),
		"day-from-dateTime":     part(time.Time.Day),
		"hours-from-dateTime":   part(time.Time.Hour),
		"minutes-from-dateTime": part(time.Time.Minute),
		"seconds-from-dateTime": part(time.Time.Second),

		"has-oscal-namespace": {1, 2, false, func(d *dyn, a []Sequence) Sequence {
			node := Sequence{d.item}
			if len(a) == 2 {
				node = a[0]
			}
			values := d.atomize(a[len(a)-1]).Strings()
			if len(a) == 2 && len(node) == 0 {
				return nil
			}
			return ofNode(node, "has-oscal-namespace", func(n *oscal.Node) Sequence { return boolSeq(hasNamespace(flagNamed(n, "ns"), values)) })
		}},
		"doc":               {1, 1, false, docFunction},
		"doc-available":     {1, 1, false, docAvailable},
		"resolve-uri":       {1, 2, false, resolveURI},
		"base-uri":          {0, 1, true, baseURI},
		"document-uri":      {0, 1, true, documentURI},
		"static-base-uri":   {0, 0, false, func(d *dyn, _ []Sequence) Sequence { return uriSeq(d.baseOf()) }},
		"resolve-profile":   {0, 1, true, resolveProfile},
		"resolve-reference": {1, 2, false, resolveReference},
	}
	addCollections(lib)
	return lib
})

func iff(ok bool, s string) string {
	if ok {
		return s
	}
	return ""
}

func isXMLSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }

func timeDate(y int, m time.Month, d int, loc *time.Location) time.Time {
	return time.Date(y, m, d, 0, 0, 0, 0, loc)
}

func (d *dyn) clock() time.Time {
	if d.now.IsZero() {
		fail(CodeValue, "the time of the evaluation was not given")
	}
	return d.now
}

// ofNode calls f with the only node of a sequence; nothing gives nothing.
func ofNode(s Sequence, what string, f func(n *oscal.Node) Sequence) Sequence {
	if len(s) == 0 {
		return nil
	}
	if len(s) > 1 || s[0].kind != kindNode {
		fail(CodeType, "%s: expected a node, found %s", what, s.describe())
	}
	return f(s[0].node)
}

func nodeName(_ *dyn, a []Sequence) Sequence {
	if len(a[0]) == 0 {
		return stringSeq("")
	}
	return ofNode(a[0], "name", func(n *oscal.Node) Sequence { return stringSeq(n.Name()) })
}

func counted(s Sequence, what string, ok bool) Sequence {
	if !ok {
		fail(CodeType, "%s: found %s", what, s.describe())
	}
	return s
}

func (d *dyn) flags(a []Sequence, i int) string {
	if i < len(a) {
		return d.str(a[i], "flags")
	}
	return ""
}

// window reads the start and, if there is one, the length of a part; both are
// rounded as in substring().
func window(d *dyn, a []Sequence, what string) (from, to number) {
	get := func(s Sequence) number {
		it, ok := d.single(s, what)
		if !ok {
			fail(CodeType, "%s: expected a number, found nothing", what)
		}
		return roundHalfUp(d.num(it, what))
	}
	from = get(a[1])
	if len(a) == 2 {
		return from, number{i: 1 << 62}
	}
	length := get(a[2])
	if from.nan || length.nan {
		return number{nan: true}, number{nan: true}
	}
	return from, ratNumber(new(big.Rat).Add(from.rat(), length.rat()))
}

func inWindow(i int, from, to number) bool {
	n := number{i: int64(i)}
	return !from.nan && !to.nan && n.cmp(from) >= 0 && n.cmp(to) < 0
}

func substring(d *dyn, a []Sequence) Sequence {
	s := d.str(a[0], "substring")
	from, to := window(d, a, "substring")
	var b strings.Builder
	i := 0
	for _, r := range s {
		i++
		if inWindow(i, from, to) {
			b.WriteRune(r)
		}
	}
	return stringSeq(b.String())
}

func stringJoin(d *dyn, a []Sequence) Sequence {
	sep := ""
	if len(a) == 2 {
		sep = d.str(a[1], "string-join")
	}
	var b strings.Builder
	for i, it := range d.atomize(a[0]) {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(it.String())
		if b.Len() > maxString {
			fail(CodeLimit, "a string of more than %d bytes", maxString)
		}
	}
	return stringSeq(b.String())
}

// replace is fn:replace; in the replacement $1 to $9 are groups, \$ and \\ the
// characters.
func replace(d *dyn, a []Sequence) Sequence {
	s, pattern, by, flags := d.str(a[0], "replace"), d.str(a[1], "replace"), d.str(a[2], "replace"), d.flags(a, 3)
	re := d.regex(pattern, flags)
	if re.MatchString("") {
		fail(CodeRegex, "replace: the regular expression %s matches the empty string", clip(pattern))
	}
	if strings.Contains(flags, "q") {
		by = strings.NewReplacer(`\`, `\\`, `$`, `\$`).Replace(by)
	}
	var b strings.Builder
	last := 0
	found := re.FindAllStringSubmatchIndex(s, maxMatch+1)
	d.tick(len(s)/16 + len(found))
	if len(found) > maxMatch {
		fail(CodeLimit, "replace: more than %d matches", maxMatch)
	}
	for _, m := range found {
		b.WriteString(s[last:m[0]])
		for i := 0; i < len(by); i++ {
			switch {
			case by[i] == '\\' && i+1 < len(by) && (by[i+1] == '\\' || by[i+1] == '$'):
				i++
				b.WriteByte(by[i])
			case by[i] == '$' && i+1 < len(by) && isDigit(by[i+1]):
				i++
				if g := int(by[i] - '0'); 2*g+1 < len(m) && m[2*g] >= 0 {
					b.WriteString(s[m[2*g]:m[2*g+1]])
				}
			case by[i] == '\\' || by[i] == '$':
				fail(CodeRegex, "replace: %s is no valid replacement", clip(by))
			default:
				b.WriteByte(by[i])
			}
		}
		if b.Len() > maxString {
			fail(CodeLimit, "a string of more than %d bytes", maxString)
		}
		last = m[1]
	}
	b.WriteString(s[last:])
	return stringSeq(b.String())
}

func tokenize(d *dyn, a []Sequence) Sequence {
	s := d.str(a[0], "tokenize")
	var out Sequence
	if len(a) == 1 {
		for _, f := range strings.FieldsFunc(s, isXMLSpace) {
			out = append(out, StringItem(f))
		}
		d.tick(len(out))
		return out
	}
	re := d.regex(d.str(a[1], "tokenize"), d.flags(a, 2))
	if re.MatchString("") {
		fail(CodeRegex, "tokenize: the regular expression %s matches the empty string", clip(d.str(a[1], "tokenize")))
	}
	if s == "" {
		return nil
	}
	for _, p := range re.Split(s, maxMatch+1) {
		out = append(out, StringItem(p))
	}
	d.tick(len(s)/16 + len(out))
	if len(out) > maxMatch {
		fail(CodeLimit, "tokenize: more than %d parts", maxMatch)
	}
	return out
}

var half = big.NewRat(1, 2)

// roundHalfUp rounds to the nearest whole number, the half towards positive
// infinity.
func roundHalfUp(n number) number {
	if n.nan || n.r == nil {
		return n
	}
	return ratNumber(new(big.Rat).Add(n.r, half)).floor()
}

func round(d *dyn, a []Sequence, even bool) Sequence {
	it, ok := d.single(a[0], "round")
	if !ok {
		return nil
	}
	n := d.num(it, "round")
	digits := 0
	if len(a) == 2 {
		digits = min(max(d.integer(a[1], "round"), -maxExponent), maxExponent)
	}
	if n.nan {
		return one(it)
	}
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(digits, -digits))), nil))
	if digits < 0 {
		scale.Inv(scale)
	}
	x := ratNumber(new(big.Rat).Mul(n.rat(), scale))
	r := roundHalfUp(x)
	if even {
		low := x.floor()
		if new(big.Rat).Sub(x.rat(), low.rat()).Cmp(half) == 0 && low.rat().Num().Bit(0) == 0 {
			r = low
		}
	}
	return one(numberItem(ratNumber(new(big.Rat).Quo(r.rat(), scale)), it.kind == kindInteger))
}

func sum(d *dyn, a []Sequence) Sequence {
	items := d.atomize(a[0])
	if len(items) == 0 {
		if len(a) == 2 {
			return d.atomize(a[1])
		}
		return one(IntegerItem(0))
	}
	d.tick(len(items))
	total := items[0]
	if total.kind == kindUntyped {
		total = toNumber(total, "sum")
	}
	if !total.isNumber() && total.kind != kindDuration {
		fail(CodeType, "sum: expected numbers, found %s", Sequence{total}.describe())
	}
	for _, it := range items[1:] {
		total = arith("+", total, it)
	}
	return one(total)
}

// extreme returns the least (sign -1) or greatest item; the first of equals.
func extreme(d *dyn, s Sequence, sign int) Sequence {
	items := d.atomize(s)
	if len(items) == 0 {
		return nil
	}
	d.tick(len(items))
	for i, it := range items {
		if it.kind == kindUntyped {
			if i == 0 {
				items = slices.Clone(items)
			}
			// Text of a document counts as a number, or, if none of it is one, as text.
			if n, integer, ok := parseNumber(it.text); ok {
				items[i] = numberItem(n, integer)
			} else {
				items[i] = StringItem(it.text)
			}
		}
	}
	best := items[0]
	for _, it := range items[1:] {
		c := compare(it, best)
		if c == 2 {
			return one(Item{kind: kindDecimal, v: number{nan: true}})
		}
		if c == sign {
			best = it
		}
	}
	return one(best)
}

// deepEqual is fn:deep-equal; nodes are equal if their names, values, flags and
// children are.
func deepEqual(d *dyn, a, b Sequence) bool {
	if len(a) != len(b) {
		return false
	}
	d.tick(1 + len(a))
	for i := range a {
		x, y := a[i], b[i]
		switch {
		case x.kind == kindNode && y.kind == kindNode:
			if !deepEqualNodes(d, x.node, y.node) {
				return false
			}
		case x.kind == kindNode || y.kind == kindNode:
			return false
		case x.kind == kindArray && y.kind == kindArray:
			p, q := x.v.(*array).members, y.v.(*array).members
			if len(p) != len(q) {
				return false
			}
			for j := range p {
				if !deepEqual(d, p[j], q[j]) {
					return false
				}
			}
		case x.kind == kindMap && y.kind == kindMap:
			p, q := x.v.(*mapping), y.v.(*mapping)
			if len(p.entries) != len(q.entries) {
				return false
			}
			for _, e := range p.entries {
				v, ok := q.get(e.key)
				if !ok || !deepEqual(d, e.value, v) {
					return false
				}
			}
		case mapKey(x) != mapKey(y):
			return false
		}
	}
	return true
}

func deepEqualNodes(d *dyn, a, b *oscal.Node) bool {
	d.tick(1)
	if a.Kind() != b.Kind() || a.Name() != b.Name() || a.Value() != b.Value() {
		return false
	}
	x, y := d.kids(a), d.kids(b)
	for x != nil && y != nil {
		if !deepEqualNodes(d, x, y) {
			return false
		}
		x, y = x.Next(), y.Next()
	}
	return x == nil && y == nil
}
