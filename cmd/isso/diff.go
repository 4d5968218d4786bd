package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/diff"
	"github.com/issokit/issokit/oscal/profile"
)

func diffCommand() *cobra.Command {
	var format, ssp string
	var everything, exitCode, resolved bool
	var reach reach
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what changed from one document to another",
		Long: "Diff compares two documents of one model, each in any format, by the identity of\n" +
			"their objects: what was added, removed, moved, renamed, reordered, and which words\n" +
			"of a text are others. With --ssp it also says which requirements of a system\n" +
			"security plan the changes of a catalog or profile hit. Two profiles are also\n" +
			"resolved, where all that they import is at hand (see isso resolve for --root and\n" +
			"--map), and their baselines compared; --resolve insists on that, --resolve=false\n" +
			"leaves it. Changes do not count as problems: the exit status is 0 without --exit-code.\n" +
			"One of the files may be - for the standard input.",
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
			if resolved && docs[0].Model() != "profile" {
				return fmt.Errorf("--resolve: expected two profiles, found a %s", docs[0].Model())
			}
			if docs[0].Model() == "profile" && (resolved || !cmd.Flags().Changed("resolve")) {
				d.Baselines, err = baselines(cmd, args, &reach, &diff.Options{Everything: everything})
				if err != nil && resolved {
					return err
				} else if err != nil {
					fmt.Fprintf(cmd.ErrOrStderr(), "isso: the baselines are not compared: %v\n", err)
				}
			}
			write, ok := map[string]func(io.Writer) error{"text": d.WriteText, "markdown": d.WriteMarkdown, "json": d.WriteJSON}[format]
			if !ok {
				return fmt.Errorf("--format: unknown format %q, expected text, markdown or json", format)
			}
			if err := write(cmd.OutOrStdout()); err != nil {
				return err
			}
			if plan != nil {
				printImpact(cmd.OutOrStdout(), plan, d)
			}
			if exitCode && (len(d.Changes) > 0 || d.Baselines != nil && len(d.Baselines.Changes) > 0) {
				return errProblems
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, markdown or json")
	cmd.Flags().StringVar(&ssp, "ssp", "", "system security plan whose requirements the changes may hit")
	cmd.Flags().BoolVar(&resolved, "resolve", false, "compare the catalogs that two profiles resolve to; default is to do so where all imports are at hand")
	reach.flags(cmd)
	cmd.Flags().BoolVar(&everything, "everything", false, "tell also what differs between any two exports: root UUID, last-modified, resolution-tool")
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "end with status 1 if there are changes")
	return cmd
}

// baselines compares the catalogs that two profiles resolve to.
func baselines(cmd *cobra.Command, files []string, reach *reach, opts *diff.Options) (*diff.Diff, error) {
	var catalogs [2]*oscal.Document
	for i, file := range files {
		if file == "-" {
			return nil, errors.New("a profile from the standard input is not resolved")
		}
		res, problems, err := resolve(cmd, file, reach, &profile.Options{HideSource: true})
		if err != nil {
			return nil, err
		}
		if res == nil {
			return nil, problems
		}
		catalogs[i] = res.Catalog
		catalogs[i].SetName(file)
	}
	return diff.Compare(catalogs[0], catalogs[1], opts)
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

func printImpact(w io.Writer, plan *oscal.Document, d *diff.Diff) {
	hits := d.Impact(plan)
	noun, rest := "requirements", ""
	if len(hits) == 1 {
		noun = "requirement"
	}
	if len(d.Unresolved()) > 0 {
		rest = ", and those that only the resolved catalogs tell"
	}
	fmt.Fprintf(w, "\n%s: %d %s to look at%s\n", plan.Name(), len(hits), noun, rest)
	for _, h := range hits {
		where := "no requirement yet"
		if h.Requirement != nil {
			where = fmt.Sprintf("%s:%s", plan.Name(), plan.Position(h.Requirement))
		}
		line := h.Control.ID + " " + h.Control.Fate.String()
		if h.Control.Title != "" {
			line += fmt.Sprintf(" %q", h.Control.Title)
		}
		line += " (" + where + ")"
		for _, l := range []struct {
			name string
			ids  []string
		}{{"aspects", h.Control.Aspects}, {"see", h.Control.Successors}, {"statements", h.Statements}, {"parameters", h.Params}} {
			if len(l.ids) > 0 {
				line += fmt.Sprintf("; %s: %s", l.name, strings.Join(l.ids, ", "))
			}
		}
		fmt.Fprintln(w, " ", diff.Visible(line))
	}
}
