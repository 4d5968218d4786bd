package governance

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/controls"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/risk"
	"github.com/issokit/issokit/risk/matrix"
	"github.com/issokit/issokit/vendors"
)

// A Summary is an authorization package on one screen.
type Summary struct {
	System   string          `json:"system"`
	Baseline string          `json:"baseline"`
	AsOf     assessment.Date `json:"as-of"`

	Statuses []string    `json:"statuses"` // the columns of Families
	Families []FamilyRow `json:"families"`
	Total    FamilyRow   `json:"total"`

	// Verdicts counts the controls by what the assessment came to; of their
	// applicable objectives so many have a verdict of their own.
	Verdicts           []VerdictCount  `json:"verdicts"`
	Objectives         int             `json:"objectives"`
	ObjectivesAssessed int             `json:"objectives-assessed"`
	Severities         []SeverityCount `json:"severities"`

	// Impact is the system's high-water mark, Initiation the likelihood of attempts
	// by which all risks are rated.
	Impact     matrix.Qualitative `json:"impact"`
	Initiation matrix.Qualitative `json:"initiation"`
	// Unmapped counts the causes that name no control of the baseline.
	Unmapped int `json:"unmapped"`
	// Unseen are the open items about which the scans say nothing any more.
	Unseen []string `json:"unseen"`

	Risks   []RiskRow   `json:"risks"`
	Items   []ItemRow   `json:"items"`
	Vendors []VendorRow `json:"vendors"`
}

// A FamilyRow counts the controls of a family by status.
type FamilyRow struct {
	Family   string `json:"family"`
	Title    string `json:"title"`
	Controls int    `json:"controls"`
	ByStatus []int  `json:"by-status"` // in the order of [Summary.Statuses]
}

// A VerdictCount counts the controls with one verdict.
type VerdictCount struct {
	Verdict  assessment.Verdict `json:"verdict"`
	Controls int                `json:"controls"`
}

// A SeverityCount counts what scanners found of one severity.
type SeverityCount struct {
	Severity   assessment.Severity `json:"severity"`
	Causes     int                 `json:"causes"`     // different weaknesses, each of which is a risk
	Records    int                 `json:"records"`    // results of scanners
	Suppressed int                 `json:"suppressed"` // results that a user of the scanner put aside
}

// A RiskRow is a risk with the arithmetic of its score.
type RiskRow struct {
	Rank     int      `json:"rank"`
	Title    string   `json:"title"`
	Level    string   `json:"level"`
	Score    *float64 `json:"score,omitempty"`
	Controls []string `json:"controls"`
	Why      []string `json:"why"`
}

// An ItemRow is an item of the plan of action and milestones.
type ItemRow struct {
	Number   string              `json:"number"`
	Title    string              `json:"title"`
	Severity assessment.Severity `json:"severity,omitzero"`
	Status   string              `json:"status"`
	Due      assessment.Date     `json:"due,omitzero"` // zero: no date
	Aging    assessment.Aging    `json:"aging"`
}

// A VendorRow is an engagement with its tier.
type VendorRow struct {
	Tier    vendors.Tier `json:"tier"`
	Vendor  string       `json:"vendor"`
	Service string       `json:"service"`
	Status  string       `json:"status"`
	Why     []string     `json:"why"`
}

// Summary says what is in the package: controls by family and status, findings
// by severity, the risks that weigh most, the plan of action with its due dates,
// the vendors by tier.
func (p *Package) Summary() (Summary, error) {
	s := Summary{
		System: p.implementation.System().Name, Baseline: p.Catalog.Root().Child("metadata").Get("title"),
		AsOf: assessment.DateOf(p.opts.AsOf), Objectives: p.results.Coverage.Applicable(), ObjectivesAssessed: p.results.Coverage.Assessed(),
		Families: []FamilyRow{}, Severities: []SeverityCount{}, Risks: []RiskRow{}, Items: []ItemRow{}, Vendors: []VendorRow{},
	}
	total, families := p.implementation.Coverage()
	for _, c := range total.ByStatus {
		s.Statuses = append(s.Statuses, c.Name)
	}
	s.Total = familyRow(total)
	for _, f := range families {
		s.Families = append(s.Families, familyRow(f))
	}
	s.Verdicts = p.verdicts()
	s.Severities = p.severities()
	var err error
	if s.Risks, err = p.risks(); err != nil {
		return s, err
	}
	s.Impact, s.Initiation = impactOf(p.implementation.System()), p.opts.Initiation
	for _, c := range p.results.Causes {
		if len(c.Controls) == 0 {
			s.Unmapped++
		}
	}
	s.Unseen = []string{}
	if p.poam != nil {
		s.Unseen = append(s.Unseen, p.poam.Absent...)
	}
	s.Items = p.items()
	s.Vendors, err = p.vendorRows()
	return s, err
}

