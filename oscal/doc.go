// Package oscal reads, checks, converts and writes OSCAL documents without
// loss, and gives them as typed values.
package oscal
