//go:build !unix

package file

import "errors"

var (
	errNoSpace    = errors.New("no space")
	errReadOnlyFS = errors.New("read-only file system")
)
