package diff

import (
	"encoding/binary"
	"hash/maphash"
	"strings"
	"time"

	"github.com/issokit/issokit/oscal"
)

// An alignment says which node of a new tree is which of the old one.
type alignment struct {
	pairs, back map[*oscal.Node]*oscal.Node
	renamed     map[string]string // identifiers of the old tree whose objects have another one now
}

// align pairs the nodes of two trees, level by level: first what is in the same
// parent, then, by identifier, what has moved to another. References to objects
// that turn out to be renamed are followed in a second round.
func align(x, y *oscal.Node) *alignment {
	a := &alignment{renamed: map[string]string{}}
	for range 2 {
		known := len(a.renamed)
		a.pairs, a.back = map[*oscal.Node]*oscal.Node{}, map[*oscal.Node]*oscal.Node{}
		a.pair(x, y)
		for a.moved(x, y) {
		}
		if len(a.renamed) == known {
			break
		}
	}
	return a
}

func (a *alignment) pair(x, y *oscal.Node) {
	a.pairs[x], a.back[y] = y, x
	if old, id := identifier(x), identifier(y); old != "" && id != "" && old != id {
		a.renamed[old] = id
	}
	if x.Kind() == oscal.Flag {
		return
	}
	for m := range y.Member().Definition().Members() {
		if m.Kind() == oscal.Flag {
			continue
		}
		olds, news := items(x, m), items(y, m)
		switch {
		case len(olds) == 0 || len(news) == 0:
		case !m.Many():
			a.pair(olds[0], news[0])
		default:
			a.items(olds, news)
		}
	}
}

// items pairs the items of two arrays: those that have the same identifier,
// those that refer to the same or have the same name, those whose content is
// the same, and last, where nothing identifies them, those at the same place.
func (a *alignment) items(olds, news []*oscal.Node) {
	for _, key := range []func(*oscal.Node) string{a.strong, a.natural, content} {
		index := map[string][]*oscal.Node{}
		for _, old := range olds {
			if k := key(old); a.pairs[old] == nil && k != "" {
				index[k] = append(index[k], old)
			}
		}
		if len(index) == 0 {
			continue
		}
		var order []string
		same := map[string][]*oscal.Node{}
		for _, n := range news {
			if k := key(n); a.back[n] == nil && len(index[k]) > 0 {
				if same[k] == nil {
					order = append(order, k)
				}
				same[k] = append(same[k], n)
			}
		}
		for _, k := range order {
			a.match(index[k], same[k])
		}
	}
	if identifier(olds[0]) != "" || olds[0].Kind() == oscal.Field {
		return // two objects with identifiers of their own are two objects
	}
	i := 0
	for _, old := range olds {
		if a.pairs[old] != nil || a.strong(old)+a.natural(old) != "" {
			continue
		}
		for i < len(news) && (a.back[news[i]] != nil || a.strong(news[i])+a.natural(news[i]) != "") {
			i++
		}
		if i == len(news) {
			return
		}
		a.pair(old, news[i])
	}
}

// match pairs objects of one identity: those that say the same, then the others
// in their order.
func (a *alignment) match(olds, news []*oscal.Node) {
	if len(olds) > 1 || len(news) > 1 {
		byContent := map[string][]*oscal.Node{}
		for _, old := range olds {
			k := content(old)
			byContent[k] = append(byContent[k], old)
		}
		for _, n := range news {
			k := content(n)
			if same := byContent[k]; len(same) > 0 {
				a.pair(same[0], n)
				byContent[k] = same[1:]
			}
		}
	}
	for _, old := range olds {
		if a.pairs[old] != nil {
			continue
		}
		for len(news) > 0 && a.back[news[0]] != nil {
			news = news[1:]
		}
		if len(news) == 0 {
			return
		}
		a.pair(old, news[0])
	}
}

// moved pairs objects that stand in another parent now, the outermost first. It
// tells whether there were any.
func (a *alignment) moved(x, y *oscal.Node) bool {
	index := map[string]*oscal.Node{}
	a.unpaired(y, a.back, func(n *oscal.Node) {
		key := n.Name() + " " + identifier(n)
		if _, twice := index[key]; twice {
			index[key] = nil // whoever has it twice has not moved it
		} else {
			index[key] = n
		}
	})
	any := false
	a.unpaired(x, a.pairs, func(n *oscal.Node) {
		key := n.Name() + " " + identifier(n)
		if to := index[key]; to != nil && a.back[to] == nil && a.pairs[n] == nil && to.Member().Definition() == n.Member().Definition() {
			any = true
			a.pair(n, to)
		}
	})
	return any
}

