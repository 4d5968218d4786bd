package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
)

func convertCommand() *cobra.Command {
	var to, out string
	cmd := &cobra.Command{
		Use:   "convert FILE",
		Short: "Write a document in another format",
		Long: "Convert reads a document in JSON, YAML or XML and writes it in the format of --to,\n" +
			"or of the extension of --out. Nothing is lost: dates, numbers and explicit defaults\n" +
			"keep the form in which they were written, formatted text keeps its meaning. A\n" +
			"document with problems is refused; what Markdown cannot tell is a warning.",
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
			return writeDocument(cmd, doc, out, to)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "json, yaml or xml")
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; default is the standard output")
	return cmd
}
