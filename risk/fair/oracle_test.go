package fair

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// An oracle is one case of a file of corpus/risk/oracles.
type oracle struct {
	ID     string          `json:"id"`
	Input  json.RawMessage `json:"input"`
	Expect []expectation   `json:"expect"`
}

type expectation struct {
	Q        string          `json:"q"`
	P        float64         `json:"p"`
	X        float64         `json:"x"`
	K        int             `json:"k"`
	Limit    float64         `json:"limit"`
	Index    int             `json:"index"`
	Factor   string          `json:"factor"`
	Scenario string          `json:"scenario"`
	Value    json.RawMessage `json:"value"`
	Rel      float64         `json:"rel"`
	Abs      float64         `json:"abs"`
	SEUnit   float64         `json:"seUnit"`
}

func (e expectation) number(t *testing.T) float64 {
	t.Helper()
	var x float64
	require.NoError(t, json.Unmarshal(e.Value, &x), "%s: %s", e.Q, e.Value)
	return x
}

// agrees compares within the oracle's tolerance or, where the method compared has
// one of its own, within that.
func (e expectation) agrees(t *testing.T, got, own float64) {
	t.Helper()
	want := e.number(t)
	tolerance := max(e.Abs, math.Abs(want)*max(e.Rel, own))
	require.InDelta(t, want, got, tolerance, "%s p=%v x=%v k=%v %s%s", e.Q, e.P, e.X, e.K, e.Factor, e.Scenario)
}

func oracles(t *testing.T, name string) []oracle {
	t.Helper()
	var file struct {
		Cases []oracle `json:"cases"`
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "risk", "oracles", name), &file))
	require.NotEmpty(t, file.Cases)
	return file.Cases
}

func decode[T any](t *testing.T, raw json.RawMessage) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal(raw, &v))
	return v
}

// distInput is a distribution as the oracles write it.
type distInput struct {
	Kind      string   `json:"kind"`
	Min       *float64 `json:"min"`
	Max       *float64 `json:"max"`
	Mode      float64  `json:"mode"`
	Gamma     float64  `json:"gamma"`
	Lo        float64  `json:"lo"`
	Hi        float64  `json:"hi"`
	Level     float64  `json:"level"`
	Mean      float64  `json:"mean"`
	SD        float64  `json:"sd"`
	Mu        float64  `json:"mu"`
	Sigma     float64  `json:"sigma"`
	Alpha     float64  `json:"alpha"`
	Beta      float64  `json:"beta"`
	Shape     float64  `json:"shape"`
	Scale     float64  `json:"scale"`
	Location  float64  `json:"location"`
	Value     float64  `json:"value"`
	Lower     *float64 `json:"lower"`
	Quantiles []struct {
		P float64 `json:"p"`
		X float64 `json:"x"`
	} `json:"quantiles"`
}

func (in distInput) dist() (Dist, error) {
	bounds := func(d Dist, err error) (Dist, error) {
		if err != nil || in.Min == nil && in.Max == nil {
			return d, err
		}
		lo, hi := math.Inf(-1), math.Inf(1)
		if in.Min != nil {
			lo = *in.Min
		}
		if in.Max != nil {
			hi = *in.Max
		}
		return Truncate(d, lo, hi)
	}
	switch in.Kind {
	case "pert":
		return PERT(*in.Min, in.Mode, *in.Max, &PERTOptions{Shape: in.Gamma})
	case "triangular":
		return Triangular(*in.Min, in.Mode, *in.Max)
	case "uniform":
		return Uniform(*in.Min, *in.Max)
	case "normal":
		return bounds(Normal(in.Mu, in.Sigma))
	case "lognormal":
		switch {
		case in.Quantiles != nil:
			return LognormalQuantiles(Quantile(in.Quantiles[0]), Quantile(in.Quantiles[1]))
		case in.Mean != 0:
			return LognormalMoments(in.Mean, in.SD)
		}
		return bounds(LognormalInterval(in.Lo, in.Hi, in.Level))
	case "gamma":
		return Gamma(in.Shape, in.Scale)
	case "beta":
		return Beta(in.Alpha, in.Beta)
	case "generalized-pareto":
		return GeneralizedPareto(in.Location, in.Scale, in.Shape)
	case "metalog":
		q := in.Quantiles
		return Metalog(Quantile(q[0]), Quantile(q[1]), Quantile(q[2]), &MetalogOptions{Lower: in.Lower})
	case "constant":
		return Constant(in.Value)
	}
	return nil, fmt.Errorf("unknown kind %q", in.Kind)
}

// distOf reads a distribution that must be good.
func distOf(t *testing.T, raw json.RawMessage) Dist {
	t.Helper()
	var x float64
	if json.Unmarshal(raw, &x) == nil {
		d, err := Constant(x)
		require.NoError(t, err)
		return d
	}
	d, err := decode[distInput](t, raw).dist()
	require.NoError(t, err)
	return d
}
