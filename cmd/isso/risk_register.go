package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

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
			"of bounds. Scales, appetite, tolerance, authorities and terms come from a JSON file\n" +
			"of criteria. The exit status is 1 if there are problems or breaches.",
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
				if criteria, err = readCriteria(criteriaFile); err != nil {
					return err
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
			r := summarizeRisks(risks, criteria, now)
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
	cmd.Flags().StringVar(&criteriaFile, "criteria", "", "JSON file of criteria: scales, appetites, authorities, terms")
	cmd.Flags().StringVar(&asOf, "as-of", "", "date at which things are overdue or expired; default now")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

func readCriteria(name string) (risk.Criteria, error) {
	var c risk.Criteria
	f, err := os.Open(name)
	if err != nil {
		return c, err
	}
	defer f.Close()
	dec := json.NewDecoder(f)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return c, fmt.Errorf("%s: offset %d: expected criteria: %w", name, dec.InputOffset(), err)
	}
	if err := c.Check(); err != nil {
		return c, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// documentRisks returns the risks of a document in its order.
func documentRisks(doc *oscal.Document) ([]oscal.Risk, error) {
	switch doc.Model() {
	case "plan-of-action-and-milestones":
		v, err := oscal.As[oscal.PlanOfActionAndMilestones](doc)
		if err := lostRisks(err); err != nil {
			return nil, err
		}
		return oscal.Items(v.Risks), nil
	case "assessment-results":
		v, err := oscal.As[oscal.AssessmentResults](doc)
		if err := lostRisks(err); err != nil {
			return nil, err
		}
		var out []oscal.Risk
		for _, r := range v.Results {
			out = append(out, oscal.Items(r.Risks)...)
		}
		return out, nil
	}
	return nil, fmt.Errorf("%s: expected assessment-results or a plan-of-action-and-milestones, found a %s", doc.Name(), doc.Model())
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

func summarizeRisks(list []oscal.Risk, criteria risk.Criteria, now time.Time) registerReport {
	r := registerReport{Risks: len(list), States: []counted{}, Levels: []counted{}, Breaches: []foundBreach{}, Problems: []riskProblem{}}
	problem := func(id string, err error) {
		for line := range strings.Lines(err.Error()) {
			r.Problems = append(r.Problems, riskProblem{id, strings.TrimSuffix(line, "\n")})
		}
	}
	seen := map[string]bool{}
	for _, x := range list {
		k, err := risk.FromOSCAL(x)
		if err != nil {
			problem(x.UUID, err)
		}
		if seen[k.ID] {
			problem(x.UUID, fmt.Errorf("risk %s stands twice", k.ID))
		}
		seen[k.ID] = true
		for _, c := range oscal.Items(x.Characterizations) {
			for _, f := range c.Facets {
				for _, rule := range risk.CheckFacet(f) {
					problem(x.UUID, fmt.Errorf("facet %s %s = %q violates %s", f.System, f.Name, f.Value, rule))
				}
			}
		}
		count(&r.States, k.State.String())
		if a, ok := k.Standing(); ok {
			count(&r.Levels, a.System+" "+a.Level)
		} else {
			count(&r.Levels, "not rated")
		}
		breaches, err := criteria.Breaches(k, now)
		if err != nil && len(criteria.Scales) > 0 {
			problem(x.UUID, err)
		}
		for _, b := range breaches {
			r.Breaches = append(r.Breaches, foundBreach{k.ID, k.Title, b.Kind.String(), b.Warning, b.Since, b.Text})
		}
	}
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
		fmt.Fprintf(w, "problem: %s: %s\n", p.Risk, p.Message)
	}
}
