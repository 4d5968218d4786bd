package fair

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// everything is a portfolio with all that the engine can do.
func everything() Portfolio {
	a, b := fullScenario("a"), fullScenario("b")
	b.PerEvent = &Layer{Deductible: 1e5, Limit: 1e6, Share: 0.8}
	c := single(mustFreq(Poisson(must(Constant(0.7)))), must(LognormalInterval(1e4, 1e6, 0.9)))
	c.ID = "c"
	d := single(mustFreq(NegativeBinomial(2, 0.5)), must(Gamma(2, 1e4)))
	d.ID = "d"
	d.Aggregate = &Layer{Deductible: 1e5}
	e := Scenario{ID: "e", Frequency: Triggered("c", must(PERT(0.1, 0.3, 0.6, nil))), Losses: []Loss{PrimaryLoss(Reputation, must(Metalog(Quantile{0.1, 2e4}, Quantile{0.5, 9e4}, Quantile{0.9, 7e5}, &MetalogOptions{Lower: new(float64), Upper: ptr(5e6)})))}}
	f := single(mustFreq(AtMostOnce(must(Constant(0.05)))), must(Mixture(Component{1, must(Uniform(1e4, 2e4))}, Component{1, must(Triangular(1e5, 2e5, 9e5))})))
	f.ID = "f"
	g := single(mustFreq(Poisson(must(Constant(3)))), must(Empirical(1e3, 2e3, 7e3)))
	g.ID = "g"
	h := single(mustFreq(Poisson(must(Constant(0.2)))), must(GeneralizedPareto(0, 1e5, 0.25)))
	h.ID = "h"
	return Portfolio{
		Scenarios: []Scenario{e, a, b, c, d, f, g, h},
		Controls: []Control{
			{ID: "mfa", Effects: []Effect{{Scenario: "a", On: OnSusceptibility, Efficacy: must(PERT(0.5, 0.7, 0.9, nil)), Coverage: must(PERT(0.6, 0.8, 1, nil))}}},
			{ID: "backup", Effects: []Effect{{On: OnMagnitude, Form: Productivity, Efficacy: must(Constant(0.4)), Reliability: must(Uniform(0.8, 1))}}},
		},
		Frequencies: &Correlation{Scenarios: []string{"a", "d", "f"}, Matrix: [][]float64{{1, 0.5, 0.2}, {0.5, 1, -0.1}, {0.2, -0.1, 1}}},
		Severities:  &Correlation{Scenarios: []string{"b", "c"}, Matrix: [][]float64{{1, 0.6}, {0.6, 1}}},
		Groups:      []Group{{ID: "it", Members: []string{"a", "b"}}, {ID: "all", Members: []string{"it", "c", "d", "e", "f", "g", "h"}}},
	}
}

func ptr(x float64) *float64 { return &x }

func bytesOf(t testing.TB, r *Result) []byte {
	t.Helper()
	b, err := r.MarshalBinary()
	require.NoError(t, err)
	return b
}

// TestSameBits: workers and shards, merged in any order, through their encoded form,
// give the same bytes as one run.
func TestSameBits(t *testing.T) {
	p := everything()
	o := func() *Options { return &Options{Years: 50_000, Seed: 42, Workers: 1, Detail: true} }
	whole := simulate(t, p, o())
	want := bytesOf(t, whole)
	require.True(t, whole.Complete())
	require.EqualValues(t, 50_000, whole.Years())
	for _, workers := range []int{2, 5} {
		oo := o()
		oo.Workers = workers
		require.Equal(t, want, bytesOf(t, simulate(t, p, oo)), "%d workers", workers)
	}
	for _, count := range []int{2, 15} {
		shards := make([]*Result, count)
		for i := range shards {
			oo := o()
			oo.Shard = Shard{i, count}
			r := simulate(t, p, oo)
			text, err := json.Marshal(r)
			require.NoError(t, err)
			shards[i] = new(Result)
			require.NoError(t, json.Unmarshal(text, shards[i]))
		}
		merged := shards[count/2]
		for i := count - 1; i >= 0; i-- {
			if i != count/2 {
				require.NoError(t, merged.Merge(shards[i]))
			}
		}
		require.Equal(t, want, bytesOf(t, merged), "%d shards", count)
		require.ErrorIs(t, merged.Merge(whole), ErrMerge)
	}
	oo := o()
	oo.Checkpoint = func(*Result) bool { return true }
	require.Equal(t, want, bytesOf(t, simulate(t, p, oo)), "checkpoints")
	all, ok := whole.Part("all")
	require.True(t, ok)
	require.InEpsilon(t, whole.Mean().Value, all.Mean().Value, 1e-12)
}

