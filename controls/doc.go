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
//
// Parts are told apart by their names and joined by their links, never by the
// shape of their ids. The catalogs of SP 800-53 rev. 4 and rev. 5 name them
// differently; the index gives both in one form, and in catalogs without
// objectives every statement is its own.
//
// # Baselines and implementations
//
// A [Baseline] is the controls that a system must meet, with the statements that
// need an answer. [Implement] takes a [System], plain data that people write,
// and the definitions of its components, and says in an [Implementation] which
// component answers which control or statement, with what [Status],
// [Responsibility], parameter values and [Inheritance]. [Implementation.Coverage]
// counts, [Implementation.Gaps] compares with the plans of the systems below.
//
// [Implementation.SSP] writes the system security plan, [FromSSP] reads one that
// anybody wrote.
//
// # Problems
//
// What is wrong comes all at once as [Problems] in the order of the input, each
// with where it is and a condition to test for with [errors.Is]. What is not
// affected is returned with it.
package controls
