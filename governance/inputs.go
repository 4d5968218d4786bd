// Package governance puts the parts of the work of an ISSO together: it makes
// an authorization package of a baseline, components, a system, its vendors and
// its scans.
//
// [ReadInputs] reads what it is made of, [BuildPackage] makes it, and
// [Package.Summary] says on one screen what is in it.
package governance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/assessment/scan"
	"github.com/issokit/issokit/controls"
	"github.com/issokit/issokit/internal/strictyaml"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/profile"
	"github.com/issokit/issokit/vendors"
)

// Bounds of the sizes of files: those that describe a system or its vendors, and
// the reports of scanners, which are held in memory once.
const (
	maxInput = 16 << 20
	maxScan  = 256 << 20
)

// ErrInput is what an [InputError] wraps.
var ErrInput = errors.New("the input cannot be used")

// An InputError is one thing that is wrong with a file of [Sources] that is no
// OSCAL document.
type InputError struct {
	File         string
	Line, Column int    // from 1; 0 if not known
	Pointer      string // JSON Pointer (RFC 6901) of the member, "" if not known
	Message      string
}

func (e *InputError) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, max(e.Column, 1))
	}
	b.WriteString(": " + e.Message)
	if e.Pointer != "" {
		b.WriteString(" (at " + e.Pointer + ")")
	}
	return b.String()
}

func (e *InputError) Unwrap() error { return ErrInput }

// Sources name the files of which an authorization package is made. Names are
// what Open understands.
type Sources struct {
	// Open opens a file by its name. Required.
	Open func(name string) (io.ReadCloser, error)
	// Loader gives the documents that the profile imports. Their URIs are relative
	// to the folder of the profile: the profile itself has its base name. Default:
	// the profile may import nothing but Catalog.
	Loader profile.Loader

	Profile    string   // the baseline; default: all controls of Catalog
	Catalog    string   // stands for each import of the profile that Loader does not have
	Components []string // component definitions
	System     string   // a [controls.System] in YAML or JSON. Required
	Vendors    string   // a [vendors.Portfolio] in YAML or JSON; default: none
	Scans      []string // reports of scanners, see package scan
}

// Inputs are what an authorization package is made of.
type Inputs struct {
	Baseline   *oscal.Document // the resolved catalog
	Components []*oscal.ComponentDefinition
	System     controls.System
	Vendors    vendors.Portfolio
	Scans      []Scan
	// Warnings are what a user should know about the inputs, in their order.
	Warnings []string

	system, vendors description
}

// A Scan is what the report of a scanner said.
type Scan struct {
	Evidence assessment.Evidence // the report: its name, size and digest
	Records  []assessment.Record
}

// ReadInputs reads all files and resolves the profile. Everything that is wrong
// comes at once, in the order of the fields of [Sources]: [oscal.Problems],
// [profile.Problems], [InputError], [controls.Problems], [vendors.Problems],
// [scan.Error], and what Open gave.
func ReadInputs(ctx context.Context, s Sources) (*Inputs, error) {
	r := inputReader{ctx: ctx, Sources: s, in: &Inputs{}}
	r.baseline()
	for _, name := range s.Components {
		if doc := r.document(name); doc != nil {
			def, err := oscal.As[oscal.ComponentDefinition](doc)
			if err != nil {
				r.fail(&InputError{File: name, Message: err.Error()})
				continue
			}
			r.in.Components = append(r.in.Components, def)
		}
	}
	r.in.system = description{s.System, r.decode(s.System, &r.in.System)}
	if s.Vendors != "" {
		r.in.vendors = description{s.Vendors, r.decode(s.Vendors, &r.in.Vendors)}
		if err := r.in.Vendors.Check(); err != nil && r.in.vendors.places != nil {
			r.fail(r.in.vendors.locate(err))
		}
	}
	for _, name := range s.Scans {
		r.scan(name)
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case r.errs != nil:
		return nil, errors.Join(r.errs...)
	}
	return r.in, nil
}

type inputReader struct {
	Sources
	ctx  context.Context //nolint:containedctx // the reader lives for one call
	in   *Inputs
	errs []error
}

func (r *inputReader) fail(err error) { r.errs = append(r.errs, err) }

func (r *inputReader) warn(format string, args ...any) {
	r.in.Warnings = append(r.in.Warnings, fmt.Sprintf(format, args...))
}

// document reads an OSCAL document; one with errors of structure is refused.
func (r *inputReader) document(name string) *oscal.Document {
	f, err := r.Open(name)
	if err != nil {
		r.fail(err)
		return nil
	}
	defer f.Close()
	doc, err := oscal.Read(f, &oscal.ReadOptions{Name: name})
	if err != nil {
		r.fail(err)
		return nil
	}
	return doc
}

func (r *inputReader) baseline() {
	if r.Catalog == "" && r.Profile == "" {
		r.fail(&InputError{File: "-", Message: "expected a catalog or a profile, found neither"})
		return
	}
	var catalog *oscal.Document
	if r.Catalog != "" {
		if catalog = r.document(r.Catalog); catalog == nil {
			return
		}
	}
	if r.Profile == "" {
		r.resolve(catalog, nil)
	} else if doc := r.document(r.Profile); doc != nil {
		r.resolve(doc, catalog)
	}
}

