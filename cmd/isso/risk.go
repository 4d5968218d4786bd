package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/risk/fair"
)

// riskCommand is the group of commands about risk.
func riskCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "risk",
		Short: "Quantify, score and register risks",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(simulateCommand(), riskScoreCommand(), riskRegisterCommand())
	return cmd
}

// exampleModel has every member that a model may have, explained.
//
//go:embed model.yaml
var exampleModel string

func simulateCommand() *cobra.Command {
	var (
		o            fair.Options
		asJSON, tree bool
		quiet        bool
		example      bool
		svg          string
		level        float64
	)
	cmd := &cobra.Command{
		Use:   "simulate FILE | --example",
		Short: "Simulate a FAIR model and print the distribution of annual losses",
		Long: `Simulate reads a model in YAML or JSON ("-" for the standard input), simulates years
of loss events, and prints means, quantiles, tail means and exceedance probabilities with
confidence intervals. The same model, seed and years give the same output everywhere.
With --example it prints a model to begin with, the one below.`,
		Example: exampleModel,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case example && len(args) > 0:
				return fmt.Errorf("expected no file with --example, found %q", args[0])
			case example:
				_, err := io.WriteString(cmd.OutOrStdout(), exampleModel)
				return err
			case len(args) == 0:
				return errors.New(`expected the file of a model, "-" for the standard input, or --example`)
			}
			m, err := readModel(cmd, args[0])
			if err != nil {
				return told(cmd, err)
			}
			if !(level > 0 && level < 1) {
				return fmt.Errorf("--level: expected a number strictly between 0 and 1, found %v", level)
			}
			switch {
			case cmd.Flags().Changed("years") && o.Years == 0: // which the library takes for its default
				return errors.New("--years: expected a number from 1 to 4294967295, found 0")
			case !cmd.Flags().Changed("years") && m.Years != 0:
				o.Years = m.Years
			}
			if !cmd.Flags().Changed("seed") {
				o.Seed = m.Seed
			}
			o.Detail = len(m.portfolio.Scenarios)+len(m.portfolio.Groups) <= 256
			bar := newProgress(cmd.ErrOrStderr(), quiet)
			o.Progress = bar.show
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			defer stop()
			r, err := fair.Simulate(ctx, m.portfolio, &o)
			bar.clear()
			if err != nil {
				return err
			}
			r.Level = level
			out := summarize(m, r)
			if svg != "" {
				if err := replaceFile(svg, drawCurve(m, r)); err != nil {
					return err
				}
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), out)
			}
			if tree {
				for _, s := range m.portfolio.Scenarios {
					for _, line := range s.Tree() {
						fmt.Fprintln(cmd.OutOrStdout(), line)
					}
				}
				fmt.Fprintln(cmd.OutOrStdout())
			}
			out.print(cmd.OutOrStdout())
			return nil
		},
	}
	f := cmd.Flags()
	f.Int64Var(&o.Years, "years", 100_000, "years to simulate")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of the random numbers")
	f.IntVar(&o.Workers, "workers", 0, "goroutines; 0 for one a processor (the result does not depend on it)")
	f.Float64Var(&level, "level", 0.95, "level of the confidence intervals")
	f.BoolVar(&example, "example", false, "print a model with every member there is, explained")
	f.BoolVar(&asJSON, "json", false, "print a JSON object")
	f.BoolVar(&tree, "tree", false, "print the factors of every scenario first")
	f.BoolVarP(&quiet, "quiet", "q", false, "show no progress")
	f.StringVar(&svg, "svg", "", "write the loss exceedance curve to a file")
	return cmd
}

// A summary is what simulate prints.
type summary struct {
	Title     string       `json:"title,omitempty"`
	Currency  string       `json:"currency,omitempty"`
	Years     int64        `json:"years"`
	Seed      uint64       `json:"seed"`
	Engine    int          `json:"engine-version"`
	Digest    string       `json:"digest"`
	Mean      estimate     `json:"mean"`
	SD        float64      `json:"standard-deviation"`
	AnyLoss   estimate     `json:"probability-of-loss"`
	Tail      []tail       `json:"tail"`
	Scenarios []part       `json:"scenarios"`
	Groups    []part       `json:"groups,omitempty"`
	Curve     []exceedance `json:"curve"`
}

type estimate struct {
	Value float64  `json:"value"`
	Lo    float64  `json:"lo"`
	Hi    *float64 `json:"hi"` // null: too few years for a bound
}

func toEstimate(e fair.Estimate) estimate {
	out := estimate{Value: e.Value, Lo: max(e.Lo, 0)}
	if !math.IsInf(e.Hi, 1) {
		out.Hi = &e.Hi
	}
	return out
}

type tail struct {
	P    float64  `json:"p"`
	VaR  estimate `json:"var"`
	TVaR estimate `json:"tvar"`
}

type part struct {
	ID           string   `json:"id"`
	Mean         float64  `json:"mean"`
	AnyLoss      *float64 `json:"probability-of-loss,omitempty"`
	VaR95        *float64 `json:"var-95,omitempty"`
	Contribution *float64 `json:"tvar-99-contribution,omitempty"`
}

type exceedance struct {
	Loss        float64 `json:"loss"`
	Probability float64 `json:"probability"`
	Lo          float64 `json:"lo"`
	Hi          float64 `json:"hi"`
}

var tailLevels = []float64{0.5, 0.9, 0.95, 0.99, 0.995}

