package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/internal/strictyaml"
	"github.com/issokit/issokit/risk/matrix"
	"github.com/issokit/issokit/risk/vuln"
)

// A scoreItem is one thing to score: from flags, or an element of the array in a
// file. Every method that is given is applied.
type scoreItem struct {
	ID      string              `yaml:"id"`
	CVSS    string              `yaml:"cvss"`    // vector
	Claimed *float64            `yaml:"claimed"` // score that somebody states for the vector
	OWASP   string              `yaml:"owasp"`   // vector of factors
	NIST    []string            `yaml:"nist"`    // likelihood of initiation or occurrence, of adverse impact, level of impact
	Matrix  string              `yaml:"matrix"`  // file of a matrix
	Levels  []string            `yaml:"levels"`  // of its axes
	SSVC    string              `yaml:"ssvc"`    // built-in table, or file of a table
	Facts   map[string][]string `yaml:"facts"`

	place string // FILE:LINE:COLUMN, of one from a file
}

// A scoreResult is an answer in JSON output.
type scoreResult struct {
	ID       string      `json:"id,omitzero"`
	Method   string      `json:"method"`
	Input    string      `json:"input"`
	System   string      `json:"system"`
	Version  string      `json:"version,omitzero"`
	Level    string      `json:"level"`
	Score    *float64    `json:"score,omitzero"`
	Possible []string    `json:"possible,omitzero"` // where facts are not known
	Claim    string      `json:"claim,omitzero"`    // which score of the vector a stated number is
	Digest   string      `json:"digest,omitzero"`
	Why      []scoreStep `json:"why"`
}

type scoreStep struct {
	Rule  string `json:"rule"`
	Name  string `json:"name"`
	Value string `json:"value"`
	Text  string `json:"text,omitzero"`
}

func riskScoreCommand() *cobra.Command {
	var flags struct {
		cvss, facts           []string
		owasp, nist, ssvc     string
		matrix, file, records string
		claimed               float64
		explain, asJSON       bool
	}
	cmd := &cobra.Command{
		Use:   "score",
		Short: "Score with CVSS, OWASP, SP 800-30, an own matrix or SSVC",
		Long: "Score rates what the flags say, or every element of a list in a file:\n" +
			"objects with id and any of cvss (a vector), claimed, owasp (a vector of factors),\n" +
			"nist (three levels), matrix (a file) with levels, ssvc (a table) with facts.\n" +
			"A fact that is not given is not known: all outcomes that are possible are told.\n" +
			"With --records it checks the scores that CVE, NVD and OSV records state.",
		Example: "  isso risk score --cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H --explain\n" +
			"  isso risk score --ssvc deployer --fact exploitation=active --fact exposure=open\n" +
			"  isso risk score --nist high,moderate,very-high\n" +
			"  isso risk score --matrix own.json LIKELIHOOD IMPACT",
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.records != "" {
				return scoreRecords(cmd, flags.records)
			}
			items, err := readScoreItems(cmd, flags.file)
			if err != nil {
				return told(cmd, err)
			}
			for _, v := range flags.cvss {
				item := scoreItem{CVSS: v}
				if cmd.Flags().Changed("claimed") {
					item.Claimed = &flags.claimed
				}
				items = append(items, item)
			}
			one := scoreItem{OWASP: flags.owasp, Matrix: flags.matrix, Levels: args, SSVC: flags.ssvc}
			if flags.nist != "" {
				one.NIST = strings.Split(flags.nist, ",")
			}
			if one.Facts, err = parseFacts(flags.facts); err != nil {
				return err
			}
			if len(one.Levels) > 0 && one.Matrix == "" {
				return fmt.Errorf("levels of a matrix are given, expected --matrix with its file")
			}
			if len(one.Facts) > 0 && one.SSVC == "" {
				return fmt.Errorf("facts are given, expected --ssvc with a table")
			}
			if one.OWASP != "" || one.NIST != nil || one.Matrix != "" || one.SSVC != "" {
				items = append(items, one)
			}
			if len(items) == 0 && flags.file == "" {
				return errors.New("nothing to score: expected --cvss, --owasp, --nist, --matrix, --ssvc, --file or --records")
			}
			return printScores(cmd, items, flags.explain, flags.asJSON)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&flags.cvss, "cvss", nil, "CVSS vector of any version; may be repeated")
	f.Float64Var(&flags.claimed, "claimed", 0, "score that is stated for the CVSS vector: say which of its scores it is")
	f.StringVar(&flags.owasp, "owasp", "", "OWASP Risk Rating vector, e.g. SL:5/M:2/...")
	f.StringVar(&flags.nist, "nist", "", "SP 800-30 levels: likelihood of initiation, of adverse impact, level of impact")
	f.StringVar(&flags.matrix, "matrix", "", "file of an own matrix; its levels are the arguments")
	f.StringVar(&flags.ssvc, "ssvc", "", "SSVC table: coordinator, deployer, supplier, human-impact, utility, bod-26-04, or a file")
	f.StringArrayVar(&flags.facts, "fact", nil, "fact for the SSVC table, point=answer or point=answer|answer; may be repeated")
	f.StringVar(&flags.file, "file", "", "list of things to score in JSON or YAML, - for the standard input")
	f.StringVar(&flags.records, "records", "", "file of CVE, NVD or OSV records whose scores are checked, - for the standard input")
	f.BoolVar(&flags.explain, "explain", false, "print how each score came about")
	f.BoolVar(&flags.asJSON, "json", false, "print a JSON array")
	return cmd
}

