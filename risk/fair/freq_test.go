package fair

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

type freqInput struct {
	Kind        string          `json:"kind"`
	Rate        json.RawMessage `json:"rate"`
	R, P        float64
	Probability json.RawMessage `json:"probability"`
}

func freqOf(t *testing.T, raw json.RawMessage) Freq {
	t.Helper()
	in := decode[freqInput](t, raw)
	var f Freq
	var err error
	switch in.Kind {
	case "poisson":
		f, err = Poisson(distOf(t, in.Rate))
	case "negative-binomial":
		f, err = NegativeBinomial(in.R, in.P)
	case "at-most-once":
		f, err = AtMostOnce(distOf(t, in.Probability))
	default:
		t.Fatalf("unknown kind %q", in.Kind)
	}
	require.NoError(t, err)
	return f
}

func TestFrequencyOracles(t *testing.T) {
	for _, c := range oracles(t, "frequencies.json") {
		t.Run(c.ID, func(t *testing.T) {
			f := freqOf(t, c.Input)
			l, err := newLaw(f)
			require.NoError(t, err)
			cdf := func(k int) (sum float64) {
				for i, p := range l.pmf {
					if l.first+i <= k {
						sum += p
					}
				}
				return sum
			}
			for _, e := range c.Expect {
				switch e.Q {
				case "mean":
					e.agrees(t, f.Mean(), 0)
				case "variance":
					e.agrees(t, f.Var(), 0)
				case "pmf":
					e.agrees(t, f.Prob(e.K), 0)
					if e.K >= l.first && e.K < l.first+len(l.pmf) {
						e.agrees(t, l.pmf[e.K-l.first], 0)
					}
				case "cdf":
					e.agrees(t, cdf(e.K), 0)
				case "quantile":
					e.agrees(t, float64(l.draw(uint64(e.P*(1<<53))<<11)), 0)
				default:
					t.Fatalf("unknown quantity %s", e.Q)
				}
			}
		})
	}
}