func summarize(m *model, r *fair.Result) *summary {
	s := &summary{
		Title: m.Title, Currency: m.Currency, Years: r.Years(), Seed: r.Seed(), Engine: fair.EngineVersion, Digest: r.Digest(),
		Mean: toEstimate(r.Mean()), SD: r.SD(), AnyLoss: toEstimate(r.Exceed(0)),
	}
	for _, p := range tailLevels {
		s.Tail = append(s.Tail, tail{p, toEstimate(r.VaR(p)), toEstimate(r.TVaR(p))})
	}
	shares, err := r.Contributions(0.99)
	if err != nil {
		shares = nil
	}
	one := func(id string) part {
		x := part{ID: id}
		if d, ok := r.Part(id); ok {
			x.Mean = d.Mean().Value
			x.AnyLoss, x.VaR95 = new(d.Exceed(0).Value), new(d.VaR(0.95).Value)
		}
		return x
	}
	for i, sc := range m.portfolio.Scenarios {
		x := one(sc.ID)
		if shares != nil {
			x.Contribution = &shares[i].Tail
			if x.VaR95 == nil {
				x.Mean = shares[i].Mean
			}
		}
		s.Scenarios = append(s.Scenarios, x)
	}
	for _, g := range m.portfolio.Groups {
		s.Groups = append(s.Groups, one(g.ID))
	}
	for p := range r.Curve(0) {
		s.Curve = append(s.Curve, exceedance{p.Loss, p.Exceed.Value, p.Exceed.Lo, p.Exceed.Hi})
	}
	return s
}

func (s *summary) print(w io.Writer) {
	if s.Title != "" {
		fmt.Fprintln(w, s.Title)
	}
	money := "annual loss"
	if s.Currency != "" {
		money += " in " + s.Currency
	}
	fmt.Fprintf(w, "%s, %d years simulated, seed %d\n\n", money, s.Years, s.Seed)
	row := func(name string, e estimate) {
		hi := "more years needed"
		if e.Hi != nil {
			hi = amount(*e.Hi)
		}
		fmt.Fprintf(w, "  %-22s %16s   %s to %s\n", name, amount(e.Value), amount(e.Lo), hi)
	}
	row("mean", s.Mean)
	fmt.Fprintf(w, "  %-22s %16s\n", "standard deviation", amount(s.SD))
	fmt.Fprintf(w, "  %-22s %15.3f%%   %.3f%% to %.3f%%\n", "probability of a loss", 100*s.AnyLoss.Value, 100*s.AnyLoss.Lo, 100**s.AnyLoss.Hi)
	for _, t := range s.Tail {
		row(fmt.Sprintf("VaR  %.4g%%", 100*t.P), t.VaR)
	}
	for _, t := range s.Tail {
		row(fmt.Sprintf("TVaR %.4g%%", 100*t.P), t.TVaR)
	}
	table := func(title string, parts []part) {
		if len(parts) == 0 {
			return
		}
		width := len(title)
		for _, p := range parts {
			width = max(width, len([]rune(p.ID)))
		}
		fmt.Fprintf(w, "\n  %-*s %16s %10s %16s %18s\n", width, title, "mean", "P(loss)", "VaR 95%", "part of TVaR 99%")
		for _, p := range parts {
			cells := []string{"-", "-", "-"}
			if p.AnyLoss != nil {
				cells[0], cells[1] = fmt.Sprintf("%.3f%%", 100**p.AnyLoss), amount(*p.VaR95)
			}
			if p.Contribution != nil {
				cells[2] = amount(*p.Contribution)
			}
			fmt.Fprintf(w, "  %-*s %16s %10s %16s %18s\n", width, p.ID, amount(p.Mean), cells[0], cells[1], cells[2])
		}
	}
	table("scenario", s.Scenarios)
	table("group", s.Groups)
	fmt.Fprintln(w, "\n  loss exceeded          probability")
	for i, p := range s.Curve {
		if i%6 == 0 || i == len(s.Curve)-1 {
			fmt.Fprintf(w, "  %16s   %9.4f%%   %.4f%% to %.4f%%\n", amount(p.Loss), 100*p.Probability, 100*p.Lo, 100*p.Hi)
		}
	}
}

// amount writes a number with separated thousands, whole from 1000 on and with four
// significant digits below.
func amount(x float64) string {
	if math.Abs(x) < 999.95 { // above, four digits would say 1000
		return fmt.Sprintf("%.4g", x)
	}
	if math.Abs(x) >= 1e15 {
		return fmt.Sprintf("%.6g", x)
	}
	digits := fmt.Sprintf("%.0f", x)
	var groups []string
	for len(digits) > 3 && digits[len(digits)-4] != '-' {
		groups = append(groups, digits[len(digits)-3:])
		digits = digits[:len(digits)-3]
	}
	groups = append(groups, digits)
	slices.Reverse(groups)
	return strings.Join(groups, ",")
}

// A progress is a bar on a terminal, or nothing.
type progress struct {
	w    io.Writer
	last time.Time
	on   bool
}

func newProgress(w io.Writer, quiet bool) *progress {
	f, ok := w.(*os.File)
	if !ok || quiet {
		return &progress{}
	}
	info, err := f.Stat()
	return &progress{w: w, on: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (p *progress) show(done, total int64) {
	if !p.on || total == 0 || time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last = time.Now()
	const width = 40
	n := int(done * width / total)
	fmt.Fprintf(p.w, "\r[%s%s] %3d%% of %d years", strings.Repeat("#", n), strings.Repeat(".", width-n), done*100/total, total)
}

func (p *progress) clear() {
	if p.on {
		fmt.Fprint(p.w, "\r"+strings.Repeat(" ", 80)+"\r")
	}
}
