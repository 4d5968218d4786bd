package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/internal/strictyaml"
	"github.com/issokit/issokit/risk/fair"
)

// A model is what a file for isso risk simulate says.
type model struct {
	Title, Currency string
	Years           int64
	Seed            uint64
	portfolio       fair.Portfolio
}

// maxDists bounds distributions within each other.
const maxDists = 16

func readModel(cmd *cobra.Command, name string) (*model, error) {
	name, data, err := readText(cmd, name)
	if err != nil {
		return nil, err
	}
	return parseModel(name, data)
}

// The file: its members as they are written.
type (
	modelFile struct {
		Title       string           `yaml:"title"`
		Currency    string           `yaml:"currency"`
		Years       *int64           `yaml:"years"`
		Seed        uint64           `yaml:"seed"`
		Scenarios   []scenarioFile   `yaml:"scenarios,required"`
		Controls    []controlFile    `yaml:"controls"`
		Frequencies *correlationFile `yaml:"frequency-correlation"`
		Severities  *correlationFile `yaml:"severity-correlation"`
		Groups      []modelGroupFile `yaml:"groups"`
	}
	modelGroupFile struct {
		ID      string   `yaml:"id,required"`
		Members []string `yaml:"members,required"`
	}
	scenarioFile struct {
		ID        string         `yaml:"id,required"`
		Frequency *frequencyFile `yaml:"frequency,required"`
		Losses    []lossFile     `yaml:"losses,required"`
		PerEvent  *layerFile     `yaml:"cover-per-event"`
		Aggregate *layerFile     `yaml:"cover-per-year"`
	}
	lossFile struct {
		Form        fair.LossForm `yaml:"form,required"`
		Probability *distFile     `yaml:"probability"`
		Magnitude   *distFile     `yaml:"magnitude,required"`
	}
	layerFile struct {
		Deductible float64 `yaml:"deductible"`
		Limit      float64 `yaml:"limit"`
		Share      float64 `yaml:"share"`
	}
	controlFile struct {
		ID      string       `yaml:"id,required"`
		Cost    *distFile    `yaml:"cost"`
		Effects []effectFile `yaml:"effects,required"`
	}
	effectFile struct {
		Scenario    string        `yaml:"scenario"`
		On          fair.Target   `yaml:"on,required"`
		Form        fair.LossForm `yaml:"form"`
		Efficacy    *distFile     `yaml:"efficacy,required"`
		Coverage    *distFile     `yaml:"coverage"`
		Reliability *distFile     `yaml:"reliability"`
	}
	correlationFile struct {
		Scenarios []string    `yaml:"scenarios,required"`
		Matrix    [][]float64 `yaml:"matrix,required"`
		Repair    bool        `yaml:"repair"`
	}

	// A frequency is of one kind; the members after Triggered go with some kinds.
	frequencyFile struct {
		Poisson          *distFile `yaml:"poisson,oneof"`
		NegativeBinomial *struct {
			R float64 `yaml:"r,required"`
			P float64 `yaml:"p,required"`
		} `yaml:"negative-binomial,oneof"`
		Binomial *struct {
			N int     `yaml:"n,required"`
			P float64 `yaml:"p,required"`
		} `yaml:"binomial,oneof"`
		AtMostOnce     *distFile `yaml:"at-most-once,oneof"`
		Threats        *distFile `yaml:"threat-event-frequency,oneof"`
		Contacts       *distFile `yaml:"contact-frequency,oneof"`
		Triggered      *string   `yaml:"triggered-by,oneof"`
		Action         *distFile `yaml:"probability-of-action"`
		Probability    *distFile `yaml:"probability"`
		Susceptibility *distFile `yaml:"susceptibility"`
		Capability     *distFile `yaml:"threat-capability"`
		Resistance     *distFile `yaml:"resistance-strength"`
	}

	// A distribution is a number, or of one kind and perhaps truncated.
	distFile struct {
		Constant *float64 `yaml:"constant,oneof,short"`
		PERT     *struct {
			Min   float64 `yaml:"min,required"`
			Mode  float64 `yaml:"mode,required"`
			Max   float64 `yaml:"max,required"`
			Shape float64 `yaml:"shape"`
		} `yaml:"pert,oneof"`
		Triangular *struct {
			Min  float64 `yaml:"min,required"`
			Mode float64 `yaml:"mode,required"`
			Max  float64 `yaml:"max,required"`
		} `yaml:"triangular,oneof"`
		Uniform *struct {
			Min float64 `yaml:"min,required"`
			Max float64 `yaml:"max,required"`
		} `yaml:"uniform,oneof"`
		Normal *struct {
			Mean float64 `yaml:"mean,required"`
			SD   float64 `yaml:"sd,required"`
		} `yaml:"normal,oneof"`
		Lognormal *lognormalFile `yaml:"lognormal,oneof"`
		Beta      *struct {
			Alpha float64 `yaml:"alpha,required"`
			Beta  float64 `yaml:"beta,required"`
		} `yaml:"beta,oneof"`
		Gamma *struct {
			Shape float64 `yaml:"shape,required"`
			Scale float64 `yaml:"scale,required"`
		} `yaml:"gamma,oneof"`
		Exponential *struct {
			Mean float64 `yaml:"mean,required"`
		} `yaml:"exponential,oneof"`
		GeneralizedPareto *struct {
			Location float64 `yaml:"location,required"`
			Scale    float64 `yaml:"scale,required"`
			Shape    float64 `yaml:"shape,required"`
		} `yaml:"generalized-pareto,oneof"`
		Metalog *struct {
			Quantiles []quantileFile `yaml:"quantiles,required"`
			Lower     *float64       `yaml:"lower"`
			Upper     *float64       `yaml:"upper"`
		} `yaml:"metalog,oneof"`
		Empirical []float64 `yaml:"empirical,oneof"`
		Mixture   []struct {
			Weight float64   `yaml:"weight,required"`
			Dist   *distFile `yaml:"distribution,required"`
		} `yaml:"mixture,oneof"`
		Truncate *struct {
			Min *float64 `yaml:"min"`
			Max *float64 `yaml:"max"`
		} `yaml:"truncate"`
	}
	lognormalFile struct {
		Low       *float64       `yaml:"lo,oneof"`
		Mean      *float64       `yaml:"mean,oneof"`
		Quantiles []quantileFile `yaml:"quantiles,oneof"`
		High      *float64       `yaml:"hi"`
		Level     *float64       `yaml:"level"`
		SD        *float64       `yaml:"sd"`
	}
	quantileFile struct {
		P float64 `yaml:"p,required"`
		X float64 `yaml:"x,required"`
	}
)

