package matrix

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOWASPCases(t *testing.T) {
	type input struct {
		ThreatAgent, Vulnerability, Technical []float64
		Business                              []*float64
		Weights                               OWASPWeights
	}
	var file struct {
		FactorOptions struct {
			Likelihood, Impact map[string]map[string][]float64
		}
		Severity map[string]map[string]string
		Cases    []struct {
			ID string
			input
			Expect struct {
				Likelihood, Impact                                 float64
				LikelihoodLevel, ImpactLevel, ImpactFrom, Severity string
			}
		}
		Reject []input
	}
	unmarshal(t, &file, "risk/matrix/owasp.json")
	owasp := func(in input) OWASP {
		o := OWASP{ThreatAgent: in.ThreatAgent, Vulnerability: in.Vulnerability, Technical: in.Technical, Weights: in.Weights}
		for _, b := range in.Business {
			if b == nil {
				o.Business = append(o.Business, math.NaN())
			} else {
				o.Business = append(o.Business, *b)
			}
		}
		return o
	}
	require.Len(t, file.Cases, 19)
	for _, tt := range file.Cases {
		t.Run(tt.ID, func(t *testing.T) {
			o := owasp(tt.input)
			r, err := o.Rate()
			require.NoError(t, err)
			require.Equal(t, tt.Expect.Severity, r.Level)
			steps := map[string]Step{}
			for _, s := range r.Why {
				steps[s.Name] = s
			}
			var likelihood, impact float64
			require.NoError(t, json.Unmarshal([]byte(steps["likelihood"].Value), &likelihood))
			require.NoError(t, json.Unmarshal([]byte(steps["impact"].Value), &impact))
			require.InDelta(t, tt.Expect.Likelihood, likelihood, 1e-12)
			require.InDelta(t, tt.Expect.Impact, impact, 1e-12)
			require.Equal(t, tt.Expect.LikelihoodLevel, steps["likelihood-level"].Value)
			require.Equal(t, tt.Expect.ImpactLevel, steps["impact-level"].Value)
			require.Contains(t, steps["impact"].Text, "mean of the "+tt.Expect.ImpactFrom+" factors")

			back, err := ParseOWASP(o.Vector())
			require.NoError(t, err)
			back.Weights = o.Weights
			require.Equal(t, o, back)
		})
	}
	for impact, row := range file.Severity {
		for likelihood, want := range row {
			ranks := map[string]int{"low": 0, "medium": 1, "high": 2}
			require.Equal(t, want, owaspSeverity[ranks[impact]][ranks[likelihood]])
		}
	}
	require.Len(t, file.Reject, 3)
	for _, tt := range file.Reject {
		o := owasp(tt)
		complete := []float64{1, 1, 1, 1}
		if o.ThreatAgent == nil {
			o.ThreatAgent = complete
		}
		o.Vulnerability, o.Technical = complete, complete
		_, err := o.Rate()
		var ps Problems
		require.ErrorAs(t, err, &ps)
		require.Len(t, ps, 1)
	}

	// The numbers of the options are the methodology's.
	names := [4][4]string{
		{"skill", "motive", "opportunity", "size"},
		{"easeOfDiscovery", "easeOfExploit", "awareness", "intrusionDetection"},
		{"confidentiality", "integrity", "availability", "accountability"},
		{"financial", "reputation", "nonCompliance", "privacy"},
	}
	want := []map[string][]float64{
		file.FactorOptions.Likelihood["threatAgent"], file.FactorOptions.Likelihood["vulnerability"],
		file.FactorOptions.Impact["technical"], file.FactorOptions.Impact["business"],
	}
	factors := OWASPFactors()
	require.Len(t, factors, 16)
	for i, f := range factors {
		var values []float64
		for _, o := range f.Options {
			require.NotEmpty(t, o.Text)
			values = append(values, o.Value)
		}
		require.Equal(t, want[i/4][names[i/4][i%4]], values, f.Name)
	}
}

