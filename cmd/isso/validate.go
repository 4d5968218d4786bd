package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/internal/nearest"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/constraint"
	"github.com/issokit/issokit/oscal/schema"
)

// report is what validate says of one file in JSON.
type report struct {
	File     string    `json:"file"`
	Model    string    `json:"model,omitzero"`
	Version  string    `json:"oscal-version,omitzero"`
	Known    string    `json:"checked-as,omitzero"` // version by which a document of an unknown one was checked
	Valid    bool      `json:"valid"`
	Problems []finding `json:"problems"`
}

// validation is what the flags of validate ask for.
type validation struct {
	opts       constraint.Options
	reach      reach
	without    bool   // without constraints
	deprecated bool   // with values that are deprecated
	references string // off, on or strict
	relRoot    bool
	sets       []string
	schemaFile string
	schema     *schema.Schema
}

func validateCommand() *cobra.Command {
	var asJSON, quiet bool
	var format, level, now string
	var v validation
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Say all that is wrong with documents",
		Long: "Validate checks documents of all eight models in JSON, YAML and XML: syntax,\n" +
			"unknown, missing, duplicate and contradicting members, in XML their order, the form\n" +
			"of every value, the 340 constraints that the models define, those of the files that\n" +
			"--constraints names (Metaschema constraint XML), and whether references lead to\n" +
			"something, in the document and the others that are given with it.\n" +
			"Each problem is a line FILE:LINE:COLUMN: MESSAGE (at PLACE) [RULE], where PLACE is a\n" +
			"JSON Pointer or, in XML, a path like /catalog[1]/@uuid; what is not an error says its\n" +
			"level before the message. Lines whose level is note tell another place that the line\n" +
			"before is about. FILE may be - for the standard input, which is called stdin.\n" +
			"Documents that constraints refer to are read from the folder of the document and\n" +
			"those below it, or of --root; nothing is read from the network, --map gives the\n" +
			"file of a document that is referred to by a URL.\n" +
			"The exit status is 1 if there is an error in a document, and 2 if a file could not\n" +
			"be read; the others are checked all the same.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			if asJSON {
				format = "json"
			}
			if format != "text" && format != "json" && format != "sarif" {
				return fmt.Errorf("--format: expected text, json or sarif, found %q", format)
			}
			if v.references != "off" && v.references != "on" && v.references != "strict" {
				return fmt.Errorf("--references: expected off, on or strict, found %q", v.references)
			}
			if i := slices.Index(files, "-"); i >= 0 && slices.Contains(files[i+1:], "-") {
				return errors.New("validate: the standard input (-) can be read once only")
			}
			if level != "" {
				if err := v.opts.MinLevel.UnmarshalText([]byte(level)); err != nil {
					return fmt.Errorf("--level: %w", err)
				}
			}
			v.opts.Now = time.Now()
			if now != "" {
				t, err := time.Parse(time.RFC3339, now)
				if err != nil {
					return fmt.Errorf("--now: expected a time such as 2026-06-30T00:00:00Z, found %q", now)
				}
				v.opts.Now = t
			}
			if err := v.loadSets(cmd); err != nil {
				return err
			}
			if err := v.checkRules(); err != nil {
				return err
			}
			if err := v.loadSchema(); err != nil {
				return err
			}
			return v.run(cmd, files, format, quiet)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&asJSON, "json", false, "the same as --format json")
	flags.StringVar(&format, "format", "text", "text, json (an array with a report for each file), or sarif (SARIF 2.1.0)")
	flags.BoolVarP(&quiet, "quiet", "q", false, "print nothing for a valid file")
	flags.StringVar(&level, "level", "", "leave out what weighs less: debug, informational, warning, error or critical")
	flags.StringArrayVar(&v.sets, "constraints", nil, "file of a constraint set; may be repeated")
	flags.StringVar(&v.schemaFile, "schema", "", "JSON schema that the JSON form of the documents must pass too")
	flags.BoolVar(&v.without, "no-constraints", false, "leave out the constraints of the models")
	flags.BoolVar(&v.opts.OpenLists, "open-lists", false, "also report values that no list has where the lists allow others, as informational: they may be misspelt")
	flags.BoolVar(&v.deprecated, "deprecated", false, "also report values that are allowed but deprecated, as informational")
	flags.StringVar(&v.references, "references", "on", "off; on: report references that lead nowhere; strict: also those to documents that are not given")
	flags.BoolVar(&v.relRoot, "relative-root", false, "read a leading slash in constraint sets relative to their contexts")
	flags.StringArrayVar(&v.opts.Only, "rule", nil, "report this rule only; may be repeated")
	flags.StringArrayVar(&v.opts.Except, "not-rule", nil, "do not report this rule; may be repeated")
	v.reach.flags(cmd)
	flags.StringVar(&now, "now", "", "the present time for constraints, e.g. 2026-06-30T00:00:00Z; default is that of the clock")
	return cmd
}

