package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/internal/strictyaml"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/risk"
)

// A registerReport is what isso risk register found, in JSON output.
type registerReport struct {
	File     string        `json:"file"`
	Risks    int           `json:"risks"`
	States   []counted     `json:"states"`
	Levels   []counted     `json:"levels"` // of the standing assessments, by system
	Breaches []foundBreach `json:"breaches"`
	Problems []riskProblem `json:"problems"`
}

type counted struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

type foundBreach struct {
	Risk    string    `json:"risk"`
	Title   string    `json:"title"`
	Kind    string    `json:"kind"`
	Warning bool      `json:"warning,omitzero"`
	Since   time.Time `json:"since,omitzero"`
	Text    string    `json:"text"`
}

type riskProblem struct {
	Risk    string `json:"risk"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

func riskRegisterCommand() *cobra.Command {
	var criteriaFile, asOf string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "register FILE",
		Short: "Check and summarize the risks of an OSCAL document",
		Long: "Register reads the risks of assessment results or of a plan of action and\n" +
			"milestones, checks them and their facets, and says what is overdue, expired or out\n" +
			"of bounds. Scales, appetite, tolerance, authorities and terms come from a file of\n" +
			"criteria in JSON or YAML. The exit status is 1 if there are problems or breaches.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			now := time.Now().UTC()
			if asOf != "" {
				day, err := time.Parse(time.DateOnly, asOf)
				if err != nil {
					return fmt.Errorf("expected a date such as 2026-06-30, found %q", asOf)
				}
				now = day
			}
			var criteria risk.Criteria
			if criteriaFile != "" {
				var err error
				if criteria, err = readCriteria(cmd, criteriaFile); err != nil {
					return told(cmd, err)
				}
			}
			doc, err := readAnyway(cmd, args[0])
			if err != nil {
				return err
			}
			risks, err := documentRisks(doc)
			if err != nil {
				return err
			}
			r := summarizeRisks(doc, risks, criteria, now)
			r.File = args[0]
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), r)
			} else {
				r.print(cmd.OutOrStdout())
			}
			late := slices.ContainsFunc(r.Breaches, func(b foundBreach) bool { return !b.Warning })
			if err == nil && (late || len(r.Problems) > 0) {
				return errProblems
			}
			return err
		},
	}
	cmd.Flags().StringVar(&criteriaFile, "criteria", "", "file of criteria: scales, appetites, authorities, terms")
	cmd.Flags().StringVar(&asOf, "as-of", "", "date at which things are overdue or expired; default now")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

func readCriteria(cmd *cobra.Command, name string) (risk.Criteria, error) {
	var c risk.Criteria
	name, data, err := readText(cmd, name)
	if err != nil {
		return c, err
	}
	places, problems := strictyaml.Decode(data, &c)
	if places != nil {
		ps, _ := errors.AsType[risk.Problems](c.Check())
		told := slices.Clone(problems)
		for _, p := range ps {
			at := "/" + p.Pointer
			if slices.ContainsFunc(told, func(t strictyaml.Problem) bool { return t.Pointer == at || strings.HasPrefix(t.Pointer, at+"/") }) {
				continue // what was read is not what was meant
			}
			line, column := places.At(at)
			problems = append(problems, strictyaml.Problem{Line: line, Column: column, Pointer: at, Message: p.Err.Error()})
		}
	}
	if problems != nil {
		return c, inFile(name, problems)
	}
	return c, nil
}

// A placedRisk is a risk and where it stands in its document.
type placedRisk struct {
	oscal.Risk
	pointer string
}

// documentRisks returns the risks of a document in its order.
func documentRisks(doc *oscal.Document) ([]placedRisk, error) {
	var out []placedRisk
	add := func(pointer string, risks []oscal.Risk) {
		for i, r := range risks {
			out = append(out, placedRisk{r, fmt.Sprintf("/%s%s/risks/%d", doc.Model(), pointer, i)})
		}
	}
	switch doc.Model() {
	case "plan-of-action-and-milestones":
		v, err := oscal.As[oscal.PlanOfActionAndMilestones](doc)
		if err := lostRisks(err); err != nil {
			return nil, err
		}
		add("", oscal.Items(v.Risks))
	case "assessment-results":
		v, err := oscal.As[oscal.AssessmentResults](doc)
		if err := lostRisks(err); err != nil {
			return nil, err
		}
		for i, r := range v.Results {
			add(item("/results", i), oscal.Items(r.Risks))
		}
	default:
		return nil, fmt.Errorf("%s: expected assessment-results or a plan-of-action-and-milestones, found a %s", doc.Name(), doc.Model())
	}
	return out, nil
}

// lostRisks drops an error that is only about parts of a document, other than its
// risks, that its typed view cannot hold.
func lostRisks(err error) error {
	losses, ok := errors.AsType[oscal.Losses](err)
	if !ok {
		return err
	}
	for _, l := range losses {
		if strings.Contains(l.Node.Pointer()+"/", "/risks/") {
			return err
		}
	}
	return nil
}

func summarizeRisks(doc *oscal.Document, list []placedRisk, criteria risk.Criteria, now time.Time) registerReport {
	r := registerReport{Risks: len(list), States: []counted{}, Levels: []counted{}, Breaches: []foundBreach{}, Problems: []riskProblem{}}
	seen := map[string]bool{}
	for _, x := range list {
		// problem notes an error at a part of the risk, or at what is there around it.
		problem := func(part string, err error) {
			at := strings.TrimSuffix(x.pointer+"/"+part, "/")
			node := doc.At(at)
			for node == nil && at != "" {
				at = at[:strings.LastIndexByte(at, '/')]
				node = doc.At(at)
			}
			p := doc.Position(node)
			r.Problems = append(r.Problems, riskProblem{x.UUID, p.Line, p.Column, at, err.Error()})
		}
		problems := func(err error) {
			list, ok := errors.AsType[risk.Problems](err)
			for _, p := range list {
				problem(p.Pointer, p.Err)
			}
			if err != nil && !ok {
				problem("", err)
			}
		}
		k, err := risk.FromOSCAL(x.Risk)
		problems(err)
		if seen[k.ID] {
			problem("uuid", fmt.Errorf("risk %s stands twice", k.ID))
		}
		seen[k.ID] = true
		for i, c := range oscal.Items(x.Characterizations) {
			for j, f := range c.Facets {
				for _, rule := range risk.CheckFacet(f) {
					problem(fmt.Sprintf("characterizations/%d/facets/%d", i, j), fmt.Errorf("facet %s %s = %q violates %s", f.System, f.Name, f.Value, rule))
				}
			}
		}
		if k.State == 0 {
			problem("status", fmt.Errorf("expected the status open, investigating, remediating, deviation-requested, deviation-approved or closed, found %q", x.Status))
			count(&r.States, fmt.Sprintf("unknown (%s)", x.Status))
		} else {
			count(&r.States, k.State.String())
		}
		switch a, ok := k.Standing(); {
		case !ok:
			count(&r.Levels, "not rated")
		case a.Level == "":
			count(&r.Levels, a.System+" by annual loss")
		default:
			count(&r.Levels, a.System+" "+a.Level)
		}
		breaches, err := criteria.Breaches(k, now)
		if err != nil && len(criteria.Scales) > 0 {
			problems(err)
		}
		for _, b := range breaches {
			r.Breaches = append(r.Breaches, foundBreach{k.ID, k.Title, b.Kind.String(), b.Warning, b.Since, b.Text})
		}
	}
	slices.SortStableFunc(r.Problems, func(a, b riskProblem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return r
}

// count counts a name, in the order in which names come first.
func count(list *[]counted, name string) {
	for i := range *list {
		if (*list)[i].Name == name {
			(*list)[i].Count++
			return
		}
	}
	*list = append(*list, counted{name, 1})
}

func (r registerReport) print(w io.Writer) {
	fmt.Fprintf(w, "%s: %d risks\n", r.File, r.Risks)
	for _, part := range []struct {
		name string
		list []counted
	}{{"state", r.States}, {"level", r.Levels}} {
		for _, c := range part.list {
			fmt.Fprintf(w, "  %6d %s %s\n", c.Count, part.name, c.Name)
		}
	}
	for _, b := range r.Breaches {
		kind := "breach"
		if b.Warning {
			kind = "warning"
		}
		fmt.Fprintf(w, "%s: %s: %s", kind, b.Risk, b.Text)
		if !b.Since.IsZero() {
			fmt.Fprintf(w, ", since %s", b.Since.Format(time.DateOnly))
		}
		fmt.Fprintf(w, " (%s)\n", b.Title)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(w, "%s:%d:%d: risk %s: %s (at %s)\n", r.File, p.Line, p.Column, p.Risk, p.Message, p.Pointer)
	}
}
