package vuln

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

func readJSON(tb testing.TB, into any, elem ...string) {
	tb.Helper()
	require.NoError(tb, json.Unmarshal(corpus.Read(tb, elem...), into))
}

func zipped(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(data)
	require.NoError(tb, err)
	require.NoError(tb, z.Close())
	return b.Bytes()
}

func lines(err error) (out []int) {
	for _, p := range err.(Problems) {
		out = append(out, p.Line)
	}
	return out
}

func TestEPSSCorpus(t *testing.T) {
	var want struct {
		ModelVersion, ScoreDate string
		Rows                    []struct {
			CVE              string
			EPSS, Percentile float64
		}
		Malformed []struct {
			Name, Text string
			Error      bool
			Line       int
			Lines      []int
		}
	}
	readJSON(t, &want, "risk", "vuln", "epss", "expected.json")
	sample := corpus.Read(t, "risk", "vuln", "epss", "sample.csv")
	for name, text := range map[string][]byte{"plain": sample, "gzip": zipped(t, sample)} {
		t.Run(name, func(t *testing.T) {
			e, err := ReadEPSS(bytes.NewReader(text), nil)
			require.NoError(t, err)
			require.Equal(t, want.ModelVersion, e.ModelVersion)
			require.Equal(t, want.ScoreDate, e.Date.String())
			require.Equal(t, len(want.Rows), e.Len())
			i := 0
			for s := range e.All() {
				w := want.Rows[i]
				require.Equal(t, EPSSScore{w.CVE, w.EPSS, w.Percentile, want.ModelVersion, e.Date}, s)
				got, ok := e.Lookup(strings.ToLower(w.CVE))
				require.True(t, ok)
				require.Equal(t, s, got)
				i++
			}
			_, ok := e.Lookup("CVE-2024-1")
			require.False(t, ok)
		})
	}
	old, err := ReadEPSS(bytes.NewReader(corpus.Read(t, "risk", "vuln", "epss", "sample-old-header.csv")), nil)
	require.NoError(t, err)
	require.Equal(t, []any{"v2025.03.14", "2025-03-14", 4}, []any{old.ModelVersion, old.Date.String(), old.Len()})

	api, err := ReadEPSS(bytes.NewReader(corpus.Read(t, "risk", "vuln", "epss", "api-sample.json")), nil)
	require.NoError(t, err)
	s, ok := api.Lookup("CVE-2021-44228")
	require.True(t, ok)
	require.Equal(t, EPSSScore{"CVE-2021-44228", 0.94358, 0.99957, "", Date{2026, 8, 1}}, s)

	require.Len(t, want.Malformed, 12)
	for _, m := range want.Malformed {
		t.Run(m.Name, func(t *testing.T) {
			e, err := ReadEPSS(strings.NewReader(m.Text), nil)
			if !m.Error {
				require.NoError(t, err)
				require.Equal(t, 1, e.Len())
				return
			}
			require.ErrorIs(t, err, ErrInvalid)
			if m.Lines == nil {
				m.Lines = []int{m.Line}
			}
			require.Equal(t, m.Lines, lines(err))
		})
	}
}

func TestEPSSSpellings(t *testing.T) {
	want := EPSSScore{"CVE-2021-44228", 0.25, 0.5, "", Date{}}
	for name, text := range map[string]string{
		"plain":            "cve,epss,percentile\nCVE-2021-44228,0.25,0.5\n",
		"quoted":           "\"cve\",\"epss\",\"percentile\"\n\"CVE-2021-44228\",\"0.25\",\"0.5\"\n",
		"exponent":         "cve,epss,percentile\nCVE-2021-44228,2.5e-1,5E-1\n",
		"strings of JSON":  `{"data":[{"cve":"CVE-2021-44228","epss":"0.25","percentile":"0.5"}]}`,
		"numbers of JSON":  `{"data":[{"cve":"CVE-2021-44228","epss":0.25,"percentile":0.5}]}`,
		"quoted, reversed": "percentile,epss,cve\n\"0.5\",0.25,\"CVE-2021-44228\"\n",
	} {
		e, err := ReadEPSS(strings.NewReader(text), nil)
		require.NoError(t, err, name)
		got, ok := e.Lookup(want.CVE)
		require.True(t, ok, name)
		require.Equal(t, want, got, name)
	}
	for _, number := range []string{"0x1p-2", "0_1", "NaN", "Inf", "1e-", `"`, `"0.25`, "", "-0.1", "1.1"} {
		_, err := ReadEPSS(strings.NewReader("cve,epss,percentile\nCVE-2021-44228,"+number+",0.5\n"), nil)
		require.ErrorIs(t, err, ErrInvalid, number)
	}
}

