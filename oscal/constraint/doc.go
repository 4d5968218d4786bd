// Package constraint evaluates Metaschema constraints on OSCAL documents: those
// that the models define, and external sets such as FedRAMP's.
//
// # Validation
//
// [Validate] reports all that is wrong with a document as [Finding] values:
// problems of structure and violated constraints, each with level, rule,
// position, path and message, in document order. [Findings] is the same as an
// iterator. [WriteSARIF] writes findings for code scanning. Values that open
// lists do not have violate nothing; [Options].OpenLists reports them, as they may
// be misspelt.
//
// [BuiltIn] is the set of the 340 constraints of OSCAL 1.2.2, generated from the
// Metaschema modules; [OfMetaschema] has those of modules that were loaded. [Load]
// reads external sets from Metaschema constraint XML. A [Set] is compiled when it
// is made: an expression that is wrong, or not supported, is known then.
// [Set.AllowedValues] lists what values a set lets a flag or field have.
//
// # Metapath
//
// [Compile] compiles an expression of Metapath, the path language of the
// constraints, which is XPath 3.1 over the tree of the model: steps go by the
// XML names of fields and assemblies, flags are attributes, and the values are
// typed as the model says. The node above the root of a document is the parent
// of its root; what is inside of markup cannot be addressed; the wrapper
// revisions of the XML form is no step.
//
// There is all of the expression language but functions as values (inline
// functions, references to functions, partial application) and the axes
// following and preceding. Numbers are exact decimals. Regular expressions are
// those of XPath, translated to RE2, without back-references. Expressions are
// bounded in size, depth, work and memory.
//
// # Documents of others
//
// Expressions reach other documents through the caller's [Loader] only, and
// resolved profiles through a function that the caller gives. What they are
// missing is a finding, never a silent pass.
package constraint
