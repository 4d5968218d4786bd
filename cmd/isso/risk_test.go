package main

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const riskModel = `title: Shop & more
currency: EUR
years: 20000
seed: 7
scenarios:
  - id: phishing
    frequency: {poisson: 1.5}
    losses:
      - {form: response, magnitude: {lognormal: {lo: 5_000, hi: 80_000}}}
      - {form: reputation, probability: 0.1, magnitude: {metalog: {quantiles: [{p: 0.1, x: 20000}, {p: 0.5, x: 90000}, {p: 0.9, x: 500000}], lower: 0, upper: 2e6}}}
  - id: ransomware
    frequency: {triggered-by: phishing, probability: {uniform: {min: 0.02, max: 0.1}}}
    losses: [{form: productivity, magnitude: {pert: {min: 50000, mode: 200000, max: 5000000, shape: 3}}}]
    cover-per-event: {deductible: 100000, limit: 2000000, share: 0.8}
  - id: outage
    frequency:
      contact-frequency: {pert: {min: 1, mode: 5, max: 40}}
      probability-of-action: {beta: {alpha: 2, beta: 4}}
      threat-capability: {normal: {mean: 0.6, sd: 0.1}, truncate: {min: 0, max: 1}}
      resistance-strength: {triangular: {min: 0.4, mode: 0.65, max: 0.95}}
    losses: [{form: productivity, magnitude: {mixture: [{weight: 3, distribution: {gamma: {shape: 2, scale: 4000}}}, {weight: 1, distribution: {empirical: [1000, 90000]}}]}}]
  - id: breach
    frequency: {negative-binomial: {r: 2, p: 0.5}}
    losses: [{form: fines-and-judgments, magnitude: {generalized-pareto: {location: 1000, scale: 20000, shape: 0.2}}}]
controls:
  - {id: mfa, cost: 20000, effects: [{scenario: phishing, on: susceptibility, efficacy: 0.5, coverage: 0.9}]}
frequency-correlation: {scenarios: [phishing, breach], matrix: [[1, 0.4], [0.4, 1]]}
groups:
  - {id: people, members: [phishing, ransomware]}
`

func inRiskFolder(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("model.yaml", []byte(riskModel), 0o600))
}

func TestRiskSimulate(t *testing.T) {
	inRiskFolder(t)
	status, out, errs := isso(t, "", "risk", "simulate", "model.yaml", "--svg", "lec.svg")
	require.Equal(t, []any{0, ""}, []any{status, errs})
	require.Contains(t, out, "Shop & more\nannual loss in EUR, 20000 years simulated, seed 7\n")
	for _, id := range []string{"phishing", "ransomware", "outage", "breach", "people"} {
		require.Contains(t, out, "\n  "+id+" ")
	}
	_, again, _ := isso(t, riskModel, "risk", "simulate", "-", "--workers", "3")
	require.Equal(t, out, again)

	// The curve is XML with a title and a description.
	data, err := os.ReadFile("lec.svg")
	require.NoError(t, err)
	for d := xml.NewDecoder(strings.NewReader(string(data))); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	require.Contains(t, string(data), "<title id=\"title\">Loss exceedance curve: Shop &amp; more</title>\n<desc id=\"desc\">Probability that the loss of a year exceeds")
	_, _, _ = isso(t, "", "risk", "simulate", "model.yaml", "--svg", "again.svg", "-q")
	same, err := os.ReadFile("again.svg")
	require.NoError(t, err)
	require.Equal(t, data, same)
}

func TestRiskSimulateJSON(t *testing.T) {
	inRiskFolder(t)
	status, out, _ := isso(t, "", "risk", "simulate", "model.yaml", "--json", "--years", "5000", "--seed", "9")
	require.Equal(t, 0, status)
	var s summary
	require.NoError(t, json.Unmarshal([]byte(out), &s))
	require.EqualValues(t, 5000, s.Years)
	require.EqualValues(t, 9, s.Seed)
	require.Len(t, s.Curve, 48)
	require.Len(t, s.Tail, 5)
	sum := 0.0
	for _, x := range s.Scenarios {
		sum += x.Mean
	}
	require.InEpsilon(t, s.Mean.Value, sum, 1e-9)
	require.Len(t, s.Groups, 1)
	require.Less(t, s.Mean.Lo, s.Mean.Value)
}