func TestEPSSLimits(t *testing.T) {
	_, err := ReadEPSS(strings.NewReader("cve,epss,percentile\n"+strings.Repeat("CVE-2021-44228,0.5,0.1\n", 100)), &ReadOptions{MaxBytes: 100})
	require.ErrorIs(t, err, ErrInvalid)
	require.Equal(t, []int{3, 4, 5}, lines(err))
	require.Equal(t, RuleLimit, err.(Problems)[2].Rule)

	bomb := zipped(t, bytes.Repeat([]byte{'a'}, 8<<20))
	_, err = ReadEPSS(bytes.NewReader(bomb), nil)
	require.ErrorIs(t, err, ErrInvalid)

	damaged := zipped(t, bytes.Repeat([]byte("CVE-2021-44228,0.5,0.1\n"), 1000))
	for at := 2; at < len(damaged); at += 7 {
		text := bytes.Clone(damaged)
		text[at] ^= 0x55
		if _, err := ReadEPSS(bytes.NewReader(text), nil); err != nil {
			require.ErrorIs(t, err, ErrInvalid)
		}
		_, err = ReadEPSS(bytes.NewReader(damaged[:at]), nil)
		require.ErrorIs(t, err, ErrInvalid)
	}

	_, err = ReadKEV(strings.NewReader(`{"vulnerabilities":[{"notes":"`+strings.Repeat("x", 1<<20)+`"}]}`), &ReadOptions{MaxRecord: 1000})
	require.Equal(t, RuleLimit, err.(Problems)[0].Rule)

	broken := errors.New("broken pipe")
	for _, read := range []func(io.Reader) error{
		func(r io.Reader) error { _, err := ReadEPSS(r, nil); return err },
		func(r io.Reader) error { _, err := ReadKEV(r, nil); return err },
		func(r io.Reader) error { _, err := LoadTable(r); return err },
		func(r io.Reader) error {
			for _, err := range ReadRecords(r, nil) {
				return err
			}
			return nil
		},
	} {
		require.ErrorIs(t, read(io.MultiReader(strings.NewReader(`{"vulnerabilities":[`), iotest.ErrReader(broken))), broken)
	}
}

func TestParseProbability(t *testing.T) {
	for _, s := range []string{"0", "1", "1.0", "0.00043", "0.943580000", "5e-05", "0.1234567890123456789", "0.999999999999999"} {
		var want float64
		_, err := fmt.Sscan(s, &want)
		require.NoError(t, err)
		got, ok := parseProbability([]byte(s))
		require.True(t, ok, s)
		require.Equal(t, want, got)
	}
	for _, s := range []string{"", ".", "-0.1", "1.5", "NaN", "Inf", "x", "0.1.2", "0x1p-2x", " 0.1"} {
		_, ok := parseProbability([]byte(s))
		require.False(t, ok, s)
	}
}

func TestKEVCorpus(t *testing.T) {
	var want struct {
		CatalogVersion                    string
		DateReleased                      string
		Count, KnownRansomware, EmptyCWEs int
		DueBeforeAdded                    []struct{ CveID, DateAdded, DueDate string }
		Lookups                           []struct {
			CVE     string
			Listed  bool
			DueDate string
		}
	}
	readJSON(t, &want, "risk", "vuln", "kev", "expected.json")
	k, err := ReadKEV(bytes.NewReader(corpus.Read(t, "risk", "vuln", "kev", "known_exploited_vulnerabilities.json.gz")), nil)
	require.NoError(t, err)
	require.Equal(t, want.CatalogVersion, k.Version)
	require.Equal(t, want.DateReleased, k.Released.Format("2006-01-02T15:04:05.0000Z"))
	ransomware, empty, entries := 0, 0, 0
	var early []struct{ CveID, DateAdded, DueDate string }
	for e := range k.All() {
		entries++
		if e.KnownRansomwareCampaignUse {
			ransomware++
		}
		if len(e.CWEs) == 0 {
			empty++
		}
		if e.DueDate.Compare(e.DateAdded) < 0 {
			early = append(early, struct{ CveID, DateAdded, DueDate string }{e.CVE, e.DateAdded.String(), e.DueDate.String()})
		}
	}
	require.Equal(t, []int{want.Count, want.KnownRansomware, want.EmptyCWEs}, []int{entries, ransomware, empty})
	require.Equal(t, want.DueBeforeAdded, early)
	for _, l := range want.Lookups {
		e, ok := k.Lookup(l.CVE)
		require.Equal(t, l.Listed, ok)
		require.Equal(t, l.DueDate, e.DueDate.String())
	}
}

