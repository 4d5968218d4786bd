package constraint

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/issokit/issokit/oscal"
)

// Options configure [Validate]; nil means the defaults.
type Options struct {
	// Sets are evaluated after the built-in set, in this order.
	Sets []*Set
	// NoBuiltIn leaves the constraints out that the models of the document define:
	// those of [BuiltIn] or, for a document of a metaschema, of [OfMetaschema].
	NoBuiltIn bool
	// NoStructure leaves out what was found wrong when the document was read, or,
	// if it was built, what [oscal.Document.Check] finds.
	NoStructure bool
	// MinLevel leaves out what weighs less; the constraints are not evaluated.
	// The zero value leaves out nothing.
	MinLevel Level
	// Only, if it is not empty, leaves out all rules but those named, Except those
	// named: by ID or Key of constraints, by [oscal.Rule] of structure.
	Only, Except []string
	// OpenLists also reports values that no list of allowed values has where all
	// lists that look at them allow others. Such a value violates nothing, but it
	// may be misspelt: the finding, one for a node, is of level
	// [LevelInformational] and says so if a listed value is near.
	OpenLists bool
	// Loader gives the documents that constraints ask for. Without it a
	// constraint that needs one ends in a warning.
	Loader Loader
	// ResolveProfile resolves profiles for constraints that look at the controls
	// that they select.
	ResolveProfile ResolveFunc
	// Now is the time of the validation. Constraints that compare with it end in
	// an error without it.
	Now time.Time
	// Variables give values to variables that the sets declare in [LoadOptions].
	Variables map[string]Sequence
	// Counts asks for the number of nodes that passed and failed each constraint.
	Counts bool
	// MaxFindings bounds the findings, default 100,000; a last finding with the
	// rule limit says that there were more.
	MaxFindings int
	// MaxSteps bounds the work for one constraint on one host; default
	// 100,000,000, some seconds.
	MaxSteps int
}

// A Finding is one thing that is wrong with a document: a problem of structure,
// a constraint that a node violates, or one that could not be evaluated.
type Finding struct {
	Level      Level
	Kind       Kind        // 0 for a problem of structure
	Rule       string      // ID of the constraint or, without one, its Key; name of the rule of structure
	Constraint *Constraint // nil for a problem of structure
	Node       *oscal.Node // nil for a problem of structure
	File       string
	Position   oscal.Position // in the text that was read, invalid for a node that was not
	Path       string         // by XML names with positions, such as /catalog[1]/group[2]/@id; of structure only in XML documents
	Pointer    string         // JSON Pointer
	Message    string
	Related    []Related // other places that matter, such as the first of two equal keys
	Err        error     // why the constraint could not be evaluated, nil if it could

	byPath bool // the document is XML: its places are shown as paths
}

// Related is another place that a finding is about.
type Related struct {
	Node     *oscal.Node
	File     string
	Position oscal.Position
	Path     string
	Pointer  string
	Message  string
}

// Error gives the finding as a line of text: file, position, level, message,
// place and rule.
func (f Finding) Error() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File + ":")
	}
	if f.Position.IsValid() {
		b.WriteString(f.Position.String() + ":")
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if f.Level != LevelError {
		b.WriteString(f.Level.String() + ": ")
	}
	b.WriteString(f.Message)
	switch {
	case f.byPath && f.Path != "":
		fmt.Fprintf(&b, " (at %s)", f.Path)
	case f.Pointer != "":
		fmt.Fprintf(&b, " (at %s)", f.Pointer)
	}
	fmt.Fprintf(&b, " [%s]", f.Rule)
	return b.String()
}

// Unwrap returns why a constraint could not be evaluated; for other findings of
// level Error and above it is [oscal.ErrInvalid].
func (f Finding) Unwrap() error {
	if f.Err == nil && f.Level >= LevelError {
		return oscal.ErrInvalid
	}
	return f.Err
}

// StructureFindings gives the problems of reading a document as findings, so
// that they can stand beside those of constraints.
func StructureFindings(problems oscal.Problems) []Finding {
	out := make([]Finding, 0, len(problems))
	for _, p := range problems {
		f := Finding{
			Level: LevelError, Rule: string(p.Rule), File: p.File, Position: p.Position, Path: p.Path, Pointer: p.Pointer,
			Message: p.Message, byPath: p.Path != "",
		}
		if p.Level == oscal.Warning {
			f.Level = LevelWarning
		}
		about := "the other place"
		switch p.Rule {
		case oscal.RuleWrongKind:
			about = "what has this identifier"
		case oscal.RuleDuplicate:
			about = "it stands here first"
		case oscal.RuleDuplicateID:
			about = "first with this identifier"
		}
		for _, r := range p.Related {
			f.Related = append(f.Related, Related{File: r.File, Position: r.Position, Path: r.Path, Pointer: r.Pointer, Message: about})
		}
		out = append(out, f)
	}
	return out
}

// A Count says how many nodes a constraint was evaluated on.
type Count struct {
	Constraint     *Constraint
	Passed, Failed int
}

// A Report is the outcome of [Validate].
type Report struct {
	// Findings come in this order: structure in order of the text, then
	// constraints in document order and, at one node, in table order.
	Findings []Finding
	// Notices are about values that are allowed but deprecated. They do not make
	// a document invalid.
	Notices []Finding
	// Counts, if asked for, has the constraints that had a node to look at, in
	// table order.
	Counts []Count
}

// Valid tells whether no finding is of level Error or above.
func (r *Report) Valid() bool {
	for i := range r.Findings {
		if r.Findings[i].Level >= LevelError {
			return false
		}
	}
	return true
}

// Validate evaluates constraints on a document and reports all that is wrong
// with it, structure included. The error is the one of ctx, that of a set that
// refers to an index that no set defines, or that of [OfMetaschema]; findings
// are no error.
//
// Every constraint is evaluated on all instances of its host. One that cannot be
// evaluated makes a finding of level Error that says why; the others are not
// touched by it. The document is not changed.
//
// Up to GOMAXPROCS goroutines work at a large document; the report does not
// depend on their number. A loader is called by one at a time.
func Validate(ctx context.Context, doc *oscal.Document, opts *Options) (*Report, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.MaxFindings <= 0 {
		o.MaxFindings = 100_000
	}
	e, err := newEvaluator(ctx, doc, o)
	if err != nil {
		return nil, err
	}
	report := &Report{}
	if !o.NoStructure {
		report.Findings = e.structure()
	}
	if err := e.evaluate(); err != nil {
		return nil, err
	}
	e.report(report)
	return report, nil
}

// Findings is [Validate] as an iterator over the findings. The problems of
// structure come before any constraint is evaluated, so that a caller who stops
// at the first pays for no more. An error ends the iteration.
func Findings(ctx context.Context, doc *oscal.Document, opts *Options) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		var o Options
		if opts != nil {
			o = *opts
		}
		if !o.NoStructure {
			before := o
			before.NoBuiltIn, before.Sets = true, nil
			r, err := Validate(ctx, doc, &before)
			if err != nil {
				yield(Finding{}, err)
				return
			}
			for _, f := range r.Findings {
				if !yield(f, nil) {
					return
				}
			}
			o.NoStructure = true
		}
		r, err := Validate(ctx, doc, &o)
		if err != nil {
			yield(Finding{}, err)
			return
		}
		for _, f := range r.Findings {
			if !yield(f, nil) {
				return
			}
		}
	}
}