// TestRiskSimulateExample: the model that the command shows is one that it takes, and
// has every member that there is.
func TestRiskSimulateExample(t *testing.T) {
	status, text, errs := isso(t, "", "risk", "simulate", "--example")
	require.Equal(t, []any{0, ""}, []any{status, errs})
	status, out, errs := isso(t, text, "risk", "simulate", "-", "--years", "5000")
	require.Equal(t, []any{0, ""}, []any{status, errs})
	require.Contains(t, out, "A hospital\nannual loss in EUR, 5000 years simulated, seed 2026\n")

	var members func(reflect.Type)
	seen := map[reflect.Type]bool{}
	members = func(x reflect.Type) {
		for x.Kind() == reflect.Pointer || x.Kind() == reflect.Slice {
			x = x.Elem()
		}
		if x.Kind() != reflect.Struct || seen[x] {
			return
		}
		seen[x] = true
		for i := range x.NumField() {
			name, _, _ := strings.Cut(x.Field(i).Tag.Get("yaml"), ",")
			require.Regexp(t, `(?m)^[^#]*\b`+name+`: `+"|"+`(?m)^ *`+name+":$", text)
			members(x.Field(i).Type)
		}
	}
	members(reflect.TypeFor[modelFile]())
	require.Greater(t, len(seen), 20)

	status, help, _ := isso(t, "", "risk", "simulate", "--help")
	require.Equal(t, 0, status)
	require.Contains(t, help, text)
	status, _, errs = isso(t, "", "risk", "simulate", "--example", "model.yaml")
	require.Equal(t, []any{2, "isso: expected no file with --example, found \"model.yaml\"\n"}, []any{status, errs})
	status, _, errs = isso(t, "", "risk", "simulate")
	require.Equal(t, []any{2, "isso: expected the file of a model, \"-\" for the standard input, or --example\n"}, []any{status, errs})
}