func TestOWASPProblems(t *testing.T) {
	four := func(v float64) []float64 { return []float64{v, v, v, v} }
	nan := math.NaN()
	for _, tt := range []struct {
		name string
		o    OWASP
		want []string
	}{
		{"nothing", OWASP{}, []string{"threat agent", "vulnerability"}},
		{"no impact", OWASP{ThreatAgent: four(1), Vulnerability: four(1)}, []string{"technical impact"}},
		{"unrated impact", OWASP{ThreatAgent: four(1), Vulnerability: four(1), Technical: four(nan), Business: four(nan)}, []string{"technical impact"}},
		{"unrated likelihood", OWASP{ThreatAgent: []float64{1, nan, 1, 1}, Vulnerability: four(1), Technical: four(1)}, []string{"threat agent/motive"}},
		{
			"out of range, all of them",
			OWASP{ThreatAgent: []float64{-1, 10, math.Inf(1), 1}, Vulnerability: four(1), Technical: []float64{1, 2, nan, 3}},
			[]string{"threat agent/skill-level", "threat agent/motive", "threat agent/opportunity", "technical impact/loss-of-availability"},
		},
		{
			"weights",
			OWASP{ThreatAgent: four(1), Vulnerability: four(1), Technical: four(1), Weights: OWASPWeights{Likelihood: []float64{1}, Technical: []float64{0, 0, 0, 0}}},
			[]string{"weights/likelihood", "weights/technical"},
		},
		{
			"negative weight",
			OWASP{ThreatAgent: four(1), Vulnerability: four(1), Business: four(1), Weights: OWASPWeights{Business: []float64{-1, 2, nan, 1}}},
			[]string{"weights/business/0", "weights/business/2", "weights/business"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.o.Rate()
			var ps Problems
			require.ErrorAs(t, err, &ps)
			var got []string
			for _, p := range ps {
				got = append(got, p.Pointer)
			}
			require.Equal(t, tt.want, got)
		})
	}
	t.Run("weights that are no binary fractions", func(t *testing.T) {
		tenth := []float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}
		r, err := OWASP{ThreatAgent: four(3), Vulnerability: four(3), Technical: four(6), Weights: OWASPWeights{Likelihood: tenth, Technical: []float64{0.1, 0.7, 0.3, 0.1}}}.Rate()
		require.NoError(t, err)
		require.Equal(t, "high", r.Level, "likelihood 3 is medium, impact 6 high")
	})
}

func TestParseOWASP(t *testing.T) {
	o, err := ParseOWASP("(PV:1/SL:9)")
	require.NoError(t, err)
	require.Equal(t, "SL:9/PV:1", o.Vector())
	for _, v := range []string{"", "SL", "SL:", "SL:x", "SL:NaN", "SL:1/SL:2", "XX:1", "SL:1/", "(SL:1/M"} {
		_, err := ParseOWASP(v)
		require.ErrorIs(t, err, ErrInvalid, v)
	}
}

func FuzzParseOWASP(f *testing.F) {
	f.Add("SL:5/M:2/O:7/S:1/ED:3/EE:6/A:9/ID:2/LC:9/LI:7/LAV:5/LAC:8/FD:1/RD:2/NC:1/PV:5")
	f.Add("(SL:1/M:1/O:0/S:2)")
	f.Fuzz(func(t *testing.T, vector string) {
		o, err := ParseOWASP(vector)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		again, err := ParseOWASP(o.Vector())
		require.NoError(t, err)
		require.Equal(t, o.Vector(), again.Vector())
		if _, err := o.Rate(); err != nil {
			require.ErrorIs(t, err, ErrInvalid)
		}
	})
}

