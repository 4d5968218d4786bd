package governance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/controls"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/risk"
	"github.com/issokit/issokit/risk/matrix"
	"github.com/issokit/issokit/vendors"
)

// PackageOptions configure [BuildPackage].
type PackageOptions struct {
	// AsOf is the time of the package: its last-modified dates, and the day on
	// which things are due or overdue. Required.
	AsOf time.Time
	// Policy says by when weaknesses must be gone; default
	// [assessment.FedRAMPRev5].
	Policy *assessment.Policy
	// Initiation is the likelihood that somebody tries to use a weakness that a
	// scanner found (NIST SP 800-30 Rev. 1, table G-2); default moderate.
	Initiation matrix.Qualitative
	// Mappings say which records of scanners speak about which controls, beside
	// those that name their controls themselves.
	Mappings []assessment.Mapping
	// Determinations are what people found out about controls.
	Determinations []assessment.Determination
	// Previous is the plan of action and milestones of before, whose items keep
	// their numbers and dates; default: none.
	Previous *oscal.PlanOfActionAndMilestones
	// Format is the form in which the documents will be written: their references
	// to each other end in it. Default JSON.
	Format oscal.Format
}

// A Package is an authorization package: documents whose references lead to each
// other, and what they were made from.
type Package struct {
	Catalog *oscal.Document // the baseline: resolved-catalog
	SSP     *oscal.Document // system security plan: ssp
	Plan    *oscal.Document // assessment plan: assessment-plan
	Results *oscal.Document // assessment results: assessment-results
	POAM    *oscal.Document // plan of action and milestones: poam; nil where there is nothing to be done

	// Warnings are what a user should know about the package and its inputs.
	Warnings []string

	implementation *controls.Implementation
	results        *assessment.Results
	poam           *assessment.POAM
	register       *risk.Register
	portfolio      *vendors.Portfolio
	scans          []Scan
	opts           PackageOptions
}

// Names of the documents of a package, without extension.
const (
	catalogName = "resolved-catalog"
	sspName     = "ssp"
	planName    = "assessment-plan"
	resultsName = "assessment-results"
	poamName    = "poam"
)

// DocumentNames returns the names that the documents of a package have, without
// extension, in the order in which they build on each other.
func DocumentNames() []string {
	return []string{catalogName, sspName, planName, resultsName, poamName}
}

// Documents returns the documents with their file names, in the order in which
// they build on each other.
func (p *Package) Documents() iter.Seq2[string, *oscal.Document] {
	return func(yield func(string, *oscal.Document) bool) {
		for _, d := range []*oscal.Document{p.Catalog, p.SSP, p.Plan, p.Results, p.POAM} {
			if d != nil && !yield(d.Name(), d) {
				return
			}
		}
	}
}

// Write writes the documents in the format of the package, each to what create
// returns for its file name. Nothing is created before all of them are ready.
func (p *Package) Write(create func(name string) (io.WriteCloser, error)) error {
	type file struct {
		name string
		text bytes.Buffer
	}
	var files []*file
	for name, doc := range p.Documents() {
		f := &file{name: name}
		if err := doc.Write(&f.text, &oscal.WriteOptions{Format: p.opts.Format}); err != nil {
			return err
		}
		files = append(files, f)
	}
	for _, f := range files {
		w, err := create(f.name)
		if err != nil {
			return err
		}
		_, err = f.text.WriteTo(w)
		if err := errors.Join(err, w.Close()); err != nil {
			return fmt.Errorf("writing %s: %w", f.name, err)
		}
	}
	return nil
}

// BuildPackage makes an authorization package. The same inputs and options give
// the same documents.
//
// The error joins everything that is wrong: [controls.Problems] of the system and
// its components, [vendors.Problems], [assessment.Problems], [oscal.Problems] of
// the documents and of references that lead nowhere. Where the baseline was
// resolved, its own links to controls that were not selected are warnings.
func BuildPackage(in *Inputs, opts PackageOptions) (*Package, error) {
	if y := opts.AsOf.Year(); y < 1900 || y > 2900 {
		return nil, fmt.Errorf("governance: the package needs a time (AsOf) between the years 1900 and 2900, found %s", opts.AsOf.Format(time.DateOnly))
	}
	if opts.Policy == nil {
		policy := assessment.FedRAMPRev5()
		opts.Policy = &policy
	}
	if opts.Initiation == 0 {
		opts.Initiation = matrix.Moderate
	}
	if opts.Format == 0 {
		opts.Format = oscal.JSON
	}
	b := &builder{in: in, opts: opts, out: &Package{Warnings: slices.Clone(in.Warnings), portfolio: &in.Vendors, scans: in.Scans, opts: opts}}
	b.build()
	if b.errs != nil {
		return nil, errors.Join(b.errs...)
	}
	return b.out, nil
}

