// Package vuln scores vulnerabilities, decides what to do about them and says by
// when: CVSS, EPSS, KEV, SSVC, remediation deadlines, and one priority of all.
//
// # CVSS
//
// [ParseVector] reads a vector of CVSS 2.0, 3.0, 3.1 or 4.0 into a small
// comparable value; [Vector.Scores] gives base, temporal (threat) and
// environmental scores. Scores are exact: tenths computed from integers where
// the formula has a finite decimal expansion, and proved equal to exact
// arithmetic over all inputs where it has a power of fifteen. Neither allocates.
// [Vector.Rate] explains a score metric by metric, [Check] says which score of a
// vector a claimed number is.
//
// CVSS is owned by FIRST and used by permission. Publish a score together with
// its vector.
//
// # EPSS, KEV, records
//
// [ReadEPSS], [ReadKEV] and [ReadRecords] stream the files of FIRST, CISA, the
// CVE Program (with Vulnrichment), NVD and OSV from an [io.Reader], gzipped or
// not. Spellings seen in the wild are accepted, meanings are checked; whatever
// is wrong comes back as [Problems], all of it, with line and place. [AnyOf] and
// [LEV] combine probabilities.
//
// # SSVC
//
// A [Table] is a decision table as data: CISA coordinator, deployer, supplier,
// human impact, utility, BOD 26-04, or one of your own ([LoadTable]). Facts that
// are not known give the set of outcomes that are still possible. A
// [SelectionList] carries what was decided on.
//
// # Deadlines and priority
//
// A [Policy] turns a [Finding] into a [Deadline]; [Due] takes the earliest over
// the history of a finding, [DueAll] asks several policies and lets the earliest
// lead. [Prioritize] orders findings and says which rule put each where it is.
package vuln
