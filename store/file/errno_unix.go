//go:build unix

package file

import "syscall"

const (
	errNoSpace    = syscall.ENOSPC
	errReadOnlyFS = syscall.EROFS
)