func TestKEVProblems(t *testing.T) {
	_, err := ReadKEV(strings.NewReader(`{"count":4,"dateReleased":"x","vulnerabilities":[
{"cveID":"CVE-2021-44228","dateAdded":"2021-12-10","dueDate":"2021-12-24"},
{"cveID":"CVE-2021-44228","dateAdded":"10.12.2021","dueDate":""},
{"cveID":7}]}`), nil)
	var got []string
	for _, p := range err.(Problems) {
		got = append(got, fmt.Sprint(p.Rule, " ", p.Pointer))
	}
	require.Equal(t, []string{
		"value /dateReleased",
		"duplicate /vulnerabilities/1/cveID", "value /vulnerabilities/1/dateAdded", "missing /vulnerabilities/1/dueDate",
		"value /vulnerabilities/2/cveID",
		"value /count",
	}, got)
	for _, text := range []string{"", "{}", "[", `{"vulnerabilities":5}`, "7", `{"a":1,"a":2}`} {
		_, err := ReadKEV(strings.NewReader(text), nil)
		require.ErrorIs(t, err, ErrInvalid, text)
	}
}

func TestVulnrichmentCorpus(t *testing.T) {
	var want struct {
		Records []struct {
			File, Timestamp, KEVDateAdded string
			SSVC                          map[string]string
			InKEV                         bool
		}
	}
	readJSON(t, &want, "risk", "vuln", "vulnrichment", "expected.json")
	require.Len(t, want.Records, 50)
	var together bytes.Buffer
	stated := 0
	for _, w := range want.Records {
		data := corpus.Read(t, "risk", "vuln", "vulnrichment", w.File)
		together.Write(data)
		var recs []Record
		for r, err := range ReadRecords(bytes.NewReader(data), nil) {
			require.NoError(t, err)
			recs = append(recs, r)
		}
		require.Len(t, recs, 1)
		r := recs[0]
		require.Empty(t, r.Problems, w.File)
		require.Equal(t, strings.TrimSuffix(w.File, ".json"), r.CVE())
		require.Equal(t, SourceCVE, r.Source)
		require.Equal(t, w.InKEV, !r.KEVAdded.IsZero())
		require.Equal(t, w.KEVDateAdded, r.KEVAdded.String())
		if w.SSVC == nil {
			require.Nil(t, r.SSVC)
		} else {
			facts := map[string]string{}
			for name, values := range r.SSVC.Facts {
				facts[name] = strings.Join(values, "|")
			}
			require.Equal(t, w.SSVC, facts, w.File)
			at, err := time.Parse(time.RFC3339, w.Timestamp)
			require.NoError(t, err)
			require.True(t, at.Equal(r.SSVC.At))
		}
		stated += len(r.Stated)
	}
	require.Equal(t, 56, stated, "as many as grep finds members cvssV2_0 to cvssV4_0")
	n := 0
	for _, err := range ReadRecords(bytes.NewReader(zipped(t, together.Bytes())), nil) {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 50, n)
}

const nvdText = `{"resultsPerPage":1,"totalResults":1,"format":"NVD_CVE","version":"2.0","vulnerabilities":[{"cve":{
"id":"CVE-2021-44228","published":"2021-12-10T10:15:09.143","lastModified":"2025-02-04T15:15:13.773","vulnStatus":"Analyzed",
"cisaExploitAdd":"2021-12-10","cisaActionDue":"2021-12-24","descriptions":[{"lang":"es","value":"x"},{"lang":"en","value":"Log4Shell"}],
"metrics":{"cvssMetricV31":[
{"source":"cna@example.org","type":"Secondary","cvssData":{"version":"3.1","vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","baseScore":9.8}},
{"source":"nvd@nist.gov","type":"Primary","cvssData":{"version":"3.1","vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H","baseScore":10.0}}],
"cvssMetricV2":[{"source":"nvd@nist.gov","type":"Primary","cvssData":{"version":"2.0","vectorString":"AV:N/AC:M/Au:N/C:C/I:C/A:C","baseScore":9.3}}]},
"weaknesses":[{"description":[{"lang":"en","value":"CWE-20"},{"lang":"en","value":"NVD-CWE-noinfo"}]}]}}]}`

