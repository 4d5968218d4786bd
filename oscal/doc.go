// Package oscal reads, checks, converts and writes documents of NIST OSCAL, the
// Open Security Controls Assessment Language, and gives them as typed values.
//
// # Documents
//
// [Parse] and [Read] take JSON, YAML or XML and return a [Document]: a tree of
// [Node] values bound to the model, with a [Position] on each of them. Nothing
// that the text said is lost: dates and numbers keep their lexical form,
// explicit defaults and zero values stay, arrays keep their order.
// [Document.Write] puts the tree out again in any of the forms, in model order,
// the same tree as the same bytes.
//
// What is wrong comes all at once as [Problems], in the order of the text, each
// with line, column, JSON Pointer (in XML a path of names) and [Rule]. [Document.Check] does the same for
// a tree that was built or changed.
//
// # Markup
//
// Formatted text is Markdown in JSON and YAML and elements in XML; a [Node]
// holds it as Markdown whatever it was read from. [Node.Markup] and
// [ParseMarkup] give it as a tree of [Markup] to walk through, with inserts of
// parameters and links, and to render: [Markup.HTML], [Markup.Plain],
// [Markup.Markdown].
//
// # Typed views
//
// [As] gives a document as the Go type of its model. The types are aliases of
// those of go-oscal, so that they fit whatever else uses these. [FromView] makes
// a document of a typed value, and [Document.Update] takes the edits of a view
// into the tree and leaves all else as it was. [List] and [Items] hide the
// pointers to slices of these types.
//
// # The model
//
// [Definition] and [Member] are read-only tables generated from the Metaschema
// modules of OSCAL 1.2.2. All documents from version 1.0.0 on bind to them.
//
// [LoadMetaschema] makes such tables at run time of other Metaschema modules: an
// extension of OSCAL, another release, a format of your own. With the
// [Metaschema] in [ReadOptions] documents of its models are read, checked,
// written and converted like those of OSCAL, whatever their groupings in JSON,
// and package constraint checks the constraints that the modules define.
//
// # Names
//
// [UUID] derives version 5 UUIDs from stable names, so that a second export of
// the same facts gives the same bytes. Own props have the namespace [Namespace]
// and names of the one list in this package.
package oscal
