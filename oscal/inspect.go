package oscal

import (
	"cmp"
	"slices"
)

// An Inventory says what is in a document.
type Inventory struct {
	Model        string `json:"model"`
	UUID         string `json:"uuid"`
	Title        string `json:"title"`
	Version      string `json:"version"`
	OSCALVersion string `json:"oscal-version"`
	LastModified string `json:"last-modified"` // as written
	Published    string `json:"published,omitempty"`
	// Nodes counts all flags, fields and assemblies.
	Nodes int `json:"nodes"`
	// Objects counts the objects that have an identifier or stand in an array, by
	// XML name, in the order in which the first of each stands.
	Objects []Count `json:"objects"`
	// Namespaces counts the props by namespace, the most frequent first.
	Namespaces []Count `json:"namespaces"`
	// Imports are the addresses of the documents that this one builds on, in
	// document order.
	Imports []string `json:"imports"`
	// Withdrawn counts the controls whose prop status says so.
	Withdrawn int `json:"withdrawn,omitempty"`
}

// A Count is how often something occurs.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Inspect takes the inventory of the document.
func (d *Document) Inspect() Inventory {
	metadata := d.root.Child("metadata")
	inv := Inventory{
		Model: d.Model(), UUID: d.root.Get("uuid"), Title: metadata.Get("title"), Version: metadata.Get("version"),
		OSCALVersion: metadata.Get("oscal-version"), LastModified: metadata.Get("last-modified"), Published: metadata.Get("published"),
		Objects: []Count{}, Namespaces: []Count{}, Imports: []string{},
	}
	add := func(counts *[]Count, name string) {
		i := slices.IndexFunc(*counts, func(c Count) bool { return c.Name == name })
		if i < 0 {
			*counts = append(*counts, Count{Name: name})
			i = len(*counts) - 1
		}
		(*counts)[i].Count++
	}
	for n := range d.root.Walk() {
		inv.Nodes++
		switch {
		case isImport(n) && !slices.Contains(inv.Imports, n.value):
			inv.Imports = append(inv.Imports, n.value)
		case n.parent == nil || n.member.kind != Assembly:
		case n.member.name == "prop":
			ns := n.Get("ns")
			if ns == "" {
				ns = CoreNamespace
			}
			add(&inv.Namespaces, ns)
			if n.parent.member.name == "control" && n.Get("name") == "status" && isWithdrawn(n.Get("value")) && ns == CoreNamespace {
				inv.Withdrawn++
			}
			add(&inv.Objects, "prop")
		case n.member.Many() || n.Child("uuid") != nil || n.Child("id") != nil:
			add(&inv.Objects, n.member.name)
		}
	}
	slices.SortStableFunc(inv.Namespaces, func(a, b Count) int { return cmp.Compare(b.Count, a.Count) })
	return inv
}

// isWithdrawn knows both spellings: revision 4 of SP 800-53 has a capital.
func isWithdrawn(status string) bool { return status == "withdrawn" || status == "Withdrawn" }
