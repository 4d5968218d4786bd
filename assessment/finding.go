package assessment

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/issokit/issokit/controls"
	"github.com/issokit/issokit/oscal"
)

// findings makes the findings of all nodes that have a verdict.
func (a *assessor) findings() {
	a.found = map[string]bool{}
	byObservation := map[string]string{}
	for _, r := range oscal.Items(a.result.Risks) {
		for _, o := range oscal.Items(r.RelatedObservations) {
			byObservation[o.ObservationUuid] = r.UUID
		}
	}
	for _, n := range a.nodes {
		c := a.catalog.Control(n.ID)
		for _, child := range n.Children {
			a.findingsUnder(child, c, byObservation)
		}
		if top := c.Top(); len(top) > 0 && top[0].ID() != "" && !a.found[top[0].ID()] && (n.Verdict == Satisfied || n.Verdict == NotSatisfied) {
			f := a.finding(n, top[0].ID(), "statement-id", allUnder(n), byObservation)
			f.Title = strings.TrimSpace(title(c.Label()) + " " + c.Title())
			f.Description = "The verdict about the control, rolled up from its objectives and statements."
			f.Remarks = strings.TrimSpace(n.Explain())
			addProp(&f.Props, oscal.PropDetermination, "roll-up")
			a.result.Findings = oscal.Append(a.result.Findings, f)
		}
	}
}

func (a *assessor) findingsUnder(n *Node, c *controls.Control, byObservation map[string]string) {
	isTop := c.Top() != nil && n.ID == c.Top()[0].ID() && !n.isLeaf() // that is the control's
	if (n.isLeaf() || len(n.Own) > 0) && !isTop && n.ID != "" && (n.Verdict == Satisfied || n.Verdict == NotSatisfied) {
		kind := "objective-id"
		if n.Kind == "statement" {
			kind = "statement-id"
		}
		a.found[n.ID] = true
		f := a.finding(n, n.ID, kind, n.Own, byObservation)
		f.Title = title(c.Label() + ": " + n.ID)
		f.Description = describe(n.Own)
		how := "automatic"
		if slices.ContainsFunc(n.Own, func(d Determination) bool { return d.mapping == nil }) {
			how = "examiner"
		}
		addProp(&f.Props, oscal.PropDetermination, how)
		a.result.Findings = oscal.Append(a.result.Findings, f)
	}
	for _, child := range n.Children {
		a.findingsUnder(child, c, byObservation)
	}
}

func describe(ds []Determination) string {
	var lines []string
	for _, d := range ds {
		lines = append(lines, title(d.String()))
	}
	return cmp.Or(strings.Join(lines, "\n\n"), "Rolled up from what is inside.")
}

// allUnder collects the determinations of a tree, each once.
func allUnder(n *Node) []Determination {
	var out []Determination
	seen := map[string]bool{}
	var walk func(n *Node)
	walk = func(n *Node) {
		for _, d := range n.Own {
			key := fmt.Sprint(d.Target, d.records)
			if !seen[key] {
				seen[key] = true
				out = append(out, d)
			}
		}
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(n)
	return out
}

func (a *assessor) finding(n *Node, target, kind string, ds []Determination, byObservation map[string]string) oscal.Finding {
	f := oscal.Finding{
		UUID:   oscal.UUID("finding", a.id, target),
		Target: oscal.FindingTarget{Type: kind, TargetId: target, Status: oscal.ObjectiveStatus{State: n.Verdict.String(), Reason: "pass"}},
	}
	if n.Verdict == NotSatisfied {
		f.Target.Status.Reason = "fail"
	}
	if t, err := a.catalog.Find(target); err == nil {
		for s := t.Statement; s != nil && f.ImplementationStatementUuid == ""; s = s.Parent() {
			f.ImplementationStatementUuid = a.system.statements[s.ID()]
		}
	}
	var s sights
	isNew := func(uuid string) bool { return uuid != "" && s.isNew(uuid) }
	origin := func(kind, uuid string) {
		if isNew(uuid) {
			f.Origins = oscal.Append(f.Origins, oscal.Origin{Actors: []oscal.OriginActor{{Type: kind, ActorUuid: uuid}}})
		}
	}
	for _, d := range ds {
		if d.mapping == nil {
			origin("party", d.Examiner)
		}
		for _, i := range d.records {
			if d.mapping != nil {
				origin("tool", a.tool(a.records[i].Tool))
			}
			uuid := a.observed[i]
			if isNew(uuid) {
				f.RelatedObservations = oscal.Append(f.RelatedObservations, oscal.RelatedObservation{ObservationUuid: uuid})
			}
			if risk := byObservation[uuid]; n.Verdict == NotSatisfied && isNew(risk) {
				f.RelatedRisks = oscal.Append(f.RelatedRisks, oscal.AssociatedRisk{RiskUuid: risk})
			}
		}
	}
	return f
}