const osvText = `{"schema_version":"1.6.0","id":"GHSA-jfh8-c2jp-5v3q","modified":"2025-01-01T00:00:00Z","aliases":["CVE-2021-44228"],"summary":"Log4Shell",
"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H/E:H"},{"type":"CVSS_V4","score":"high"},{"type":"Ubuntu","score":"critical"}],
"database_specific":{"cwe_ids":["CWE-502","CWE-20"]},"affected":[]}`

func TestRecords(t *testing.T) {
	var got []Record
	for r, err := range ReadRecords(strings.NewReader(nvdText+"\n"+osvText+`[{"no":"record"},8]{"vulns":[`+osvText+`]}`), nil) {
		require.NoError(t, err)
		got = append(got, r)
	}
	require.Len(t, got, 5)
	nvd, osv := got[0], got[1]
	require.Equal(t, []any{SourceNVD, "CVE-2021-44228", "Analyzed", "Log4Shell", Date{2021, 12, 10}, Date{2021, 12, 24}, []string{"CWE-20"}},
		[]any{nvd.Source, nvd.CVE(), nvd.Status, nvd.Title, nvd.KEVAdded, nvd.KEVDue, nvd.CWEs})
	require.Len(t, nvd.Stated, 3)
	best, ok := nvd.Best()
	require.True(t, ok)
	require.Equal(t, []any{"nvd@nist.gov", 10.0, "10.0"}, []any{best.By, best.Score, best.Vector.Score().String()})

	require.Equal(t, []any{SourceOSV, "GHSA-jfh8-c2jp-5v3q", "CVE-2021-44228", []string{"CWE-20", "CWE-502"}}, []any{osv.Source, osv.ID, osv.CVE(), osv.CWEs})
	require.Len(t, osv.Stated, 1)
	require.True(t, math.IsNaN(osv.Stated[0].Score))
	require.Len(t, osv.Problems, 1, "what is no vector is told of")
	require.Equal(t, "/severity/1", osv.Problems[0].Pointer)
	require.Equal(t, RuleUnknown, got[2].Problems[0].Rule)
	require.Equal(t, "/1", got[3].Problems[0].Pointer)
	require.Equal(t, osv.ID, got[4].ID)

	for _, text := range []string{"", "x", `{"id":"x"`, `{"cveMetadata":{},"cveMetadata":{}}`, `"text"`} {
		var last error
		for _, err := range ReadRecords(strings.NewReader(text), nil) {
			last = err
		}
		require.ErrorIs(t, last, ErrInvalid, text)
	}
}

