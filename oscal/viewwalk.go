package oscal

import (
	"iter"
	"reflect"
	"sync"
)

// All returns what a typed view holds of a type, at any depth, in document order,
// the view itself included: All[Control](catalog) are the controls of all groups
// and those within controls, All[Parameter](catalog) their parameters. A view is
// a pointer to a Go type of OSCAL, a root such as a *[Catalog] or any part of it.
// The body may change the values that it is given. Whoever looks up many by
// their ids should make a map of them; for one there is [ByID].
func All[T, V any](view *V) iter.Seq[*T] {
	w := viewWalker{target: reflect.TypeFor[T](), holds: viewHolders(reflect.TypeFor[T]())}
	return func(yield func(*T) bool) {
		if view == nil {
			return
		}
		w.walk(reflect.ValueOf(view).Elem(), func(v reflect.Value) bool { return yield(v.Addr().Interface().(*T)) })
	}
}

// ByID returns the first of the [All] of a type whose uuid or id is the one
// given, nil if there is none. The case of an id counts, that of a UUID does not,
// as for [Document.Find].
func ByID[T, V any](view *V, id string) *T {
	index := fieldIndex(reflect.TypeFor[T]())
	for item := range All[T](view) {
		for _, name := range []string{"uuid", "id"} {
			if i, ok := index[name]; ok && sameID(reflect.Indirect(reflect.ValueOf(item).Elem().Field(i)).String(), id) {
				return item
			}
		}
	}
	return nil
}

// A viewWalker goes through the values of Go types of views.
type viewWalker struct {
	target reflect.Type
	holds  map[reflect.Type]bool // the types in which there may be values of the target
}

func (w *viewWalker) walk(v reflect.Value, yield func(reflect.Value) bool) bool {
	if v.Type() == w.target && !yield(v) {
		return false
	}
	if !w.holds[v.Type()] {
		return true
	}
	switch v.Kind() {
	case reflect.Pointer:
		return v.IsNil() || w.walk(v.Elem(), yield)
	case reflect.Slice:
		for i := range v.Len() {
			if !w.walk(v.Index(i), yield) {
				return false
			}
		}
	case reflect.Struct:
		for _, i := range viewOrder(v.Type()) {
			if !w.walk(v.Field(i), yield) {
				return false
			}
		}
	}
	return true
}

// viewHolders returns the types in which there may be values of a type.
func viewHolders(target reflect.Type) map[reflect.Type]bool {
	if m, ok := viewHolderCache.Load(target); ok {
		return m.(map[reflect.Type]bool)
	}
	// A type is held by others: from the target on, all that hold a holder.
	holds := map[reflect.Type]bool{}
	for todo := []reflect.Type{target}; len(todo) > 0; todo = todo[1:] {
		for _, t := range viewTypes().usedBy[todo[0]] {
			if !holds[t] {
				holds[t] = true
				todo = append(todo, t)
			}
		}
	}
	viewHolderCache.Store(target, holds)
	return holds
}

var viewHolderCache sync.Map // reflect.Type to map[reflect.Type]bool

// viewOrder returns the fields of a struct in model order; those that the model
// does not have there are the last.
func viewOrder(t reflect.Type) []int { return viewTypes().order[t] }

// A viewTypeTable says how the Go types of views are made.
type viewTypeTable struct {
	order  map[reflect.Type][]int
	usedBy map[reflect.Type][]reflect.Type
}

// viewTypes looks through the Go types of all models and the definitions beside
// them.
var viewTypes = sync.OnceValue(func() viewTypeTable {
	table := viewTypeTable{map[reflect.Type][]int{}, map[reflect.Type][]reflect.Type{}}
	seen := map[reflect.Type]bool{}
	var visit func(t reflect.Type, m *Member)
	visit = func(t reflect.Type, m *Member) {
		if seen[t] {
			return
		}
		seen[t] = true
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice:
			table.usedBy[t.Elem()] = append(table.usedBy[t.Elem()], t)
			visit(t.Elem(), m)
		case reflect.Struct:
			if t == timeType {
				return
			}
			index := fieldIndex(t)
			ordered := map[int]bool{}
			field := func(i int, m *Member) {
				ordered[i] = true
				table.order[t] = append(table.order[t], i)
				f := t.Field(i).Type
				table.usedBy[f] = append(table.usedBy[f], t)
				visit(f, m)
			}
			if m != nil && m.Definition() != nil {
				for member := range m.Definition().Members() {
					if i, ok := index[member.json]; ok {
						field(i, member)
					}
				}
			}
			for i := range t.NumField() {
				if !ordered[i] {
					field(i, nil)
				}
			}
		}
	}
	for m := range Roots() {
		for t, model := range viewModels {
			if model == m.name {
				visit(t, m)
			}
		}
	}
	return table
})