// parseModel reads a model. The error is of type textProblems.
func parseModel(name string, data []byte) (*model, error) {
	m := &modelReader{}
	var file modelFile
	m.places, m.problems = strictyaml.Decode(data, &file)
	m.told = slices.Clone(m.problems)
	var out *model
	if m.places != nil {
		out = m.model(file)
		m.told = slices.Clone(m.problems)
		m.check(file, out.portfolio.Check())
	}
	if m.problems == nil {
		return out, nil
	}
	return nil, inFile(name, m.problems)
}

// A modelReader makes a portfolio of a file and notes every problem.
type modelReader struct {
	places   *strictyaml.Places
	told     []strictyaml.Problem // of the steps before
	problems []strictyaml.Problem
	depth    int
}

// bad notes a problem with what stands at a place, unless one with it or with a part
// of it has been told before: then what was read is not what was meant.
func (m *modelReader) bad(at, format string, args ...any) {
	for _, p := range m.told {
		if p.Pointer == at || strings.HasPrefix(p.Pointer, at+"/") {
			return
		}
	}
	line, column := m.places.At(at)
	m.problems = append(m.problems, strictyaml.Problem{Line: line, Column: column, Pointer: at, Message: fmt.Sprintf(format, args...)})
}

// problem notes the problems of a constructor.
func (m *modelReader) problem(at string, err error) {
	if ps, ok := errors.AsType[fair.Problems](err); ok {
		for _, p := range ps {
			m.bad(at, "%s", p.Error())
		}
	} else if err != nil {
		m.bad(at, "%v", err)
	}
}