func TestProbabilityCorpus(t *testing.T) {
	type numbers struct{ list []float64 }
	parse := func(raw json.RawMessage) (n numbers) {
		if json.Unmarshal(raw, &n.list) == nil {
			return n
		}
		var same struct {
			Value       float64
			Count, Days int
		}
		require.NoError(t, json.Unmarshal(raw, &same))
		for range max(same.Count, same.Days) {
			n.list = append(n.list, same.Value)
		}
		return n
	}
	var want struct {
		AnyOf struct {
			Cases []struct {
				P          json.RawMessage
				Value, Rel float64
			}
		}
		LEV struct {
			Cases []struct {
				ID                                   string
				Daily                                json.RawMessage
				Windowed, Daily30th, ExactDaily, Rel float64
			}
		}
	}
	readJSON(t, &want, "risk", "vuln", "probability.json")
	require.Len(t, want.AnyOf.Cases, 5)
	for _, c := range want.AnyOf.Cases {
		got, err := AnyOf(parse(c.P).list...)
		require.NoError(t, err)
		require.InDelta(t, c.Value, got, c.Rel*c.Value)
	}
	require.Len(t, want.LEV.Cases, 5)
	for _, c := range want.LEV.Cases {
		got, err := LEV(parse(c.Daily).list)
		require.NoError(t, err)
		require.InEpsilon(t, c.Windowed, got.Windowed, c.Rel, c.ID)
		require.InEpsilon(t, c.Daily30th, got.Daily30th, c.Rel, c.ID)
		require.InEpsilon(t, c.ExactDaily, got.ExactDaily, c.Rel, c.ID)
	}
	_, err := AnyOf(0.5, math.NaN(), -1)
	require.Len(t, err, 2)
	_, err = LEV([]float64{2})
	require.ErrorIs(t, err, ErrInvalid)
	for _, c := range []struct {
		epss  float64
		inKEV bool
		lev   float64
		want  float64
	}{{0.1, false, 0.3, 0.3}, {0.4, false, 0.3, 0.4}, {0.1, true, 0.3, 1}} {
		got, err := Composite(c.epss, c.inKEV, c.lev)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
}

func TestSSVCCorpus(t *testing.T) {
	var want struct {
		Tables map[string]struct {
			Rows          int
			OutcomeCounts map[string]int
		}
		Cases []struct {
			Table      string
			Facts      map[string]string
			Unknown    []string
			Outcomes   map[string]int
			Determined bool
		}
		Spellings []struct{ DecisionPoint, Spelling, Value string }
	}
	readJSON(t, &want, "risk", "vuln", "ssvc", "cases.json")
	short := map[string]string{
		"cisa_coordinator_2_0_3": "coordinator", "deployer_patch_application_priority_1_0_0": "deployer", "supplier_patch_development_priority_1_0_0": "supplier",
		"human_impact_1_0_0": "human-impact", "utility_1_0_0": "utility", "cisa_bod_26_04_1_0_0": "bod-26-04",
	}
	require.Len(t, want.Tables, 6)
	for file, w := range want.Tables {
		built, err := LookupTable(short[file])
		require.NoError(t, err)
		for _, ext := range []string{".json", ".csv"} {
			loaded, err := LoadTable(bytes.NewReader(corpus.Read(t, "risk", "vuln", "ssvc", file+ext)))
			require.NoError(t, err)
			require.Empty(t, loaded.Warnings())
			require.Equal(t, w.Rows, len(loaded.cells))
			require.Equal(t, built.outcome, loaded.outcome)
			counts := map[string]int{}
			all, err := loaded.Decide(nil)
			require.NoError(t, err)
			for _, o := range all.Outcomes {
				counts[strings.ToLower(o.Name)] = len(o.Rows)
			}
			require.Equal(t, w.OutcomeCounts, counts)
			if ext == ".json" {
				require.Equal(t, built.ID(), loaded.ID())
				require.Equal(t, built.Name(), loaded.Name())
			}
			if file != "cisa_bod_26_04_1_0_0" {
				require.Equal(t, built.points, loaded.points)
				require.Equal(t, built.cells, loaded.cells)
				continue
			}
			// The JSON file has its points in another order: compare cell by cell.
			for row := range built.cells {
				facts := Facts{}
				for i, rest := len(built.points)-1, row; i >= 0; i-- {
					p := built.points[i]
					facts[p.Name] = []string{p.Values[rest%len(p.Values)].Name}
					rest /= len(p.Values)
				}
				a, err := built.Decide(facts)
				require.NoError(t, err)
				b, err := loaded.Decide(facts)
				require.NoError(t, err)
				require.Equal(t, a.Highest().DecisionValue, b.Highest().DecisionValue)
			}
		}
	}
	require.Len(t, want.Cases, 27)
	for _, c := range want.Cases {
		table, err := LookupTable(short[c.Table])
		require.NoError(t, err)
		facts := Facts{}
		for name, value := range c.Facts {
			facts[name] = []string{value}
		}
		d, err := table.Decide(facts)
		require.NoError(t, err)
		got := map[string]int{}
		for _, o := range d.Outcomes {
			got[strings.ToLower(o.Name)] = len(o.Rows)
		}
		require.Equal(t, c.Outcomes, got, c)
		require.Equal(t, c.Determined, d.Determined())
		require.ElementsMatch(t, c.Unknown, d.Unknown)
	}
	require.Len(t, want.Spellings, 17)
	for _, s := range want.Spellings {
		p, ok := findPoint(knownPoints(), s.DecisionPoint)
		require.True(t, ok)
		v, ok := p.value(s.Spelling)
		require.True(t, ok, s)
		require.Equal(t, s.Value, strings.ToLower(v.Name))
	}
}

func TestDecideProblems(t *testing.T) {
	table, err := LookupTable("deployer")
	require.NoError(t, err)
	_, err = table.Decide(Facts{"Colour": {"red"}, "E": {"active"}, "Exploitation": {"active"}, "Automatable": {"maybe"}})
	var got []string
	for _, p := range err.(Problems) {
		got = append(got, fmt.Sprint(p.Rule, " ", p.Pointer))
	}
	require.Equal(t, []string{"value Automatable", "unknown Colour", "duplicate Exploitation"}, got)

	d, err := table.Decide(Facts{"Exploitation": {"poc", "active"}, "EXP": {"open"}, "A": {"yes"}, "Safety Impact": {"critical"}, "Mission Impact": {"degraded"}, "Technical Impact": {"total"}})
	require.NoError(t, err)
	require.Equal(t, []string{"Exploitation"}, d.Unknown, "human impact comes from its own table")
	require.Equal(t, "Out-of-Cycle", d.Highest().Name)

	_, err = LookupTable("coffee")
	require.ErrorIs(t, err, ErrInvalid)
}

func TestLoadTableProblems(t *testing.T) {
	const head = "row,Exploitation v1.1.0,Risk v1.0.0\n"
	for _, tt := range []struct {
		name, text string
		want       []Rule
	}{
		{"empty", "", []Rule{RuleSyntax}},
		{"not total", head + "0,none,low\n1,active,high\n", []Rule{RuleMissing}},
		{"duplicate", head + "0,none,low\n1,poc,low\n2,active,high\n3,active,low\n", []Rule{RuleDuplicate}},
		{"unknown answer", head + "0,none,low\n1,poc,low\n2,active,high\n3,perhaps,low\n", []Rule{RuleValue}},
		{"short row", head + "0,none\n", []Rule{RuleSyntax, RuleMissing, RuleMissing, RuleMissing}},
		{"JSON", `{"namespace":"x"`, []Rule{RuleSyntax}},
		{"no outcome", `{"namespace":"ssvc","key":"T","version":"1.0.0","name":"n","schemaVersion":"1.0","decision_points":{},"outcome":"o"}`, []Rule{RuleVersion, RuleMissing}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := LoadTable(strings.NewReader(tt.text))
			require.ErrorIs(t, err, ErrInvalid)
			var got []Rule
			for _, p := range err.(Problems) {
				got = append(got, p.Rule)
			}
			if tt.name == "short row" {
				got = got[:1] // the rest depends on what the answers of the outcome are
				tt.want = tt.want[:1]
			}
			require.Equal(t, tt.want, got)
		})
	}
	table, err := LoadTable(strings.NewReader(head + "0,none,low\n1,poc,high\n2,active,low\n"))
	require.NoError(t, err)
	require.Len(t, table.Warnings(), 1)
}