// openInput opens a file, "-" for the standard input.
func openInput(cmd *cobra.Command, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(cmd.InOrStdin()), nil
	}
	return os.Open(name)
}

func readScoreItems(cmd *cobra.Command, name string) ([]scoreItem, error) {
	if name == "" {
		return nil, nil
	}
	name, data, err := readText(cmd, name)
	if err != nil {
		return nil, err
	}
	var items []scoreItem
	places, problems := strictyaml.Decode(data, &items)
	if problems != nil {
		return nil, inFile(name, problems)
	}
	for i := range items {
		line, column := places.At(item("", i))
		items[i].place = fmt.Sprintf("%s:%d:%d: ", name, line, column)
	}
	return items, nil
}

func parseFacts(list []string) (map[string][]string, error) {
	if list == nil {
		return nil, nil
	}
	facts := map[string][]string{}
	for _, f := range list {
		name, value, ok := strings.Cut(f, "=")
		if !ok || name == "" || value == "" {
			return nil, fmt.Errorf("expected a fact such as exploitation=active, found %q", f)
		}
		facts[name] = append(facts[name], strings.Split(value, "|")...)
	}
	return facts, nil
}

// rate applies every method that an item has. The errors of all methods come
// together; the other results come with them.
func (item scoreItem) rate() ([]scoreResult, error) {
	var out []scoreResult
	var errs []error
	add := func(method, input string, r matrix.Rating, err error) *scoreResult {
		if err != nil {
			errs = append(errs, err)
			return nil
		}
		why := make([]scoreStep, len(r.Why))
		for i, s := range r.Why {
			why[i] = scoreStep(s)
		}
		out = append(out, scoreResult{ID: item.ID, Method: method, Input: input, System: r.System, Version: r.Version, Level: r.Level, Score: r.Score, Digest: r.Digest, Why: why})
		return &out[len(out)-1]
	}
	if item.CVSS != "" {
		v, err := vuln.ParseVector(item.CVSS)
		r := add("CVSS", v.String(), shared(v.Rate()), err)
		if r != nil && item.Claimed != nil {
			if verdict, err := vuln.Check(item.CVSS, *item.Claimed); err != nil {
				errs = append(errs, err)
			} else {
				r.Claim = verdict.Claim.String()
			}
		}
	}
	if item.OWASP != "" {
		o, err := matrix.ParseOWASP(item.OWASP)
		var r matrix.Rating
		if err == nil {
			r, err = o.Rate()
		}
		add("OWASP", item.OWASP, r, err)
	}
	if item.NIST != nil {
		r, err := rateNIST(item.NIST)
		add("SP 800-30", strings.Join(item.NIST, ","), r, err)
	}
	if item.Matrix != "" {
		r, possible, err := rateMatrix(item.Matrix, item.Levels)
		if x := add(item.Matrix, strings.Join(item.Levels, ","), r, err); x != nil {
			x.Possible = possible
		}
	}
	if item.SSVC != "" {
		d, err := decide(item.SSVC, item.Facts)
		if x := add("SSVC", item.SSVC, shared(d.Rate()), err); x != nil && !d.Determined() {
			for _, o := range d.Outcomes {
				x.Possible = append(x.Possible, strings.ToLower(o.Name))
			}
		}
	}
	if item.CVSS == "" && item.OWASP == "" && item.NIST == nil && item.Matrix == "" && item.SSVC == "" {
		errs = append(errs, errors.New("expected cvss, owasp, nist, matrix or ssvc, found none"))
	}
	return out, errors.Join(errs...)
}

// shared carries a rating of risk/vuln over into that of risk/matrix, which has
// the same shape.
func shared(r vuln.Rating) matrix.Rating {
	why := make([]matrix.Step, len(r.Why))
	for i, s := range r.Why {
		why[i] = matrix.Step(s)
	}
	return matrix.Rating{System: r.System, Version: r.Version, Level: r.Level, Score: r.Score, Why: why, Digest: r.Digest}
}

