// Package scan reads the reports of scanners and gives them as
// [assessment.Record] values, one of each raw unit of the report.
//
// [Records] finds out the format and reads; [Detect] only finds it out; the
// [Importer] values, such as [SARIF], read one format. All of them stream: the
// memory that they need does not grow with the number of results.
//
// A run of a tool that failed, or that looked and found nothing, has a record of
// its own, with Run set: whoever follows up on findings has to know that.
//
// # What can go wrong
//
// Reading is lenient about what does not count, such as members that the format
// does not know, and tells about the rest through [Options.Warn]: file, line and
// column of what is not as specified, and of control characters, which are left
// out of all texts. What cannot be
// read ends the sequence with an [Error], which says where; all records before
// it were delivered. Nothing ends silently: a report that names results which
// lie elsewhere and cannot be had is an error too.
package scan
