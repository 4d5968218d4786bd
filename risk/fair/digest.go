package fair

import "context"

// Digest identifies the model, in hexadecimal: engine, scenarios, controls,
// correlations and groups, as what they come to when they are simulated. Unlike
// [Result.Digest] it does not depend on a seed: two runs of the same model have the same,
// which is what the acceptance of a risk can be bound to. The error is that of [Simulate].
func (p Portfolio) Digest(ctx context.Context) (string, error) {
	r, err := Simulate(ctx, p, &Options{Years: 1, WithoutShares: true})
	if err != nil {
		return "", err
	}
	return r.Digest(), nil
}
