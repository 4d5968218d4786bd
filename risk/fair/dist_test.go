package fair

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDistributionOracles(t *testing.T) {
	for _, c := range oracles(t, "distributions.json") {
		t.Run(c.ID, func(t *testing.T) {
			d, err := decode[distInput](t, c.Input).dist()
			for _, e := range c.Expect {
				if e.Q == "error" || e.Q == "feasible" && string(e.Value) == "false" {
					require.ErrorIs(t, err, ErrInvalid)
					return
				}
			}
			require.NoError(t, err)
			for _, e := range c.Expect {
				switch e.Q {
				case "mean":
					e.agrees(t, d.Mean(), 0)
				case "variance":
					e.agrees(t, d.Var(), 0)
				case "sd":
					e.agrees(t, math.Sqrt(d.Var()), 0)
				case "quantile":
					e.agrees(t, d.Quantile(e.P), 0)
				case "median":
					e.agrees(t, d.Quantile(0.5), 0)
				case "cdf":
					e.agrees(t, CDF(d, e.X), 0)
				case "tvar":
					e.agrees(t, TailMean(d, e.P), 0)
				case "limitedExpectedValue":
					e.agrees(t, LimitedMean(d, e.Limit), 0)
				case "alpha":
					e.agrees(t, d.(*beta).a, 0)
				case "beta":
					e.agrees(t, d.(*beta).b, 0)
				case "mu":
					e.agrees(t, d.(*lognormal).mu, 0)
				case "sigma":
					e.agrees(t, d.(*lognormal).sigma, 0)
				case "mode":
					l := d.(*lognormal)
					e.agrees(t, exp(l.mu-l.sigma*l.sigma), 0)
				case "a1", "a2", "a3":
					e.agrees(t, d.(*metalog).a[e.Q[1]-'1'], 0)
				case "skewness":
					e.agrees(t, skewness(d), 1e-9)
				case "feasible":
				default:
					t.Fatalf("unknown quantity %s", e.Q)
				}
			}
		})
	}
}

// skewness is not part of the package; it comes here from the closed form of each
// family, so that the parameters are tested as a whole.
func skewness(d Dist) float64 {
	switch d := d.(type) {
	case *beta:
		return 2 * (d.b - d.a) * math.Sqrt(d.a+d.b+1) / ((d.a + d.b + 2) * math.Sqrt(d.a*d.b))
	case *lognormal:
		w := math.Exp(d.sigma * d.sigma)
		return (w + 2) * math.Sqrt(w-1)
	case *gamma:
		return 2 / math.Sqrt(d.shape)
	case *triangular:
		a, c, b := d.min, d.mode, d.max
		return math.Sqrt2 * (a + b - 2*c) * (2*a - b - c) * (a - 2*b + c) / (5 * math.Pow(a*a+b*b+c*c-a*b-a*c-b*c, 1.5))
	}
	return math.NaN()
}
