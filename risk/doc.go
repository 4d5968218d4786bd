// Package risk keeps a register of risks: what may happen and to what, how large
// it is before and after controls, who answers for it, what is done about it,
// who accepted it until when, and whether it is within appetite.
//
// # Risks
//
// A [Risk] is a plain value. Its assessments are kept apart by [Stage]: inherent
// (without controls), current (with the controls as they are) and residual
// (after the planned responses); none is ever overwritten. Any engine can rate:
// [Rated] makes an [Assessment] of the answer of an engine such as those of
// risk/matrix, with the path that led to it, [Quantified] of the annual losses
// of one such as risk/fair.
//
// # Life cycle
//
// A risk changes by [Risk.Apply] with an [Event]: a pure function of the risk,
// the event, the [Criteria] and the time, driven by the table that
// [Transitions] returns. What is not allowed is a [TransitionError] that names
// the rule. Each change is an [Entry] of the log, which only grows.
//
// An [Acceptance] has a mandatory expiry and holds for the very assessment that
// was accepted, known by its digest. In force, expired, void, overdue, stale and
// due for review are computed from facts and now, never stored:
// [Criteria.Breaches] returns all that is out of bounds, with since when.
//
// # Register
//
// A [Register] orders, finds and ranks risks; [Aggregate] rolls them up over a
// hierarchy. An [Indicator] is a key risk indicator.
//
// # OSCAL
//
// [ToOSCAL] and [FromOSCAL] map a risk to the risk assembly of OSCAL and back
// without loss, in both directions: what the assembly says and a Risk has no
// word for stays with it and is written again. [CheckFacet] knows the constraints
// on facets, [CVSSFacets] writes a CVSS vector in their terms.
package risk