// TestSelectionSchema: what is written is valid under the published schema and
// reads back to the same decision.
func TestSelectionSchema(t *testing.T) {
	schema, err := jsonschema.Compile(corpus.Path(t, "risk", "vuln", "ssvc", "SelectionList_2_0_0.schema.json"))
	require.NoError(t, err)
	for _, table := range Tables() {
		for _, facts := range []Facts{nil, {"Exploitation": {"active"}}, {"Automatable": {"yes"}, "Technical Impact": {"total"}}} {
			d, err := table.Decide(facts)
			require.NoError(t, err)
			list := d.Selections(Date{2026, 8, 1}.In(utc), "CVE-2021-44228")
			var b bytes.Buffer
			require.NoError(t, list.Write(&b))
			var value any
			require.NoError(t, json.Unmarshal(b.Bytes(), &value))
			require.NoError(t, schema.Validate(value), b.String())
			again, err := ReadSelectionList(&b)
			require.NoError(t, err)
			require.Equal(t, list, again)
			d2, err := table.Decide(again.Facts())
			require.NoError(t, err)
			require.Equal(t, []any{d.Outcomes, d.Unknown}, []any{d2.Outcomes, d2.Unknown})
		}
	}
	example, err := ReadSelectionList(bytes.NewReader(corpus.Read(t, "risk", "vuln", "ssvc", "selection-example.json")))
	require.NoError(t, err)
	coordinator, err := LookupTable("coordinator")
	require.NoError(t, err)
	d, err := coordinator.Decide(example.Facts())
	require.NoError(t, err)
	require.Equal(t, []string{"Mission and Well-Being Impact"}, d.Unknown)
	require.Equal(t, "Act", d.Highest().Name)
}