// checkRules refuses a filter that names no rule: a misspelt one would make every
// document look valid.
func (v *validation) checkRules() error {
	filters := slices.Concat(v.opts.Only, v.opts.Except)
	if len(filters) == 0 {
		return nil
	}
	rules := constraint.Rules(append([]*constraint.Set{constraint.BuiltIn()}, v.opts.Sets...)...)
	for _, name := range filters {
		if slices.Contains(rules, name) {
			continue
		}
		if near := nearest.Name(name, rules); near != "" {
			return fmt.Errorf("validate: there is no rule %q; did you mean %s?", name, near)
		}
		return fmt.Errorf("validate: there is no rule %q; the rules of a set that --constraints names are known too", name)
	}
	return nil
}

// An input is a file that validate was given.
type input struct {
	file string
	doc  *oscal.Document // nil if there was none in it
	err  error           // what reading it ended with
}

// problems are what is wrong with the text of an input; ok is false for one that
// could not be read at all.
func (in *input) problems() (ps oscal.Problems, ok bool) {
	ps, ok = errors.AsType[oscal.Problems](in.err)
	return ps, ok || in.err == nil
}

// A checked input is what is to be said of it.
type checked struct {
	report report
	found  []constraint.Finding
	err    error // why the validation could not be done at all
}

// run validates files and prints what is wrong with them, in their order.
func (v *validation) run(cmd *cobra.Command, files []string, format string, quiet bool) error {
	inputs := make([]input, len(files))
	// All are read first: references may lead from any to any other.
	for i, in := range inOrder(len(files), func(i int) input {
		doc, err := readDocument(cmd, files[i])
		return input{shown(files[i]), doc, err}
	}) {
		inputs[i] = in
	}
	out := cmd.OutOrStdout()
	reports := []report{}
	var all []constraint.Finding
	var failed error
	documents := given(inputs)
	for i, c := range inOrder(len(inputs), func(i int) checked { return v.input(cmd, &inputs[i], documents) }) {
		if c.err != nil {
			return c.err
		}
		in := &inputs[i]
		_, readable := in.problems()
		if !readable {
			fmt.Fprintf(cmd.ErrOrStderr(), "isso: %v\n", in.err)
			failed = errUnreadable
		} else if !c.report.Valid && failed == nil {
			failed = errProblems
		}
		switch format {
		case "json":
			reports = append(reports, c.report)
		case "sarif":
			all = append(all, inRepository(c.found)...)
		default:
			if readable {
				printFindings(out, c.found, in.doc)
			}
			if c.report.Valid && !quiet {
				fmt.Fprintln(out, c.report.verdict())
			}
		}
	}
	var err error
	switch format {
	case "json":
		err = printJSON(out, reports)
	case "sarif":
		err = constraint.WriteSARIF(out, all, &constraint.SARIFOptions{Tool: "isso", Version: moduleVersion()})
	}
	if err != nil {
		return err
	}
	return failed
}

// inRepository gives files in the present folder and below it relative names:
// code scanning shows findings at files of the repository it runs in.
func inRepository(found []constraint.Finding) []constraint.Finding {
	here, err := os.Getwd()
	if err != nil {
		return found
	}
	relative := func(name *string) {
		if !filepath.IsAbs(*name) {
			return
		}
		if rel, err := filepath.Rel(here, *name); err == nil && filepath.IsLocal(rel) {
			*name = rel
		}
	}
	for i := range found {
		relative(&found[i].File)
		for j := range found[i].Related {
			relative(&found[i].Related[j].File)
		}
	}
	return found
}