// resolve makes the baseline. The catalog, if there is one, stands for whatever
// the profile imports that the loader does not have.
func (r *inputReader) resolve(doc, catalog *oscal.Document) {
	loader, used := r.Loader, false
	if catalog != nil {
		uri := base(catalog.Name())
		loader = profile.LoaderFunc(func(ctx context.Context, wanted string) (io.ReadCloser, string, error) {
			if r.Loader != nil {
				if text, final, err := r.Loader.Load(ctx, wanted); err == nil {
					return text, final, nil
				}
			}
			used = true
			if wanted != uri {
				r.warn("%s: the import %s is not at hand; %s stands for it", doc.Name(), wanted, catalog.Name())
			}
			return io.NopCloser(strings.NewReader("")), uri, nil
		})
		resolver := profile.NewResolver(loader, nil)
		resolver.Add(uri, catalog)
		defer func() {
			if !used {
				r.warn("%s: the profile %s found all its imports without it", catalog.Name(), doc.Name())
			}
		}()
		r.resolveWith(resolver, doc)
		return
	}
	r.resolveWith(profile.NewResolver(loader, nil), doc)
}

func (r *inputReader) resolveWith(resolver *profile.Resolver, doc *oscal.Document) {
	result, err := resolver.Resolve(r.ctx, doc, &profile.Options{URI: base(doc.Name())})
	if err != nil {
		r.fail(err)
		return
	}
	for _, w := range result.Warnings {
		r.warn("%s", w.Error())
	}
	r.in.Baseline = result.Catalog
}

// href is the name of a file as a relative reference (RFC 3986).
func href(name string) string {
	return (&url.URL{Path: strings.ReplaceAll(name, `\`, "/")}).EscapedPath()
}

// base is the last element of a name, whatever separates them.
func base(name string) string { return name[strings.LastIndexAny(name, `/\`)+1:] }

// decode reads a description in YAML or JSON into v. Unknown and duplicate
// members, and values of a wrong kind, are errors, all of them at once.
func (r *inputReader) decode(name string, v any) *strictyaml.Places {
	f, err := r.Open(name)
	if err != nil {
		r.fail(err)
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxInput+1))
	switch {
	case err != nil:
		r.fail(fmt.Errorf("reading %s: %w", name, err))
		return nil
	case len(data) > maxInput:
		r.fail(&InputError{File: name, Message: fmt.Sprintf("more than %d bytes", maxInput)})
		return nil
	}
	places, problems := strictyaml.Decode(data, v)
	for _, p := range problems {
		r.fail(&InputError{name, p.Line, p.Column, p.Pointer, p.Message})
	}
	if problems != nil {
		return nil
	}
	return places
}

// A description is where the members of a file that people wrote stood.
type description struct {
	file   string
	places *strictyaml.Places
}

// locate gives the problems of a description their place in its file: those of
// packages that know the members by JSON Pointer only. Other errors stay as they
// are.
func (d description) locate(err error) error {
	if d.places == nil {
		return err
	}
	var out []error
	for _, e := range Errors(err) {
		pointer, cause := "", error(nil)
		if p, ok := errors.AsType[*controls.Problem](e); ok && (p.Document == "" || p.Document == d.file) {
			pointer, cause = p.Pointer, p.Err
		} else if p, ok := errors.AsType[*vendors.Problem](e); ok {
			pointer, cause = p.Pointer, p.Err
		}
		if cause == nil {
			out = append(out, e)
			continue
		}
		line, column := d.places.At(pointer)
		out = append(out, &InputError{d.file, line, column, pointer, cause.Error()})
	}
	return errors.Join(out...)
}

// scan reads the report of a scanner and takes its digest on the way.
func (r *inputReader) scan(name string) {
	f, err := r.Open(name)
	if err != nil {
		r.fail(err)
		return
	}
	defer f.Close()
	var report bytes.Buffer
	title := base(name)
	if slices.ContainsFunc(r.in.Scans, func(s Scan) bool { return s.Evidence.Title == title }) {
		title = name // another report has the same name in another folder
	}
	// The path on this machine is no business of those who read the package.
	evidence, err := assessment.Evidence{Title: title, Href: href(title)}.Collect(&report, io.LimitReader(f, maxScan+1))
	switch {
	case err != nil:
		r.fail(fmt.Errorf("reading %s: %w", name, err))
		return
	case evidence.Size > maxScan:
		r.fail(&InputError{File: name, Message: fmt.Sprintf("more than %d bytes", maxScan)})
		return
	}
	s := Scan{Evidence: evidence}
	opts := &scan.Options{Name: name, Warn: func(e *scan.Error) { r.warn("%s", e.Error()) }}
	for record, err := range scan.Records(r.ctx, bytes.NewReader(report.Bytes()), opts) {
		if err != nil {
			r.fail(err)
			return
		}
		s.Records = append(s.Records, record)
	}
	r.in.Scans = append(r.in.Scans, s)
}

// Errors returns what is wrong one by one: the errors that err joins, and those
// that these join, in order. It is what a command prints, a line each.
func Errors(err error) []error {
	if err == nil {
		return nil
	}
	several, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range several.Unwrap() {
		out = append(out, Errors(e)...)
	}
	return out
}
