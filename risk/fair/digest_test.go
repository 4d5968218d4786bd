package fair

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPortfolioDigest: the digest is of the model, of all of it, and of nothing else.
func TestPortfolioDigest(t *testing.T) {
	digest := func(p Portfolio) string {
		d, err := p.Digest(context.Background())
		require.NoError(t, err)
		return d
	}
	whole := digest(everything())
	require.Equal(t, whole, digest(everything()))
	require.NotEqual(t, whole, simulate(t, everything(), &Options{Years: 1, Seed: 7}).Digest(), "that of a run counts its seed")
	for _, tt := range []struct {
		name   string
		change func(*Portfolio)
	}{
		{"scenario", func(p *Portfolio) { p.Scenarios = append(p.Scenarios, fullScenario("another")) }},
		{"loss", func(p *Portfolio) {
			p.Scenarios[0].Losses = append(p.Scenarios[0].Losses, PrimaryLoss(Response, must(Constant(1))))
		}},
		{"cover", func(p *Portfolio) { p.Scenarios[0].Aggregate = &Layer{Deductible: 12345} }},
		{"control", func(p *Portfolio) { p.Controls = nil }},
		{"correlation", func(p *Portfolio) { p.Frequencies = nil }},
		{"group", func(p *Portfolio) { p.Groups = nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := everything()
			tt.change(&p)
			require.NotEqual(t, whole, digest(p))
		})
	}
	_, err := Portfolio{}.Digest(context.Background())
	require.ErrorIs(t, err, ErrInvalid)
}
