package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/constraint"
)

// queryResult is an item that query found, in JSON.
type queryResult struct {
	Type    string `json:"type"`
	Value   string `json:"value"`
	File    string `json:"file,omitzero"`
	Line    int    `json:"line,omitzero"`
	Column  int    `json:"column,omitzero"`
	Path    string `json:"path,omitzero"`
	Pointer string `json:"pointer,omitzero"`
}

func queryCommand() *cobra.Command {
	var asJSON bool
	var reach reach
	cmd := &cobra.Command{
		Use:   "query METAPATH FILE",
		Short: "Evaluate a Metapath expression on a document",
		Long: "Query prints each item that the expression gives on a line: a value as it is, a\n" +
			"node with its line, column and path before its value. The expression starts at the\n" +
			"document, so that catalog/metadata/title and /catalog/metadata/title are the same.\n" +
			"A document with problems is looked into all the same. FILE may be - for the standard\n" +
			"input. Documents that the expression asks for are read from the folder of the document\n" +
			"and those below it, or of --root.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			expr, err := constraint.Compile(args[0], nil)
			if err != nil {
				return err
			}
			doc, err := readAnyway(cmd, args[1])
			if err != nil {
				return err
			}
			loader, err := reach.open(args[1], "")
			if err != nil {
				return err
			}
			defer loader.Close()
			items, err := expr.Eval(cmd.Context(), nil, &constraint.EvalOptions{Document: doc, Now: time.Now(), Loader: loader, ResolveProfile: loader.resolve})
			if err != nil {
				return err
			}
			results := make([]queryResult, len(items))
			for i, it := range items {
				results[i] = queryResult{Type: it.Type(), Value: it.String()}
				if n := it.Node(); n != nil && n.Kind() != 0 {
					at := doc.Position(n)
					results[i].Path, results[i].Pointer = n.Path(), n.Pointer()
					if n.Root() == doc.Root() {
						results[i].File, results[i].Line, results[i].Column = doc.Name(), at.Line, at.Column
					}
					results[i].Type = n.Kind().String()
					if n.Kind() == oscal.Assembly {
						results[i].Value = ""
					}
				}
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), results)
			}
			for _, r := range results {
				switch {
				case r.Path == "":
					fmt.Fprintln(cmd.OutOrStdout(), r.Value)
				case r.Line > 0:
					fmt.Fprintln(cmd.OutOrStdout(), strings.TrimRight(fmt.Sprintf("%s:%d:%d: %s %s", r.File, r.Line, r.Column, r.Path, r.Value), " "))
				default:
					fmt.Fprintln(cmd.OutOrStdout(), strings.TrimRight(r.Path+" "+r.Value, " "))
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	reach.flags(cmd)
	return cmd
}

// allowedValues are what one constraint says of a flag or field, in JSON.
type allowedValues struct {
	Rule   string   `json:"rule"`
	Set    string   `json:"set"`
	Key    string   `json:"key"`
	Target string   `json:"target"`
	Closed bool     `json:"closed"`
	Values []string `json:"values"`
	Old    []string `json:"deprecated,omitzero"`
}

func listAllowedValuesCommand() *cobra.Command {
	var asJSON bool
	var v validation
	cmd := &cobra.Command{
		Use:   "list-allowed-values PATH",
		Short: "Say what values a flag or field may have",
		Long: "List-allowed-values prints the constraints that restrict the values at a path, such\n" +
			"as /catalog/metadata/party/@type: the rule, whether other values are allowed, the\n" +
			"target with its conditions, and then a value on each line. PATH may be a JSON\n" +
			"Pointer too, and // in it stands for any way down: //prop/@name.\n" +
			"A value is fine if one of the constraints whose conditions hold lists it, or if\n" +
			"all of them allow others.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := v.loadSets(cmd); err != nil {
				return err
			}
			list := []allowedValues{}
			for _, set := range append([]*constraint.Set{constraint.BuiltIn()}, v.opts.Sets...) {
				found, err := set.AllowedValues(args[0])
				if err != nil {
					return err
				}
				for _, c := range found {
					a := allowedValues{Rule: c.Rule(), Set: set.Name(), Key: c.Key, Target: c.Target, Closed: !c.AllowOther, Values: []string{}}
					for _, e := range c.Enums {
						if e.Deprecated != "" {
							a.Old = append(a.Old, e.Value)
							continue
						}
						a.Values = append(a.Values, e.Value)
					}
					list = append(list, a)
				}
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return printJSON(out, list)
			}
			if len(list) == 0 {
				fmt.Fprintf(out, "%s: no constraint restricts the values\n", args[0])
			}
			for _, a := range list {
				other := "others are allowed"
				if a.Closed {
					other = "no others"
				}
				fmt.Fprintf(out, "%s (%s), target %s\n", a.Rule, other, a.Target)
				for _, value := range a.Values {
					fmt.Fprintf(out, "  %s\n", value)
				}
				for _, value := range a.Old {
					fmt.Fprintf(out, "  %s (deprecated)\n", value)
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	cmd.Flags().StringArrayVar(&v.sets, "constraints", nil, "file of a constraint set; may be repeated")
	return cmd
}
