package constraint

import "slices"

// The functions of arrays and maps (XPath functions and operators, section 17).

func addCollections(lib map[string]function) {
	add := func(name string, minArgs, maxArgs int, call func(d *dyn, a []Sequence) Sequence) {
		lib[name] = function{minArgs, maxArgs, false, call}
	}
	add("array:size", 1, 1, func(_ *dyn, a []Sequence) Sequence { return one(IntegerItem(int64(len(members(a[0]))))) })
	add("array:get", 2, 2, func(d *dyn, a []Sequence) Sequence {
		m := members(a[0])
		return m[index(d, a[1], 1, len(m))-1]
	})
	add("array:put", 3, 3, func(d *dyn, a []Sequence) Sequence {
		m := slices.Clone(members(a[0]))
		m[index(d, a[1], 1, len(m))-1] = a[2]
		d.tick(len(m))
		return one(arrayItem(m))
	})
	add("array:append", 2, 2, func(d *dyn, a []Sequence) Sequence {
		return newArray(d, slices.Concat(members(a[0]), []Sequence{a[1]}))
	})
	add("array:head", 1, 1, func(d *dyn, a []Sequence) Sequence {
		m := members(a[0])
		if len(m) == 0 {
			fail(CodeValue, "array:head: the array is empty")
		}
		return m[0]
	})
	add("array:tail", 1, 1, func(d *dyn, a []Sequence) Sequence {
		m := members(a[0])
		if len(m) == 0 {
			fail(CodeValue, "array:tail: the array is empty")
		}
		return newArray(d, m[1:])
	})
	add("array:reverse", 1, 1, func(d *dyn, a []Sequence) Sequence {
		m := slices.Clone(members(a[0]))
		slices.Reverse(m)
		return newArray(d, m)
	})
	add("array:join", 1, 1, func(d *dyn, a []Sequence) Sequence {
		var out []Sequence
		for _, it := range a[0] {
			out = append(out, members(one(it))...)
			d.tick(1 + len(out))
		}
		return newArray(d, out)
	})
	add("array:flatten", 1, 1, func(d *dyn, a []Sequence) Sequence {
		var out Sequence
		var walk func(s Sequence)
		walk = func(s Sequence) {
			d.tick(1)
			for _, it := range s {
				if it.kind != kindArray {
					out = d.extend(out, one(it))
					continue
				}
				for _, m := range it.v.(*array).members {
					walk(m)
				}
			}
		}
		walk(a[0])
		return out
	})
	add("array:insert-before", 3, 3, func(d *dyn, a []Sequence) Sequence {
		m := members(a[0])
		return newArray(d, slices.Insert(slices.Clone(m), index(d, a[1], 1, len(m)+1)-1, a[2]))
	})
	add("array:remove", 2, 2, func(d *dyn, a []Sequence) Sequence {
		m := members(a[0])
		gone := map[int]bool{}
		for _, it := range d.atomize(a[1]) {
			gone[index(d, one(it), 1, len(m))] = true
		}
		var out []Sequence
		for i, s := range m {
			if !gone[i+1] {
				out = append(out, s)
			}
		}
		return newArray(d, out)
	})
	add("array:subarray", 2, 3, func(d *dyn, a []Sequence) Sequence {
		m := members(a[0])
		from := index(d, a[1], 1, len(m)+1)
		n := len(m) + 1 - from
		if len(a) == 3 {
			n = index(d, a[2], 0, n)
		}
		return newArray(d, m[from-1:from-1+n])
	})

	add("map:size", 1, 1, func(_ *dyn, a []Sequence) Sequence { return one(IntegerItem(int64(len(mapOf(a[0]).entries)))) })
	add("map:keys", 1, 1, func(d *dyn, a []Sequence) Sequence {
		var out Sequence
		for _, e := range mapOf(a[0]).entries {
			out = append(out, e.key)
		}
		d.tick(len(out))
		return out
	})
	add("map:get", 2, 2, func(d *dyn, a []Sequence) Sequence {
		v, _ := mapOf(a[0]).get(key(d, a[1]))
		return v
	})
	add("map:contains", 2, 2, func(d *dyn, a []Sequence) Sequence {
		_, ok := mapOf(a[0]).get(key(d, a[1]))
		return boolSeq(ok)
	})
	add("map:entry", 2, 2, func(d *dyn, a []Sequence) Sequence {
		m := newMapping(1)
		m.set(key(d, a[0]), a[1])
		return one(mapItem(m))
	})
	add("map:put", 3, 3, func(d *dyn, a []Sequence) Sequence {
		m := mapOf(a[0]).clone(d)
		m.set(key(d, a[1]), a[2])
		return one(mapItem(m))
	})
	add("map:remove", 2, 2, func(d *dyn, a []Sequence) Sequence {
		gone := map[string]bool{}
		for _, it := range d.atomize(a[1]) {
			gone[mapKey(it)] = true
		}
		in := mapOf(a[0])
		m := newMapping(len(in.entries))
		for _, e := range in.entries {
			if !gone[mapKey(e.key)] {
				m.set(e.key, e.value)
			}
		}
		d.tick(len(in.entries))
		return one(mapItem(m))
	})
	add("map:merge", 1, 2, mapMerge)
	add("map:find", 2, 2, func(d *dyn, a []Sequence) Sequence {
		k := key(d, a[1])
		var out []Sequence
		var walk func(s Sequence)
		walk = func(s Sequence) {
			for _, it := range s {
				d.tick(1)
				switch it.kind {
				case kindArray:
					for _, m := range it.v.(*array).members {
						walk(m)
					}
				case kindMap:
					m := it.v.(*mapping)
					if v, ok := m.get(k); ok {
						out = append(out, v)
					}
					for _, e := range m.entries {
						walk(e.value)
					}
				}
			}
		}
		walk(a[0])
		return newArray(d, out)
	})
}

