// Package controls works on controls: what a catalog or baseline demands, and
// how a system meets it.
//
// # Catalogs
//
// [NewCatalog] makes an immutable index of a catalog or of a resolved profile: a
// [Control] with its [Statement] tree, its [Objective] tree of SP 800-53A, its
// assessment [Method] values and its [Param] values, all found by id at once.
// [Catalog.Find] reads the many ways in which people write AC-2(1)a.
// [Catalog.Prose] replaces parameters in texts.
package controls