// corpusFiles are files of the corpus as seeds of fuzzing; none without it.
func corpusFiles(elem ...string) (out [][]byte) {
	root := os.Getenv("ISSOKIT_CORPUS")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	names, _ := filepath.Glob(filepath.Join(append([]string{root}, elem...)...))
	for _, name := range names {
		if data, err := os.ReadFile(name); err == nil {
			out = append(out, data)
		}
	}
	return out
}

// TestPlaces: problems in JSON have line and column, however the text is broken into
// lines, and their size is bounded.
func TestPlaces(t *testing.T) {
	places := func(err error) []string {
		var out []string
		ps, ok := errors.AsType[Problems](err)
		require.True(t, ok, err)
		for _, p := range ps {
			out = append(out, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Pointer))
		}
		return out
	}
	entry := `{"cveID":"CVE-2021-44228","dateAdded":"2021-12-10","dueDate":"2021-12-24"}`
	_, err := ReadKEV(strings.NewReader("{\n \"dateReleased\": \"soon\",\n\"vulnerabilities\":[\n  "+entry+",\n   "+strings.Replace(entry, "2021-12-24", "then", 1)+"\n]}"), nil)
	require.Equal(t, []string{"2:18 /dateReleased", "5:4 /vulnerabilities/1/cveID", "5:4 /vulnerabilities/1/dueDate"}, places(err))
	_, err = ReadKEV(strings.NewReader("{\"vulnerabilities\":[\n"+entry+"\n}"), nil)
	require.Equal(t, []string{"3:1 /vulnerabilities"}, places(err))
	_, err = ReadEPSS(strings.NewReader("{\"data\":[\n{\"cve\":\"CVE-2021-44228\",\"epss\":\"0.9\",\"percentile\":\"0.9\"},\n\t{\"cve\":\"CVE-2021-44229\",\"epss\":\"2\",\"percentile\":\"0.9\"}]}"), nil)
	require.Equal(t, []string{"3:2 /data/1/epss"}, places(err))

	var got []string
	text := strings.Repeat("\n", 70_000) + `{"id":"A","modified":"2026-01-01T00:00:00Z"}` + "\n\n" + ` {"id":"B","modified":"never"}` + "\n" + `{"id":"C","modified":"2026-01-01T00:00:00Z",` + "\n" + `"severity":[{"type":"CVSS_V3","score":"high"}]}` + "\n]"
	for rec, err := range ReadRecords(strings.NewReader(text), nil) {
		if err != nil {
			got = append(got, err.Error())
		}
		for _, p := range rec.Problems {
			got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Pointer))
		}
	}
	require.Equal(t, []string{"70003:2 /modified", "70004:1 /severity/0"}, got[:2])
	require.Contains(t, got[2], "line 70006, column 1: ")

	deep := strings.Repeat(`{"a":`, 10_001)
	for _, read := range []func(string) error{
		func(s string) error { _, err := ReadKEV(strings.NewReader(s), nil); return err },
		func(s string) error { _, err := ReadEPSS(strings.NewReader(s), nil); return err },
		func(s string) error {
			for _, err := range ReadRecords(strings.NewReader(s), nil) {
				return err
			}
			return nil
		},
	} {
		err := read(deep)
		require.ErrorIs(t, err, ErrInvalid)
		require.Less(t, len(err.Error()), 500)
	}
}

// TestStatedInTheOrderOfTheRecord: NVD's newest first is the record's order.
func TestStatedInTheOrderOfTheRecord(t *testing.T) {
	text := `{"cve":{"id":"CVE-2021-44228","metrics":{"cvssMetricV31":[{"source":"a","cvssData":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H","baseScore":10}}],
"cvssMetricV2":[{"source":"b","cvssData":{"vectorString":"AV:N/AC:M/Au:N/C:C/I:C/A:C","baseScore":9.3}},{"source":"c","cvssData":{"vectorString":"AV:N/AC:M/Au:N/C:C/I:C/A:P","baseScore":9.3}}]}}}`
	for rec, err := range ReadRecords(strings.NewReader(text), nil) {
		require.NoError(t, err)
		require.Empty(t, rec.Problems)
		var by []string
		for _, s := range rec.Stated {
			by = append(by, s.By)
		}
		require.Equal(t, []string{"a", "b", "c"}, by)
	}
	for rec, err := range ReadRecords(strings.NewReader(`{"cve":{"id":"CVE-2021-44228","metrics":3}}`), nil) {
		require.NoError(t, err)
		require.Equal(t, "/cve/metrics", rec.Problems[0].Pointer)
	}
}
