package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
)

func convertCommand() *cobra.Command {
	var to, out, version string
	cmd := &cobra.Command{
		Use:   "convert FILE",
		Short: "Write a document in another format",
		Long: "Convert reads a document in JSON, YAML or XML and writes it in the format of --to,\n" +
			"or of the extension of --out. Nothing is lost: dates, numbers and explicit defaults\n" +
			"keep the form in which they were written, formatted text keeps its meaning. A\n" +
			"document with problems is refused; what Markdown cannot tell is a warning. FILE may\n" +
			"be - for the standard input.\n" +
			"A file that is there is replaced as a whole: links are followed, mode and owner stay;\n" +
			"a pipe or device is written to.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := readDocument(cmd, args[0])
			if ps, ok := errors.AsType[oscal.Problems](err); ok {
				printProblems(cmd.ErrOrStderr(), ps)
				return errProblems
			}
			if err != nil {
				return err
			}
			printProblems(cmd.ErrOrStderr(), doc.Problems())
			if version != "" {
				v, ok := oscal.ParseVersion(version)
				if !ok {
					return fmt.Errorf("--oscal-version: expected a version from 1.0.0 to %s, found %q", oscal.ModelVersion, version)
				}
				carried, lost, err := doc.ToVersion(v)
				if err != nil {
					return err
				}
				printProblems(cmd.ErrOrStderr(), lost)
				doc = carried
			}
			return writeDocument(cmd, doc, out, to)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "json, yaml or xml; default is that of the extension of --out, else that of the document")
	cmd.Flags().StringVar(&version, "oscal-version", "", "carry the document to another OSCAL version; what that has no place for is named and left out")
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; default is the standard output")
	return cmd
}
