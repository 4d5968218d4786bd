package assessment

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/issokit/issokit/oscal"
)

// numberOf returns the number of an item: ours, or the POAM-ID of FedRAMP.
func numberOf(i *oscal.PoamItem) string {
	return cmp.Or(propOf(i.Props, oscal.PropID), func() string {
		for _, p := range oscal.Items(i.Props) {
			if p.Name == "POAM-ID" {
				return p.Value
			}
		}
		return ""
	}())
}

func digitsAtEnd(s string) string {
	return s[len(strings.TrimRight(s, "0123456789")):]
}

// propOf returns the value of a prop of the project.
func propOf(list *[]oscal.Property, name string) string {
	for _, p := range oscal.Items(list) {
		if p.Name == name && p.Ns == oscal.Namespace {
			return p.Value
		}
	}
	return ""
}

// setProp sets a prop of the project in a copy of the list.
func setProp(list **[]oscal.Property, name, value string) {
	props := slices.DeleteFunc(slices.Clone(oscal.Items(*list)), func(p oscal.Property) bool { return p.Name == name && p.Ns == oscal.Namespace })
	if value = oneLine(value); value != "" {
		props = append(props, oscal.Property{Ns: oscal.Namespace, Name: name, Value: value})
	}
	*list = oscal.List(props...)
}

// An Item is what of an item of a plan of action people look at.
type Item struct {
	Number    string
	UUID      string
	Title     string   // plain text
	Status    string   // of its risk: open, investigating, remediating, deviation-requested, deviation-approved, closed
	Severity  Severity // 0 if the document does not say
	FirstSeen Date     // original detection
	Due       Date     // zero: none
	Closed    Date     // zero: is open
	Controls  []string // ids of the controls that are affected
}

// Aging computes how old the item is on a day.
func (i Item) Aging(today Date) Aging { return Age(i.FirstSeen, i.Due, i.Closed, today) }

// POAMItems lists the items of a plan of action, in the order of the document.
// The day of the detection is that of the earliest observation, where no prop
// says it; the due date is the day of the deadline of the risk.
func POAMItems(doc *oscal.PlanOfActionAndMilestones) []Item {
	risks := map[string]*oscal.Risk{}
	for i := range oscal.Items(doc.Risks) {
		risks[(*doc.Risks)[i].UUID] = &(*doc.Risks)[i]
	}
	collected := map[string]time.Time{}
	for _, o := range oscal.Items(doc.Observations) {
		collected[o.UUID] = o.Collected
	}
	var out []Item
	for i := range doc.PoamItems {
		p := &doc.PoamItems[i]
		item := Item{Number: numberOf(p), UUID: p.UUID, Title: plain(p.Title), Status: "open"}
		var severity, due string
		severity, due = propOf(p.Props, oscal.PropSeverity), propOf(p.Props, oscal.PropDue)
		item.FirstSeen, _ = ParseDate(propOf(p.Props, oscal.PropFirstSeen))
		observations := slices.Clone(oscal.Items(p.RelatedObservations))
		for _, x := range oscal.Items(p.RelatedRisks) {
			r := risks[x.RiskUuid]
			if r == nil {
				continue
			}
			item.Status = r.Status
			severity = cmp.Or(severity, propOf(r.Props, oscal.PropSeverity))
			due = cmp.Or(due, propOf(r.Props, oscal.PropDue))
			if due == "" && r.Deadline != nil {
				due = DateOf(*r.Deadline).String()
			}
			for _, q := range oscal.Items(r.Props) {
				if q.Name == oscal.PropControl && q.Ns == oscal.Namespace {
					addNew(&item.Controls, q.Value)
				}
			}
			observations = append(observations, oscal.Items(r.RelatedObservations)...)
			if r.Status == "closed" && r.RiskLog != nil {
				for _, e := range r.RiskLog.Entries {
					if e.StatusChange == "closed" {
						item.Closed = DateOf(e.Start)
					}
				}
			}
		}
		item.Due, _ = ParseDate(due)
		if item.Severity.UnmarshalText([]byte(severity)) != nil {
			item.Severity = 0
		}
		if item.FirstSeen.IsZero() {
			for _, o := range observations {
				if t, ok := collected[o.ObservationUuid]; ok && (item.FirstSeen.IsZero() || DateOf(t).Compare(item.FirstSeen) < 0) {
					item.FirstSeen = DateOf(t)
				}
			}
		}
		out = append(out, item)
	}
	return out
}