type builder struct {
	in   *Inputs
	opts PackageOptions
	out  *Package
	errs []error
}

func (b *builder) check(err error) {
	if err != nil {
		b.errs = append(b.errs, err)
	}
}

func (b *builder) warn(err error) {
	if err != nil {
		b.out.Warnings = append(b.out.Warnings, err.Error())
	}
}

// file is the name of a document of the package.
func (b *builder) file(name string) string { return name + "." + b.opts.Format.String() }

// document makes a document of a typed view, under its name.
func (b *builder) document(name string, view any) *oscal.Document {
	doc, err := oscal.FromView(view)
	b.check(err)
	if doc != nil {
		doc.SetName(b.file(name))
	}
	return doc
}

// build goes the way from the baseline to the plan of action. What cannot be
// done without an earlier step is left out, so that all errors of one step come
// at once.
func (b *builder) build() {
	baseline := b.baseline()
	if baseline == nil {
		return
	}
	ssp := b.ssp(baseline)
	if b.errs != nil {
		return
	}
	plan, err := assessment.NewPlan(baseline, ssp, b.opts.AsOf, &assessment.PlanOptions{
		Metadata: b.metadata("Assessment Plan"), SSP: b.file(sspName), Tools: b.tools(),
	})
	b.check(err)
	if b.errs != nil {
		return
	}
	b.out.Plan = b.document(planName, plan)
	b.results(baseline, ssp, plan)
	if b.errs != nil {
		return
	}
	b.poam(ssp, plan)
	b.references()
}

func (b *builder) baseline() *controls.Baseline {
	b.out.Catalog = b.in.Baseline
	b.out.Catalog.SetName(b.file(catalogName))
	view, err := oscal.As[oscal.Catalog](b.in.Baseline)
	b.check(err)
	catalog, err := controls.NewCatalog(view, nil)
	b.warn(err)
	if catalog == nil {
		return nil
	}
	baseline, err := controls.NewBaseline(catalog, nil)
	b.check(err)
	return baseline
}

func (b *builder) ssp(baseline *controls.Baseline) *oscal.SystemSecurityPlan {
	im, err := controls.Implement(baseline, b.in.System, b.in.Components, &controls.ImplementOptions{Name: b.in.system.file})
	b.check(b.in.system.locate(err))
	projection, err := vendors.ToOSCAL(&b.in.Vendors, &vendors.OSCALOptions{InUse: true})
	b.check(b.in.vendors.locate(err))
	if im == nil {
		return nil
	}
	b.out.implementation = im
	if left := im.LeftOut(); len(left) > 0 {
		b.out.Warnings = append(b.out.Warnings, leftOut(left))
	}
	ssp, err := im.SSP(b.file(catalogName), b.opts.AsOf, &controls.SSPOptions{
		Roles: projection.Roles, Parties: projection.Parties, Components: projection.Components,
		LeveragedAuthorizations: projection.LeveragedAuthorizations,
	})
	b.check(err)
	if b.errs == nil {
		b.out.SSP = b.document(sspName, ssp)
	}
	return ssp
}

// leftOut says which answers of component definitions the baseline has no use for.
func leftOut(left []controls.Requirement) string {
	var ids []string
	for _, r := range left {
		if !slices.Contains(ids, r.Control) {
			ids = append(ids, r.Control)
		}
	}
	return fmt.Sprintf("components answer %d controls outside of the baseline, which are left out: %s", len(ids), strings.Join(ids, ", "))
}

// metadata is what documents about the system say of themselves, beside what the
// packages that write them fill in.
func (b *builder) metadata(title string) oscal.Metadata {
	return oscal.Metadata{Title: b.in.System.Name + " " + title, Version: "1.0"}
}

// tools are those that made the scans, each once.
func (b *builder) tools() []assessment.Tool {
	var tools []assessment.Tool
	for _, s := range b.in.Scans {
		for _, r := range s.Records {
			if !slices.Contains(tools, r.Tool) {
				tools = append(tools, r.Tool)
			}
		}
	}
	return tools
}

func (b *builder) results(baseline *controls.Baseline, ssp *oscal.SystemSecurityPlan, plan *oscal.AssessmentPlan) {
	var reports []assessment.Report
	for _, s := range b.in.Scans {
		reports = append(reports, assessment.Report{Name: s.Evidence.Title, Records: records(s.Records), Evidence: &s.Evidence})
	}
	rate := b.rate
	results, err := assessment.Assess(baseline, ssp, plan, reports, b.opts.AsOf, &assessment.AssessOptions{
		Metadata: b.metadata("Assessment Results"), Plan: b.file(planName), Policy: b.opts.Policy,
		Mappings: b.opts.Mappings, Determinations: b.opts.Determinations, Rate: rate,
	})
	b.check(err)
	if results != nil && err == nil {
		b.out.results = results
		b.out.Results = b.document(resultsName, results.Document)
	}
}