func TestRiskSimulateProblems(t *testing.T) {
	for _, tt := range []struct{ name, model, want string }{
		{"all at once, in order", `scenarios:
  - id: a
    frequncy: {poisson: 1}
    losses:
      - {form: respons, magnitude: {pert: {min: 5, mode: 4, max: 10}}}
  - id: b
    frequency: {poisson: -1}
    losses: [{form: response, magnitude: .nan}]
years: 0
`, `stdin:2:5: expected the member "frequency" (at /scenarios/0)
stdin:3:5: unknown member "frequncy"; did you mean "frequency"? (at /scenarios/0)
stdin:5:16: form of loss: expected productivity, response, replacement, fines-and-judgments, competitive-advantage or reputation, found "respons" (at /scenarios/0/losses/0/form)
stdin:5:25: PERT mode: expected a number from min, 5, to max, 10, found 4 (at /scenarios/0/losses/0/magnitude)
stdin:7:17: Poisson rate: expected no value below 0, found -1 (at /scenarios/1/frequency/poisson)
stdin:8:42: expected a number, found ".nan" (at /scenarios/1/losses/0/magnitude)
stdin:9:1: expected a whole number from 1 to 4294967295, found 0 (at /years)
`},
		{"JSON", `{"scenarios":[{"id":"x","frequency":{"poisson":"1"},"losses":[],"id":"y"}]}`, `stdin:1:48: expected a number, found the text "1" (at /scenarios/0/frequency/poisson)
stdin:1:53: scenario x: losses: expected one at least, found none (at /scenarios/0/losses)
stdin:1:65: the member "id" stands twice, first in line 1 (at /scenarios/0)
`},
		{"two kinds", "scenarios: [{id: a, frequency: {poisson: 1, binomial: {n: 1, p: 1}}, losses: [{form: response, magnitude: 1}]}]", "stdin:1:45: expected \"poisson\" or \"binomial\", found both (at /scenarios/0/frequency)\n"},
		{"no kind", "scenarios: [{id: a, frequency: {}, losses: [{form: response, magnitude: {truncate: {min: 1}}}]}]", `stdin:1:32: expected one of the members poisson, negative-binomial, binomial, at-most-once, threat-event-frequency, contact-frequency, triggered-by (at /scenarios/0/frequency)
stdin:1:73: expected one of the members constant, pert, triangular, uniform, normal, lognormal, beta, gamma, exponential, generalized-pareto, metalog, empirical, mixture (at /scenarios/0/losses/0/magnitude)
`},
		{"members that do not go together", `scenarios:
- id: a
  frequency: {contact-frequency: 2, threat-capability: 0.5, susceptibility: 0.5, probability: 1}
  losses:
  - {form: response, magnitude: {lognormal: {mean: 3, hi: 4}}}
  - {form: response, magnitude: {lognormal: {quantiles: [{p: 0.1, x: 1}]}}}
  - {form: response, magnitude: {metalog: {quantiles: []}}}
- id: b
  frequency: {threat-event-frequency: {pert: {min: 1, mode: 2}}}
  losses: []
`, `stdin:3:3: expected the member "probability-of-action" with the others (at /scenarios/0/frequency)
stdin:3:3: expected the member "resistance-strength" with the others (at /scenarios/0/frequency)
stdin:3:61: unexpected member "susceptibility" with the others (at /scenarios/0/frequency/susceptibility)
stdin:3:82: unexpected member "probability" with the others (at /scenarios/0/frequency/probability)
stdin:5:34: expected the member "sd" with the others (at /scenarios/0/losses/0/magnitude/lognormal)
stdin:5:55: unexpected member "hi" with the others (at /scenarios/0/losses/0/magnitude/lognormal/hi)
stdin:6:46: expected 2 quantiles, found 1 (at /scenarios/0/losses/1/magnitude/lognormal/quantiles)
stdin:7:44: expected 3 quantiles, found 0 (at /scenarios/0/losses/2/magnitude/metalog/quantiles)
stdin:9:46: expected the member "max" (at /scenarios/1/frequency/threat-event-frequency/pert)
stdin:10:3: scenario b: losses: expected one at least, found none (at /scenarios/1/losses)
`},
		{"of the text and of the whole at once, each in its place", `scenarios:
  - id: a
    frequency: {poisson: 1}
    losses:
      - {form: response, magnitude: {normal: {mean: 100, sd: 50}}}
  - id: a
    frequency: {poisson: {constant: -1}}
    losses: [{form: response, magnitude: {pert: {min: 1, mode: 2}}}]
  - id: c
    frequency: {triggered-by: nope, probability: 1.5}
    losses: [{form: response, magnitude: {lognormal: {lo: 0, hi: 5, level: 90}}}]
    cover-per-year: {share: 2}
  - id: d
    frequency: {threat-event-frequency: 1, threat-capability: 7, resistance-strength: 0.5}
    losses: [{form: response, probability: 3, magnitude: {mixture: [{weight: 1, distribution: 1}, {weight: 1, distribution: {beta: {alpha: 0, beta: 1}}}]}}]
controls:
  - {id: x, effects: [{scenario: zz, on: susceptibility, form: response, efficacy: 1.5}]}
  - {id: x, effects: []}
severity-correlation: {scenarios: [a, q], matrix: [[1, 2], [2, 1]], repair: true}
groups:
  - {id: g, members: [a, nope]}
`, `stdin:5:26: scenario a: loss 1: magnitude: expected no value below 0, found -Inf (at /scenarios/0/losses/0/magnitude)
stdin:6:5: scenario 2: id: expected an id of its own, found that of scenario 1, "a" (at /scenarios/1/id)
stdin:7:17: Poisson rate: expected no value below 0, found -1 (at /scenarios/1/frequency/poisson)
stdin:8:49: expected the member "max" (at /scenarios/1/losses/0/magnitude/pert)
stdin:10:5: scenario c: loss event frequency: expected the id of a scenario that triggers it, found "nope" (at /scenarios/2/frequency)
stdin:10:37: scenario c: loss event frequency: probability of being triggered: expected values from 0 to 1, found 1.5 to 1.5 (at /scenarios/2/frequency/probability)
stdin:11:31: log-normal lo: expected a number above 0, found 0 (at /scenarios/2/losses/0/magnitude)
stdin:11:31: log-normal level: expected a number strictly between 0 and 1, found 90 (at /scenarios/2/losses/0/magnitude)
stdin:12:22: scenario c: cover per year: share: expected a number from 0 to 1, found 2 (at /scenarios/2/cover-per-year/share)
stdin:15:31: scenario d: loss 1: probability: expected values from 0 to 1, found 3 to 3 (at /scenarios/3/losses/0/probability)
stdin:15:111: beta alpha: expected a number above 0, found 0 (at /scenarios/3/losses/0/magnitude/mixture/1/distribution)
stdin:17:24: control x: effect 1: scenario: expected the id of a scenario, found "zz" (at /controls/0/effects/0/scenario)
stdin:17:58: control x: effect 1: form: expected a form of loss, for the target magnitude only, found response (at /controls/0/effects/0/form)
stdin:17:74: control x: effect 1: efficacy: expected values from 0 to 1, found 1.5 to 1.5 (at /controls/0/effects/0/efficacy)
stdin:18:6: control 2: id: expected an id of its own, found that of control 1, "x" (at /controls/1/id)
stdin:18:13: control 2: effects: expected one at least, found none (at /controls/1/effects)
stdin:19:1: correlation: row 1, column 2: expected a number from -1 to 1, found 2 (at /severity-correlation)
stdin:19:1: correlation: row 2, column 1: expected a number from -1 to 1, found 2 (at /severity-correlation)
stdin:19:24: correlation of severities: scenarios: expected ids of scenarios, found "q" (at /severity-correlation/scenarios)
stdin:21:13: group 1: members: expected ids of scenarios and of groups before it, found "nope" (at /groups/0/members)
`},
		{"unit", "scenarios: [{id: a, frequency: {poisson: 1/month}, losses: [{form: response, magnitude: 5 EUR}]}]", `stdin:1:42: expected a number, found the text "1/month" (at /scenarios/0/frequency/poisson)
stdin:1:89: expected a number, found the text "5 EUR" (at /scenarios/0/losses/0/magnitude)
`},
		{"cycle", "scenarios:\n- id: a\n  frequency: {triggered-by: a, probability: 0.1}\n  losses: [{form: response, magnitude: 3}]\n", "stdin:3:3: scenario a: loss event frequency: expected a parent that does not depend on it, found \"a\" (at /scenarios/0/frequency)\n"},
		{"matrix", "scenarios:\n- {id: a, frequency: {poisson: 1}, losses: [{form: response, magnitude: 3}]}\nfrequency-correlation: {scenarios: [a], matrix: [[2]]}\n", "stdin:3:1: correlation of frequencies: row 1, column 1: expected a number from -1 to 1, found 2 (at /frequency-correlation)\n"},
		{"no loss", "scenarios: [{id: a, frequency: {poisson: 1}, losses: []}]", "stdin:1:46: scenario a: losses: expected one at least, found none (at /scenarios/0/losses)\n"},
		{
			"deep", "scenarios: [{id: a, frequency: {poisson: 1}, losses: [{form: response, magnitude: " +
				strings.Repeat("{mixture: [{weight: 1, distribution: ", 16) + "1" + strings.Repeat("}]}", 16) + "}]}]",
			"stdin:1:661: expected at most 16 distributions within each other (at /scenarios/0/losses/0/magnitude" + strings.Repeat("/mixture/0/distribution", 16) + ")\n",
		},
		{"nothing", "", "stdin:1:1: the file is empty\n"},
		{"no mapping", "3", "stdin:1:1: expected an object, found \"3\"\n"},
		{"alias", "a: &a [*a]\nscenarios: [{id: a, frequency: {poisson: *a}, losses: []}]", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, errs := isso(t, tt.model, "risk", "simulate", "-")
			require.Equal(t, 1, status, errs)
			require.Empty(t, out)
			if tt.want != "" {
				require.Equal(t, tt.want, errs)
			}
		})
	}
	status, _, errs := isso(t, riskModel, "risk", "simulate", "-", "--years", "1000000000000")
	require.Equal(t, 2, status)
	require.Contains(t, errs, "years: expected a number from 1 to 4294967295, found 1000000000000")
	for _, tt := range []struct{ flag, value, want string }{
		{"--years", "0", "isso: --years: expected a number from 1 to 4294967295, found 0\n"},
		{"--level", "NaN", "isso: --level: expected a number strictly between 0 and 1, found NaN\n"},
		{"--level", "1", "isso: --level: expected a number strictly between 0 and 1, found 1\n"},
	} {
		status, out, errs := isso(t, riskModel, "risk", "simulate", "-", tt.flag, tt.value)
		require.Equal(t, []any{2, "", tt.want}, []any{status, out, errs})
	}
}

func FuzzRiskModel(f *testing.F) {
	f.Add([]byte(riskModel))
	f.Add([]byte(`{"scenarios":[{"id":"x","frequency":{"poisson":"1"},"losses":[],"id":"y"}]}`))
	f.Add([]byte("scenarios: [{id: a, frequency: {at-most-once: {lognormal: {mean: 1, sd: 2}}}}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseModel("x", data)
		if (m == nil) == (err == nil) {
			t.Fatal("a model or an error")
		}
	})
}
