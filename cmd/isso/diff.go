package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/diff"
)

func diffCommand() *cobra.Command {
	var format, ssp string
	var everything, exitCode bool
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what changed from one document to another",
		Long: "Diff compares two documents of one model, each in any format, by the identity of\n" +
			"their objects: what was added, removed, moved, renamed, reordered, and which words\n" +
			"of a text are others. With --ssp it also says which requirements of a system\n" +
			"security plan the changes of a catalog hit. Changes do not count as problems: the exit\n" +
			"status is 0 without --exit-code. One of the files may be - for the standard input.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var docs [2]*oscal.Document
			for i, name := range args {
				doc, err := readAnyway(cmd, name)
				if err != nil {
					return err
				}
				docs[i] = doc
			}
			var plan *oscal.Document
			if ssp != "" {
				if format == "json" {
					return errors.New("diff: --ssp adds text, which does not go with --format json")
				}
				var err error
				if plan, err = readAnyway(cmd, ssp); err != nil {
					return err
				}
				if plan.Model() != "system-security-plan" {
					return fmt.Errorf("%s: expected a system-security-plan, found a %s", plan.Name(), plan.Model())
				}
			}
			d, err := diff.Compare(docs[0], docs[1], &diff.Options{Everything: everything})
			if err != nil {
				return err
			}
			write, ok := map[string]func(io.Writer) error{"text": d.WriteText, "markdown": d.WriteMarkdown, "json": d.WriteJSON}[format]
			if !ok {
				return fmt.Errorf("--format: unknown format %q, expected text, markdown or json", format)
			}
			if err := write(cmd.OutOrStdout()); err != nil {
				return err
			}
			if plan != nil {
				printImpact(cmd.OutOrStdout(), plan, d.Impact(plan))
			}
			if exitCode && len(d.Changes) > 0 {
				return errProblems
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, markdown or json")
	cmd.Flags().StringVar(&ssp, "ssp", "", "system security plan whose requirements the changes may hit")
	cmd.Flags().BoolVar(&everything, "everything", false, "tell also what differs between any two exports: root UUID, last-modified, resolution-tool")
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "end with status 1 if there are changes")
	return cmd
}

// readAnyway reads a document that may have problems, which are printed; it fails
// where nothing could be read.
func readAnyway(cmd *cobra.Command, name string) (*oscal.Document, error) {
	doc, err := readDocument(cmd, name)
	if ps, ok := errors.AsType[oscal.Problems](err); ok {
		printProblems(cmd.ErrOrStderr(), ps)
		if doc == nil {
			return nil, errProblems
		}
		return doc, nil
	}
	return doc, err
}

func printImpact(w io.Writer, plan *oscal.Document, hits []diff.Hit) {
	fmt.Fprintf(w, "\n%s: %d requirements to look at\n", plan.Name(), len(hits))
	for _, h := range hits {
		where := "no requirement yet"
		if h.Requirement != nil {
			where = fmt.Sprintf("%s:%s", plan.Name(), plan.Position(h.Requirement))
		}
		fmt.Fprintf(w, "  %s %s %q (%s)", h.Control.ID, h.Control.Fate, h.Control.Title, where)
		for _, l := range []struct {
			name string
			ids  []string
		}{{"aspects", h.Control.Aspects}, {"see", h.Control.Successors}, {"statements", h.Statements}, {"parameters", h.Params}} {
			if len(l.ids) > 0 {
				fmt.Fprintf(w, "; %s: %s", l.name, strings.Join(l.ids, ", "))
			}
		}
		fmt.Fprintln(w)
	}
}