func records(all []assessment.Record) iter.Seq2[assessment.Record, error] {
	return func(yield func(assessment.Record, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// likelihoodOf says how likely an attempt to use a weakness of a severity has
// adverse impact: the words of the scanner on the scale of table G-4.
var likelihoodOf = map[assessment.Severity]matrix.Qualitative{
	assessment.Critical: matrix.VeryHigh, assessment.High: matrix.High, assessment.Medium: matrix.Moderate,
	assessment.Low: matrix.Low, assessment.Informational: matrix.VeryLow,
}

// impactOf is the high-water mark of the security objectives (FIPS 199 and FIPS
// 200, section 3); moderate where the system does not say.
func impactOf(system *controls.System) matrix.Qualitative {
	var high matrix.Qualitative
	i := system.Impact
	for _, level := range []string{i.Confidentiality, i.Integrity, i.Availability, system.Sensitivity} {
		q, err := matrix.ParseQualitative(strings.TrimPrefix(strings.ToLower(level), "fips-199-"))
		if err == nil {
			high = max(high, q)
		}
	}
	if high == 0 {
		return matrix.Moderate
	}
	return high
}

// rate rates the risk of a cause by NIST SP 800-30: tables G-5 and I-2.
func (b *builder) rate(c *assessment.Cause) []oscal.Characterization {
	likelihood, ok := likelihoodOf[c.Severity]
	if !ok {
		likelihood = matrix.Moderate
	}
	rating, err := matrix.ThreatEvent{
		Initiation: b.opts.Initiation, AdverseImpact: likelihood, Impact: impactOf(&b.in.System),
	}.Rate()
	if err != nil {
		b.check(err)
		return nil
	}
	r := risk.Risk{
		ID: c.Key, Title: c.Title, Description: c.Title, Statement: c.Title, State: risk.Identified,
		Assessments: []risk.Assessment{risk.Rated(risk.Inherent, rating, b.opts.AsOf, actors(c.Origin)...)},
	}
	x, err := risk.ToOSCAL(r, nil)
	if err != nil {
		b.check(err)
		return nil
	}
	return oscal.Items(x.Characterizations)
}

func actors(origin oscal.Origin) []risk.Actor {
	var out []risk.Actor
	for _, a := range origin.Actors {
		out = append(out, risk.Actor{Type: a.Type, ID: a.ActorUuid, Role: a.RoleId})
	}
	return out
}

func (b *builder) poam(ssp *oscal.SystemSecurityPlan, plan *oscal.AssessmentPlan) {
	if before := b.opts.Previous; before != nil && before.Metadata.LastModified.After(b.opts.AsOf) {
		b.out.Warnings = append(b.out.Warnings, fmt.Sprintf("the plan of action of before is of %s, after the time of the package", before.Metadata.LastModified.Format(time.RFC3339)))
	}
	poam, err := assessment.UpdatePOAM(b.opts.Previous, ssp, b.out.results.Document, b.opts.AsOf, &assessment.POAMOptions{
		Metadata: b.metadata("Plan of Action and Milestones"), SSP: b.file(sspName), Plan: plan, Policy: b.opts.Policy,
	})
	switch {
	case errors.Is(err, assessment.ErrMissing) && poam != nil && len(poam.Document.PoamItems) == 0:
		return // nothing is to be done, and OSCAL has no empty plan of action
	case err != nil:
		b.check(err)
		return
	}
	b.out.poam = poam
	b.out.POAM = b.document(poamName, poam.Document)
	var risks []risk.Risk
	for _, x := range oscal.Items(poam.Document.Risks) {
		r, err := risk.FromOSCAL(x)
		b.check(err)
		risks = append(risks, r)
	}
	register, err := risk.NewRegister(risks...)
	b.check(err)
	b.out.register = register
}

// references wants every reference between the documents to lead somewhere. What
// the catalog refers to is the business of who wrote it.
func (b *builder) references() {
	var docs []*oscal.Document
	for _, d := range b.out.Documents() {
		docs = append(docs, d)
	}
	var wrong oscal.Problems
	for _, p := range oscal.CheckReferences(docs, nil) {
		switch {
		case p.File == b.out.Catalog.Name():
			continue
		case p.Level == oscal.Error:
			wrong = append(wrong, p)
		default:
			b.out.Warnings = append(b.out.Warnings, p.Error())
		}
	}
	if wrong != nil {
		b.check(fmt.Errorf("the documents of the package do not fit together: %w", wrong))
	}
}
