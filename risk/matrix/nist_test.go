package matrix

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

func unmarshal(t testing.TB, v any, elem ...string) {
	t.Helper()
	require.NoError(t, json.Unmarshal(corpus.Read(t, elem...), v))
}

// TestNISTTables compares scales, values and both tables with the transcription
// of the publication in the corpus, whole.
func TestNISTTables(t *testing.T) {
	var file struct {
		Scale struct {
			Levels []string
			Bins   []struct {
				Level           Qualitative
				From, To, Value float64
			}
		}
		Tables []struct {
			Table, Title     string
			Levels           []struct{ Level, Text string }
			SemiQuantitative bool
		}
		Matrices map[string]struct {
			Cells map[Qualitative]map[Qualitative]Qualitative
		}
	}
	unmarshal(t, &file, "risk/matrix/nist-sp800-30.json")
	require.Equal(t, file.Scale.Levels, NISTScale().Levels)
	for _, b := range file.Scale.Bins {
		from, to := b.Level.Bin()
		require.Equal(t, [3]float64{b.From, b.To, b.Value}, [3]float64{from, to, b.Level.Value()})
	}
	scales := AssessmentScales()
	require.Len(t, file.Tables, 12)
	require.Len(t, scales, 12)
	for i, s := range file.Tables {
		want := AssessmentScale{Table: s.Table, Title: s.Title}
		for _, l := range s.Levels {
			level := Level{Name: l.Level, Text: l.Text}
			if s.SemiQuantitative {
				q, err := ParseQualitative(l.Level)
				require.NoError(t, err)
				level.Score = new(q.Value())
			}
			want.Levels = append(want.Levels, level)
		}
		require.Equal(t, want, scales[i])
	}
	above := 0
	for _, tt := range []struct {
		table string
		at    func(a, b Qualitative) Qualitative
	}{{"G-5", OverallLikelihood}, {"I-2", LevelOfRisk}} {
		cells := file.Matrices[tt.table].Cells
		require.Len(t, cells, 5)
		for row, columns := range cells {
			require.Len(t, columns, 5)
			for column, want := range columns {
				require.Equal(t, want, tt.at(row, column), "%s: row %s, column %s", tt.table, row, column)
				if tt.table == "G-5" && want > min(row, column) {
					above++
				}
			}
		}
	}
	require.Equal(t, 14, above, "cells of G-5 above the lower input")
	require.Zero(t, OverallLikelihood(0, Low))
	require.Zero(t, LevelOfRisk(Low, 9))
}

func TestNISTCases(t *testing.T) {
	var file struct {
		Cases []struct {
			Kind                                                                   string
			InitiationOrOccurrence, AdverseImpact, Impact, OverallLikelihood, Risk Qualitative
			Why                                                                    []string
		}
		Frequency []struct {
			PerYear float64
			Level   Qualitative
		}
		Score []struct {
			Score float64
			Level Qualitative
		}
		Reject []struct {
			Score   any
			PerYear *float64
			Level   string
		}
	}
	unmarshal(t, &file, "risk/matrix/nist-cases.json")
	require.Len(t, file.Cases, 12)
	for _, tt := range file.Cases {
		e := ThreatEvent{NonAdversarial: tt.Kind == "non-adversarial", Initiation: tt.InitiationOrOccurrence, AdverseImpact: tt.AdverseImpact, Impact: tt.Impact}
		r, err := e.Rate()
		require.NoError(t, err)
		require.Equal(t, tt.Risk.String(), r.Level)
		require.Equal(t, tt.Risk.Value(), *r.Score)
		require.Equal(t, []Qualitative{tt.Risk}, e.Possible())
		var tables []string
		values := map[string]string{}
		for _, s := range r.Why {
			tables = append(tables, s.Rule)
			values[s.Name] = s.Value
		}
		require.Equal(t, tt.Why, tables)
		require.Equal(t, tt.OverallLikelihood.String(), values["overall-likelihood"])
	}
	require.Len(t, file.Frequency, 12)
	for _, tt := range file.Frequency {
		got, err := OccurrenceOf(tt.PerYear)
		require.NoError(t, err)
		require.Equal(t, tt.Level, got, "%v a year", tt.PerYear)
	}
	require.Len(t, file.Score, 11)
	for _, tt := range file.Score {
		got, err := QualitativeOf(tt.Score)
		require.NoError(t, err)
		require.Equal(t, tt.Level, got, "score %v", tt.Score)
	}
	require.Len(t, file.Reject, 5)
	for _, tt := range file.Reject {
		var err error
		switch {
		case tt.PerYear != nil:
			_, err = OccurrenceOf(*tt.PerYear)
		case tt.Level != "":
			_, err = ParseQualitative(tt.Level)
		default:
			score, ok := tt.Score.(float64)
			if !ok {
				score = math.NaN()
			}
			_, err = QualitativeOf(score)
		}
		require.ErrorIs(t, err, ErrInvalid)
	}
	_, err := OccurrenceOf(math.Inf(1))
	require.ErrorIs(t, err, ErrInvalid)
}