func newArray(d *dyn, m []Sequence) Sequence {
	d.tick(len(m))
	if len(m) > maxItems {
		fail(CodeLimit, "an array of more than %d members", maxItems)
	}
	return one(arrayItem(m))
}

func members(s Sequence) []Sequence {
	if len(s) != 1 || s[0].kind != kindArray {
		fail(CodeType, "expected an array, found %s", s.describe())
	}
	return s[0].v.(*array).members
}

func mapOf(s Sequence) *mapping {
	if len(s) != 1 || s[0].kind != kindMap {
		fail(CodeType, "expected a map, found %s", s.describe())
	}
	return s[0].v.(*mapping)
}

func key(d *dyn, s Sequence) Item {
	it, ok := d.single(s, "the key of a map")
	if !ok {
		fail(CodeType, "the key of a map is empty")
	}
	return it
}

// index returns a whole number between two bounds.
func index(d *dyn, s Sequence, lo, hi int) int {
	i := d.integer(s, "the index of an array")
	if i < lo || i > hi {
		fail(CodeValue, "the index %d is not between %d and %d", i, lo, hi)
	}
	return i
}

func (m *mapping) clone(d *dyn) *mapping {
	d.tick(len(m.entries))
	out := newMapping(len(m.entries) + 1)
	for _, e := range m.entries {
		out.set(e.key, e.value)
	}
	return out
}

func mapMerge(d *dyn, a []Sequence) Sequence {
	duplicates := "use-first"
	if len(a) == 2 {
		if v, ok := mapOf(a[1]).get(StringItem("duplicates")); ok {
			duplicates = d.str(v, "duplicates")
		}
	}
	out := newMapping(len(a[0]))
	for _, it := range a[0] {
		for _, e := range mapOf(one(it)).entries {
			d.tick(1)
			old, there := out.get(e.key)
			switch {
			case !there:
				out.set(e.key, e.value)
			case duplicates == "use-first" || duplicates == "use-any":
			case duplicates == "use-last":
				out.set(e.key, e.value)
			case duplicates == "combine":
				out.set(e.key, d.extend(old, e.value))
			case duplicates == "reject":
				fail(CodeValue, "map:merge: the key %s stands twice", clip(e.key.String()))
			default:
				fail(CodeValue, "map:merge: there is no way %s to treat duplicates", clip(duplicates))
			}
		}
	}
	return one(mapItem(out))
}
