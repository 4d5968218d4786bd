package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
)

// manifestName is the file that says how the files of a split document belong
// together.
const manifestName = "split.json"

// A manifest is what split.json holds.
type manifest struct {
	Document string          `json:"document"` // file of what is left of the document
	Model    string          `json:"model"`
	Pieces   []manifestPiece `json:"pieces"` // in document order
}

type manifestPiece struct {
	File    string `json:"file"`
	Pointer string `json:"pointer"` // JSON Pointer of its place
}

// splitDefaults are the objects that each model is split into.
var splitDefaults = map[string][]string{
	"catalog":                       {"control"},
	"profile":                       {"import", "alter"},
	"component-definition":          {"component", "capability"},
	"system-security-plan":          {"implemented-requirement"},
	"assessment-plan":               {"activity", "task"},
	"assessment-results":            {"observation", "risk", "finding"},
	"plan-of-action-and-milestones": {"poam-item", "risk"},
	"mapping-collection":            {"mapping"},
}

func splitCommand() *cobra.Command {
	var by []string
	var out, to string
	cmd := &cobra.Command{
		Use:   "split FILE",
		Short: "Keep the objects of a large document in files of their own",
		Long: "Split writes each control of a catalog, or each object that --by names by its XML\n" +
			"name (group, implemented-requirement, poam-item ...), into a file of its own, what\n" +
			"is left of the document into another, and split.json, which says how they belong\n" +
			"together. Join makes the document of them again.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := readDocument(cmd, args[0])
			if err != nil {
				return failed(cmd, err)
			}
			format := doc.Format()
			if to != "" {
				if format, err = oscal.ParseFormat(to); err != nil {
					return err
				}
			}
			if len(by) == 0 {
				by = splitDefaults[doc.Model()]
			}
			rest, pieces := doc.Split(by...)
			if len(pieces) == 0 {
				return fmt.Errorf("%s has no %s", args[0], strings.Join(by, " and no "))
			}
			if out == "" {
				out = strings.TrimSuffix(filepath.Base(args[0]), filepath.Ext(args[0]))
			}
			if _, err := os.Stat(filepath.Join(out, manifestName)); err == nil {
				return fmt.Errorf("%s: there is a split document already", out)
			}
			m := manifest{Document: doc.Model() + "." + format.String(), Model: doc.Model()}
			write := func(name string, doc *oscal.Document) error {
				name = filepath.Join(out, filepath.FromSlash(name))
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					return err
				}
				var b bytes.Buffer
				if err := doc.Write(&b, &oscal.WriteOptions{Format: format}); err != nil {
					return err
				}
				return replaceFile(name, b.Bytes())
			}
			for _, p := range pieces {
				file := p.Name + "." + format.String()
				m.Pieces = append(m.Pieces, manifestPiece{file, p.Pointer})
				if err := write(file, p.Doc); err != nil {
					return err
				}
			}
			if err := write(m.Document, rest); err != nil {
				return err
			}
			var b bytes.Buffer
			if err := printJSON(&b, m); err != nil {
				return err
			}
			if err := replaceFile(filepath.Join(out, manifestName), b.Bytes()); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d files of %s\n", out, len(pieces), strings.Join(by, ", "))
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&by, "by", nil, "XML names of the objects; default: those of the model, e.g. control")
	cmd.Flags().StringVarP(&out, "out", "o", "", "folder to write to; default: the name of the file without its extension")
	cmd.Flags().StringVar(&to, "to", "", "json, yaml or xml; default: the format of the document")
	return cmd
}

func joinCommand() *cobra.Command {
	var out, to string
	cmd := &cobra.Command{
		Use:   "join FOLDER",
		Short: "Make the document of the files that split wrote",
		Long: "Join reads split.json in a folder and the files that it names, puts each object back\n" +
			"in its place, and writes the document. A file that was changed is checked; nothing\n" +
			"is read from outside of the folder.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			root, err := os.OpenRoot(args[0])
			if err != nil {
				return err
			}
			defer root.Close()
			text, err := root.ReadFile(manifestName)
			if err != nil {
				return err
			}
			var m manifest
			if err := json.Unmarshal(text, &m); err != nil {
				return fmt.Errorf("%s: %w", filepath.Join(args[0], manifestName), err)
			}
			var problems oscal.Problems
			read := func(file string, fragment *oscal.Member) (*oscal.Document, error) {
				text, err := root.ReadFile(filepath.FromSlash(file))
				if err != nil {
					return nil, err
				}
				doc, err := oscal.Parse(string(text), &oscal.ReadOptions{Name: filepath.Join(args[0], file), Fragment: fragment})
				if ps, ok := err.(oscal.Problems); ok && (doc == nil || fragment != nil) { //nolint:errorlint // Parse returns it so
					problems = append(problems, ps...)
				}
				return doc, nil
			}
			rest, err := read(m.Document, nil) // what it lacks is in the other files
			if err != nil {
				return err
			}
			var pieces []oscal.Piece
			for _, p := range m.Pieces {
				member := oscal.MemberAt(m.Model, p.Pointer)
				if member == nil {
					return fmt.Errorf("%s: the model %s has no place %s", filepath.Join(args[0], manifestName), m.Model, p.Pointer)
				}
				doc, err := read(p.File, member)
				if err != nil {
					return err
				}
				pieces = append(pieces, oscal.Piece{Name: p.File, Pointer: p.Pointer, Doc: doc})
			}
			if problems != nil {
				return failed(cmd, problems)
			}
			doc, err := oscal.Join(rest, pieces)
			if err != nil {
				return failed(cmd, err)
			}
			if to == "" && out == "" {
				to = rest.Format().String()
			}
			return writeDocument(cmd, doc, out, to)
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; default is the standard output")
	cmd.Flags().StringVar(&to, "to", "", "json, yaml or xml; default: the format of the files")
	return cmd
}