// golden is the digest of everything at seed 42, the same on all architectures and with
// fused multiplication (GOARCH=386, GOAMD64=v3, arm64). A change of the engine changes it
// and asks for a new EngineVersion.
const golden = "938dea555941757137c4749f15e4ae48292f3f00a2ed48529b7d525098b4e552"

func TestGoldenDigest(t *testing.T) {
	r := simulate(t, everything(), &Options{Years: 50_000, Seed: 42, Detail: true})
	require.Equal(t, golden, fmt.Sprintf("%x", sha256.Sum256(bytesOf(t, r))))
}

// TestScenariosApart: another scenario leaves the others' years alone.
func TestScenariosApart(t *testing.T) {
	p := Portfolio{Scenarios: []Scenario{fullScenario("a"), fullScenario("b")}}
	o := &Options{Years: 20000, Detail: true}
	before, _ := simulate(t, p, o).Part("b")
	p.Scenarios = append([]Scenario{fullScenario("new")}, p.Scenarios...)
	after, _ := simulate(t, p, o).Part("b")
	require.Equal(t, before.total, after.total)
}

// TestTablesShared: equal distributions have one table, and too many different ones are
// refused before there are any.
func TestTablesShared(t *testing.T) {
	var p Portfolio
	for i := range 100 {
		s := single(mustFreq(Poisson(must(Constant(1)))), must(LognormalInterval(1e4, 1e6+float64(i%2), 0.9)))
		s.ID = fmt.Sprint(i)
		p.Scenarios = append(p.Scenarios, s)
	}
	pl, err := compile(context.Background(), p, 1, 2)
	require.NoError(t, err)
	tables := map[*sampler]bool{}
	for _, e := range pl.engines {
		tables[e.forms[0].sampler] = true
	}
	require.Len(t, tables, 2)
	for i := range maxTables {
		s := single(mustFreq(Poisson(must(Constant(1)))), must(Uniform(0, 1+float64(i))))
		s.ID = fmt.Sprint("u", i)
		p.Scenarios = append(p.Scenarios, s)
	}
	_, err = Simulate(context.Background(), p, nil)
	require.ErrorContains(t, err, "portfolio: expected at most 16384 different distributions, found 16386")
}

func TestCheckpoint(t *testing.T) {
	p := Portfolio{Scenarios: []Scenario{fullScenario("a")}}
	var years []int64
	r := simulate(t, p, &Options{Years: 1 << 20, Checkpoint: func(r *Result) bool {
		years = append(years, r.Years())
		return len(years) < 2
	}})
	require.Equal(t, []int64{1 << 16, 1 << 17}, years)
	require.EqualValues(t, 1<<17, r.Years())
	require.False(t, r.Complete())
	_, err := Simulate(context.Background(), p, &Options{Shard: Shard{0, 2}, Checkpoint: func(*Result) bool { return true }})
	require.ErrorIs(t, err, ErrInvalid)
}

// TestNoFusedMultiplyAdd compiles for an architecture where x*y+z is fused unless it is
// written so that it is not, and looks for the instruction.
func TestNoFusedMultiplyAdd(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles for arm64")
	}
	cmd := exec.Command("go", "build", "-gcflags=-S", ".")
	cmd.Env = append(os.Environ(), "GOARCH=arm64", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%.2000s", out)
	require.Contains(t, string(out), "FMULD")
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "FMADD") || strings.Contains(line, "FMSUB") || strings.Contains(line, "FNMADD") || strings.Contains(line, "FNMSUB") {
			// Only the analytic law, whose complex products no bits depend on, may.
			require.Contains(t, line, "analytic.go", line)
		}
	}
}

// TestOwnElementaryFunctions: the files whose results are bits use no function of
// package math that has assembly somewhere.
func TestOwnElementaryFunctions(t *testing.T) {
	same := map[string]bool{ // exact by definition or integer operations
		"Float64bits": true, "Float64frombits": true, "Ldexp": true, "Floor": true, "Ceil": true, "Round": true, "Sqrt": true, "Sqrt2": true, "Abs": true,
		"IsNaN": true, "IsInf": true, "Inf": true, "NaN": true, "MaxFloat64": true, "MaxInt": true, "MaxUint32": true, "MaxUint64": true, "Copysign": true,
		"Nextafter": true, "Max": true, "Pi": true,
	}
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	fset := token.NewFileSet()
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name == "analytic.go" {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "math" && !same[s.Sel.Name] && !(s.Sel.Name == "Cos" && name == "quadrature.go") {
					t.Errorf("%s: math.%s", fset.Position(s.Pos()), s.Sel.Name)
				}
			}
			return true
		})
	}
}
