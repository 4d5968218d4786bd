package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
)

// report is what validate says of one file in JSON.
type report struct {
	File     string    `json:"file"`
	Model    string    `json:"model,omitzero"`
	Version  string    `json:"oscal-version,omitzero"`
	Valid    bool      `json:"valid"`
	Problems []finding `json:"problems"`
}

func validateCommand() *cobra.Command {
	var asJSON, quiet bool
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Say all that is wrong with the structure and the data types of documents",
		Long: "Validate checks documents of all eight models in JSON, YAML and XML: syntax,\n" +
			"unknown, missing, duplicate and contradicting members, in XML their order, and the\n" +
			"form of every value. Each problem is a line FILE:LINE:COLUMN: MESSAGE (at PLACE)\n" +
			"[RULE], where PLACE is a JSON Pointer or, in XML, a path like /catalog[1]/@uuid.\n" +
			"FILE may be - for the standard input.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			out := cmd.OutOrStdout()
			reports := []report{}
			var failed error
			for _, file := range files {
				doc, err := readDocument(cmd, file)
				problems, isProblems := errors.AsType[oscal.Problems](err)
				if err != nil && !isProblems {
					return err
				}
				r := report{File: file, Valid: err == nil}
				if doc != nil {
					r.Model, r.Version = doc.Model(), doc.Version()
					problems = doc.Problems()
				}
				r.Problems = findings(problems)
				reports = append(reports, r)
				if err != nil {
					failed = errProblems
				}
				if asJSON {
					continue
				}
				printProblems(out, problems)
				if err == nil && !quiet {
					fmt.Fprintf(out, "%s: valid %s, OSCAL %s\n", file, r.Model, r.Version)
				}
			}
			if asJSON {
				if err := printJSON(out, reports); err != nil {
					return err
				}
			}
			return failed
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array with a report for each file")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print nothing for a valid file")
	return cmd
}
