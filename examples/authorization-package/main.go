// Command authorization-package makes an authorization package: the resolved
// baseline, the system security plan, the assessment plan, the assessment results
// and the plan of action and milestones, as OSCAL documents that refer to each
// other, and prints on one screen what is in them.
//
// Without flags it works on a sample that it carries with it:
//
//	go run ./examples/authorization-package
//
// With flags it works on files of the user:
//
//	go run ./examples/authorization-package -catalog C -profile P -component D \
//		-system system.yaml -vendors vendors.yaml -scan results.sarif \
//		-as-of 2026-06-30 -out DIR
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/issokit/issokit/governance"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/profile"
)

//go:embed sample
var sample embed.FS

// sampleAsOf is the day for which the sample is written.
const sampleAsOf = "2026-06-30"

func main() {
	switch err := run(os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		for _, e := range governance.Errors(err) {
			fmt.Fprintln(os.Stderr, e)
		}
		os.Exit(1)
	}
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return fmt.Sprint([]string(*l)) }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func run(args []string, stdout, stderr io.Writer) error {
	var s governance.Sources
	flags := flag.NewFlagSet("authorization-package", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.Catalog, "catalog", "", "catalog that the profile imports, or the baseline itself")
	flags.StringVar(&s.Profile, "profile", "", "profile that selects the baseline")
	flags.Var((*list)(&s.Components), "component", "component definition; may be repeated")
	flags.StringVar(&s.System, "system", "", "description of the system, YAML or JSON")
	flags.StringVar(&s.Vendors, "vendors", "", "third parties, YAML or JSON")
	flags.Var((*list)(&s.Scans), "scan", "report of a scanner (SARIF); may be repeated")
	asOf := flags.String("as-of", "", "date of the package; default today")
	format := flags.String("format", "json", "json or yaml")
	out := flags.String("out", "authorization-package", "folder to write to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" {
		return errors.New("-out: expected the name of a folder")
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}

	closeSources, err := openSources(&s, asOf)
	if err != nil {
		return err
	}
	defer closeSources()
	when := time.Now().UTC().Truncate(24 * time.Hour)
	if *asOf != "" {
		if when, err = time.Parse(time.DateOnly, *asOf); err != nil {
			return fmt.Errorf("-as-of: expected a date such as 2026-06-30, found %q", *asOf)
		}
	}
	form, err := oscal.ParseFormat(*format)
	if err != nil {
		return err
	}

	in, err := governance.ReadInputs(context.Background(), s)
	if err != nil {
		return err
	}
	pkg, err := governance.BuildPackage(in, governance.PackageOptions{AsOf: when, Format: form})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	if err := pkg.Write(func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(*out, name)) }); err != nil {
		return err
	}
	for _, w := range pkg.Warnings {
		fmt.Fprintln(stderr, "note:", w)
	}
	summary, err := pkg.Summary()
	if err != nil {
		return err
	}
	if err := summary.WriteText(stdout); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\nWritten to %s:", *out)
	for name := range pkg.Documents() {
		fmt.Fprintf(stdout, " %s", name)
	}
	fmt.Fprintln(stdout)
	return nil
}

// openSources says how files are opened: those of the sample if no system is
// given, else those of the user, where the profile imports nothing from outside
// of its own folder.
func openSources(s *governance.Sources, asOf *string) (closeAll func(), err error) {
	if s.System != "" {
		s.Open = func(name string) (io.ReadCloser, error) { return os.Open(name) }
		if s.Profile == "" {
			return func() {}, nil
		}
		root, err := os.OpenRoot(filepath.Dir(s.Profile))
		if err != nil {
			return nil, err
		}
		s.Loader = profile.FS(root.FS())
		return func() { root.Close() }, nil
	}
	if s.Catalog != "" || s.Profile != "" || s.Components != nil || s.Vendors != "" || s.Scans != nil {
		return nil, errors.New("-system is needed beside other inputs")
	}
	if *asOf == "" {
		*asOf = sampleAsOf
	}
	files, err := fs.Sub(sample, "sample")
	if err != nil {
		return nil, err
	}
	*s = governance.Sources{
		Open:       func(name string) (io.ReadCloser, error) { return files.Open(name) },
		Loader:     profile.FS(files),
		Profile:    "profile.json",
		Components: []string{"component-platform.json", "component-application.json"},
		System:     "system.yaml",
		Vendors:    "vendors.yaml",
		Scans:      []string{"scan.sarif"},
	}
	return func() {}, nil
}