func rateNIST(levels []string) (matrix.Rating, error) {
	if len(levels) != 3 {
		return matrix.Rating{}, fmt.Errorf("expected three levels for SP 800-30, likelihood of initiation, of adverse impact, and level of impact, found %d", len(levels))
	}
	var q [3]matrix.Qualitative
	for i, name := range levels {
		var err error
		if q[i], err = matrix.ParseQualitative(strings.TrimSpace(name)); err != nil {
			return matrix.Rating{}, err
		}
	}
	return matrix.ThreatEvent{Initiation: q[0], AdverseImpact: q[1], Impact: q[2]}.Rate()
}

// rateMatrix rates by the matrix in a file; a level "?" is not known.
func rateMatrix(name string, levels []string) (matrix.Rating, []string, error) {
	f, err := os.Open(name)
	if err != nil {
		return matrix.Rating{}, nil, err
	}
	defer f.Close()
	m, err := matrix.Load(f, nil)
	if err != nil {
		return matrix.Rating{}, nil, fmt.Errorf("%s: %w", name, err)
	}
	known := make([]string, len(levels))
	unknown := false
	for i, l := range levels {
		if l != "?" {
			known[i] = l
		} else {
			unknown = true
		}
	}
	if !unknown {
		r, err := m.Rate(levels...)
		return r, nil, err
	}
	possible, err := m.Possible(known...)
	if err != nil {
		return matrix.Rating{}, nil, err
	}
	return matrix.Rating{System: m.Scale().System, Level: possible[len(possible)-1]}, possible, nil
}

func decide(table string, facts map[string][]string) (vuln.Decision, error) {
	t, err := vuln.LookupTable(table)
	if err != nil {
		f, openErr := os.Open(table)
		if openErr != nil {
			return vuln.Decision{}, err
		}
		defer f.Close()
		if t, err = vuln.LoadTable(f); err != nil {
			return vuln.Decision{}, fmt.Errorf("%s: %w", table, err)
		}
	}
	return t.Decide(facts)
}

func printScores(cmd *cobra.Command, items []scoreItem, explain, asJSON bool) error {
	results := []scoreResult{}
	failed := false
	for i, item := range items {
		out, err := item.rate()
		results = append(results, out...)
		if err != nil {
			failed = true
			name := item.ID
			if name == "" {
				name = fmt.Sprintf("item %d", i+1)
			}
			for line := range strings.Lines(err.Error()) {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s%s: %s\n", item.place, name, strings.TrimSuffix(line, "\n"))
			}
		}
	}
	w := cmd.OutOrStdout()
	if asJSON {
		if err := printJSON(w, results); err != nil {
			return err
		}
	} else {
		for _, r := range results {
			fmt.Fprintln(w, r.line())
			for _, s := range r.Why {
				if explain {
					fmt.Fprintf(w, "  %s\n", matrix.Step(s))
				}
			}
		}
	}
	if failed {
		return errProblems
	}
	return nil
}

// line is a result in one line.
func (r scoreResult) line() string {
	var b strings.Builder
	if r.ID != "" {
		b.WriteString(r.ID + ": ")
	}
	b.WriteString(r.Method)
	switch {
	case r.Method == "CVSS":
		fmt.Fprintf(&b, " %s %.1f", r.Version, *r.Score)
	case r.Score != nil:
		fmt.Fprintf(&b, " %g", *r.Score)
	}
	b.WriteString(" " + r.Level)
	if r.Possible != nil {
		fmt.Fprintf(&b, " (possible: %s)", strings.Join(r.Possible, ", "))
	}
	if r.Claim != "" {
		fmt.Fprintf(&b, ", the claimed score is: %s", r.Claim)
	}
	if r.Input != "" {
		b.WriteString(" [" + r.Input + "]")
	}
	return b.String()
}

// scoreRecords compares the scores that records state with those of their
// vectors.
func scoreRecords(cmd *cobra.Command, name string) error {
	r, err := openInput(cmd, name)
	if err != nil {
		return err
	}
	defer r.Close()
	w := cmd.OutOrStdout()
	problems := false
	for rec, err := range vuln.ReadRecords(r, nil) {
		if err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: %v\n", name, err)
			return errProblems
		}
		for _, p := range rec.Problems {
			problems = true
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s: %v\n", name, rec.ID, p)
		}
		for _, s := range rec.Stated {
			fmt.Fprintf(w, "%s: CVSS %v %v %v", rec.ID, s.Vector.Version(), s.Vector.Score(), s.Vector.Severity())
			if !math.IsNaN(s.Score) {
				v, err := vuln.Check(s.Vector.String(), s.Score)
				if err != nil {
					return err
				}
				fmt.Fprintf(w, ", %s states %v: %v", s.By, s.Score, v.Claim)
				problems = problems || v.Claim == vuln.ClaimWrong
			}
			fmt.Fprintf(w, " [%v]\n", s.Vector)
		}
	}
	if problems {
		return errProblems
	}
	return nil
}
