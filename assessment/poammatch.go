package assessment

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// say notes what the results show of each cause, and which tools ran to their
// end. What passes in a run that failed shows nothing.
func (u *poamUpdate) say() {
	u.nameTools()
	broken := map[string]bool{}
	for o, tools := range u.sightings() {
		for _, t := range tools {
			u.ran[t] = true
			if propOf(o.Props, oscal.PropID) == "" && propOf(o.Props, oscal.PropOutcome) == OutcomeError.String() {
				broken[t] = true
			}
		}
	}
	for t := range broken {
		delete(u.ran, t)
	}
	for o, tools := range u.sightings() {
		cause := propOf(o.Props, oscal.PropID)
		if cause == "" {
			continue
		}
		shown := "other"
		switch propOf(o.Props, oscal.PropOutcome) {
		case OutcomeFail.String():
			shown = "fail" // suppressed or not
		case OutcomePass.String(), OutcomeFixed.String():
			if !slices.ContainsFunc(tools, func(t string) bool { return broken[t] }) {
				shown = "pass"
			}
		}
		if was := u.seenAs[cause]; was == "" || shown == "fail" || was == "pass" {
			u.seenAs[cause] = shown
		}
	}
}

// sightings yields the observations of the results with the tools that made them.
func (u *poamUpdate) sightings() iter.Seq2[*oscal.Observation, []string] {
	return func(yield func(*oscal.Observation, []string) bool) {
		for _, r := range u.results.Results {
			for i := range oscal.Items(r.Observations) {
				o := &(*r.Observations)[i]
				var tools []string
				for _, origin := range oscal.Items(o.Origins) {
					for _, a := range origin.Actors {
						addNew(&tools, u.toolName(a.ActorUuid))
					}
				}
				if !yield(o, tools) {
					return
				}
			}
		}
	}
}

// nameTools collects the titles of the components that may be tools.
func (u *poamUpdate) nameTools() {
	add := func(components *[]oscal.SystemComponent) {
		for _, c := range oscal.Items(components) {
			u.tools[c.UUID] = c.Title
		}
	}
	if d := u.doc.LocalDefinitions; d != nil {
		add(d.Components)
	}
	for _, r := range u.results.Results {
		if r.LocalDefinitions != nil {
			add(r.LocalDefinitions.Components)
		}
	}
	if u.o.Plan != nil && u.o.Plan.AssessmentAssets != nil {
		add(u.o.Plan.AssessmentAssets.Components)
	}
}

// toolName returns the title of a tool, or its UUID if nothing describes it.
func (u *poamUpdate) toolName(uuid string) string { return cmp.Or(u.tools[uuid], uuid) }

// index makes the items of before known by what may match them: the UUIDs of
// their risks, their observations, the identities of their risks.
func (u *poamUpdate) index() {
	for i := range u.items {
		var ways [3][]string
		if r := u.riskOf(i); r != nil {
			addNew(&ways[0], r.UUID)
			addNew(&ways[0], cmp.Or(propOf(r.Props, oscal.PropID), r.UUID))
			for _, o := range oscal.Items(r.RelatedObservations) {
				addNew(&ways[1], o.ObservationUuid)
			}
			ways[2] = []string{identityOf(r)}
		}
		for _, o := range oscal.Items(u.items[i].RelatedObservations) {
			addNew(&ways[1], o.ObservationUuid)
		}
		for w, keys := range ways {
			for _, k := range keys {
				u.known[w][k] = append(u.known[w][k], i)
			}
		}
	}
}

// match finds the item of before for a risk: an open one, else the latest closed
// one. An item that was matched already stands for another risk.
func (u *poamUpdate) match(risk *oscal.Risk, seen []*oscal.Observation) (item int, open bool) {
	var observations []string
	for _, o := range seen {
		observations = append(observations, o.UUID)
	}
	for w, keys := range [3][]string{{risk.UUID}, observations, {identityOf(risk)}} {
		found := -1
		for _, k := range keys {
			for _, i := range u.known[w][k] {
				r := u.riskOf(i)
				switch {
				case u.status[i] != "":
				case r == nil || r.Status != "closed":
					return i, true
				default:
					found = max(found, i)
				}
			}
		}
		if found >= 0 {
			return found, false
		}
	}
	return -1, false
}

// riskOf returns the first risk of an item, nil if it has none.
func (u *poamUpdate) riskOf(item int) *oscal.Risk {
	for _, x := range oscal.Items(u.items[item].RelatedRisks) {
		if i, ok := u.risk[x.RiskUuid]; ok {
			return &u.risks[i]
		}
	}
	return nil
}

func identityOf(r *oscal.Risk) string {
	var ids []string
	for _, t := range oscal.Items(r.ThreatIds) {
		ids = append(ids, t.ID)
	}
	slices.Sort(ids)
	return strings.ToLower(strings.Join([]string{propOf(r.Props, oscal.PropRule), strings.Join(ids, ","), plain(r.Title)}, "\x00"))
}

// inScope tells whether a tool that found the risk ran again.
func (u *poamUpdate) inScope(risk *oscal.Risk) bool {
	for _, o := range oscal.Items(risk.Origins) {
		for _, a := range o.Actors {
			if a.Type == "tool" && u.ran[u.toolName(a.ActorUuid)] {
				return true
			}
		}
	}
	return false
}
