package constraint

import (
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/issokit/issokit/oscal"
)

// itemKind is what an [Item] is.
type itemKind uint8

const (
	kindNode itemKind = iota + 1
	kindString
	kindUntyped // text of a node: becomes what it is compared with
	kindInteger
	kindDecimal
	kindBoolean
	kindDate
	kindDateTime
	kindDuration
	kindArray
	kindMap
)

var kindNames = [...]string{
	kindNode: "node", kindString: "string", kindUntyped: "string", kindInteger: "integer", kindDecimal: "decimal",
	kindBoolean: "boolean", kindDate: "date", kindDateTime: "date-time", kindDuration: "duration", kindArray: "array", kindMap: "map",
}

// An Item is one value of a [Sequence]: a node of a document, an atomic value,
// an array or a map.
type Item struct {
	kind itemKind
	node *oscal.Node
	text string // strings
	v    any    // number, bool, moment, time.Duration, *array, *mapping
}

// A Sequence is the value of a Metapath expression: items in order.
type Sequence []Item

// NodeItem returns a node as an item.
func NodeItem(n *oscal.Node) Item { return Item{kind: kindNode, node: n} }

// StringItem returns a string as an item.
func StringItem(s string) Item { return Item{kind: kindString, text: s} }

// IntegerItem returns a whole number as an item.
func IntegerItem(i int64) Item { return Item{kind: kindInteger, v: number{i: i}} }

// BooleanItem returns a boolean as an item.
func BooleanItem(b bool) Item { return Item{kind: kindBoolean, v: b} }

// Type returns what the item is: node, string, integer, decimal, boolean, date,
// date-time, duration, array or map. Text of a document is a string.
func (i Item) Type() string {
	if i.kind == 0 {
		return "nothing"
	}
	return kindNames[i.kind]
}

// Node returns the node, nil if the item is none. The node above the root of a
// document, which has no place in the model, has kind 0 and no name.
func (i Item) Node() *oscal.Node { return i.node }

// String returns the value as text: that of a flag or field as written, markup
// without its formatting, the path of an assembly, numbers without superfluous
// zeros, dates as in ISO 8601. Arrays and maps are shown as the expressions that
// make them.
func (i Item) String() string {
	switch i.kind {
	case kindNode:
		if isDocument(i.node) {
			return "/"
		}
		if i.node.Kind() == oscal.Assembly {
			return i.node.Path()
		}
		return textOfNode(i.node)
	case kindString, kindUntyped:
		return i.text
	case kindInteger, kindDecimal:
		return i.num().String()
	case kindBoolean:
		return strconv.FormatBool(i.v.(bool))
	case kindDate, kindDateTime:
		return i.v.(moment).String()
	case kindDuration:
		return formatDuration(i.v.(time.Duration))
	case kindArray:
		var b strings.Builder
		b.WriteByte('[')
		for n, m := range i.v.(*array).members {
			if n > 0 {
				b.WriteString(", ")
			}
			b.WriteString(m.show())
		}
		return b.String() + "]"
	case kindMap:
		var b strings.Builder
		b.WriteString("map{")
		for n, e := range i.v.(*mapping).entries {
			if n > 0 {
				b.WriteString(", ")
			}
			b.WriteString(Sequence{e.key}.show() + ":" + e.value.show())
		}
		return b.String() + "}"
	}
	return ""
}

