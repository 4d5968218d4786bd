package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/issokit/issokit/store/driver"
)

// The errors of this package, always inside an [*Error]. [ErrNotFound] also
// matches [fs.ErrNotExist], so that a package can test for absence without
// importing this one.
var (
	ErrNotFound    error = notFound{}
	ErrConflict          = driver.ErrConflict // the revision is not the current one
	ErrReadOnly          = driver.ErrReadOnly // a write in a View, or to a database that cannot be written
	ErrBusy              = driver.ErrBusy     // another update of the tenant did not end in time, or an Update calls Update outside its Tx
	ErrNewerSchema       = driver.ErrNewerSchema
	ErrExists            = errors.New("the record exists already")
	ErrSealed            = errors.New("the record is sealed")
	ErrErased            = errors.New("the content was erased")
	ErrTooLarge          = errors.New("too large")
	ErrCursor            = errors.New("the cursor does not belong to this query")
	ErrNested            = errors.New("an Update inside a transaction")
	ErrEnded             = errors.New("the transaction has ended")
	ErrInvalid           = errors.New("not allowed") // a key, name, attribute, principal or payload against the rules
	ErrCorrupt           = driver.ErrCorrupt
)

type notFound struct{}

func (notFound) Error() string { return driver.ErrNotFound.Error() }

func (notFound) Is(target error) bool {
	return target == fs.ErrNotExist || target == driver.ErrNotFound
}

// An Error says which operation failed, and on what.
type Error struct {
	Op, Tenant, Collection, Key string
	Err                         error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("store: ")
	b.WriteString(e.Op)
	if e.Collection != "" {
		b.WriteString(" " + e.Collection)
	}
	if e.Key != "" {
		fmt.Fprintf(&b, " %.80q", e.Key)
	}
	if e.Tenant != "" {
		fmt.Fprintf(&b, " of tenant %.80q", e.Tenant)
	}
	return b.String() + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrCorrupt}, args...)...)
}
