package oscal

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ErrModel is the error of [As] and [Document.Update] when the Go type is not
// that of the document's model.
var ErrModel = errors.New("the Go type is of another model")

// ErrLoss is what a [Losses] wraps.
var ErrLoss = errors.New("the typed view cannot hold all of the document")

// A Loss is a part of a document that the typed view has no place for.
type Loss struct {
	Node   *Node
	Reason string
}

// Losses are all parts of a document that its typed view cannot hold, in
// document order. They stay in the [Document], and [Document.Update] keeps
// them.
type Losses []Loss

func (ls Losses) Error() string {
	var b strings.Builder
	b.WriteString("oscal: " + ErrLoss.Error())
	for i, l := range ls {
		if i == 10 {
			fmt.Fprintf(&b, "; and %d more", len(ls)-i)
			break
		}
		fmt.Fprintf(&b, "; %s: %s", l.Node.Pointer(), l.Reason)
	}
	return b.String()
}

// Unwrap returns [ErrLoss].
func (ls Losses) Unwrap() error { return ErrLoss }

// viewModels names the model of each Go type that is a root.
var viewModels = map[reflect.Type]string{
	reflect.TypeFor[Catalog]():                   "catalog",
	reflect.TypeFor[MappingCollection]():         "mapping-collection",
	reflect.TypeFor[Profile]():                   "profile",
	reflect.TypeFor[ComponentDefinition]():       "component-definition",
	reflect.TypeFor[SystemSecurityPlan]():        "system-security-plan",
	reflect.TypeFor[AssessmentPlan]():            "assessment-plan",
	reflect.TypeFor[AssessmentResults]():         "assessment-results",
	reflect.TypeFor[PlanOfActionAndMilestones](): "plan-of-action-and-milestones",
}

// As returns the typed view of a document, e.g. As[Catalog](doc). The error
// matches [ErrModel] if T is another model. What T cannot hold is listed in a
// [Losses]; the view is then returned with it, without those parts.
//
// go-oscal keeps no lexical form of dates and no false or 0 in optional
// members: those are in the view as far as Go values go, and come through
// [Document.Update] unharmed.
func As[T any](d *Document) (*T, error) {
	view := new(T)
	if model := viewModels[reflect.TypeFor[T]()]; model != d.Model() {
		return nil, fmt.Errorf("oscal: %w: the document is a %s, the view a %T", ErrModel, d.Model(), *view)
	}
	dec := viewDecoder{}
	dec.node(reflect.ValueOf(view).Elem(), d.root)
	if dec.losses != nil {
		return view, dec.losses
	}
	return view, nil
}

// FromView returns a document made from a typed view, e.g. a *Catalog. The
// error is a [Problems] if the view lacks required members, holds values that
// are not of their data type, or members that exclude each other; the document
// is then returned with it.
func FromView(view any) (*Document, error) {
	v := reflect.Indirect(reflect.ValueOf(view))
	if !v.IsValid() || viewModels[v.Type()] == "" {
		return nil, fmt.Errorf("oscal: %w: %T is no root of a model", ErrModel, view)
	}
	d := NewDocument(NewRoot(viewModels[v.Type()]))
	return d, d.Update(view)
}

// Update takes the edits that were made to a typed view of the document into
// the tree. What the view says as before stays as it was written, dates
// included; what the view cannot hold stays; a member that is gone from the
// view is removed. Items of arrays are matched by their identifiers, else by
// their content, else by their place.
//
// The error is [ErrModel], or a [Problems] as of [Document.Check].
func (d *Document) Update(view any) error {
	v := reflect.Indirect(reflect.ValueOf(view))
	if !v.IsValid() || viewModels[v.Type()] != d.Model() {
		return fmt.Errorf("oscal: %w: the document is a %s, the view a %T", ErrModel, d.Model(), view)
	}
	d.root = encodeView(v, d.root.member, d.root)
	if ps := d.Check().Errors(); ps != nil {
		return ps
	}
	return nil
}

// fieldIndex returns the fields of a Go type of go-oscal by JSON name.
func fieldIndex(t reflect.Type) map[string]int {
	if m, ok := fieldIndexes.Load(t); ok {
		return m.(map[string]int)
	}
	m := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		m[name] = i
	}
	fieldIndexes.Store(t, m)
	return m
}

var (
	fieldIndexes sync.Map // reflect.Type to map[string]int
	timeType     = reflect.TypeFor[time.Time]()
)

// A viewDecoder fills Go values from nodes.
type viewDecoder struct{ losses Losses }

func (dec *viewDecoder) lose(n *Node, format string, args ...any) {
	dec.losses = append(dec.losses, Loss{n, fmt.Sprintf(format, args...)})
}

