package assessment

import (
	"time"
)

// A Record is one thing that a report of a tool says about one subject: a
// result of a check. Importers (package assessment/scan) make one record of
// each raw unit of the report; whoever counts in larger units groups them.
//
// All texts are plain: nothing in them is markup, and what goes into markup of
// OSCAL is escaped.
type Record struct {
	// Run says that the record is not about a check but about a run of the tool
	// as a whole: with [OutcomeError] the run failed, else it looked and found
	// nothing. Tool, Outcome, Message, Time and Span are all that it has.
	Run        bool
	Tool       Tool
	Rule       Rule
	Subject    Subject
	Title      string // short; that of the rule where the result has none
	Message    string // what the tool says about this result
	Outcome    Outcome
	RawOutcome string // the same in the tool's own words
	Severity   Severity
	// RawSeverity is the severity in the tool's own words, after the defaults
	// that the format prescribes.
	RawSeverity  string
	Scores       []Score
	IDs          []string      // public identifiers in order of appearance: CVE, GHSA, CWE, CCI
	Controls     []string      // controls that the report itself names, as it spells them
	Locations    []Location    // all places; the first one is that of the subject
	Fingerprints []Fingerprint // identities given by the tool, the most reliable first
	Fix          string        // what the tool advises
	// Suppressed says that a user of the tool decided that the result does not
	// count, Suppression why. The outcome is that of the check all the same.
	Suppressed  bool
	Suppression string
	Time        time.Time // when the check ran; zero if the report does not say
	Span        Span
}

// A Tool is what made a report.
type Tool struct {
	Name, Version string
}

// A Rule is a check of a tool.
type Rule struct {
	ID          string
	Title       string
	Description string
	Help        string // URI of its documentation
	Tags        []string
}

// A Subject is what a check looked at.
type Subject struct {
	Kind string // file, host, image, component, resource, url, logical; empty if the report names none
	ID   string // path, host name, package URL, ARN, ...
}

// A Score is a number or a vector that a report gives for a weakness.
type Score struct {
	System string // "security-severity", "CVSS:3.1", ...
	Value  string // as in the report
}

// A Fingerprint identifies a result across runs of a tool.
type Fingerprint struct {
	Name, Value string
}

// A Location is a place in a file, or a named place in a program. Lines and
// columns count from 1; 0 is not known.
type Location struct {
	URI, Base          string // Base names what URI is relative to
	Line, Column       int
	EndLine, EndColumn int
	Logical            string // fully qualified name
}

// A Span is the place of a record in the bytes of its report.
type Span struct {
	Start, End int64
}