func TestThreatEventUnknown(t *testing.T) {
	_, err := ThreatEvent{Impact: 9, Judgements: []Judgement{{"D-6", "low"}, {"D-3", "medium"}, {"X", "low"}}}.Rate()
	var ps Problems
	require.ErrorAs(t, err, &ps)
	var got []string
	for _, p := range ps {
		got = append(got, p.Pointer)
	}
	require.Equal(t, []string{"initiation", "adverse-impact", "impact", "judgements/0", "judgements/1", "judgements/2"}, got)
	_, err = ThreatEvent{NonAdversarial: true, Initiation: Low, AdverseImpact: Low, Impact: Low, Judgements: []Judgement{{"D-3", "low"}}}.Rate()
	require.ErrorIs(t, err, ErrInvalid)

	require.Equal(t, []Qualitative{VeryLow, Low, Moderate, High, VeryHigh}, ThreatEvent{}.Possible())
	require.Equal(t, []Qualitative{VeryLow}, ThreatEvent{Impact: VeryLow}.Possible())
	require.Equal(t, []Qualitative{Low, Moderate, High}, ThreatEvent{Initiation: Low, Impact: VeryHigh}.Possible(), "G-5 row low gives very-low to moderate; I-2 column very-high low, moderate, high")
}

func TestJudgementsAreInThePath(t *testing.T) {
	e := ThreatEvent{Initiation: Low, AdverseImpact: Low, Impact: Low, Judgements: []Judgement{{"D-3", "high"}, {"E-4", "confirmed"}}}
	r, err := e.Rate()
	require.NoError(t, err)
	require.Equal(t, []Step{{"D-3", "capability", "high", "informs by judgement"}, {"E-4", "relevance", "confirmed", "informs by judgement"}}, r.Why[:2])
	e.Judgements[0], e.Judgements[1] = e.Judgements[1], e.Judgements[0]
	same, err := e.Rate()
	require.NoError(t, err)
	require.Equal(t, r.Digest, same.Digest, "their order does not count")
	e.Judgements[0].Level = "expected"
	other, err := e.Rate()
	require.NoError(t, err)
	require.NotEqual(t, r.Digest, other.Digest)
}

func TestQualitative(t *testing.T) {
	for q := VeryLow; q <= VeryHigh; q++ {
		b, err := q.MarshalText()
		require.NoError(t, err)
		var got Qualitative
		require.NoError(t, got.UnmarshalText(b))
		require.Equal(t, q, got)
		require.Equal(t, q.String(), string(b))
	}
	_, err := Qualitative(0).MarshalText()
	require.ErrorIs(t, err, ErrInvalid)
	require.Equal(t, "Qualitative(6)", Qualitative(6).String())
	require.True(t, math.IsNaN(Qualitative(0).Value()))
	lo, hi := Qualitative(0).Bin()
	require.True(t, math.IsNaN(lo) && math.IsNaN(hi))
}
