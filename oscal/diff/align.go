package diff

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/issokit/issokit/oscal"
)

// An alignment says which node of a new tree is which of the old one.
type alignment struct {
	pairs, back map[*oscal.Node]*oscal.Node
	renamed     map[string]string // identifiers of the old tree whose objects have another one now; see fold
	news        bool              // renamed is other than in the round before
}

// maxRounds bounds how often trees are aligned anew because of what the round
// before found renamed: a chain of references that is longer, of objects that
// nothing but these references tells apart, is not followed to its end.
const maxRounds = 8

// align pairs the nodes of two trees, level by level: first what is in the same
// parent, then, by identifier, what has moved to another. References to objects
// that turn out to be renamed are followed in another round.
func align(x, y *oscal.Node) *alignment {
	a := &alignment{renamed: map[string]string{}}
	for range maxRounds {
		a.news = false
		a.pairs, a.back = map[*oscal.Node]*oscal.Node{}, map[*oscal.Node]*oscal.Node{}
		a.pair(x, y)
		for a.moved(x, y) {
		}
		if !a.news {
			break
		}
	}
	return a
}

func (a *alignment) pair(x, y *oscal.Node) {
	a.pairs[x], a.back[y] = y, x
	if old, id := identifier(x), identifier(y); old != "" && id != "" && old != id && a.renamed[old] != id {
		a.renamed[old], a.news = id, true
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
// References are the same if they follow the renaming of their object; then, for
// what is left, if they stayed as they were.
func (a *alignment) items(olds, news []*oscal.Node) {
	for _, by := range []struct {
		key func(*oscal.Node, func(string) string) string
		ref func(string) string
	}{{strong, a.now}, {strong, fold}, {natural, a.now}, {natural, fold}, {content, a.now}} {
		index := map[string][]*oscal.Node{}
		for _, old := range olds {
			if a.pairs[old] != nil {
				continue
			}
			if k := by.key(old, by.ref); k != "" {
				index[k] = append(index[k], old)
			}
		}
		if len(index) == 0 {
			continue
		}
		var order []string
		same := map[string][]*oscal.Node{}
		for _, n := range news {
			if a.back[n] != nil {
				continue
			}
			if k := by.key(n, fold); len(index[k]) > 0 {
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
	known := func(n *oscal.Node) bool { return strong(n, fold)+natural(n, fold) != "" }
	i := 0
	for _, old := range olds {
		if a.pairs[old] != nil || known(old) {
			continue
		}
		for i < len(news) && (a.back[news[i]] != nil || known(news[i])) {
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
			k := content(old, a.now)
			byContent[k] = append(byContent[k], old)
		}
		for _, n := range news {
			k := content(n, fold)
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

// strong is the identity that an object has of its own. Identifiers in it are as
// ref says, so that those of an old tree can be told by their new ones.
func strong(n *oscal.Node, ref func(string) string) string {
	switch n.Name() {
	case "prop":
		return strings.Join([]string{"prop", namespace(n), n.Get("class"), n.Get("group"), n.Get("name")}, "\x00")
	case "link":
		return strings.Join([]string{"link", n.Get("rel"), target(n.Get("href"), ref), n.Get("resource-fragment")}, "\x00")
	}
	if id := identifier(n); id != "" {
		return id
	}
	if n.Kind() == oscal.Field {
		return meaning(n, ref) + "\x00" + n.Get("id") // an item of a list of plain values
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
	"href", "identifier", "title", "name", "party-uuid", "id-ref", "type",
}

// natural is the identity that an object has by what it refers to or is called.
func natural(n *oscal.Node, ref func(string) string) string {
	for _, k := range naturalKeys {
		if c := n.Child(k); c != nil && c.Value() != "" {
			return k + "\x00" + meaning(c, ref)
		}
	}
	return ""
}

// now returns the identifier that an object of the old tree has in the new one.
func (a *alignment) now(id string) string {
	id = fold(id)
	if to, ok := a.renamed[id]; ok {
		return to
	}
	return id
}

// target returns what a reference points to, a fragment as ref says.
func target(href string, ref func(string) string) string {
	if id, ok := strings.CutPrefix(href, "#"); ok {
		return "#" + ref(id)
	}
	return href
}

// idReferences are the flags and fields that name an object by its id. Other
// tokens may happen to be the same as one.
var idReferences = []string{
	"control-id", "with-id", "statement-id", "objective-id", "param-id", "depends-on", "role-id", "target-id", "id-ref", "by-id",
}

// meaning returns the value of a flag or field with the identifiers in it as ref
// says: all of it, the fragment that it is, or the links and inserts of a text.
func meaning(n *oscal.Node, ref func(string) string) string {
	v := n.Value()
	switch n.Member().DataType() {
	case oscal.TypeUUID:
		return ref(v)
	case oscal.TypeToken, oscal.TypeString:
		if slices.Contains(idReferences, n.Name()) {
			return ref(v)
		}
	case oscal.TypeURIReference:
		return target(v, ref)
	case oscal.TypeMarkupLine, oscal.TypeMarkupMultiline:
		if strings.Contains(v, "#") || strings.Contains(v, "{{") {
			return referring(n, ref).Markdown()
		}
	}
	return v
}

// referring returns the markup of a field with the identifiers in its links and
// inserts as ref says.
func referring(n *oscal.Node, ref func(string) string) *oscal.Markup {
	m := n.Markup()
	for c := range m.Walk() {
		switch c.Kind {
		case oscal.MarkupLink, oscal.MarkupImage:
			c.Target = target(c.Target, ref)
		case oscal.MarkupInsert:
			c.Target = ref(c.Target)
		}
	}
	return m
}

var seed = maphash.MakeSeed()

// content is a digest of what an object says, its identifiers and those of its
// parts left out, those that it refers to as ref says. Digests are compared with
// each other only, in one process.
func content(n *oscal.Node, ref func(string) string) string {
	var h maphash.Hash
	h.SetSeed(seed)
	var put func(n *oscal.Node)
	put = func(n *oscal.Node) {
		if n.Kind() == oscal.Flag && (n.Name() == "uuid" || n.Name() == "id") {
			return
		}
		h.WriteString(n.Name())
		h.WriteByte(0)
		h.WriteString(meaning(n, ref))
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
	case oscal.TypeDateTimeWithTimezone, oscal.TypeDateTime:
		t, err1 := time.Parse(time.RFC3339Nano, v)
		u, err2 := time.Parse(time.RFC3339Nano, w)
		return err1 == nil && err2 == nil && t.Equal(u)
	case oscal.TypeBoolean:
		return (v == "true" || v == "1") == (w == "true" || w == "1")
	case oscal.TypeMarkupLine, oscal.TypeMarkupMultiline:
		return referring(x, a.now).Equal(referring(y, fold))
	}
	return meaning(x, a.now) == meaning(y, fold)
}
