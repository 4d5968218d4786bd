// Package diff says what changed from one OSCAL document to another of the same
// model, in the words of those who own the controls: what was added, removed,
// moved, renamed or reordered, and which words of a text are others.
//
// [Compare] aligns the objects of the two documents by identity, not by
// position: by UUID or ID, by what they refer to, by name; then by content, so
// that a UUID that was made anew is one line and not a removal and an addition.
// Two forms of the same value, such as 12:00:00Z and 12:00:00+00:00, are equal.
//
// [Diff.Controls] sums up a catalog or profile by control, [Diff.Subjects] a plan
// by statement, a POA&M by item, and other documents likewise; [Diff.Impact]
// names the requirements of a system security plan that the changes hit. What a
// profile selects by patterns or takes over whole only the catalogs tell that it
// resolves to: whoever has them (package oscal/profile makes them) gives their
// comparison as [Diff.Baselines], else [Diff.Unresolved] names what is not known.
// [Diff.WriteText], [Diff.WriteMarkdown] and [Diff.WriteJSON] put it out.
package diff
