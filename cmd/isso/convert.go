package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
)

// conversion is what the flags of convert ask for.
type conversion struct {
	to, out string
	version oscal.Version // the zero Version to leave it
	quiet   bool          // no warnings
	invalid bool          // documents with problems too
}

func convertCommand() *cobra.Command {
	var c conversion
	var version string
	cmd := &cobra.Command{
		Use:   "convert FILE...",
		Short: "Write documents in another format",
		Long: "Convert reads a document in JSON, YAML or XML and writes it in the format of --to,\n" +
			"or of the extension of --out. Nothing is lost: dates, numbers and explicit defaults\n" +
			"keep the form in which they were written, formatted text keeps its meaning. A\n" +
			"document with problems is refused, unless --invalid asks for what can be read of it;\n" +
			"what Markdown cannot tell is a warning. FILE may be - for the standard input.\n" +
			"Several files are converted side by side into the folder --out, under their own\n" +
			"names with the extension of the format; those with problems are left out.\n" +
			"A file that is there is replaced as a whole: links are followed, mode and owner stay;\n" +
			"a pipe or device is written to.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			if version != "" {
				var ok bool
				if c.version, ok = oscal.ParseVersion(version); !ok {
					return fmt.Errorf("--oscal-version: expected a version from 1.0.0 to %s, found %q", oscal.ModelVersion, version)
				}
			}
			if info, err := os.Stat(c.out); len(files) == 1 && (err != nil || !info.IsDir()) {
				doc, problems, err := c.read(cmd, files[0], c.out)
				printProblems(cmd.ErrOrStderr(), problems)
				if doc == nil {
					return err
				}
				return cmp.Or(writeDocument(cmd, doc, c.out, c.to), err)
			}
			return c.folder(cmd, files)
		},
	}
	cmd.Flags().StringVar(&c.to, "to", "", "json, yaml or xml; default is that of the extension of --out, else that of the document")
	cmd.Flags().BoolVar(&c.invalid, "invalid", false, "convert documents with problems too; members that the model does not know are left out, the exit status is 1")
	cmd.Flags().StringVar(&version, "oscal-version", "", "carry the document to another OSCAL version; what that has no place for is named and left out")
	cmd.Flags().BoolVarP(&c.quiet, "quiet", "q", false, "leave out warnings; what --oscal-version leaves out is told all the same")
	cmd.Flags().StringVarP(&c.out, "out", "o", "", "file to write, or folder for several; default is the standard output")
	return cmd
}

// read reads a document that is to be written to a file, and carries it to the
// version that is asked for. It returns problems to be told of; if they are
// errors the error is errProblems, and the document nil unless invalid ones are
// asked for.
func (c *conversion) read(cmd *cobra.Command, file, to string) (*oscal.Document, oscal.Problems, error) {
	doc, err := readDocument(cmd, file)
	problems, ok := errors.AsType[oscal.Problems](err)
	switch {
	case ok && (!c.invalid || doc == nil):
		return nil, problems, errProblems
	case ok:
		err = errProblems
	case err != nil:
		return nil, nil, err
	case !c.quiet:
		problems = doc.Problems()
	}
	if c.version != (oscal.Version{}) {
		carried, lost, err := doc.ToVersion(c.version)
		if err != nil {
			return nil, problems, err
		}
		doc, problems = carried, slices.Concat(problems, lost)
	}
	if format, err := outputFormat(c.to, to); err == nil && format == oscal.XML && doc.Format() != oscal.XML && !c.quiet {
		problems = slices.Concat(problems, doc.CheckXML())
	}
	return doc, problems, err
}

// folder converts files into the folder --out.
func (c *conversion) folder(cmd *cobra.Command, files []string) error {
	format, err := oscal.ParseFormat(c.to)
	switch {
	case c.out == "" || c.out == "-":
		return errors.New("--out: expected a folder for several files")
	case c.to == "":
		return errors.New("--to: expected json, yaml or xml for files in a folder")
	case err != nil:
		return fmt.Errorf("--to: %w", err)
	}
	names := make([]string, len(files))
	for i, file := range files {
		base := filepath.Base(file)
		names[i] = filepath.Join(c.out, strings.TrimSuffix(base, filepath.Ext(base))+"."+format.String())
		if j := slices.Index(names[:i], names[i]); j >= 0 {
			return fmt.Errorf("%s and %s would both be written to %s", files[j], file, names[i])
		}
		if file == "-" {
			return errors.New("the standard input (-) has no name in a folder")
		}
	}
	if err := os.MkdirAll(c.out, 0o777); err != nil {
		return err
	}
	type converted struct {
		problems oscal.Problems
		err      error
	}
	var status error
	for _, r := range inOrder(len(files), func(i int) converted {
		doc, problems, err := c.read(cmd, files[i], names[i])
		if doc != nil {
			err = cmp.Or(writeDocument(cmd, doc, names[i], c.to), err)
		}
		return converted{problems, err}
	}) {
		printProblems(cmd.ErrOrStderr(), r.problems)
		switch {
		case r.err == nil:
		case errors.Is(r.err, errProblems):
			if status == nil {
				status = errProblems
			}
		default:
			fmt.Fprintf(cmd.ErrOrStderr(), "isso: %v\n", r.err)
			status = errUnreadable
		}
	}
	return status
}