func familyRow(c controls.Coverage) FamilyRow {
	row := FamilyRow{Family: "all"}
	if c.Family != nil {
		row.Family, row.Title = cmp.Or(c.Family.Label(), c.Family.ID()), c.Family.Title()
	}
	for _, n := range c.ByStatus {
		row.ByStatus = append(row.ByStatus, n.N)
		row.Controls += n.N
	}
	return row
}

func (p *Package) verdicts() []VerdictCount {
	out := []VerdictCount{}
	for _, n := range p.results.Controls {
		i := slices.IndexFunc(out, func(c VerdictCount) bool { return c.Verdict == n.Verdict })
		if i < 0 {
			out = append(out, VerdictCount{Verdict: n.Verdict})
			i = len(out) - 1
		}
		out[i].Controls++
	}
	slices.SortFunc(out, func(a, b VerdictCount) int { return cmp.Compare(a.Verdict, b.Verdict) })
	return out
}

func (p *Package) severities() []SeverityCount {
	var out []SeverityCount
	at := func(s assessment.Severity) *SeverityCount {
		i := slices.IndexFunc(out, func(c SeverityCount) bool { return c.Severity == s })
		if i < 0 {
			out = append(out, SeverityCount{Severity: s})
			i = len(out) - 1
		}
		return &out[i]
	}
	for _, scan := range p.scans {
		for _, r := range scan.Records {
			switch {
			case r.Suppressed:
				at(r.Severity).Suppressed++
			case r.Outcome == assessment.OutcomeFail:
				at(r.Severity).Records++
			}
		}
	}
	for _, c := range p.results.Causes {
		at(c.Severity).Causes++
	}
	slices.SortFunc(out, func(a, b SeverityCount) int { return cmp.Compare(b.Severity, a.Severity) })
	return out
}

func (p *Package) risks() ([]RiskRow, error) {
	rows := []RiskRow{}
	if p.register == nil {
		return rows, nil
	}
	scale := matrix.NISTScale()
	criteria := risk.Criteria{Scales: []risk.Scale{{System: scale.System, Levels: scale.Levels}}}
	ranked, err := p.register.Top(0, criteria)
	// Five levels leave many risks equal: the word of the scanner goes before the
	// order of identifiers.
	slices.SortStableFunc(ranked, func(a, b risk.Ranked) int {
		if c, err := criteria.Compare(a.By, b.By); err != nil || c != 0 {
			return cmp.Compare(a.Rank, b.Rank)
		}
		return cmp.Compare(severityOf(b.Risk), severityOf(a.Risk))
	})
	for i, r := range ranked {
		row := RiskRow{Rank: i + 1, Title: oscal.ParseMarkup(r.Risk.Title, oscal.TypeMarkupLine).Plain(nil), Level: r.By.Level, Score: r.By.Score, Controls: r.Risk.Controls, Why: []string{}}
		for _, step := range r.By.Why {
			row.Why = append(row.Why, step.String())
		}
		rows = append(rows, row)
	}
	return rows, err
}

func severityOf(r risk.Risk) assessment.Severity {
	var s assessment.Severity
	word, _ := oscal.PropValue(&r.Props, oscal.Namespace, oscal.PropSeverity)
	if err := s.UnmarshalText([]byte(word)); err != nil {
		return 0
	}
	return s
}

func (p *Package) items() []ItemRow {
	rows := []ItemRow{}
	if p.poam == nil {
		return rows
	}
	today := assessment.DateOf(p.opts.AsOf)
	for _, item := range assessment.POAMItems(p.poam.Document) {
		rows = append(rows, ItemRow{Number: item.Number, Title: item.Title, Status: item.Status, Severity: item.Severity, Due: item.Due, Aging: item.Aging(today)})
	}
	// What is closed and what has no date comes last.
	last := func(i ItemRow) int {
		switch {
		case i.Status == "closed":
			return 2
		case i.Due.IsZero():
			return 1
		}
		return 0
	}
	slices.SortStableFunc(rows, func(a, b ItemRow) int {
		return cmp.Or(cmp.Compare(last(a), last(b)), a.Due.Compare(b.Due), cmp.Compare(b.Severity, a.Severity))
	})
	return rows
}

func (p *Package) vendorRows() ([]VendorRow, error) {
	rows := []VendorRow{}
	tiers, err := p.portfolio.Tiers(nil)
	if err != nil {
		return rows, err
	}
	names := map[string]string{}
	for _, v := range p.portfolio.Vendors {
		names[v.ID] = cmp.Or(v.ShortName, v.LegalName)
	}
	for i, e := range p.portfolio.Engagements {
		row := VendorRow{Tier: tiers[i].Tier, Vendor: names[e.Vendor], Service: e.Service, Status: e.Status.String(), Why: []string{}}
		for _, r := range tiers[i].Reasons {
			row.Why = append(row.Why, r.Factor+" "+r.Value)
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b VendorRow) int { return cmp.Compare(a.Tier, b.Tier) })
	return rows, nil
}

// topRisks and topItems bound what WriteText shows of long lists.
const (
	topRisks = 5
	topItems = 10
)