// unpaired calls f for each node with an identifier that has no partner.
func (a *alignment) unpaired(root *oscal.Node, paired map[*oscal.Node]*oscal.Node, f func(*oscal.Node)) {
	for n := range root.Walk() {
		if n.Kind() == oscal.Assembly && paired[n] == nil && identifier(n) != "" {
			f(n)
		}
	}
}

// identifier returns the uuid or id of an object. That of a prop does not count:
// its name does.
func identifier(n *oscal.Node) string {
	if n.Kind() != oscal.Assembly || n.Name() == "prop" {
		return ""
	}
	if v := n.Get("uuid"); v != "" {
		return fold(v)
	}
	return n.Get("id")
}

// fold returns a UUID in lower case, and any other identifier as it is: the case
// of those has a meaning.
func fold(id string) string {
	if len(id) != 36 {
		return id
	}
	for i, c := range []byte(id) {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (c == '-') || !hyphen && !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			return id
		}
	}
	return strings.ToLower(id)
}

// strong is the identity that an object has of its own.
func (a *alignment) strong(n *oscal.Node) string {
	switch n.Name() {
	case "prop":
		return strings.Join([]string{"prop", namespace(n), n.Get("class"), n.Get("group"), n.Get("name")}, "\x00")
	case "link":
		return strings.Join([]string{"link", n.Get("rel"), n.Get("href"), n.Get("resource-fragment")}, "\x00")
	}
	if id := identifier(n); id != "" {
		return id
	}
	if n.Kind() == oscal.Field {
		return a.now(n.Value()) + "\x00" + n.Get("id") // an item of a list of plain values
	}
	return ""
}

func namespace(n *oscal.Node) string {
	if ns := n.Get("ns"); ns != "" {
		return ns
	}
	return oscal.CoreNamespace
}

// naturalKeys are members by which an object is known that has another UUID, or
// none, in this order.
var naturalKeys = [...]string{
	"param-id", "control-id", "statement-id", "component-uuid", "role-id", "by-id",
	"subject-uuid", "actor-uuid", "observation-uuid", "risk-uuid", "finding-uuid", "task-uuid", "activity-uuid",
	"href", "identifier", "title", "name", "party-uuid", "type",
}

// natural is the identity that an object has by what it refers to or is called.
func (a *alignment) natural(n *oscal.Node) string {
	for _, k := range naturalKeys {
		if v := n.Get(k); v != "" {
			return k + "\x00" + a.now(v)
		}
	}
	return ""
}

// now returns the identifier that an object of the old tree has in the new one.
func (a *alignment) now(id string) string {
	if to, ok := a.renamed[strings.ToLower(id)]; ok {
		return to
	}
	return id
}

var seed = maphash.MakeSeed()

// content is a digest of what an object says, its identifiers and those of its
// parts left out. Digests are compared with each other only, in one process.
func content(n *oscal.Node) string {
	var h maphash.Hash
	h.SetSeed(seed)
	var put func(n *oscal.Node)
	put = func(n *oscal.Node) {
		if n.Kind() == oscal.Flag && (n.Name() == "uuid" || n.Name() == "id") {
			return
		}
		h.WriteString(n.Name())
		h.WriteByte(0)
		h.WriteString(n.Value())
		h.WriteByte(1)
		for c := n.First(); c != nil; c = c.Next() {
			put(c)
		}
		h.WriteByte(2)
	}
	put(n)
	return string(binary.LittleEndian.AppendUint64(nil, h.Sum64()))
}

// equalValue compares the values of two flags or fields by what they mean.
func (a *alignment) equalValue(x, y *oscal.Node) bool {
	v, w := x.Value(), y.Value()
	if v == w {
		return true
	}
	switch x.Member().DataType() {
	case oscal.TypeUUID:
		return strings.EqualFold(v, w) || a.renamed[strings.ToLower(v)] == strings.ToLower(w)
	case oscal.TypeDateTimeWithTimezone, oscal.TypeDateTime:
		t, err1 := time.Parse(time.RFC3339Nano, v)
		u, err2 := time.Parse(time.RFC3339Nano, w)
		return err1 == nil && err2 == nil && t.Equal(u)
	case oscal.TypeBoolean:
		return (v == "true" || v == "1") == (w == "true" || w == "1")
	case oscal.TypeURIReference:
		id, isFragment := strings.CutPrefix(v, "#")
		return isFragment && a.renamed[strings.ToLower(id)] != "" && "#"+a.renamed[strings.ToLower(id)] == strings.ToLower(w)
	case oscal.TypeMarkupLine, oscal.TypeMarkupMultiline:
		return x.Markup().Equal(y.Markup())
	}
	return false
}