// show writes a sequence as an expression.
func (s Sequence) show() string {
	parts := make([]string, len(s))
	for i, it := range s {
		parts[i] = it.String()
		if it.kind == kindString || it.kind == kindUntyped {
			parts[i] = `"` + strings.ReplaceAll(it.text, `"`, `""`) + `"`
		}
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// Nodes returns the nodes among the items.
func (s Sequence) Nodes() []*oscal.Node {
	var out []*oscal.Node
	for _, i := range s {
		if i.kind == kindNode {
			out = append(out, i.node)
		}
	}
	return out
}

// Strings returns each item as text, see [Item.String].
func (s Sequence) Strings() []string {
	out := make([]string, len(s))
	for i := range s {
		out[i] = s[i].String()
	}
	return out
}

// Bool returns the effective boolean value of XPath 3.1, section 2.4.3: false
// for nothing, true if the first item is a node, else the value of the only
// item: a boolean itself, a number that is not 0, text that is not empty.
// Anything else is an error with [CodeType].
func (s Sequence) Bool() (bool, error) {
	b, ok := s.effective()
	if !ok {
		return false, &ExpressionError{Offset: -1, Code: CodeType, Message: "no effective boolean value of " + s.describe()}
	}
	return b, nil
}

func (s Sequence) effective() (value, ok bool) {
	if len(s) == 0 {
		return false, true
	}
	if s[0].kind == kindNode {
		return true, true
	}
	if len(s) > 1 {
		return false, false
	}
	switch s[0].kind {
	case kindBoolean:
		return s[0].v.(bool), true
	case kindString, kindUntyped:
		return s[0].text != "", true
	case kindInteger, kindDecimal:
		n := s[0].num()
		return !n.nan && n.sign() != 0, true
	}
	return false, false
}

// describe says what a sequence is, in an error.
func (s Sequence) describe() string {
	switch len(s) {
	case 0:
		return "an empty sequence"
	case 1:
		return "one " + s[0].Type() + " (" + clip(s[0].String()) + ")"
	}
	return strconv.Itoa(len(s)) + " items"
}

func (i Item) num() number { return i.v.(number) }

func (i Item) isNumber() bool { return i.kind == kindInteger || i.kind == kindDecimal }

func (i Item) isText() bool { return i.kind == kindString || i.kind == kindUntyped }

// array is an array of XPath 3.1: each member is a sequence.
type array struct{ members []Sequence }

func arrayItem(members []Sequence) Item { return Item{kind: kindArray, v: &array{members}} }

// mapping is a map of XPath 3.1 that keeps the order in which keys came. It is
// never changed after it has been made.
type mapping struct {
	entries []entry
	index   map[string]int
}

type entry struct {
	key   Item
	value Sequence
}

func mapItem(m *mapping) Item { return Item{kind: kindMap, v: m} }

func newMapping(size int) *mapping {
	return &mapping{entries: make([]entry, 0, size), index: make(map[string]int, size)}
}

// mapKey makes keys that are the same under op:same-key equal as text: all
// kinds of text are alike, numbers compare by value.
func mapKey(k Item) string {
	switch k.kind {
	case kindString, kindUntyped:
		return "s" + k.text
	case kindInteger, kindDecimal:
		return "n" + k.num().String()
	}
	return kindNames[k.kind] + k.String()
}

func (m *mapping) get(k Item) (Sequence, bool) {
	i, ok := m.index[mapKey(k)]
	if !ok {
		return nil, false
	}
	return m.entries[i].value, true
}

// set adds an entry or replaces the value of the one that is there.
func (m *mapping) set(k Item, v Sequence) {
	key := mapKey(k)
	if i, ok := m.index[key]; ok {
		m.entries[i] = entry{k, v}
		return
	}
	m.index[key] = len(m.entries)
	m.entries = append(m.entries, entry{k, v})
}

// number is an exact decimal: a small integer, or a rational whose
// denominator, but after a division, has no factors but 2 and 5. Not-a-number
// is there because number() needs it.
type number struct {
	i   int64
	r   *big.Rat // nil: the number is i
	nan bool
}

// Bounds that keep numbers from eating memory.
const (
	maxNumberText = 4096
	maxExponent   = 4096
	maxNumberBits = 1 << 16
)

// parseNumber reads a decimal, perhaps with an exponent.
func parseNumber(s string) (n number, integer, ok bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxNumberText {
		return n, false, false
	}
	mantissa, exponent := s, ""
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent = s[:i], s[i+1:]
		if e, err := strconv.Atoi(exponent); err != nil || e > maxExponent || e < -maxExponent {
			return n, false, false
		}
	}
	if !oscal.TypeDecimal.Valid(mantissa) {
		return n, false, false
	}
	if exponent == "" && !strings.Contains(mantissa, ".") {
		if i, err := strconv.ParseInt(mantissa, 10, 64); err == nil {
			return number{i: i}, true, true
		}
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return n, false, false
	}
	return ratNumber(r), exponent == "" && !strings.Contains(mantissa, "."), true
}

func ratNumber(r *big.Rat) number {
	if r.IsInt() && r.Num().IsInt64() {
		return number{i: r.Num().Int64()}
	}
	return number{r: r}
}

func (n number) rat() *big.Rat {
	if n.r != nil {
		return n.r
	}
	return new(big.Rat).SetInt64(n.i)
}

func (n number) sign() int {
	switch {
	case n.r != nil:
		return n.r.Sign()
	case n.i < 0:
		return -1
	case n.i > 0:
		return 1
	}
	return 0
}

func (n number) isInt() bool { return n.r == nil && !n.nan || n.r != nil && n.r.IsInt() }

// cmp compares numbers that are not NaN.
func (n number) cmp(m number) int {
	if n.r == nil && m.r == nil {
		switch {
		case n.i < m.i:
			return -1
		case n.i > m.i:
			return 1
		}
		return 0
	}
	return n.rat().Cmp(m.rat())
}

func (n number) String() string {
	switch {
	case n.nan:
		return "NaN"
	case n.r == nil:
		return strconv.FormatInt(n.i, 10)
	case n.r.IsInt():
		return n.r.Num().String()
	}
	digits, exact := n.r.FloatPrec()
	if !exact {
		digits = 34 // as many as IEEE 754 decimal128 has
	}
	s := strings.TrimRight(n.r.FloatString(digits), "0")
	return strings.TrimSuffix(s, ".")
}

// floor returns the greatest whole number that is not greater.
func (n number) floor() number {
	if n.r == nil {
		return n
	}
	q := new(big.Int)
	m := new(big.Int)
	q.DivMod(n.r.Num(), n.r.Denom(), m) // Euclidean: the remainder is never negative
	return ratNumber(new(big.Rat).SetInt(q))
}

func (n number) neg() number {
	if n.nan {
		return n
	}
	if n.r == nil && n.i != -1<<63 {
		return number{i: -n.i}
	}
	return ratNumber(new(big.Rat).Neg(n.rat()))
}

// moment is a date or a date-time; zone tells whether its text names one.
type moment struct {
	t    time.Time
	date bool
	zone bool
}

// parseMoment reads a date or date-time as the Metaschema types write them.
func parseMoment(s string) (moment, bool) {
	var layout string
	var m moment
	switch {
	case oscal.TypeDate.Valid(s):
		layout, m.date, m.zone = "2006-01-02", true, len(s) > 10
	case oscal.TypeDateTime.Valid(s):
		layout, m.zone = "2006-01-02T15:04:05", strings.ContainsAny(s[11:], "Z+-")
	default:
		return m, false
	}
	if m.zone {
		layout += "Z07:00"
	}
	t, err := time.Parse(layout, s)
	m.t = t
	return m, err == nil
}

func (m moment) String() string {
	layout := "2006-01-02T15:04:05.999999999"
	if m.date {
		layout = "2006-01-02"
	}
	if m.zone {
		layout += "Z07:00"
	}
	return m.t.Format(layout)
}

func momentItem(m moment) Item {
	if m.date {
		return Item{kind: kindDate, v: m}
	}
	return Item{kind: kindDateTime, v: m}
}

// parseDuration reads an ISO 8601 duration without years and months, whose
// length depends on the calendar.
func parseDuration(s string) (time.Duration, bool) {
	neg := strings.HasPrefix(s, "-")
	rest, ok := strings.CutPrefix(strings.TrimPrefix(s, "-"), "P")
	if !ok || rest == "" {
		return 0, false
	}
	days, clock, hasClock := strings.Cut(rest, "T")
	if hasClock && clock == "" {
		return 0, false
	}
	total := new(big.Rat)
	read := func(s, units string, seconds []int64) bool {
		for s != "" {
			n := strings.IndexAny(s, units)
			if n <= 0 || n > 30 {
				return false
			}
			u := strings.IndexByte(units, s[n])
			v, integer, ok := parseNumber(s[:n])
			if !ok || !isDigit(s[0]) || !integer && s[n] != 'S' {
				return false
			}
			total.Add(total, new(big.Rat).Mul(v.rat(), new(big.Rat).SetInt64(seconds[u])))
			s, units, seconds = s[n+1:], units[u+1:], seconds[u+1:]
			if s != "" && units == "" {
				return false
			}
		}
		return true
	}
	if !read(days, "D", []int64{86400}) || !read(clock, "HMS", []int64{3600, 60, 1}) {
		return 0, false
	}
	ns := number{r: total.Mul(total, new(big.Rat).SetInt64(1e9))}.floor()
	if ns.r != nil {
		return 0, false
	}
	if neg {
		ns.i = -ns.i
	}
	return time.Duration(ns.i), true
}

func formatDuration(d time.Duration) string {
	if d == 0 {
		return "PT0S"
	}
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
	}
	d = d.Abs()
	b.WriteByte('P')
	if days := d / (24 * time.Hour); days > 0 {
		b.WriteString(strconv.FormatInt(int64(days), 10) + "D")
		d -= days * 24 * time.Hour
	}
	if d == 0 {
		return b.String()
	}
	b.WriteByte('T')
	if h := d / time.Hour; h > 0 {
		b.WriteString(strconv.FormatInt(int64(h), 10) + "H")
	}
	if m := d % time.Hour / time.Minute; m > 0 {
		b.WriteString(strconv.FormatInt(int64(m), 10) + "M")
	}
	if s := d % time.Minute; s > 0 {
		b.WriteString(number{r: big.NewRat(int64(s), 1e9)}.String() + "S")
	}
	return b.String()
}
