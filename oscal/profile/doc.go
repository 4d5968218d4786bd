// Package profile resolves OSCAL profiles: it makes the catalog that a profile
// describes, by NIST's specification of profile resolution.
//
// # Resolving
//
// A [Resolver] reads the catalogs and profiles that a profile imports through a
// [Loader] and goes through the phases of the specification: select
// (select.go), merge (merge.go), modify (modify.go), and the final operations:
// back matter, pruning, metadata (finish.go). Imported profiles are resolved
// first. It works on the trees of package oscal, so that lexical forms and the
// order of arrays come through, and never changes a document that it read.
//
// Nothing is loaded but through the Loader: [FS] serves the files of a tree and
// cannot leave it, [Map] serves texts, [LoaderFunc] is what a program makes of
// it. The package itself opens no file and no connection.
//
// # Problems
//
// What keeps a profile from being resolved comes all at once as [Problems], each
// with the place of the directive that is to blame, a rule and, for an import,
// the chain of documents that led there. What a user should know of a profile
// that was resolved is in [Result.Warnings], in the same form.
//
// # Where the specification leaves a choice
//
// Flat means flat: child controls follow their parents, unless
// [Options.KeepNesting] is set. Ancestors of a selected control are not
// selected. A by-id that names the altered control itself counts as none, since
// published baselines rely on that. Removals see the state before additions.
// The combination method "merge", which is no longer defined, and more than one
// structuring directive are refused.
package profile
