package profile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/issokit/issokit/internal/errlist"
	"github.com/issokit/issokit/oscal"
)

// The rules of profile resolution. Those of the first group are errors: the
// profile has no catalog. The others are warnings.
const (
	RuleImportUnavailable     oscal.Rule = "import-unavailable"              // the imported document cannot be loaded
	RuleResourceNotFound      oscal.Rule = "resource-not-found"              // #uuid names no resource of the back matter
	RuleDocumentInvalid       oscal.Rule = "document-invalid"                // the imported document cannot be read without loss
	RuleNotCatalogOrProfile   oscal.Rule = "not-a-catalog-or-profile"        // the imported document is of another model
	RuleCircularImport        oscal.Rule = "circular-import"                 // a profile that is being resolved is imported again
	RuleStructuringDirectives oscal.Rule = "multiple-structuring-directives" // more than one of flat, as-is, custom
	RuleCombineMethod         oscal.Rule = "combine-method"                  // neither use-first nor keep
	RuleVersionMajor          oscal.Rule = "oscal-version-major"             // documents of different major versions
	RuleLimit                 oscal.Rule = oscal.RuleLimit                   // a limit of [Limits] was reached

	RuleResourceSkipped    oscal.Rule = "resource-skipped"    // a link or content of a resource could not be used, another was
	RuleDocumentProblem    oscal.Rule = "document-problem"    // the imported document is not valid, but was read without loss
	RuleVersionNewer       oscal.Rule = "oscal-version-newer" // a document is newer than the model of this package
	RuleUnknownControl     oscal.Rule = "unknown-control"     // a control-id that is not there
	RuleUnknownParameter   oscal.Rule = "unknown-parameter"   // a param-id that is not there
	RuleUnknownTarget      oscal.Rule = "unknown-target"      // a by-id that is not in the altered control
	RuleUnmatchedPattern   oscal.Rule = "unmatched-pattern"   // a pattern that matches no control
	RuleNothingSelected    oscal.Rule = "nothing-selected"    // insert-controls that selects no control
	RuleNothingRemoved     oscal.Rule = "nothing-removed"     // a removal that matches nothing
	RuleDuplicateControl   oscal.Rule = "duplicate-control"   // the catalog has several controls of one id
	RuleDuplicateParameter oscal.Rule = "duplicate-parameter" // the catalog has several parameters of one id
	RuleMisplacedAddition  oscal.Rule = "misplaced-addition"  // an added object has no place in its target
	RuleUnknownValue       oscal.Rule = "unknown-value"       // a token that the specification does not define
	RuleMixedGroup         oscal.Rule = "group-with-both"     // a merged group has groups and controls, which the model excludes
)

// A Problem is one thing that is wrong with a profile or an import. File,
// Position and Pointer tell the directive that is to blame, in the document that
// holds it.
type Problem struct {
	oscal.Problem
	Subject string   // what it is about: the id of a control, parameter or object, a URI, a version
	Chain   []string // the documents from the profile that was asked for to that of the directive
	Err     error    // the cause, if there is one: the loader's error, the [oscal.Problems] of a document
}

// Unwrap returns the cause.
func (p Problem) Unwrap() error { return p.Err }

// Problems are several problems in the order in which they were found: imports
// in order, what they import first.
type Problems []Problem

// Error shows the first ten problems, a line each.
func (ps Problems) Error() string { return errlist.Text("profile: ", "\n", ps) }

// Unwrap returns the problems one by one.
func (ps Problems) Unwrap() []error { return errlist.Unwrap(ps) }

// problem notes a problem of the document that is being resolved, at a node of
// it.
func (r *run) problem(level oscal.Level, rule oscal.Rule, n *oscal.Node, subject string, err error, format string, args ...any) {
	if level == oscal.Warning && len(r.warnings) >= maxProblems || len(r.errors) >= maxProblems {
		return
	}
	d := r.stack[len(r.stack)-1]
	r.note(Problem{
		Problem: d.doc.Problem(level, rule, n, format, args...),
		Subject: subject, Err: err,
	})
}

func (r *run) warn(rule oscal.Rule, n *oscal.Node, subject, format string, args ...any) {
	r.problem(oscal.Warning, rule, n, subject, nil, format, args...)
}

// documentProblem notes what is wrong with the document itself though it can be
// used.
func (r *run) documentProblem(p oscal.Problem) {
	warning := p
	warning.Level, warning.Rule = oscal.Warning, RuleDocumentProblem
	warning.Message = fmt.Sprintf("the document is not valid: %s [%s]", p.Message, p.Rule)
	r.note(Problem{Problem: warning, Subject: r.stack[len(r.stack)-1].uri, Err: p})
}

func (r *run) note(p Problem) {
	for _, d := range r.stack {
		p.Chain = append(p.Chain, d.uri)
	}
	list := &r.warnings
	if p.Level == oscal.Error {
		list = &r.errors
	}
	if len(*list) == maxProblems-1 {
		p.Rule, p.Subject, p.Err = RuleLimit, "", nil
		p.Message = fmt.Sprintf("there are more than %d problems like this; this and later ones are left out", maxProblems-1)
		r.over = r.over || p.Level == oscal.Error
	}
	if len(*list) < maxProblems {
		*list = append(*list, p)
	}
}

// maxProblems bounds the errors, and the warnings, that a caller is given.
const maxProblems = 1000

// oneLine shows an error within a message.
func oneLine(err error) string {
	if ps, ok := errors.AsType[oscal.Problems](err); ok && len(ps.Errors()) > 0 {
		errs := ps.Errors()
		s := errs[0].Error()
		if len(errs) > 1 {
			s += fmt.Sprintf(" and %d more", len(errs)-1)
		}
		return s
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
