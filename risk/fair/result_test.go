package fair

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// sample makes a result of given years.
func sample(values []float64) *Result {
	r := &Result{Level: 0.95, total: new(histogram), names: []string{"s"}, members: 1, years: int64(len(values)), spans: []span{{0, 1}}}
	r.total.add(values)
	return r
}

func TestEstimatorOracles(t *testing.T) {
	for _, c := range oracles(t, "estimators.json") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct {
				Sample   []float64
				K, N     int64
				P, Level float64
			}](t, c.Input)
			var lo, hi, wilsonLo, wilsonHi float64
			var lowRank, highRank int64
			var r *Result
			switch {
			case in.Sample != nil:
				r = sample(in.Sample)
			case in.P > 0:
				lowRank, highRank = ranks(in.N, in.P, in.Level)
			default:
				lo, hi = clopperPearson(in.K, in.N, in.Level)
				wilsonLo, wilsonHi = wilson(in.K, in.N, in.Level)
			}
			for _, e := range c.Expect {
				switch e.Q {
				case "mean":
					e.agrees(t, r.Mean().Value, 0)
				case "sd":
					e.agrees(t, r.SD(), 0)
				case "standardErrorOfMean":
					m := r.Mean()
					e.agrees(t, (m.Hi-m.Value)/r.z(), 1e-14)
				case "probabilityOfZero":
					e.agrees(t, 1-r.Exceed(0).Value, 0)
				case "var":
					e.agrees(t, r.VaR(e.P).Value, 0)
				case "tvar":
					e.agrees(t, r.TVaR(e.P).Value, 0)
				case "exceedance":
					e.agrees(t, r.Exceed(e.X).Value, 0)
				case "lowRank":
					e.agrees(t, float64(lowRank), 0)
				case "highRank":
					if string(e.Value) == "null" {
						require.Greater(t, highRank, in.N)
						continue
					}
					e.agrees(t, float64(highRank), 0)
				case "coverage":
					e.agrees(t, binomialCDF(min(highRank, in.N+1)-1, in.N, in.P)-binomialCDF(lowRank-1, in.N, in.P), 0)
				case "clopperPearsonLow":
					e.agrees(t, lo, 0)
				case "clopperPearsonHigh":
					e.agrees(t, hi, 0)
				case "wilsonLow":
					e.agrees(t, wilsonLo, 0)
				case "wilsonHigh":
					e.agrees(t, wilsonHi, 0)
				default:
					t.Fatalf("unknown quantity %s", e.Q)
				}
			}
		})
	}
}

// wilson is not used by the package, whose intervals are exact ones; the oracle's
// numbers confirm the normal quantile.
func wilson(k, n int64, level float64) (lo, hi float64) {
	z := normalQuantile((1+level)/2, (1-level)/2)
	p, m := float64(k)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return centre - half, centre + half
}

func TestYearsFor(t *testing.T) {
	// The smallest n with 1-p^n >= 0.975, by trial.
	for _, p := range []float64{0.5, 0.9, 0.95, 0.99, 0.999} {
		n := int64(1)
		for 1-math.Pow(p, float64(n)) < 0.975 {
			n++
		}
		require.Equal(t, n, YearsFor(p, 0.95), "%v", p)
		_, hi := ranks(n, p, 0.95)
		require.LessOrEqual(t, hi, n)
		_, hi = ranks(n-1, p, 0.95)
		require.Greater(t, hi, n-1)
	}
}

func TestToleranceOracles(t *testing.T) {
	for _, c := range oracles(t, "appetite.json") {
		in := decode[struct{ Frequency, Severity json.RawMessage }](t, c.Input)
		if in.Frequency == nil {
			continue // interpolation of tolerance curves is the register's
		}
		t.Run(c.ID, func(t *testing.T) {
			s := single(freqOf(t, in.Frequency), distOf(t, in.Severity))
			r := simulate(t, Portfolio{Scenarios: []Scenario{s}}, &Options{Years: 1 << 19, Seed: 2})
			l, err := Analytic(Portfolio{Scenarios: []Scenario{s}}, nil)
			require.NoError(t, err)
			for _, e := range c.Expect {
				if e.Q == "exceedance" {
					e.agrees(t, l.Exceed(e.X), 1e-4)
					agreesSimulated(t, r, e, 0)
				}
			}
		})
	}
}

func TestCurve(t *testing.T) {
	r := simulate(t, Portfolio{Scenarios: []Scenario{fullScenario("s")}}, &Options{Years: 50000})
	points := slices.Collect(r.Curve(0))
	require.Len(t, points, 48)
	for i, p := range points {
		require.LessOrEqual(t, p.Exceed.Lo, p.Exceed.Value)
		require.GreaterOrEqual(t, p.Exceed.Hi, p.Exceed.Value)
		if i > 0 {
			require.Greater(t, p.Loss, points[i-1].Loss)
			require.LessOrEqual(t, p.Exceed.Value, points[i-1].Exceed.Value)
		}
	}
	require.Zero(t, points[47].Exceed.Value)
	require.Empty(t, slices.Collect(sample([]float64{0, 0}).Curve(0)))
	require.Len(t, slices.Collect(sample([]float64{0, 5}).Curve(0)), 1)
}
