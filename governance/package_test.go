package governance_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/governance"
	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/profile"
	"github.com/issokit/issokit/risk/matrix"
	"github.com/issokit/issokit/vendors"
)

const sampleFolder = "../examples/authorization-package/sample"

var asOf = time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC)

// sources are those of the sample, with some files replaced or edited.
func sources(t testing.TB, edit map[string]func(string) string) governance.Sources {
	t.Helper()
	files := fstest.MapFS{}
	entries, err := os.ReadDir(sampleFolder)
	require.NoError(t, err)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(sampleFolder, e.Name()))
		require.NoError(t, err)
		if f := edit[e.Name()]; f != nil {
			text := f(string(data))
			require.NotEqual(t, string(data), text, "the edit of %s does something", e.Name())
			data = []byte(text)
		}
		files[e.Name()] = &fstest.MapFile{Data: data}
	}
	return governance.Sources{
		Open:       func(name string) (io.ReadCloser, error) { return files.Open(name) },
		Loader:     profile.FS(files),
		Profile:    "profile.json",
		Components: []string{"component-platform.json", "component-application.json"},
		System:     "system.yaml", Vendors: "vendors.yaml", Scans: []string{"scan.sarif"},
	}
}

func replace(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

func build(t testing.TB, s governance.Sources, opts governance.PackageOptions) *governance.Package {
	t.Helper()
	in, err := governance.ReadInputs(context.Background(), s)
	require.NoError(t, err)
	pkg, err := governance.BuildPackage(in, opts)
	require.NoError(t, err)
	return pkg
}

// buffer is a file in memory.
type buffer struct{ bytes.Buffer }

func (*buffer) Close() error { return nil }

func write(t testing.TB, pkg *governance.Package) map[string]string {
	t.Helper()
	files := map[string]*buffer{}
	require.NoError(t, pkg.Write(func(name string) (io.WriteCloser, error) {
		files[name] = &buffer{}
		return files[name], nil
	}))
	out := map[string]string{}
	for name, b := range files {
		out[name] = b.String()
	}
	return out
}

// TestPackageIsValid: every document, read again from its bytes, has no problem,
// and every reference between them leads to what it should.
func TestPackageIsValid(t *testing.T) {
	for _, format := range []oscal.Format{oscal.JSON, oscal.YAML} {
		t.Run(format.String(), func(t *testing.T) {
			pkg := build(t, sources(t, nil), governance.PackageOptions{AsOf: asOf, Format: format})
			require.Empty(t, pkg.Warnings)
			var docs []*oscal.Document
			var models []string
			for name, text := range write(t, pkg) {
				doc, err := oscal.Parse(text, &oscal.ReadOptions{Name: name})
				require.NoError(t, err)
				require.Empty(t, doc.Problems(), name)
				docs = append(docs, doc)
			}
			for name, doc := range pkg.Documents() {
				models = append(models, name+" "+doc.Model())
			}
			ext := "." + format.String()
			require.Equal(t, []string{
				"resolved-catalog" + ext + " catalog", "ssp" + ext + " system-security-plan", "assessment-plan" + ext + " assessment-plan",
				"assessment-results" + ext + " assessment-results", "poam" + ext + " plan-of-action-and-milestones",
			}, models)
			require.Empty(t, oscal.CheckReferences(docs, nil))
			across := map[string]bool{}
			for _, r := range oscal.References(docs, nil) {
				if r.State == oscal.Resolved && r.Doc != r.ToDoc {
					across[r.Doc.Model()+" -> "+r.ToDoc.Model()] = true
				}
			}
			for _, want := range []string{
				"system-security-plan -> catalog", "assessment-plan -> system-security-plan", "assessment-plan -> catalog", "assessment-results -> assessment-plan",
				"assessment-results -> system-security-plan", "assessment-results -> catalog", "plan-of-action-and-milestones -> system-security-plan",
			} {
				require.True(t, across[want], want)
			}
		})
	}
}

// TestPackageIsDeterministic: the same inputs give the same bytes, and a day
// later only what depends on the day differs.
func TestPackageIsDeterministic(t *testing.T) {
	first := write(t, build(t, sources(t, nil), governance.PackageOptions{AsOf: asOf}))
	require.Equal(t, first, write(t, build(t, sources(t, nil), governance.PackageOptions{AsOf: asOf})))
	later := write(t, build(t, sources(t, nil), governance.PackageOptions{AsOf: asOf.AddDate(0, 0, 1)}))
	require.Equal(t, first["resolved-catalog.json"], later["resolved-catalog.json"])
	require.NotEqual(t, first["ssp.json"], later["ssp.json"])
}

func TestSummary(t *testing.T) {
	pkg := build(t, sources(t, nil), governance.PackageOptions{AsOf: asOf})
	s, err := pkg.Summary()
	require.NoError(t, err)
	require.Equal(t, "Order Portal", s.System)
	require.Equal(t, 13, s.Total.Controls)
	sum := 0
	for _, f := range s.Families {
		sum += f.Controls
	}
	require.Equal(t, s.Total.Controls, sum)

	// The report has five results; one of the two of severity high is suppressed.
	require.Equal(t, []governance.SeverityCount{
		{Severity: assessment.Critical, Causes: 1, Records: 1},
		{Severity: assessment.High, Causes: 1, Records: 1, Suppressed: 1},
		{Severity: assessment.Medium, Causes: 1, Records: 1},
		{Severity: assessment.Low, Causes: 1, Records: 1},
	}, s.Severities)

	// FedRAMP: 30, 30, 90, 180 days after 2026-06-30.
	var due []string
	for _, i := range s.Items {
		due = append(due, i.Number+" "+i.Due.String())
		require.False(t, i.Aging.Overdue)
	}
	require.Equal(t, []string{"POAM-0001 2026-07-30", "POAM-0004 2026-07-30", "POAM-0002 2026-09-28", "POAM-0003 2026-12-27"}, due)

	// Initiation moderate, impact moderate: tables G-5 and I-2 of SP 800-30.
	var levels []string
	for _, r := range s.Risks {
		levels = append(levels, r.Title+": "+r.Level)
		require.NotEmpty(t, r.Why)
	}
	require.Equal(t, []string{"Query built from input: moderate", "Library with a known flaw: moderate", "Old TLS version offered: moderate", "Error page shows internals: low"}, levels)
	require.Contains(t, strings.Join(s.Risks[0].Why, "\n"), "row initiation moderate, column adverse-impact very-high")

	var tiers []vendors.Tier
	for _, v := range s.Vendors {
		tiers = append(tiers, v.Tier)
	}
	require.Equal(t, []vendors.Tier{1, 2, 3}, tiers)

	// A more hostile world: G-5 (very-high, very-high) is very-high, and I-2 makes
	// high of that with impact high.
	high := build(t, sources(t, map[string]func(string) string{"system.yaml": replace("confidentiality: moderate", "confidentiality: high")}),
		governance.PackageOptions{AsOf: asOf, Initiation: matrix.VeryHigh})
	s, err = high.Summary()
	require.NoError(t, err)
	require.Equal(t, "high", s.Risks[0].Level)
}

// TestPrevious: a month later the items keep numbers and dates, and are overdue.
func TestPrevious(t *testing.T) {
	first := build(t, sources(t, nil), governance.PackageOptions{AsOf: asOf})
	previous, err := oscal.As[oscal.PlanOfActionAndMilestones](first.POAM)
	require.NoError(t, err)
	pkg := build(t, sources(t, nil), governance.PackageOptions{AsOf: asOf.AddDate(0, 0, 31), Previous: previous})
	s, err := pkg.Summary()
	require.NoError(t, err)
	require.Len(t, s.Items, 4)
	require.Equal(t, "POAM-0001 2026-07-30", s.Items[0].Number+" "+s.Items[0].Due.String())
	require.True(t, s.Items[0].Aging.Overdue)
	require.Equal(t, -1, s.Items[0].Aging.Left)
	var text strings.Builder
	require.NoError(t, s.WriteText(&text))
	require.Contains(t, text.String(), "due 2026-07-30, overdue by 1 day")
}

// TestNothingToDo: without scans there is no plan of action, since OSCAL knows no
// empty one.
func TestNothingToDo(t *testing.T) {
	s := sources(t, nil)
	s.Scans, s.Vendors = nil, ""
	pkg := build(t, s, governance.PackageOptions{AsOf: asOf})
	require.Nil(t, pkg.POAM)
	summary, err := pkg.Summary()
	require.NoError(t, err)
	var text strings.Builder
	require.NoError(t, summary.WriteText(&text))
	require.Equal(t, 4, strings.Count(text.String(), "  none\n"))
}

// TestBadInputs: every fault is named with its place, those of several files at
// once.
func TestBadInputs(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit map[string]func(string) string
		want []string
	}{
		{"several files", map[string]func(string) string{
			"component-platform.json": replace(`"type": "service"`, `"typ": "service"`),
			"system.yaml":             replace("description: Customers", "describtion: Customers"),
			"vendors.yaml":            replace("id: paywell\n", "id: [paywell]\n"),
			"scan.sarif":              replace(`"version": "2.1.0"`, `"version": "3.0"`),
		}, []string{
			`component-platform.json:`, `unknown member "typ"`,
			"system.yaml:6:", "describtion",
			"vendors.yaml:4:",
			"scan.sarif",
		}},
		{
			"profile",
			map[string]func(string) string{"profile.json": replace(`"href": "catalog.json"`, `"href": "https://example.org/catalog.json"`)},
			[]string{"profile.json:", "https://example.org/catalog.json", "import-unavailable"},
		},
		{
			"import outside",
			map[string]func(string) string{"profile.json": replace(`"href": "catalog.json"`, `"href": "../../secret.json"`)},
			[]string{"profile.json:", "../../secret.json", "import-unavailable"},
		},
		{"unknown control", map[string]func(string) string{"system.yaml": replace("control: ir-1", "control: xx-9")}, []string{"system.yaml:60:5: ", `"xx-9"`}},
		{"dangling vendor", map[string]func(string) string{"vendors.yaml": replace("vendor: paywell", "vendor: nobody")}, []string{"vendors.yaml:37:5: ", "nobody", "dangling"}},
		{"empty", map[string]func(string) string{"system.yaml": func(string) string { return "" }}, []string{"system.yaml:1:1: the file is empty"}},
		{"truncated scan", map[string]func(string) string{"scan.sarif": func(s string) string { return s[:len(s)/2] }}, []string{"scan.sarif:"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, err := governance.ReadInputs(context.Background(), sources(t, tt.edit))
			if err == nil {
				_, err = governance.BuildPackage(in, governance.PackageOptions{AsOf: asOf})
			}
			require.Error(t, err)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	t.Run("missing files", func(t *testing.T) {
		s := sources(t, nil)
		s.System, s.Components = "none.yaml", []string{"none.json"}
		_, err := governance.ReadInputs(context.Background(), s)
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.Len(t, governance.Errors(err), 2)
	})
	t.Run("neither catalog nor profile", func(t *testing.T) {
		s := sources(t, nil)
		s.Profile = ""
		_, err := governance.ReadInputs(context.Background(), s)
		require.ErrorIs(t, err, governance.ErrInput)
	})
	t.Run("no time", func(t *testing.T) {
		in, err := governance.ReadInputs(context.Background(), sources(t, nil))
		require.NoError(t, err)
		_, err = governance.BuildPackage(in, governance.PackageOptions{})
		require.Error(t, err)
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := governance.ReadInputs(ctx, sources(t, nil))
		require.ErrorIs(t, err, context.Canceled)
	})
}

// TestCatalogStandsIn: an import that cannot be loaded is replaced by the catalog
// that the user names, and the user is told.
func TestCatalogStandsIn(t *testing.T) {
	s := sources(t, map[string]func(string) string{"profile.json": replace(`"href": "catalog.json"`, `"href": "https://example.org/x.json"`)})
	s.Catalog = "catalog.json"
	pkg := build(t, s, governance.PackageOptions{AsOf: asOf})
	require.Equal(t, []string{"profile.json: the import https://example.org/x.json is not at hand; catalog.json stands for it"}, pkg.Warnings)

	s = sources(t, nil)
	s.Catalog = "catalog.json"
	pkg = build(t, s, governance.PackageOptions{AsOf: asOf})
	require.Equal(t, []string{"catalog.json: the profile profile.json found all its imports without it"}, pkg.Warnings)
}

// corpusSources are a system of our own on baselines of NIST and FedRAMP.
func corpusSources(t testing.TB, catalog, profileFile string) governance.Sources {
	t.Helper()
	folder := corpus.Path(t, "oscal")
	return governance.Sources{
		Open:    func(name string) (io.ReadCloser, error) { return os.Open(name) },
		Catalog: filepath.Join(folder, "catalogs", catalog), Profile: filepath.Join(folder, "catalogs", profileFile),
		Components: []string{filepath.Join(folder, "documents/nist-examples/example-component-definition.json")},
		System:     "../examples/authorization-package/testdata/system-800-53.yaml",
		Vendors:    filepath.Join(sampleFolder, "vendors.yaml"), Scans: []string{filepath.Join(sampleFolder, "scan.sarif")},
	}
}

var baselines = []struct {
	name, catalog, profile string
	controls               int
}{
	// FedRAMP's LOW baseline of revision 4 has 125 controls; NIST's of revision 5
	// has 149 (controls/objectives/summary.csv).
	{"rev4-fedramp-low", "nist-rev4/NIST_SP-800-53_rev4_catalog-min.json", "fedramp-rev4/FedRAMP_rev4_LOW-baseline_profile.json", 125},
	{"rev5-low", "nist-rev5/NIST_SP-800-53_rev5_catalog.json", "nist-rev5/NIST_SP-800-53_rev5_LOW-baseline_profile.json", 149},
	{"rev5-moderate", "nist-rev5/NIST_SP-800-53_rev5_catalog.json", "nist-rev5/NIST_SP-800-53_rev5_MODERATE-baseline_profile.json", 287},
}

func TestBaselinesOfOthers(t *testing.T) {
	for _, tt := range baselines {
		t.Run(tt.name, func(t *testing.T) {
			pkg := build(t, corpusSources(t, tt.catalog, tt.profile), governance.PackageOptions{AsOf: asOf})
			s, err := pkg.Summary()
			require.NoError(t, err)
			require.Equal(t, tt.controls, s.Total.Controls)
			for name, text := range write(t, pkg) {
				doc, err := oscal.Parse(text, &oscal.ReadOptions{Name: name})
				require.NoError(t, err)
				for _, p := range doc.Problems() {
					// NIST's catalogs use a member that OSCAL has deprecated since.
					require.Equal(t, "catalog "+string(oscal.RuleDeprecated), doc.Model()+" "+string(p.Rule), p.Error())
				}
			}
		})
	}
}

func TestErrors(t *testing.T) {
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	require.Equal(t, []error{a, b, c}, governance.Errors(errors.Join(errors.Join(a, b), c)))
	require.Nil(t, governance.Errors(nil))
}

// BenchmarkPackage measures the main job stage by stage on the catalog of
// revision 4 and the LOW baseline of FedRAMP.
func BenchmarkPackage(b *testing.B) {
	s := corpusSources(b, baselines[0].catalog, baselines[0].profile)
	in, err := governance.ReadInputs(context.Background(), s)
	require.NoError(b, err)
	pkg, err := governance.BuildPackage(in, governance.PackageOptions{AsOf: asOf})
	require.NoError(b, err)
	b.Run("read and resolve", func(b *testing.B) {
		for b.Loop() {
			_, err := governance.ReadInputs(context.Background(), s)
			require.NoError(b, err)
		}
	})
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			_, err := governance.BuildPackage(in, governance.PackageOptions{AsOf: asOf})
			require.NoError(b, err)
		}
	})
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			for _, doc := range pkg.Documents() {
				require.NoError(b, doc.Write(io.Discard, nil))
			}
		}
	})
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			in, err := governance.ReadInputs(context.Background(), s)
			require.NoError(b, err)
			pkg, err := governance.BuildPackage(in, governance.PackageOptions{AsOf: asOf})
			require.NoError(b, err)
			for _, doc := range pkg.Documents() {
				require.NoError(b, doc.Write(io.Discard, nil))
			}
		}
	})
}
