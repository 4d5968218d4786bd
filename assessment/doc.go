// Package assessment plans and holds assessments of controls, and follows up on
// what they find.
//
// # The way of a record
//
// Tools report [Record] values (package assessment/scan reads them), people make
// [Determination] values. [NewPlan] says beforehand what is assessed and how;
// [Assess] makes of both the assessment results:
//
//	record ─► observation ─► determination ─► finding (objective, statement, control)
//	                   └───► cause ─► risk ─► item of the plan of action (UpdatePOAM)
//
// [RollUp] brings determinations up from objectives to statements and controls:
// an objective that nobody looked at is NotAssessed, which is neither Satisfied nor
// NotSatisfied. Each [Node] explains its verdict. What the records of a tool say
// about controls is told by the report itself, or by a [Mapping].
//
// [UpdatePOAM] takes risks into a plan of action and milestones, month after
// month: numbers, first detections and deadlines are permanent, a closed item is
// not opened again. A [Policy] says what is due when.
//
// # Rules and references
//
// [Sampling] draws samples that anyone can draw again, [Frequency] counts
// occurrences, [Evidence] refers to files by their hashes.
//
// Everything follows from the input: time comes in as an argument, UUIDs are of
// version 5, and the same input gives the same documents. These are valid OSCAL,
// and what they refer to is in them, or in the documents that they import. [Date]
// is a day, [time.Time] an instant.
package assessment