// check gives the problems of a portfolio the places of what they name.
func (m *modelReader) check(file modelFile, err error) {
	ps, _ := errors.AsType[fair.Problems](err)
	places := map[string]string{
		"scenarios": "/scenarios", "correlation of frequencies": "/frequency-correlation", "correlation of severities": "/severity-correlation",
	}
	for i := range file.Groups {
		places["group "+strconv.Itoa(i+1)] = item("/groups", i)
	}
	for i, c := range slices.Backward(file.Controls) {
		places["control "+strconv.Itoa(i+1)], places["control "+c.ID] = item("/controls", i), item("/controls", i)
	}
	for i, s := range slices.Backward(file.Scenarios) {
		places["scenario "+strconv.Itoa(i+1)], places["scenario "+s.ID] = item("/scenarios", i), item("/scenarios", i)
	}
	for _, p := range ps {
		name := p.Where
		for i := len(name); places[name] == "" && i >= 0; i = strings.LastIndexByte(name, ':') {
			name = name[:i]
		}
		at := m.follow(places[name], strings.TrimPrefix(p.Where, name))
		missing := func(told strictyaml.Problem) bool {
			return told.Pointer == "" || strings.HasPrefix(at, told.Pointer+"/")
		}
		if p.Found == "none" && !m.places.Has(at) && slices.ContainsFunc(m.told, missing) {
			continue // told with what it is missing from
		}
		m.bad(m.there(at), "%s", p.Error())
	}
}

// follow goes on from a place by the words for its parts, ": loss 2: magnitude".
func (m *modelReader) follow(at, parts string) string {
	words := strings.Split(parts, ": ")[1:]
	for i, w := range words {
		name, number, _ := strings.Cut(w, " ")
		n, err := strconv.Atoi(number)
		switch {
		case w == "loss event frequency":
			at += "/frequency"
		case w == "probability of being triggered":
			at += "/probability"
		case w == "susceptibility" && i+1 < len(words): // of capability and resistance, which stand beside it
		case w == "target":
			at += "/on"
		case name == "loss" && err == nil:
			at = item(at+"/losses", n-1)
		case name == "effect" && err == nil:
			at = item(at+"/effects", n-1)
		default:
			at += "/" + strings.ReplaceAll(w, " ", "-")
		}
	}
	return at
}

// there is the place, or the nearest around it that is in the file.
func (m *modelReader) there(at string) string {
	for at != "" && !m.places.Has(at) {
		at = at[:strings.LastIndexByte(at, '/')]
	}
	return at
}

// item is the place of an item of a list.
func item(list string, i int) string { return list + "/" + strconv.Itoa(i) }

func (m *modelReader) model(file modelFile) *model {
	out := &model{Title: file.Title, Currency: file.Currency, Seed: file.Seed}
	if y := file.Years; y != nil {
		if *y < 1 || *y > 1<<32-1 {
			m.bad("/years", "expected a whole number from 1 to 4294967295, found %d", *y)
		}
		out.Years = *y
	}
	p := &out.portfolio
	for i, s := range file.Scenarios {
		p.Scenarios = append(p.Scenarios, m.scenario(s, item("/scenarios", i)))
	}
	for i, c := range file.Controls {
		at := item("/controls", i)
		control := fair.Control{ID: c.ID, Cost: m.dist(c.Cost, at+"/cost")}
		for j, e := range c.Effects {
			at := item(at+"/effects", j)
			control.Effects = append(control.Effects, fair.Effect{
				Scenario: e.Scenario, On: e.On, Form: e.Form,
				Efficacy: m.dist(e.Efficacy, at+"/efficacy"), Coverage: m.dist(e.Coverage, at+"/coverage"), Reliability: m.dist(e.Reliability, at+"/reliability"),
			})
		}
		p.Controls = append(p.Controls, control)
	}
	p.Frequencies = m.correlation(file.Frequencies, "/frequency-correlation")
	p.Severities = m.correlation(file.Severities, "/severity-correlation")
	for _, g := range file.Groups {
		p.Groups = append(p.Groups, fair.Group(g))
	}
	return out
}

