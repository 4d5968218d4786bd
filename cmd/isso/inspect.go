package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
)

func inspectCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Say what is in a document",
		Long: "Inspect prints the model, title, identifier, versions and imports of a document, how\n" +
			"many objects of each kind are in it, and the namespaces of its props. FILE may be -\n" +
			"for the standard input. A document with problems is looked into all the same.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := readAnyway(cmd, args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), doc.Inspect())
			}
			printInventory(cmd.OutOrStdout(), doc.Inspect())
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

func printInventory(w io.Writer, inv oscal.Inventory) {
	fmt.Fprintf(w, "%s %q\n", inv.Model, inv.Title)
	for _, l := range []struct{ name, value string }{
		{"uuid", inv.UUID},
		{"version", inv.Version},
		{"oscal-version", inv.OSCALVersion},
		{"last-modified", inv.LastModified},
		{"published", inv.Published},
	} {
		if l.value != "" {
			fmt.Fprintf(w, "  %-14s %s\n", l.name, l.value)
		}
	}
	for _, href := range inv.Imports {
		fmt.Fprintf(w, "  %-14s %s\n", "imports", href)
	}
	for _, c := range inv.Objects {
		fmt.Fprintf(w, "  %6d %s", c.Count, c.Name)
		if c.Name == "control" && inv.Withdrawn > 0 {
			fmt.Fprintf(w, " (%d withdrawn)", inv.Withdrawn)
		}
		fmt.Fprintln(w)
	}
	for _, c := range inv.Namespaces {
		fmt.Fprintf(w, "  %6d prop in %s\n", c.Count, c.Name)
	}
}
