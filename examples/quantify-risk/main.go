// Command quantify-risk asks what ransomware costs a hospital in a year, how bad a bad
// year is, and whether a control is worth its price.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/issokit/issokit/risk/fair"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quantify-risk:", err)
		os.Exit(1)
	}
}

// A builder keeps the first errors of constructors, so that a model reads as a whole.
type builder struct{ errs []error }

func (b *builder) dist(d fair.Dist, err error) fair.Dist {
	if err != nil {
		b.errs = append(b.errs, err)
	}
	return d
}

func run(w io.Writer) error {
	var b builder
	constant := func(x float64) fair.Dist { return b.dist(fair.Constant(x)) }
	pert := func(min, mode, max float64) fair.Dist { return b.dist(fair.PERT(min, mode, max, nil)) }

	// Phishing mails arrive and some are clicked; what follows is judged by experts.
	phishing := fair.Scenario{
		ID:        "phishing",
		Frequency: fair.FromThreats(fair.FromContacts(pert(20, 60, 200), pert(0.02, 0.05, 0.1)), fair.GivenSusceptibility(pert(0.1, 0.3, 0.5))),
		Losses: []fair.Loss{
			fair.PrimaryLoss(fair.Response, b.dist(fair.LognormalInterval(5e3, 60e3, 0.9))),
			fair.SecondaryLoss(fair.FinesAndJudgments, pert(0.01, 0.03, 0.1), b.dist(fair.LognormalInterval(50e3, 2e6, 0.9))),
		},
	}
	// One click in twenty ends in encrypted systems.
	ransomware := fair.Scenario{
		ID:        "ransomware",
		Frequency: fair.Triggered("phishing", constant(0.05)),
		Losses: []fair.Loss{
			fair.PrimaryLoss(fair.Productivity, pert(100e3, 400e3, 5e6)),
			fair.PrimaryLoss(fair.Replacement, pert(20e3, 80e3, 600e3)),
			fair.SecondaryLoss(fair.Reputation, constant(0.3), b.dist(fair.LognormalInterval(100e3, 3e6, 0.9))),
		},
	}
	before := fair.Portfolio{Scenarios: []fair.Scenario{phishing, ransomware}}

	candidates := []fair.Control{
		{ID: "phishing-resistant MFA", Cost: constant(90e3), Effects: []fair.Effect{{
			Scenario: "phishing", On: fair.OnSusceptibility, Efficacy: pert(0.5, 0.8, 0.95), Coverage: pert(0.7, 0.9, 1),
		}}},
		{ID: "offline backups", Cost: constant(60e3), Effects: []fair.Effect{{
			Scenario: "ransomware", On: fair.OnMagnitude, Form: fair.Productivity, Efficacy: pert(0.3, 0.6, 0.8), Reliability: pert(0.8, 0.95, 1),
		}}},
	}
	if err := errors.Join(b.errs...); err != nil {
		return err
	}

	opts := &fair.Options{Years: 200_000, Seed: 2026}
	result, err := fair.Simulate(context.Background(), before, opts)
	if err != nil {
		return err
	}
	mean, var95, tail := result.Mean(), result.VaR(0.95), result.TVaR(0.95)
	fmt.Fprintf(w, "a year costs %.0f on average (%.0f to %.0f)\n", mean.Value, mean.Lo, mean.Hi)
	fmt.Fprintf(w, "one year in twenty costs more than %.0f (%.0f to %.0f), on average %.0f\n", var95.Value, var95.Lo, var95.Hi, tail.Value)
	fmt.Fprintf(w, "a million is exceeded with probability %.4f\n", result.Exceed(1e6).Value)
	parts, err := result.Contributions(0.95)
	if err != nil {
		return err
	}
	for _, p := range parts {
		fmt.Fprintf(w, "  %-10s %8.0f of the mean, %8.0f of the worst twentieth\n", p.Scenario, p.Mean, p.Tail)
	}

	for _, c := range candidates {
		after := before
		after.Controls = []fair.Control{c}
		inv, err := fair.Compare(context.Background(), before, after, c.Cost, opts)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s saves %.0f a year for %.0f: return %.2f (%.2f to %.2f), pays in %.1f%% of years, VaR 95%% %.0f\n",
			c.ID, inv.Saved.Value, inv.Cost, inv.Return.Value, inv.Return.Lo, inv.Return.Hi, 100*inv.Pays.Value, inv.After.VaR(0.95).Value)
	}
	return nil
}