func (m *modelReader) scenario(s scenarioFile, at string) fair.Scenario {
	out := fair.Scenario{ID: s.ID, PerEvent: (*fair.Layer)(s.PerEvent), Aggregate: (*fair.Layer)(s.Aggregate)}
	if s.Frequency != nil {
		out.Frequency = m.frequency(s.Frequency, at+"/frequency")
	}
	for i, l := range s.Losses {
		at := item(at+"/losses", i)
		magnitude := m.dist(l.Magnitude, at+"/magnitude")
		loss := fair.PrimaryLoss(l.Form, magnitude)
		if l.Probability != nil {
			loss = fair.SecondaryLoss(l.Form, m.dist(l.Probability, at+"/probability"), magnitude)
		}
		out.Losses = append(out.Losses, loss)
	}
	return out
}

func (m *modelReader) frequency(f *frequencyFile, at string) fair.LEF {
	m.only(at, []member{
		{"probability-of-action", f.Action != nil, f.Contacts != nil, f.Contacts != nil},
		{"probability", f.Probability != nil, f.Triggered != nil, f.Triggered != nil},
		{"susceptibility", f.Susceptibility != nil, (f.Threats != nil || f.Contacts != nil) && f.Capability == nil && f.Resistance == nil, false},
		{"threat-capability", f.Capability != nil, f.Threats != nil || f.Contacts != nil, f.Resistance != nil},
		{"resistance-strength", f.Resistance != nil, f.Threats != nil || f.Contacts != nil, f.Capability != nil},
	})
	law := func(kind string, l fair.Freq, err error) fair.LEF {
		m.problem(at+"/"+kind, err)
		return fair.LossEvents(l)
	}
	switch {
	case f.Poisson != nil:
		if d := m.dist(f.Poisson, at+"/poisson"); d != nil {
			l, err := fair.Poisson(d)
			return law("poisson", l, err)
		}
	case f.AtMostOnce != nil:
		if d := m.dist(f.AtMostOnce, at+"/at-most-once"); d != nil {
			l, err := fair.AtMostOnce(d)
			return law("at-most-once", l, err)
		}
	case f.NegativeBinomial != nil:
		l, err := fair.NegativeBinomial(f.NegativeBinomial.R, f.NegativeBinomial.P)
		return law("negative-binomial", l, err)
	case f.Binomial != nil:
		l, err := fair.Binomial(f.Binomial.N, f.Binomial.P)
		return law("binomial", l, err)
	case f.Triggered != nil:
		return fair.Triggered(*f.Triggered, m.dist(f.Probability, at+"/probability"))
	case f.Threats != nil:
		return fair.FromThreats(fair.ThreatEvents(m.dist(f.Threats, at+"/threat-event-frequency")), m.susceptibility(f, at))
	case f.Contacts != nil:
		contacts, action := m.dist(f.Contacts, at+"/contact-frequency"), m.dist(f.Action, at+"/probability-of-action")
		return fair.FromThreats(fair.FromContacts(contacts, action), m.susceptibility(f, at))
	}
	return fair.LEF{}
}

func (m *modelReader) susceptibility(f *frequencyFile, at string) fair.Susceptibility {
	switch {
	case f.Susceptibility != nil:
		return fair.GivenSusceptibility(m.dist(f.Susceptibility, at+"/susceptibility"))
	case f.Capability == nil && f.Resistance == nil:
		m.bad(at, `expected the member "susceptibility", or "threat-capability" and "resistance-strength"`)
	}
	return fair.FromCapability(m.dist(f.Capability, at+"/threat-capability"), m.dist(f.Resistance, at+"/resistance-strength"))
}

// A member of an object is there or not, and may and must be there or not with the
// others.
type member struct {
	name             string
	there, may, must bool
}

func (m *modelReader) only(at string, members []member) {
	for _, x := range members {
		switch {
		case x.there && !x.may:
			m.bad(at+"/"+x.name, "unexpected member %q with the others", x.name)
		case !x.there && x.must:
			m.bad(at, "expected the member %q with the others", x.name)
		}
	}
}

func (m *modelReader) correlation(c *correlationFile, at string) *fair.Correlation {
	if c == nil {
		return nil
	}
	out := &fair.Correlation{Scenarios: c.Scenarios, Matrix: c.Matrix}
	if !c.Repair {
		return out
	}
	fixed, _, err := out.Repair()
	m.problem(at, err)
	return &fixed
}

