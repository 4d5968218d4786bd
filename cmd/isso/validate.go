package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/constraint"
)

// report is what validate says of one file in JSON.
type report struct {
	File     string    `json:"file"`
	Model    string    `json:"model,omitzero"`
	Version  string    `json:"oscal-version,omitzero"`
	Valid    bool      `json:"valid"`
	Problems []finding `json:"problems"`
}

// validation is what the flags of validate ask for.
type validation struct {
	opts    constraint.Options
	folder  string
	mapped  map[string]string
	only    bool // structure only
	relRoot bool
	sets    []string
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
			"of every value, the 340 constraints that the models define, and those of the files\n" +
			"that --constraints names (Metaschema constraint XML).\n" +
			"Each problem is a line FILE:LINE:COLUMN: MESSAGE (at PLACE) [RULE], where PLACE is a\n" +
			"JSON Pointer or, in XML, a path like /catalog[1]/@uuid; what is not an error says its\n" +
			"level before the message. FILE may be - for the standard input.\n" +
			"Documents that constraints refer to are read from the folder of the document and\n" +
			"those below it, or of --root; nothing is read from the network, --map gives the\n" +
			"file of a document that is referred to by a URL.\n" +
			"The exit status is 1 if there is an error in a document.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			if asJSON {
				format = "json"
			}
			if format != "text" && format != "json" && format != "sarif" {
				return fmt.Errorf("--format: expected text, json or sarif, found %q", format)
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
			return v.run(cmd, files, format, quiet)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&asJSON, "json", false, "the same as --format json")
	flags.StringVar(&format, "format", "text", "text, json (an array with a report for each file), or sarif (SARIF 2.1.0)")
	flags.BoolVarP(&quiet, "quiet", "q", false, "print nothing for a valid file")
	flags.StringVar(&level, "level", "", "leave out what weighs less: debug, informational, warning, error or critical")
	flags.StringArrayVar(&v.sets, "constraints", nil, "file of a constraint set; may be repeated")
	flags.BoolVar(&v.only, "no-constraints", false, "check the structure only")
	flags.BoolVar(&v.relRoot, "relative-root", false, "read a leading slash in constraint sets relative to their contexts")
	flags.StringArrayVar(&v.opts.Only, "rule", nil, "report this rule only; may be repeated")
	flags.StringArrayVar(&v.opts.Except, "not-rule", nil, "do not report this rule; may be repeated")
	flags.StringVar(&v.folder, "root", "", "folder from which documents may be read; default is that of the document")
	flags.StringToStringVar(&v.mapped, "map", nil, "URI=FILE: the file of a document that is referred to by this URI")
	flags.StringVar(&now, "now", "", "the present time for constraints, e.g. 2026-06-30T00:00:00Z; default is that of the clock")
	return cmd
}

// run validates files and prints what is wrong with them.
func (v *validation) run(cmd *cobra.Command, files []string, format string, quiet bool) error {
	out := cmd.OutOrStdout()
	reports := []report{}
	var all []constraint.Finding
	var failed error
	for _, file := range files {
		r, found, err := v.file(cmd, file)
		if err != nil {
			return err
		}
		if !r.Valid {
			failed = errProblems
		}
		switch format {
		case "json":
			reports = append(reports, r)
		case "sarif":
			all = append(all, found...)
		default:
			printFindings(out, found)
			if r.Valid && !quiet {
				fmt.Fprintf(out, "%s: valid %s, OSCAL %s\n", file, r.Model, r.Version)
			}
		}
	}
	var err error
	switch format {
	case "json":
		err = printJSON(out, reports)
	case "sarif":
		err = constraint.WriteSARIF(out, all, &constraint.SARIFOptions{Tool: "isso"})
	}
	if err != nil {
		return err
	}
	return failed
}

// file validates one file. An error means that it could not be read at all.
func (v *validation) file(cmd *cobra.Command, file string) (report, []constraint.Finding, error) {
	doc, err := readDocument(cmd, file)
	problems, isProblems := errors.AsType[oscal.Problems](err)
	if err != nil && !isProblems {
		return report{}, nil, err
	}
	r := report{File: file, Valid: err == nil}
	if doc == nil {
		found := constraint.StructureFindings(problems)
		r.Problems = findingsJSON(found)
		return r, found, nil
	}
	r.Model, r.Version = doc.Model(), doc.Version()
	loader, err := newFolderLoader(file, v.folder, v.mapped)
	if err != nil {
		return report{}, nil, err
	}
	defer loader.Close()
	opts := v.opts
	opts.Loader, opts.ResolveProfile = loader, loader.resolve
	if v.only {
		opts.NoBuiltIn, opts.Sets = true, nil
	}
	res, err := constraint.Validate(cmd.Context(), doc, &opts)
	if err != nil {
		return report{}, nil, err
	}
	r.Valid = r.Valid && res.Valid()
	r.Problems = findingsJSON(res.Findings)
	return r, res.Findings, nil
}

func (v *validation) loadSets(cmd *cobra.Command) error {
	for _, file := range v.sets {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		loader, err := newFolderLoader(file, v.folder, v.mapped)
		if err != nil {
			return err
		}
		defer loader.Close()
		set, err := constraint.Load(cmd.Context(), file, f, &constraint.LoadOptions{Loader: loader, RelativeRoot: v.relRoot})
		if err != nil {
			return err
		}
		v.opts.Sets = append(v.opts.Sets, set)
	}
	return nil
}

func printFindings(w io.Writer, found []constraint.Finding) {
	for _, f := range found {
		fmt.Fprintln(w, f.Error())
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
