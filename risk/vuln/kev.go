package vuln

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A KEVEntry is one vulnerability of CISA's catalog of known exploited
// vulnerabilities.
type KEVEntry struct {
	CVE                        string
	VendorProject, Product     string
	Name                       string
	DateAdded                  Date
	DueDate                    Date // may lie before DateAdded: old entries were taken over with their dates
	ShortDescription           string
	RequiredAction             string
	KnownRansomwareCampaignUse bool // false is "Unknown"
	Notes                      string
	CWEs                       []string // may be empty
}

// A KEV is the catalog, read by [ReadKEV]. It is safe for concurrent use.
type KEV struct {
	Version  string    // e.g. "2025.08.25"
	Released time.Time // zero if the catalog does not say
	Entries  []KEVEntry
	byCVE    map[cveID]int
}

// Lookup returns the entry of a vulnerability.
func (k *KEV) Lookup(cve string) (KEVEntry, bool) {
	id, ok := foldCVE(cve)
	if !ok {
		return KEVEntry{}, false
	}
	i, ok := k.byCVE[id]
	if !ok {
		return KEVEntry{}, false
	}
	return k.Entries[i], true
}

// All goes through the entries in the order of the catalog.
func (k *KEV) All() iter.Seq[KEVEntry] {
	return func(yield func(KEVEntry) bool) {
		for _, e := range k.Entries {
			if !yield(e) {
				return
			}
		}
	}
}

// ReadKEV reads the catalog in JSON, gzipped or not. Unknown members are passed
// over, dates have no time zone. The error is a [Problems] with the place of
// everything that is wrong; the entries that are right come with it. A failure of
// r comes as it is.
func ReadKEV(r io.Reader, opts *ReadOptions) (*KEV, error) {
	maxBytes, maxRecord := opts.limits()
	b, err := open(r, maxBytes)
	if err != nil {
		return nil, asProblems(err)
	}
	k := &KEV{byCVE: map[cveID]int{}}
	var ps Problems
	count, seen, listed := -1, 0, false
	dec, lines := newDecoder(b, maxRecord)
	member := func(name string, raw jsontext.Value) {
		before, offset := len(ps), dec.InputOffset()-int64(len(raw))
		defer func() { lines.place(ps[before:]) }()
		switch name {
		case "catalogVersion":
			unmarshal(raw, &k.Version, offset, "/"+name, &ps)
		case "dateReleased":
			var text string
			if unmarshal(raw, &text, offset, "/"+name, &ps) {
				if k.Released, err = time.Parse(time.RFC3339, text); err != nil {
					ps.at(RuleValue, int(offset), "/"+name, "expected a date and time such as 2025-08-25T17:04:19Z, found %q", cut(text))
				}
			}
		case "count":
			unmarshal(raw, &count, offset, "/"+name, &ps)
		case "vulnerabilities":
			listed = true
			ps.at(RuleValue, int(offset), "/"+name, "expected an array, found %s", cut(string(raw)))
		}
	}
	_, err = walkObject(dec, []string{"vulnerabilities"}, member, func(raw jsontext.Value, offset int64, pointer string) bool {
		listed = true
		seen++
		before := len(ps)
		k.readEntry(raw, offset, pointer, &ps)
		lines.place(ps[before:])
		lines.done = dec.InputOffset()
		return true
	})
	switch p, ok := errors.AsType[Problem](lines.end(err)); {
	case ok:
		ps.put(p)
	case errors.Is(err, io.EOF):
		ps.put(Problem{Rule: RuleSyntax, Message: "expected a JSON object, found an empty text"})
	case err != nil:
		return nil, err
	case !listed && count != 0:
		ps.put(Problem{Rule: RuleMissing, Pointer: "/vulnerabilities", Message: "no vulnerabilities: not the KEV catalog"})
	case count >= 0 && count != seen:
		ps.put(Problem{Rule: RuleValue, Pointer: "/count", Message: fmt.Sprintf("the catalog says %d entries, found %d: it is not complete", count, seen)})
	}
	return k, ps.err()
}

func (k *KEV) readEntry(raw jsontext.Value, offset int64, pointer string, ps *Problems) {
	var x struct {
		CVE            string   `json:"cveID"`
		VendorProject  string   `json:"vendorProject"`
		Product        string   `json:"product"`
		Name           string   `json:"vulnerabilityName"`
		DateAdded      string   `json:"dateAdded"`
		Description    string   `json:"shortDescription"`
		RequiredAction string   `json:"requiredAction"`
		DueDate        string   `json:"dueDate"`
		Ransomware     string   `json:"knownRansomwareCampaignUse"`
		Notes          string   `json:"notes"`
		CWEs           []string `json:"cwes"`
	}
	if !unmarshal(raw, &x, offset, pointer, ps) {
		return
	}
	before := len(*ps)
	bad := func(rule Rule, name, format string, args ...any) {
		ps.put(Problem{Rule: rule, Offset: offset, Pointer: pointer + "/" + name, Message: fmt.Sprintf(format, args...)})
	}
	id, ok := foldCVE(x.CVE)
	if !ok {
		bad(RuleValue, "cveID", "expected a CVE identifier, found %q", cut(x.CVE))
	} else if i, twice := k.byCVE[id]; twice {
		bad(RuleDuplicate, "cveID", "%s is entry %d already", x.CVE, i)
	}
	date := func(name, text string) Date {
		if text == "" {
			bad(RuleMissing, name, "expected a date, found none")
			return Date{}
		}
		d, err := ParseDate(text)
		if err != nil {
			bad(RuleValue, name, "expected a date such as 2025-08-25, found %q", cut(text))
		}
		return d
	}
	e := KEVEntry{
		CVE: id.String(), VendorProject: x.VendorProject, Product: x.Product, Name: x.Name, DateAdded: date("dateAdded", x.DateAdded),
		DueDate: date("dueDate", x.DueDate), ShortDescription: x.Description, RequiredAction: x.RequiredAction, Notes: x.Notes, CWEs: x.CWEs,
	}
	switch strings.ToLower(x.Ransomware) {
	case "known":
		e.KnownRansomwareCampaignUse = true
	case "unknown", "":
	default:
		bad(RuleValue, "knownRansomwareCampaignUse", "expected Known or Unknown, found %q", cut(x.Ransomware))
	}
	if len(*ps) == before && ok {
		k.byCVE[id] = len(k.Entries)
		k.Entries = append(k.Entries, e)
	}
}
