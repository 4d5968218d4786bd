// Package vendors keeps third parties under control: who supplies what, how
// exposed that makes us, how often it is assessed, what contract and evidence
// it needs, on whom it depends, and how all of that gets into a system security
// plan.
//
// The unit of work is the [Engagement], not the [Vendor]: one vendor may supply
// catering and payroll. A [Portfolio] holds both, with the [Contract]s,
// [Document]s, [Assessment]s and [Signal]s around them; [Portfolio.Check] finds
// what is missing, double or dangling.
//
//   - [Scheme.Tier] computes the tier of an engagement from its [Exposure]: each
//     factor forces a tier, the most critical wins, the factors that forced it
//     are the reasons ([Tiering.Explain]). A scheme is data: [ReadScheme].
//   - [Cadence] says what a tier asks for: how often to assess, which documents
//     and clauses. [Cadence.Next], [Reminders], [ClauseGaps] and
//     [Document.Coverage] compare facts with it.
//   - [Move] takes an engagement through its life cycle, with guards.
//   - [Graph] is the supply chain: ranks, cycles, shared nodes, concentration.
//   - [Portfolio.Measure] counts.
//   - [ToOSCAL] and [FromOSCAL] carry vendors as parties and engagements as
//     components of a system security plan, and back.
//
// Nothing here reads the clock: now is an argument, and a day is the calendar
// day of now in its own location. What is computed (tier, overdue, expired) is
// never stored.
package vendors
