package scan

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with a report.
var (
	ErrFormat   = errors.New("the format of the report is not known")
	ErrVersion  = errors.New("this version of the format is not known")
	ErrSyntax   = errors.New("the text of the report is broken")
	ErrLimit    = errors.New("a limit was reached")
	ErrExternal = errors.New("a part of the report lies elsewhere and cannot be had")
	ErrContent  = errors.New("the report does not say what its format prescribes") // mostly of warnings
	ErrRun      = errors.New("the tool says that its run failed")                  // of warnings
)

// An Error says what is wrong with a report, and where.
type Error struct {
	Format  string // name of the importer
	File    string // [Options.Name]
	Offset  int64  // in bytes, from 0
	Line    int    // from 1; 0 is not known
	Column  int    // from 1, in code points; 0 is not known
	Pointer string // JSON Pointer (RFC 6901), if the format is JSON
	Err     error  // wraps one of the variables above, or what reading gave
}

// Error begins with file:line:col, as far as these are known.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File + ":")
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", e.Line, e.Column)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString("scan: ")
	if e.Format != "" {
		b.WriteString(e.Format + ": ")
	}
	fmt.Fprintf(&b, "%v (at byte %d", e.Err, e.Offset)
	if e.Pointer != "" {
		b.WriteString(", " + e.Pointer)
	}
	b.WriteByte(')')
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }
