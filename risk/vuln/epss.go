package vuln

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// An EPSSScore is the estimate of the Exploit Prediction Scoring System that a
// vulnerability is exploited in the next 30 days. Model version and date travel
// with it: scores of different models do not compare.
type EPSSScore struct {
	CVE          string
	Probability  float64 // 0 to 1
	Percentile   float64 // 0 to 1: the share of vulnerabilities scored the same or lower
	ModelVersion string  // e.g. "v2026.06.15", "" if the file does not say
	Date         Date    // of the score, zero if the file does not say
}

// An EPSS is a day's scores, read by [ReadEPSS]. It is safe for concurrent use.
type EPSS struct {
	ModelVersion string // "" if the file does not say
	Date         Date   // of the scores, zero if the file does not say
	rows         []epssRow
}

type epssRow struct {
	id                      cveID
	line                    int32
	probability, percentile float64
}

// ReadEPSS reads the daily CSV file of FIRST, gzipped or not, or an answer of
// its JSON interface, which states no model version. Columns are found by name,
// others passed over. The error is a [Problems] with the line of everything that
// is wrong, in the order of the text; the rows that are right come with it. A
// failure of r comes as it is.
func ReadEPSS(r io.Reader, opts *ReadOptions) (*EPSS, error) {
	maxBytes, maxRecord := opts.limits()
	b, err := open(r, maxBytes)
	if err != nil {
		return nil, asProblems(err)
	}
	e := &EPSS{}
	var ps Problems
	if first, _ := b.Peek(1); len(first) > 0 && (first[0] == '{' || first[0] == '[') {
		err = e.readJSON(b, maxRecord, &ps)
	} else {
		err = e.readCSV(b, maxRecord, &ps)
	}
	if p, ok := errors.AsType[Problem](err); ok {
		ps.put(p)
	} else if err != nil {
		return nil, err
	}
	e.sort(&ps)
	return e, ps.err()
}

// sort orders the rows for look-up and finds duplicates.
func (e *EPSS) sort(ps *Problems) {
	byID := func(a, b epssRow) int { return a.id.compare(b.id) }
	if !slices.IsSortedFunc(e.rows, byID) {
		slices.SortStableFunc(e.rows, byID)
	}
	var twice Problems
	kept := e.rows[:0]
	for _, row := range e.rows {
		if n := len(kept); n > 0 && kept[n-1].id == row.id {
			message := fmt.Sprintf("%v stands twice", row.id)
			if row.line > 0 {
				message = fmt.Sprintf("%v stands in line %d already", row.id, kept[n-1].line)
			}
			twice.put(Problem{Rule: RuleDuplicate, Line: int(row.line), Pointer: "cve", Message: message})
			continue
		}
		kept = append(kept, row)
	}
	e.rows = kept
	if twice != nil {
		*ps = append(*ps, twice...)
		slices.SortStableFunc(*ps, func(a, b Problem) int { return a.Line - b.Line })
		*ps = (*ps)[:min(len(*ps), maxProblems)]
	}
}

// readCSV reads "#model_version:v2026.06.15,score_date:2026-08-01T00:00:00Z", then
// a line of names with cve, epss and percentile, then rows.
func (e *EPSS) readCSV(b *bufio.Reader, maxLine int, ps *Problems) error {
	columns := [3]int{-1, -1, -1}
	width := 0
	var offset int64
	var long []byte
	for line := 1; ; line++ {
		text, err := b.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long, err = readLong(b, append(long[:0], text...), min(maxLine, 1<<20))
			text = long
		}
		start := offset
		offset += int64(len(text))
		if err != nil && !errors.Is(err, io.EOF) {
			p := readProblem(err, offset)
			if p, ok := errors.AsType[Problem](p); ok {
				p.Line = line
				return p
			}
			return p
		}
		text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte{'\n'}), []byte{'\r'})
		bad := func(rule Rule, column, format string, args ...any) {
			ps.put(Problem{Rule: rule, Line: line, Offset: start, Pointer: column, Message: fmt.Sprintf(format, args...)})
		}
		switch {
		case width == 0 && len(text) > 0 && text[0] == '#':
			e.readComment(string(text[1:]), bad)
		case width == 0 && len(text) == 0 && err == nil: // blank lines before the header
		case width == 0:
			fields := strings.Split(string(text), ",")
			for i, name := range fields {
				if k := slices.Index([]string{"cve", "epss", "percentile"}, strings.ToLower(strings.Trim(name, ` "`))); k >= 0 {
					columns[k] = i
				}
			}
			if min(columns[0], columns[1], columns[2]) < 0 {
				return Problem{Rule: RuleMissing, Line: line, Offset: start, Message: fmt.Sprintf("expected a header with cve, epss, percentile, found %q", cut(string(text)))}
			}
			width = len(fields)
		case len(text) > 0:
			e.readRow(text, line, width, columns, bad)
		}
		if err != nil {
			return nil
		}
	}
}

// readLong reads the rest of a line that is longer than the buffer.
func readLong(b *bufio.Reader, text []byte, maxLine int) ([]byte, error) {
	for {
		more, err := b.ReadSlice('\n')
		if text = append(text, more...); !errors.Is(err, bufio.ErrBufferFull) {
			return text, err
		}
		if len(text) > maxLine {
			return text, Problem{Rule: RuleLimit, Message: fmt.Sprintf("a line of more than %d bytes", maxLine)}
		}
	}
}

func (e *EPSS) readComment(text string, bad func(Rule, string, string, ...any)) {
	for field := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(field, ":")
		switch value = strings.TrimSpace(value); strings.TrimSpace(name) {
		case "model_version":
			e.ModelVersion = value
		case "score_date":
			for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", time.DateOnly} {
				if t, err := time.Parse(layout, value); err == nil {
					e.Date = DateOf(t)
				}
			}
			if e.Date.IsZero() {
				bad(RuleValue, "score_date", "expected a date such as 2026-08-01T00:00:00Z, found %q", cut(value))
			}
		}
	}
}

func (e *EPSS) readRow(text []byte, line, width int, columns [3]int, bad func(Rule, string, string, ...any)) {
	var fields [3][]byte
	n := 0
	for rest := text; ; n++ {
		i := bytes.IndexByte(rest, ',')
		field := rest
		if i >= 0 {
			field = rest[:i]
		}
		for k, c := range columns {
			if c == n {
				if l := len(field); l > 1 && field[0] == '"' && field[l-1] == '"' {
					field = field[1 : l-1] // none of the three can have a comma in it
				}
				fields[k] = field
			}
		}
		if i < 0 {
			break
		}
		rest = rest[i+1:]
	}
	if n+1 != width {
		bad(RuleMissing, "", "expected %d columns, found %d", width, n+1)
		return
	}
	id, ok := parseCVE(fields[0])
	if !ok {
		bad(RuleValue, "cve", "expected a CVE identifier, found %q", cut(string(fields[0])))
	}
	probability, ok1 := parseProbability(fields[1])
	if !ok1 {
		bad(RuleValue, "epss", "expected a number from 0 to 1, found %q", cut(string(fields[1])))
	}
	percentile, ok2 := parseProbability(fields[2])
	if !ok2 {
		bad(RuleValue, "percentile", "expected a number from 0 to 1, found %q", cut(string(fields[2])))
	}
	if ok && ok1 && ok2 {
		e.rows = append(e.rows, epssRow{id, int32(min(line, math.MaxInt32)), probability, percentile})
	}
}

// parseProbability reads a number from 0 to 1. Plain decimals of up to 15 digits
// are a quotient of two integers that a float64 holds, hence rightly rounded;
// others go the long way.
func parseProbability(s []byte) (float64, bool) {
	var n uint64
	digits, point := 0, -1
	for i, c := range s {
		switch {
		case c == '.' && point < 0 && i > 0:
			point = digits
		case c >= '0' && c <= '9' && digits < 15:
			n = n*10 + uint64(c-'0')
			digits++
		case strings.IndexByte("0123456789.eE+-", c) < 0: // no hexadecimal, no NaN
			return 0, false
		default:
			f, err := strconv.ParseFloat(string(s), 64)
			return f, err == nil && f >= 0 && f <= 1
		}
	}
	if digits == 0 {
		return 0, false
	}
	f := float64(n)
	if point >= 0 {
		f /= powers[digits-point]
	}
	return f, f <= 1
}

var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// readJSON reads an answer of api.first.org: {"data": [{"cve", "epss",
// "percentile", "date"}]}, with numbers as strings or as such.
func (e *EPSS) readJSON(r io.Reader, maxRecord int, ps *Problems) error {
	found := false
	dec, lines := newDecoder(r, maxRecord)
	err := walkArray(dec, []string{"data"}, func(raw jsontext.Value, offset int64, pointer string) bool {
		found = true
		before := len(*ps)
		defer func() {
			lines.place((*ps)[before:])
			lines.done = dec.InputOffset()
		}()
		var row struct {
			CVE        string         `json:"cve"`
			EPSS       jsontext.Value `json:"epss"`
			Percentile jsontext.Value `json:"percentile"`
			Date       string         `json:"date"`
		}
		if !unmarshal(raw, &row, offset, pointer, ps) {
			return true
		}
		bad := func(rule Rule, column, format string, args ...any) {
			ps.put(Problem{Rule: rule, Offset: offset, Pointer: pointer + "/" + column, Message: fmt.Sprintf(format, args...)})
		}
		e.readRow(slices.Concat([]byte(row.CVE), []byte{','}, row.EPSS, []byte{','}, row.Percentile), 0, 3, [3]int{0, 1, 2}, bad)
		switch d, err := ParseDate(row.Date); {
		case row.Date == "":
		case err != nil:
			bad(RuleValue, "date", "expected a date such as 2026-08-01, found %q", cut(row.Date))
		case e.Date.IsZero():
			e.Date = d
		case e.Date != d:
			bad(RuleValue, "date", "expected all scores to be of one date, %v, found %v", e.Date, d)
		}
		return true
	})
	if err == nil && !found {
		ps.put(Problem{Rule: RuleMissing, Pointer: "/data", Message: "no scores"})
	}
	return lines.end(err)
}

// Len returns the number of scores.
func (e *EPSS) Len() int { return len(e.rows) }

// Lookup returns the score of a vulnerability.
func (e *EPSS) Lookup(cve string) (EPSSScore, bool) {
	id, ok := foldCVE(cve)
	if !ok {
		return EPSSScore{}, false
	}
	i, ok := slices.BinarySearchFunc(e.rows, id, func(r epssRow, id cveID) int { return r.id.compare(id) })
	if !ok {
		return EPSSScore{}, false
	}
	return e.score(i), true
}

// All goes through the scores in the order of identifiers.
func (e *EPSS) All() iter.Seq[EPSSScore] {
	return func(yield func(EPSSScore) bool) {
		for i := range e.rows {
			if !yield(e.score(i)) {
				return
			}
		}
	}
}

func (e *EPSS) score(i int) EPSSScore {
	r := e.rows[i]
	return EPSSScore{r.id.String(), r.probability, r.percentile, e.ModelVersion, e.Date}
}
