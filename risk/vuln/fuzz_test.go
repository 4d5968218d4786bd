package vuln

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParseVector: what parses has a canonical form that parses to the same
// vector, scores from 0 to 10, and an explanation; what does not has problems
// within the text.
func FuzzParseVector(f *testing.F) {
	for _, s := range benchVectors {
		f.Add(s)
	}
	for _, data := range corpusFiles("risk", "cvss", "parse-cases.json") {
		var file struct{ Cases []struct{ Vector string } }
		require.NoError(f, json.Unmarshal(data, &file))
		for _, c := range file.Cases {
			f.Add(c.Vector)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseVector(s)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			require.Equal(t, Vector{}, v)
			for _, p := range err.(Problems) {
				require.True(t, p.Offset >= 0 && p.Offset <= int64(len(s)))
			}
			return
		}
		again, err := ParseVector(v.String())
		require.NoError(t, err)
		require.Equal(t, v, again)
		scores := v.Scores()
		for _, x := range []Score{scores.Base, scores.Temporal, scores.Environmental} {
			require.True(t, x == Undefined || x.IsDefined(), "%s: %v", s, x)
		}
		require.Equal(t, scores.Overall(), v.Score())
		require.Equal(t, scores.Overall().Float64(), *v.Rate().Score)
	})
}

func FuzzReadEPSS(f *testing.F) {
	for _, data := range corpusFiles("risk", "vuln", "epss", "*") {
		f.Add(data)
		f.Add(zipped(f, data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ReadEPSS(bytes.NewReader(data), &ReadOptions{MaxBytes: 1 << 20})
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
		}
		if e == nil {
			return
		}
		for s := range e.All() {
			again, ok := e.Lookup(s.CVE)
			require.True(t, ok)
			require.Equal(t, s, again)
			require.True(t, s.Probability >= 0 && s.Probability <= 1 && s.Percentile >= 0 && s.Percentile <= 1)
		}
	})
}

func FuzzReadKEV(f *testing.F) {
	f.Add([]byte(`{"catalogVersion":"1","dateReleased":"2025-08-25T17:04:19.9796Z","count":1,"vulnerabilities":[{"cveID":"CVE-2021-44228","dateAdded":"2021-12-10","dueDate":"2021-12-24","knownRansomwareCampaignUse":"Known","cwes":["CWE-20"]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := ReadKEV(bytes.NewReader(data), &ReadOptions{MaxBytes: 1 << 20})
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
		}
		if k == nil {
			return
		}
		for e := range k.All() {
			again, ok := k.Lookup(e.CVE)
			require.True(t, ok)
			require.Equal(t, e, again)
			require.False(t, e.DateAdded.IsZero() || e.DueDate.IsZero())
		}
	})
}

func FuzzReadRecords(f *testing.F) {
	f.Add([]byte(nvdText))
	f.Add([]byte(osvText))
	for i, data := range corpusFiles("risk", "vuln", "vulnrichment", "*.json") {
		if i%10 == 0 && len(data) < 20_000 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ended := false
		for r, err := range ReadRecords(bytes.NewReader(data), &ReadOptions{MaxBytes: 1 << 20}) {
			require.False(t, ended, "nothing after an error")
			if err != nil {
				require.ErrorIs(t, err, ErrInvalid)
				ended = true
				continue
			}
			require.True(t, r.ID != "" || r.Problems != nil)
			for _, s := range r.Stated {
				require.True(t, s.Vector.IsValid())
			}
		}
	})
}

func FuzzLoadTable(f *testing.F) {
	for _, data := range corpusFiles("risk", "vuln", "ssvc", "*_?_?_?.*") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := LoadTable(bytes.NewReader(data))
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		d, err := table.Decide(nil)
		require.NoError(t, err)
		rows := 0
		for _, o := range d.Outcomes {
			rows += len(o.Rows)
		}
		require.Equal(t, len(table.cells), rows)
	})
}

func FuzzReadSelectionList(f *testing.F) {
	for _, data := range corpusFiles("risk", "vuln", "ssvc", "selection-example.json") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ReadSelectionList(bytes.NewReader(data))
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		var b bytes.Buffer
		require.NoError(t, l.Write(&b))
		again, err := ReadSelectionList(&b)
		require.NoError(t, err)
		require.True(t, l.Timestamp.Equal(again.Timestamp))
		again.Timestamp = l.Timestamp
		require.Equal(t, l, again)
	})
}
