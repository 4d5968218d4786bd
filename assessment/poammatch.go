package assessment

import (
	"cmp"
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// say notes what the results show of each cause, and which tools ran to their
// end.
func (u *poamUpdate) say() {
	broken := map[string]bool{}
	for _, r := range u.results.Results {
		for _, o := range oscal.Items(r.Observations) {
			cause, outcome := propOf(o.Props, oscal.PropID), propOf(o.Props, oscal.PropOutcome)
			for _, origin := range oscal.Items(o.Origins) {
				for _, a := range origin.Actors {
					u.ran[a.ActorUuid] = true
					if cause == "" && outcome == OutcomeError.String() {
						broken[a.ActorUuid] = true
					}
				}
			}
			if cause == "" {
				continue
			}
			shown := "other"
			switch outcome {
			case OutcomeFail.String():
				shown = "fail" // suppressed or not
			case OutcomePass.String(), OutcomeFixed.String():
				shown = "pass"
			}
			if was := u.seenAs[cause]; was == "" || shown == "fail" || was == "pass" {
				u.seenAs[cause] = shown
			}
		}
	}
	for tool := range broken {
		delete(u.ran, tool)
	}
}

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
	return strings.ToLower(strings.Join([]string{propOf(r.Props, oscal.PropRule), strings.Join(ids, ","), r.Title}, "\x00"))
}

// inScope tells whether a tool that found the risk ran again.
func (u *poamUpdate) inScope(risk *oscal.Risk) bool {
	for _, o := range oscal.Items(risk.Origins) {
		for _, a := range o.Actors {
			if a.Type == "tool" && u.ran[a.ActorUuid] {
				return true
			}
		}
	}
	return false
}
