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
		Long: "Convert reads a document in JSON or YAML and writes it in the format of --to, or\n" +
			"of the extension of --out. Nothing is lost: dates, numbers and explicit defaults\n" +
			"keep the form in which they were written. A document with problems is refused.",
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
			return writeDocument(cmd, doc, out, to)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "json or yaml")
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; default is the standard output")
	return cmd
}