// node decodes an object or a plain value.
func (dec *viewDecoder) node(v reflect.Value, n *Node) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		dec.node(v.Elem(), n)
		return
	}
	if v.Type() == timeType || v.Kind() != reflect.Struct && v.Kind() != reflect.Map {
		dec.scalar(v, n)
		return
	}
	if v.Kind() == reflect.Map {
		m := map[string]any{}
		for c := n.first; c != nil; c = c.next {
			if !c.isPlain() {
				dec.lose(c, "the Go type of %s is a map of plain values", n.Name())
				continue
			}
			m[c.member.json] = mapValue(c)
		}
		v.Set(reflect.ValueOf(m))
		return
	}
	index := fieldIndex(v.Type())
	if key := n.member.Definition().valueKey; key != "" {
		if i, ok := index[key]; ok {
			dec.scalar(v.Field(i), n)
		} else {
			dec.lose(n, "%s has no field for %s", v.Type(), key)
		}
	}
	for c := n.first; c != nil; {
		items, rest := group(c)
		i, ok := index[c.member.json]
		if !ok {
			dec.lose(c, "%s has no field for %s", v.Type(), c.member.json)
		} else {
			dec.items(v.Field(i), items)
		}
		c = rest
	}
}

func (dec *viewDecoder) items(v reflect.Value, items []*Node) {
	t := v.Type()
	if t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Slice {
		v.Set(reflect.New(t.Elem()))
		v, t = v.Elem(), t.Elem()
	}
	if t.Kind() != reflect.Slice {
		dec.node(v, items[0])
		for _, n := range items[1:] {
			dec.lose(n, "the Go type of %s holds one item only", n.member.json)
		}
		return
	}
	v.Set(reflect.MakeSlice(t, len(items), len(items)))
	for i, n := range items {
		dec.node(v.Index(i), n)
	}
}

func mapValue(n *Node) any {
	switch t := n.member.dtype; {
	case t == TypeBoolean:
		return n.value == "true" || n.value == "1"
	case t.isNumber():
		f, _ := strconv.ParseFloat(n.value, 64)
		return f
	}
	return n.value
}

func (dec *viewDecoder) scalar(v reflect.Value, n *Node) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.value)
	case reflect.Bool:
		v.SetBool(n.value == "true" || n.value == "1")
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(n.value, 10, 64)
		if f, ferr := strconv.ParseFloat(n.value, 64); err != nil && ferr == nil && f == float64(int64(f)) {
			i, err = int64(f), nil
		}
		if err != nil || v.OverflowInt(i) {
			dec.lose(n, "%s does not fit a Go %s", quote(n.value), v.Kind())
			return
		}
		v.SetInt(i)
	case reflect.Float64:
		f, err := strconv.ParseFloat(n.value, 64)
		if err != nil {
			dec.lose(n, "%s does not fit a Go float64", quote(n.value))
			return
		}
		v.SetFloat(f)
	default:
		if v.Type() != timeType {
			dec.lose(n, "the Go type %s is not known", v.Type())
			return
		}
		t, err := time.Parse(time.RFC3339, n.value)
		if err != nil {
			dec.lose(n, "%s is no time of Go (RFC 3339)", quote(n.value))
			return
		}
		v.Set(reflect.ValueOf(t))
	}
}

// encodeView returns the node that says what v says, using of old what is the
// same or cannot be said in v.
func encodeView(v reflect.Value, m *Member, old *Node) *Node {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	n := &Node{member: m}
	if old != nil {
		n.at = old.at
	}
	if n.isPlain() {
		n.value = encodeScalar(v, m.dtype, old)
		return n
	}
	if v.Kind() == reflect.Map {
		d := m.Definition()
		for i := range d.members {
			member := &d.members[i]
			if e := v.MapIndex(reflect.ValueOf(member.json)); e.IsValid() {
				c := NewNode(member)
				c.value = encodeScalar(e.Elem(), member.dtype, old.Child(member.name))
				n.Append(c)
			}
		}
		return n
	}
	index := fieldIndex(v.Type())
	d := m.Definition()
	var last *Node
	push := func(c *Node) {
		c.parent = n
		if last == nil {
			n.first = c
		} else {
			last.next = c
		}
		last = c
	}
	for i := range d.members {
		member := &d.members[i]
		var olds []*Node
		if old != nil {
			for c := old.first; c != nil; c = c.next {
				if c.member == member {
					olds = append(olds, c)
				}
			}
		}
		f, ok := index[member.json]
		if !ok {
			for _, c := range olds {
				push(c.Clone())
			}
			continue
		}
		for _, c := range encodeField(v.Field(f), member, olds, d.Required(member)) {
			push(c)
		}
	}
	if d.valueKey != "" {
		if f, ok := index[d.valueKey]; ok {
			n.value = encodeScalar(v.Field(f), m.dtype, old)
		} else if old != nil {
			n.value = old.value
		}
	}
	return n
}