// WriteText writes the summary for a screen.
func (s Summary) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s, as of %s\nBaseline: %s\n", s.System, s.AsOf, s.Baseline)

	fmt.Fprintf(b, "\nControls by family and status\n  %-30s %8s", "", "controls")
	var shown []int // columns that are not empty
	for i, name := range s.Statuses {
		if s.Total.ByStatus[i] > 0 {
			shown = append(shown, i)
			fmt.Fprintf(b, "  %s", name)
		}
	}
	fmt.Fprintln(b)
	for _, f := range append(slices.Clone(s.Families), s.Total) {
		fmt.Fprintf(b, "  %-30s %8d", cut(strings.TrimSpace(f.Family+" "+f.Title), 30), f.Controls)
		for _, i := range shown {
			fmt.Fprintf(b, "  %*d", len(s.Statuses[i]), f.ByStatus[i])
		}
		fmt.Fprintln(b)
	}
	fmt.Fprintf(b, "Controls by verdict: ")
	for i, v := range s.Verdicts {
		if i > 0 {
			fmt.Fprint(b, ", ")
		}
		fmt.Fprintf(b, "%d %s", v.Controls, v.Verdict)
	}
	fmt.Fprintf(b, "; of %d objectives %d assessed one by one\n", s.Objectives, s.ObjectivesAssessed)

	fmt.Fprintf(b, "\nFindings by severity\n")
	for _, c := range s.Severities {
		fmt.Fprintf(b, "  %-14s %3d from %d scanner results", c.Severity, c.Causes, c.Records)
		if c.Suppressed > 0 {
			fmt.Fprintf(b, ", %d more suppressed", c.Suppressed)
		}
		fmt.Fprintln(b)
	}
	if len(s.Severities) == 0 {
		fmt.Fprintln(b, "  none")
	}

	if s.Unmapped > 0 {
		fmt.Fprintf(b, "  %d of them name no control of the baseline\n", s.Unmapped)
	}

	fmt.Fprintf(b, "\nTop risks (NIST SP 800-30 Rev. 1: initiation %s, impact %s as the system, adverse impact as the scanner's severity)\n", s.Initiation, s.Impact)
	for _, r := range s.Risks[:min(len(s.Risks), topRisks)] {
		fmt.Fprintf(b, "  %d. %s: %s", r.Rank, cut(r.Title, 60), r.Level)
		if r.Score != nil {
			fmt.Fprintf(b, " (%g of 10)", *r.Score)
		}
		if len(r.Controls) > 0 {
			fmt.Fprintf(b, ", affects %s", strings.Join(r.Controls, ", "))
		}
		fmt.Fprintln(b)
		for _, why := range r.Why {
			if !strings.HasSuffix(why, "(assessed)") { // an input: the tables below name it
				fmt.Fprintf(b, "       %s\n", why)
			}
		}
	}
	more(b, len(s.Risks), topRisks, "risk")

	open, overdue := 0, 0
	for _, i := range s.Items {
		if i.Status != "closed" {
			open++
		}
		if i.Aging.Overdue && i.Status != "closed" {
			overdue++
		}
	}
	fmt.Fprintf(b, "\nPlan of action and milestones: %d open, %d of them overdue, %d closed\n", open, overdue, len(s.Items)-open)
	if len(s.Unseen) > 0 {
		fmt.Fprintf(b, "  not seen in these scans, but not closed: %s\n", strings.Join(s.Unseen, ", "))
	}
	for _, i := range s.Items[:min(len(s.Items), topItems)] {
		due := "no date"
		switch {
		case i.Due.IsZero():
		case i.Aging.Overdue:
			due = fmt.Sprintf("%s, overdue by %s", i.Due, days(-i.Aging.Left))
		default:
			due = fmt.Sprintf("%s, in %s", i.Due, days(i.Aging.Left))
		}
		severity := ""
		if i.Severity != 0 {
			severity = i.Severity.String()
		}
		fmt.Fprintf(b, "  %-10s %-44s %-13s %-8s due %s\n", i.Number, cut(i.Title, 44), severity, i.Status, due)
	}
	more(b, len(s.Items), topItems, "item")

	fmt.Fprintf(b, "\nVendors by tier\n")
	for _, v := range s.Vendors {
		fmt.Fprintf(b, "  %s  %-40s %-14s", v.Tier, cut(v.Vendor+", "+v.Service, 40), v.Status)
		if len(v.Why) > 0 {
			fmt.Fprintf(b, " because of %s", strings.Join(v.Why, "; "))
		}
		fmt.Fprintln(b)
	}
	if len(s.Vendors) == 0 {
		fmt.Fprintln(b, "  none")
	}
	return b.Flush()
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

func more(w io.Writer, n, shown int, what string) {
	switch {
	case n == 0:
		fmt.Fprintln(w, "  none")
	case n > shown+1:
		fmt.Fprintf(w, "  and %d more %ss\n", n-shown, what)
	case n > shown:
		fmt.Fprintf(w, "  and one more %s\n", what)
	}
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