func TestFormulaCases(t *testing.T) {
	var file struct {
		Formulas map[string]string
		Cases    []struct {
			Model              Formula
			Likelihood, Impact int
			Levels             [2]int
			Score              float64
		}
	}
	unmarshal(t, &file, "risk/matrix/simple-formulas.json")
	require.Len(t, file.Cases, 15)
	for _, tt := range file.Cases {
		require.Equal(t, file.Formulas[fmt.Sprint(int(tt.Model))], tt.Model.String())
		r, err := tt.Model.Rate(tt.Likelihood, tt.Impact, tt.Levels[0], tt.Levels[1])
		require.NoError(t, err)
		require.Equal(t, tt.Score, *r.Score, "%s with %d and %d", tt.Model, tt.Likelihood, tt.Impact)
	}
	for f := ImpactTwice; f <= LikelihoodTwice; f++ {
		r, err := f.Rate(7, 3, 7, 3)
		require.NoError(t, err)
		require.Equal(t, 10.0, *r.Score, "the highest of both is 10")
	}
}

func TestFormulaProblems(t *testing.T) {
	for _, in := range [][5]int{{0, 1, 1, 5, 5}, {6, 1, 1, 5, 5}, {1, 0, 1, 5, 5}, {1, 6, 1, 5, 5}, {1, 1, 1, 0, 5}, {1, 1, 1, 5, 1 << 20}} {
		_, err := Formula(in[0]).Rate(in[1], in[2], in[3], in[4])
		require.ErrorIs(t, err, ErrInvalid, "%v", in)
	}
	_, err := PlainProduct.Rate(1, 1, 5, 5, Threshold{"a", 5}, Threshold{"b", 5})
	require.ErrorIs(t, err, ErrInvalid)
}

func TestRateCSF(t *testing.T) {
	got, err := RateCSF([]CSFOutcome{
		{"PR.AA-01", "partial", "risk-informed"}, {"GV.OC-01", "adaptive", "repeatable"}, {"PR.AA-02", "partial", "adaptive"}, {"PR.DS-01", "repeatable", "repeatable"},
	})
	require.NoError(t, err)
	counts := func(n ...int) []Count {
		var out []Count
		for i, o := range CSFTiers().Scale().Levels {
			out = append(out, Count{o, n[i]})
		}
		return out
	}
	require.Equal(t, []CSFFunction{
		{"GV", Tally{"met", counts(1, 0, 0, 0)}, nil},
		{"PR", Tally{"three-tiers", counts(1, 1, 0, 1)}, []string{"PR.AA-02", "PR.AA-01"}},
	}, got)
	require.Empty(t, CSFTiers().Warnings())
	_, err = RateCSF([]CSFOutcome{{"X", "partial", "partial"}, {"PR.AA-01", "0", "partial"}, {"PR.AA-01", "partial", "4"}})
	var ps Problems
	require.ErrorAs(t, err, &ps)
	var at []string
	for _, p := range ps {
		at = append(at, p.Pointer)
	}
	require.Equal(t, []string{"X", "PR.AA-01/current", "PR.AA-01", "PR.AA-01/target"}, at)
}

func TestParseOWASPProblems(t *testing.T) {
	for _, tt := range []struct{ vector, want string }{
		{"(SL:5/M:2", `matrix: expected ")" at the end, found none (at vector) [input]`},
		{"SL:5/M:2)", `matrix: expected a number from 0 to 9, found "2)" (at M) [input]`},
		{"SL:5/M:Inf", `matrix: expected a number from 0 to 9, found "Inf" (at M) [input]`},
		{"SL:5/M:-1/O:10", "matrix: expected a number from 0 to 9, found \"-1\" (at M) [input]\nexpected a number from 0 to 9, found \"10\" (at O) [input]"},
		{"SL:5/M:0x1p1", `matrix: expected a number from 0 to 9, found "0x1p1" (at M) [input]`},
	} {
		t.Run(tt.vector, func(t *testing.T) {
			_, err := ParseOWASP(tt.vector)
			require.ErrorIs(t, err, ErrInvalid)
			require.EqualError(t, err, tt.want)
		})
	}
}