// dist makes a distribution, nil if there is none or it has a problem.
func (m *modelReader) dist(f *distFile, at string) fair.Dist {
	if f == nil {
		return nil
	}
	if m.depth++; m.depth > maxDists {
		m.bad(at, "expected at most %d distributions within each other", maxDists)
		m.depth--
		return nil
	}
	defer func() { m.depth-- }()
	d, err := m.kind(f, at)
	if t := f.Truncate; t != nil && d != nil && err == nil {
		d, err = fair.Truncate(d, *cmp.Or(t.Min, new(d.Quantile(0))), *cmp.Or(t.Max, new(d.Quantile(1))))
	}
	if err != nil {
		m.problem(at, err)
		return nil
	}
	return d
}

func (m *modelReader) kind(f *distFile, at string) (fair.Dist, error) {
	switch {
	case f.Constant != nil:
		return fair.Constant(*f.Constant)
	case f.PERT != nil:
		return fair.PERT(f.PERT.Min, f.PERT.Mode, f.PERT.Max, &fair.PERTOptions{Shape: f.PERT.Shape})
	case f.Triangular != nil:
		return fair.Triangular(f.Triangular.Min, f.Triangular.Mode, f.Triangular.Max)
	case f.Uniform != nil:
		return fair.Uniform(f.Uniform.Min, f.Uniform.Max)
	case f.Normal != nil:
		return fair.Normal(f.Normal.Mean, f.Normal.SD)
	case f.Lognormal != nil:
		return m.lognormal(f.Lognormal, at+"/lognormal")
	case f.Beta != nil:
		return fair.Beta(f.Beta.Alpha, f.Beta.Beta)
	case f.Gamma != nil:
		return fair.Gamma(f.Gamma.Shape, f.Gamma.Scale)
	case f.Exponential != nil:
		return fair.Exponential(f.Exponential.Mean)
	case f.GeneralizedPareto != nil:
		return fair.GeneralizedPareto(f.GeneralizedPareto.Location, f.GeneralizedPareto.Scale, f.GeneralizedPareto.Shape)
	case f.Metalog != nil:
		if q := m.quantiles(f.Metalog.Quantiles, 3, at+"/metalog"); q != nil {
			return fair.Metalog(q[0], q[1], q[2], &fair.MetalogOptions{Lower: f.Metalog.Lower, Upper: f.Metalog.Upper})
		}
	case f.Empirical != nil:
		return fair.Empirical(f.Empirical...)
	case f.Mixture != nil:
		parts := make([]fair.Component, len(f.Mixture))
		whole := true
		for i, x := range f.Mixture {
			parts[i] = fair.Component{Weight: x.Weight, Dist: m.dist(x.Dist, item(at+"/mixture", i)+"/distribution")}
			whole = whole && parts[i].Dist != nil
		}
		if whole {
			return fair.Mixture(parts...)
		}
	}
	return nil, nil
}

func (m *modelReader) lognormal(f *lognormalFile, at string) (fair.Dist, error) {
	m.only(at, []member{
		{"hi", f.High != nil, f.Low != nil, f.Low != nil},
		{"level", f.Level != nil, f.Low != nil, false},
		{"sd", f.SD != nil, f.Mean != nil, f.Mean != nil},
	})
	switch {
	case f.Low != nil && f.High != nil:
		return fair.LognormalInterval(*f.Low, *f.High, *cmp.Or(f.Level, new(0.9)))
	case f.Mean != nil && f.SD != nil:
		return fair.LognormalMoments(*f.Mean, *f.SD)
	case f.Quantiles != nil:
		if q := m.quantiles(f.Quantiles, 2, at); q != nil {
			return fair.LognormalQuantiles(q[0], q[1])
		}
	}
	return nil, nil
}

// quantiles returns as many as asked for, or nil.
func (m *modelReader) quantiles(qs []quantileFile, count int, at string) []fair.Quantile {
	if len(qs) != count {
		m.bad(at+"/quantiles", "expected %d quantiles, found %d", count, len(qs))
		return nil
	}
	out := make([]fair.Quantile, count)
	for i, q := range qs {
		out[i] = fair.Quantile(q)
	}
	return out
}