func encodeField(v reflect.Value, m *Member, olds []*Node, required bool) []*Node {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return lost(v.Type(), olds)
		}
		v = v.Elem()
	}
	if v.Kind() == reflect.Slice {
		return encodeSlice(v, m, olds)
	}
	var old *Node
	if len(olds) > 0 {
		old = olds[0]
	}
	if v.IsZero() {
		// Whether the member is absent or has its zero value, Go does not tell:
		// it is as it was, but for a number or truth value that was changed.
		switch v.Kind() {
		case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
			if old == nil && !required {
				return nil
			}
		case reflect.Map:
			return nil
		default:
			if v.Kind() == reflect.String || v.Type() == timeType {
				if !required && (old == nil || old.value != "" && v.Kind() == reflect.String) {
					return nil
				}
				if old != nil && v.Type() == timeType && !parses(old) {
					return []*Node{old.Clone()}
				}
				if v.Type() == timeType {
					return nil
				}
			} else if old == nil && !required {
				return nil
			}
		}
	}
	out := []*Node{encodeView(v, m, old)}
	for _, n := range olds[min(1, len(olds)):] {
		out = append(out, n.Clone()) // a Go type that holds one item only
	}
	return out
}

// lost returns what of olds a nil pointer cannot speak for: dates that Go could
// not read.
func lost(t reflect.Type, olds []*Node) []*Node {
	var out []*Node
	for _, n := range olds {
		if t.Elem() == timeType && !parses(n) {
			out = append(out, n.Clone())
		}
	}
	return out
}

func parses(n *Node) bool {
	_, err := time.Parse(time.RFC3339, n.value)
	return err == nil
}

// encodeSlice matches the items of a view with those of the tree.
func encodeSlice(v reflect.Value, m *Member, olds []*Node) []*Node {
	used := make([]bool, len(olds))
	match := make([]*Node, v.Len())
	byKey := map[string]int{}
	for i, n := range olds {
		if k := nodeKey(n); k != "" {
			if _, ok := byKey[k]; !ok {
				byKey[k] = i
			}
		}
	}
	for i := range v.Len() {
		k := viewKey(v.Index(i), m)
		if j, ok := byKey[k]; ok && k != "" && !used[j] {
			match[i], used[j] = olds[j], true
		}
	}
	for i := range v.Len() {
		if match[i] != nil || viewKey(v.Index(i), m) != "" {
			continue
		}
		for j := range olds {
			j = (i + j) % len(olds) // at the same place first
			if !used[j] && sameView(v.Index(i), olds[j]) {
				match[i], used[j] = olds[j], true
				break
			}
		}
		if match[i] == nil && i < len(olds) && !used[i] {
			match[i], used[i] = olds[i], true
		}
	}
	out := make([]*Node, v.Len())
	for i := range out {
		out[i] = encodeView(v.Index(i), m, match[i])
	}
	return out
}

// keyMembers identify an item of an array, where it has one of them.
var keyMembers = [...]string{"uuid", "id", "control-id", "param-id", "statement-id", "component-uuid", "role-id"}

func nodeKey(n *Node) string {
	for _, k := range keyMembers {
		if v := n.Get(k); v != "" {
			return k + " " + v
		}
	}
	return ""
}

func viewKey(v reflect.Value, m *Member) string {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || v.Type() == timeType {
		return ""
	}
	index := fieldIndex(v.Type())
	for _, k := range keyMembers {
		if i, ok := index[k]; ok && m.Definition().Member(k) != nil && v.Field(i).Kind() == reflect.String && v.Field(i).String() != "" {
			return k + " " + v.Field(i).String()
		}
	}
	return ""
}

func sameView(v reflect.Value, n *Node) bool {
	old := reflect.New(v.Type()).Elem()
	(&viewDecoder{}).node(old, n)
	return reflect.DeepEqual(old.Interface(), v.Interface())
}

// encodeScalar returns the lexical form of a Go value, that of the old node if
// it says the same.
func encodeScalar(v reflect.Value, t DataType, old *Node) string {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if old != nil {
		was := reflect.New(v.Type()).Elem()
		dec := viewDecoder{}
		dec.scalar(was, old)
		same := reflect.DeepEqual(was.Interface(), v.Interface())
		if v.Type() == timeType {
			same = was.Interface().(time.Time).Equal(v.Interface().(time.Time))
		}
		if same {
			return old.value
		}
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	}
	if v.Type() == timeType {
		if t == TypeDate {
			return v.Interface().(time.Time).Format(time.DateOnly)
		}
		return v.Interface().(time.Time).Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v.Interface())
}
