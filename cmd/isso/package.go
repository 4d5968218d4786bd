package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/governance"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/risk/matrix"
)

func packageCommand() *cobra.Command {
	var s governance.Sources
	var asOf, format, out, previous, initiation string
	var asJSON bool
	var reach reach
	cmd := &cobra.Command{
		Use:   "package --profile P --system S",
		Short: "Make an authorization package of a baseline, a system and its scans",
		Long: "Package resolves the profile, writes the system security plan, the assessment plan,\n" +
			"the assessment results and the plan of action and milestones, all as OSCAL that\n" +
			"refers to each other, and prints on one screen what is in them.\n" +
			"The profile may import documents of its own folder and those below, or of --root;\n" +
			"--map names the file of a URL, and --catalog stands for any other. The same inputs give\n" +
			"the same files.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts := governance.PackageOptions{AsOf: time.Now().UTC().Truncate(24 * time.Hour)}
			var err error
			if asOf != "" {
				if opts.AsOf, err = time.Parse(time.DateOnly, asOf); err != nil {
					return fmt.Errorf("--as-of: expected a date such as 2026-06-30, found %q", asOf)
				}
			}
			if opts.Format, err = oscal.ParseFormat(format); err != nil {
				return err
			}
			if initiation != "" {
				if opts.Initiation, err = matrix.ParseQualitative(initiation); err != nil {
					return fmt.Errorf("--initiation: %w", err)
				}
			}
			if previous != "" {
				doc, err := readDocument(cmd, previous)
				if err != nil {
					return failed(cmd, err)
				}
				if opts.Previous, err = oscal.As[oscal.PlanOfActionAndMilestones](doc); err != nil {
					return fmt.Errorf("%s: %w", previous, err)
				}
			}
			s.Open = func(name string) (io.ReadCloser, error) { return os.Open(name) }
			if s.Profile != "" {
				folder, err := reach.open(s.Profile, filepath.Dir(s.Profile))
				if err != nil {
					return err
				}
				defer folder.Close()
				s.Loader = folder
			}
			if s.Profile == "" && s.Catalog == "" {
				return errors.New("--profile or --catalog is needed")
			}
			in, err := governance.ReadInputs(cmd.Context(), s)
			if err != nil {
				return failed(cmd, err)
			}
			pkg, err := governance.BuildPackage(in, opts)
			if err != nil {
				return failed(cmd, err)
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			if err := pkg.Write(func(name string) (io.WriteCloser, error) { return &replacement{name: filepath.Join(out, name)}, nil }); err != nil {
				return err
			}
			noteStale(cmd.ErrOrStderr(), pkg, out)
			for _, w := range pkg.Warnings {
				fmt.Fprintln(cmd.ErrOrStderr(), "note:", w)
			}
			summary, err := pkg.Summary()
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), summary)
			}
			return summary.WriteText(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	reach.flags(cmd)
	flags.StringVar(&s.Catalog, "catalog", "", "catalog that the profile imports, or the baseline itself")
	flags.StringVar(&s.Profile, "profile", "", "profile that selects the baseline")
	flags.StringArrayVar(&s.Components, "component", nil, "component definition; may be repeated")
	flags.StringVar(&s.System, "system", "", "description of the system, YAML or JSON")
	flags.StringVar(&s.Vendors, "vendors", "", "third parties, YAML or JSON")
	flags.StringArrayVar(&s.Scans, "scan", nil, "report of a scanner (SARIF); may be repeated")
	flags.StringVar(&previous, "previous", "", "plan of action and milestones of before, whose items keep numbers and dates")
	flags.StringVar(&initiation, "initiation", "", "likelihood that somebody tries to use a weakness: very-low, low, moderate (default), high, very-high")
	flags.StringVar(&asOf, "as-of", "", "date of the package; default today")
	flags.StringVar(&format, "format", "json", "format of the documents")
	flags.StringVarP(&out, "out", "o", "authorization-package", "folder to write to")
	flags.BoolVar(&asJSON, "json", false, "print the summary as a JSON object")
	_ = cmd.MarkFlagRequired("system") // fails only where there is no such flag
	return cmd
}

// A replacement gathers what a file will hold and puts it in place when it is
// closed, as a whole or not at all.
type replacement struct {
	bytes.Buffer
	name string
}

func (r *replacement) Close() error { return replaceFile(r.name, r.Bytes()) }

// noteStale tells of documents of an earlier package that this one has not.
func noteStale(w io.Writer, pkg *governance.Package, out string) {
	written := map[string]bool{}
	for name := range pkg.Documents() {
		written[name] = true
	}
	for _, name := range governance.DocumentNames() {
		for _, ext := range []string{".json", ".yaml", ".xml"} {
			if _, err := os.Stat(filepath.Join(out, name+ext)); err == nil && !written[name+ext] {
				fmt.Fprintf(w, "note: %s is of an earlier package\n", filepath.Join(out, name+ext))
			}
		}
	}
}

// failed prints all that is wrong with inputs, a line each, and tells whether a
// document has problems or an input could not be read at all.
func failed(cmd *cobra.Command, err error) error {
	status := errProblems
	for _, e := range governance.Errors(err) {
		fmt.Fprintln(cmd.ErrOrStderr(), e)
		if _, ok := errors.AsType[*fs.PathError](e); ok {
			status = errUnreadable
		}
	}
	return status
}