// verdict is the line about a valid document. A version that nobody here knows
// cannot be called valid.
func (r *report) verdict() string {
	if r.Known != "" {
		return fmt.Sprintf("%s: valid %s by the model of OSCAL %s; its own version %q is unknown", r.File, r.Model, r.Known, r.Version)
	}
	return fmt.Sprintf("%s: valid %s, OSCAL %s", r.File, r.Model, r.Version)
}

// input validates the document of an input among those that were given with it.
func (v *validation) input(cmd *cobra.Command, in *input, documents map[string]*oscal.Document) checked {
	doc := in.doc
	problems, readable := in.problems()
	r := report{File: in.file, Valid: in.err == nil}
	if doc == nil {
		found := constraint.StructureFindings(problems)
		if !readable {
			found = []constraint.Finding{{Level: constraint.LevelError, Rule: "unreadable", File: in.file, Message: in.err.Error(), Err: in.err}}
		}
		r.Problems = findingsJSON(found)
		return checked{report: r, found: found}
	}
	r.Model, r.Version = doc.Model(), doc.Version()
	if _, ok := oscal.ParseVersion(r.Version); !ok {
		r.Known = oscal.ModelVersion
	}
	folder, err := v.reach.open(in.file, "")
	if err != nil {
		return checked{err: err}
	}
	defer folder.Close()
	opts := v.opts
	opts.Loader, opts.ResolveProfile = folder, folder.resolve
	if v.without {
		opts.NoBuiltIn, opts.Sets = true, nil
	}
	res, err := constraint.Validate(cmd.Context(), doc, &opts)
	if err != nil {
		return checked{err: err}
	}
	found := onePerFault(res.Findings)
	if v.schema != nil {
		ps, err := v.schema.Validate(doc)
		if err != nil {
			return checked{err: err}
		}
		found = append(found, v.filter(constraint.StructureFindings(ps))...)
	}
	if v.deprecated && opts.MinLevel <= constraint.LevelInformational {
		found = append(found, res.Notices...)
	}
	if v.references != "off" {
		found = withReferences(found, doc, v.dangling(doc, documents, folder))
	}
	for i := range found {
		r.Valid = r.Valid && found[i].Level < constraint.LevelError
	}
	r.Problems = findingsJSON(found)
	return checked{r, found, nil}
}

// loadSets loads the sets that --constraints names, and tells what is wrong with
// any of them.
func (v *validation) loadSchema() error {
	if v.schemaFile == "" {
		return nil
	}
	f, err := os.Open(v.schemaFile)
	if err != nil {
		return err
	}
	defer f.Close()
	v.schema, err = schema.Compile(v.schemaFile, f)
	return err
}

func (v *validation) loadSets(cmd *cobra.Command) error {
	var wrong []error
	for _, file := range v.sets {
		set, err := v.loadSet(cmd, file)
		wrong = append(wrong, err)
		v.opts.Sets = append(v.opts.Sets, set)
	}
	return errors.Join(wrong...)
}

func (v *validation) loadSet(cmd *cobra.Command, file string) (*constraint.Set, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	loader, err := v.reach.open(file, "")
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	return constraint.Load(cmd.Context(), file, f, &constraint.LoadOptions{Loader: loader, RelativeRoot: v.relRoot})
}

// printFindings prints a line for each finding and one for each other place that
// it is about, in the notation of the document's format.
func printFindings(w io.Writer, found []constraint.Finding, doc *oscal.Document) {
	for _, f := range found {
		fmt.Fprintln(w, f.Error())
		for _, r := range f.Related {
			place := r.Pointer
			if doc != nil && doc.Format() == oscal.XML && r.Path != "" {
				place = r.Path
			}
			fmt.Fprintf(w, "%s:%s: note: %s (at %s)\n", r.File, r.Position, r.Message, place)
		}
	}
}

func findingsJSON(found []constraint.Finding) []finding {
	out := make([]finding, len(found))
	for i, f := range found {
		out[i] = finding{
			Level: f.Level.String(), Rule: f.Rule, File: f.File, Line: f.Position.Line, Column: f.Position.Column, Offset: f.Position.Offset,
			Pointer: f.Pointer, Path: f.Path, Message: f.Message,
		}
		if f.Kind != 0 {
			out[i].Kind = f.Kind.String()
		}
		for _, r := range f.Related {
			out[i].Related = append(out[i].Related, relatedPlace{r.File, r.Position.Line, r.Position.Column, r.Pointer, r.Path, r.Message})
		}
	}
	return out
}
