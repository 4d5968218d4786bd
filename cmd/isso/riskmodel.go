package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"github.com/issokit/issokit/risk/fair"
)

// A model is what a file for isso risk simulate says.
type model struct {
	Title, Currency string
	Years           int64
	Seed            uint64
	portfolio       fair.Portfolio
}

// maxModel bounds the size of a model file.
const maxModel = 16 << 20

// A modelProblem is one thing that is wrong with a model file.
type modelProblem struct {
	file         string
	line, column int
	message      string
}

func (p modelProblem) Error() string {
	if p.line == 0 {
		return p.file + ": " + p.message
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.file, p.line, p.column, p.message)
}

// modelProblems are all of them, in the order of the file.
type modelProblems []modelProblem

func (ps modelProblems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

func readModel(cmd *cobra.Command, name string) (*model, error) {
	var r io.Reader = cmd.InOrStdin()
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	} else {
		name = "stdin"
	}
	data, err := io.ReadAll(io.LimitReader(r, maxModel+1))
	if err != nil {
		return nil, err
	}
	return parseModel(name, data)
}

// parseModel reads a model. The error is of type modelProblems.
func parseModel(name string, data []byte) (*model, error) {
	m := &modelReader{file: name}
	if len(data) > maxModel {
		return nil, modelProblems{{file: name, message: fmt.Sprintf("expected at most %d bytes", maxModel)}}
	}
	var doc yaml.Node
	if err := yaml.Load(data, &doc); err != nil {
		p := modelProblem{file: name, message: err.Error()}
		var several *yaml.LoadErrors
		var one *yaml.LoadError
		switch {
		case len(bytes.TrimSpace(data)) == 0:
			p.message = "expected a model, found nothing"
		case errors.As(err, &several) && len(several.Errors) > 0:
			one = several.Errors[0]
			p = modelProblem{name, one.Mark.Line, one.Mark.Column, one.Message}
		case errors.As(err, &one):
			p = modelProblem{name, one.Mark.Line, one.Mark.Column, one.Message}
		}
		return nil, modelProblems{p}
	}
	root := &doc
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		root = root.Content[0]
	}
	out := m.model(root)
	if len(m.problems) == 0 {
		m.check(root, out.portfolio.Check())
	}
	if len(m.problems) == 0 {
		return out, nil
	}
	slices.SortStableFunc(m.problems, func(a, b modelProblem) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	return nil, m.problems
}

// A modelReader walks through the nodes of a file and notes every problem.
type modelReader struct {
	file     string
	problems modelProblems
	places   map[string]*yaml.Node // of scenarios, controls and groups by "kind id"
	depth    int
}

func (m *modelReader) bad(n *yaml.Node, format string, args ...any) {
	p := modelProblem{file: m.file, message: fmt.Sprintf(format, args...)}
	if n != nil {
		p.line, p.column = n.Line, n.Column
	}
	m.problems = append(m.problems, p)
}

// check gives the problems of the whole portfolio the places of what they name.
func (m *modelReader) check(root *yaml.Node, err error) {
	var ps fair.Problems
	if !errors.As(err, &ps) {
		return
	}
	for _, p := range ps {
		at := root
		// The place of the longest name that fits.
		longest := 0
		for name, n := range m.places {
			if len(name) > longest && (p.Where == name || strings.HasPrefix(p.Where, name+":")) {
				at, longest = n, len(name)
			}
		}
		m.bad(at, "%s", p.Error())
	}
}

func found(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	return strconv.Quote(n.Value)
}

// A fields is a mapping whose members are taken one by one.
type fields struct {
	m     *modelReader
	node  *yaml.Node
	what  string
	keys  []string
	value map[string]*yaml.Node
	taken map[string]bool
}

func (m *modelReader) fields(n *yaml.Node, what string) *fields {
	f := &fields{m: m, node: n, what: what, value: map[string]*yaml.Node{}, taken: map[string]bool{}}
	if n.Kind != yaml.MappingNode {
		m.bad(n, "expected %s as a mapping, found %s", what, found(n))
		return f
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if f.value[k.Value] != nil {
			m.bad(k, "%q stands twice in %s", k.Value, what)
			continue
		}
		f.keys = append(f.keys, k.Value)
		f.value[k.Value] = n.Content[i+1]
	}
	return f
}

func (f *fields) get(name string) *yaml.Node {
	f.taken[name] = true
	return f.value[name]
}

func (f *fields) need(name string) *yaml.Node {
	n := f.get(name)
	if n == nil && f.node.Kind == yaml.MappingNode {
		f.m.bad(f.node, "expected %q in %s", name, f.what)
	}
	return n
}

// done notes the members that nobody took.
func (f *fields) done() {
	for i := 0; i+1 < len(f.node.Content) && f.node.Kind == yaml.MappingNode; i += 2 {
		if k := f.node.Content[i]; !f.taken[k.Value] {
			f.m.bad(k, "unknown member %q in %s", k.Value, f.what)
			f.taken[k.Value] = true
		}
	}
}

func (m *modelReader) text(n *yaml.Node, what string) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.Value == "" {
		m.bad(n, "expected %s as text, found %s", what, found(n))
		return ""
	}
	return n.Value
}

func (m *modelReader) number(n *yaml.Node, what string) float64 {
	if n == nil {
		return 0
	}
	x, err := strconv.ParseFloat(strings.ReplaceAll(n.Value, "_", ""), 64)
	if n.Kind != yaml.ScalarNode || err != nil || n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		m.bad(n, "expected %s as a number, found %s", what, found(n))
		return 0
	}
	return x
}

func (m *modelReader) list(n *yaml.Node, what string) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		m.bad(n, "expected %s as a list, found %s", what, found(n))
		return nil
	}
	return n.Content
}

func (m *modelReader) model(n *yaml.Node) *model {
	m.places = map[string]*yaml.Node{}
	f := m.fields(n, "the model")
	out := &model{Title: m.text(f.get("title"), "title"), Currency: m.text(f.get("currency"), "currency")}
	if n := f.get("years"); n != nil {
		years, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 10, 64)
		if err != nil || years < 1 || years > 1<<32-1 {
			m.bad(n, "expected years as a whole number from 1 to 4294967295, found %s", found(n))
		}
		out.Years = years
	}
	if n := f.get("seed"); n != nil {
		seed, err := strconv.ParseUint(n.Value, 10, 64)
		if err != nil {
			m.bad(n, "expected seed as a whole number from 0 to 18446744073709551615, found %s", found(n))
		}
		out.Seed = seed
	}
	p := &out.portfolio
	for _, n := range m.list(f.need("scenarios"), "scenarios") {
		p.Scenarios = append(p.Scenarios, m.scenario(n))
	}
	for _, n := range m.list(f.get("controls"), "controls") {
		p.Controls = append(p.Controls, m.control(n))
	}
	p.Frequencies = m.correlation(f.get("frequency-correlation"), "frequency-correlation")
	p.Severities = m.correlation(f.get("severity-correlation"), "severity-correlation")
	for _, n := range m.list(f.get("groups"), "groups") {
		g := m.fields(n, "a group")
		group := fair.Group{ID: m.text(g.need("id"), "id")}
		for _, x := range m.list(g.need("members"), "members") {
			group.Members = append(group.Members, m.text(x, "a member"))
		}
		g.done()
		p.Groups = append(p.Groups, group)
		m.places["group "+strconv.Itoa(len(p.Groups))] = n
	}
	f.done()
	return out
}

func (m *modelReader) scenario(n *yaml.Node) fair.Scenario {
	f := m.fields(n, "a scenario")
	s := fair.Scenario{ID: m.text(f.need("id"), "id")}
	if _, ok := m.places["scenario "+s.ID]; !ok {
		m.places["scenario "+s.ID] = n
	}
	s.Frequency = m.frequency(f.need("frequency"))
	for _, n := range m.list(f.need("losses"), "losses") {
		l := m.fields(n, "a loss")
		var form fair.LossForm
		if n := l.need("form"); n != nil {
			m.problem(n, form.UnmarshalText([]byte(n.Value)))
		}
		magnitude := m.dist(l.need("magnitude"))
		if n := l.get("probability"); n != nil {
			s.Losses = append(s.Losses, fair.SecondaryLoss(form, m.dist(n), magnitude))
		} else {
			s.Losses = append(s.Losses, fair.PrimaryLoss(form, magnitude))
		}
		l.done()
	}
	s.PerEvent = m.layer(f.get("cover-per-event"), "cover-per-event")
	s.Aggregate = m.layer(f.get("cover-per-year"), "cover-per-year")
	f.done()
	return s
}

// problem notes the problems of a constructor.
func (m *modelReader) problem(n *yaml.Node, err error) {
	var ps fair.Problems
	if errors.As(err, &ps) {
		for _, p := range ps {
			m.bad(n, "%s", p.Error())
		}
	} else if err != nil {
		m.bad(n, "%v", err)
	}
}

func (m *modelReader) frequency(n *yaml.Node) fair.LEF {
	if n == nil {
		return fair.LEF{}
	}
	f := m.fields(n, "a frequency")
	defer f.done()
	law := func(l fair.Freq, err error) fair.LEF {
		m.problem(n, err)
		return fair.LossEvents(l)
	}
	susceptibility := func() fair.Susceptibility {
		given, tc, rs := f.get("susceptibility"), f.get("threat-capability"), f.get("resistance-strength")
		switch {
		case given != nil && (tc != nil || rs != nil):
			m.bad(n, "expected susceptibility, or threat-capability and resistance-strength, found both")
		case given != nil:
			return fair.GivenSusceptibility(m.dist(given))
		case tc == nil || rs == nil:
			m.bad(n, "expected susceptibility, or threat-capability and resistance-strength")
		default:
			return fair.FromCapability(m.dist(tc), m.dist(rs))
		}
		return fair.Susceptibility{}
	}
	kinds := []string{"poisson", "negative-binomial", "binomial", "at-most-once", "threat-event-frequency", "contact-frequency", "triggered-by"}
	kind := ""
	for _, k := range f.keys {
		if slices.Contains(kinds, k) {
			if kind != "" {
				m.bad(n, "expected one kind of frequency, found %s and %s", kind, k)
				for _, k := range f.keys {
					f.taken[k] = true
				}
				return fair.LEF{}
			}
			kind = k
		}
	}
	switch kind {
	case "poisson":
		d := m.dist(f.get(kind))
		if d == nil {
			return fair.LEF{}
		}
		return law(fair.Poisson(d))
	case "at-most-once":
		d := m.dist(f.get(kind))
		if d == nil {
			return fair.LEF{}
		}
		return law(fair.AtMostOnce(d))
	case "negative-binomial":
		g := m.fields(f.get(kind), kind)
		defer g.done()
		return law(fair.NegativeBinomial(m.number(g.need("r"), "r"), m.number(g.need("p"), "p")))
	case "binomial":
		g := m.fields(f.get(kind), kind)
		defer g.done()
		x := m.number(g.need("n"), "n")
		if x != float64(int32(x)) {
			m.bad(n, "expected n as a whole number, found %v", x)
			x = 1
		}
		return law(fair.Binomial(int(x), m.number(g.need("p"), "p")))
	case "threat-event-frequency":
		return fair.FromThreats(fair.ThreatEvents(m.dist(f.get(kind))), susceptibility())
	case "contact-frequency":
		return fair.FromThreats(fair.FromContacts(m.dist(f.get(kind)), m.dist(f.need("probability-of-action"))), susceptibility())
	case "triggered-by":
		return fair.Triggered(m.text(f.get(kind), kind), m.dist(f.need("probability")))
	}
	m.bad(n, "expected one of %s in a frequency", strings.Join(kinds, ", "))
	return fair.LEF{}
}

func (m *modelReader) layer(n *yaml.Node, what string) *fair.Layer {
	if n == nil {
		return nil
	}
	f := m.fields(n, what)
	defer f.done()
	return &fair.Layer{
		Deductible: m.number(f.get("deductible"), "deductible"), Limit: m.number(f.get("limit"), "limit"), Share: m.number(f.get("share"), "share"),
	}
}

func (m *modelReader) control(n *yaml.Node) fair.Control {
	f := m.fields(n, "a control")
	c := fair.Control{ID: m.text(f.need("id"), "id")}
	m.places["control "+c.ID] = n
	if n := f.get("cost"); n != nil {
		c.Cost = m.dist(n)
	}
	for _, n := range m.list(f.need("effects"), "effects") {
		g := m.fields(n, "an effect")
		e := fair.Effect{Scenario: m.text(g.get("scenario"), "scenario")}
		if n := g.need("on"); n != nil {
			m.problem(n, e.On.UnmarshalText([]byte(n.Value)))
		}
		if n := g.get("form"); n != nil {
			m.problem(n, e.Form.UnmarshalText([]byte(n.Value)))
		}
		e.Efficacy = m.dist(g.need("efficacy"))
		if n := g.get("coverage"); n != nil {
			e.Coverage = m.dist(n)
		}
		if n := g.get("reliability"); n != nil {
			e.Reliability = m.dist(n)
		}
		g.done()
		c.Effects = append(c.Effects, e)
	}
	f.done()
	return c
}

func (m *modelReader) correlation(n *yaml.Node, what string) *fair.Correlation {
	if n == nil {
		return nil
	}
	f := m.fields(n, what)
	defer f.done()
	c := &fair.Correlation{}
	for _, x := range m.list(f.need("scenarios"), "scenarios") {
		c.Scenarios = append(c.Scenarios, m.text(x, "an id"))
	}
	for _, row := range m.list(f.need("matrix"), "matrix") {
		var r []float64
		for _, x := range m.list(row, "a row") {
			r = append(r, m.number(x, "a correlation"))
		}
		c.Matrix = append(c.Matrix, r)
	}
	repair := f.get("repair")
	if repair != nil && repair.Value != "true" && repair.Value != "false" {
		m.bad(repair, "expected repair as true or false, found %s", found(repair))
	}
	if repair != nil && repair.Value == "true" {
		fixed, _, err := c.Repair()
		m.problem(n, err)
		if err == nil {
			c = &fixed
		}
	} else {
		m.problem(n, c.Check())
	}
	return c
}

func (m *modelReader) quantiles(n *yaml.Node, count int) []fair.Quantile {
	out := make([]fair.Quantile, count)
	nodes := m.list(n, "quantiles")
	if n != nil && len(nodes) != count {
		m.bad(n, "expected %d quantiles, found %d", count, len(nodes))
		return out
	}
	for i, x := range nodes {
		f := m.fields(x, "a quantile")
		out[i] = fair.Quantile{P: m.number(f.need("p"), "p"), X: m.number(f.need("x"), "x")}
		f.done()
	}
	return out
}

// dist reads a distribution: a number, or a mapping with one kind and perhaps a
// truncation. It returns nil after a problem.
func (m *modelReader) dist(n *yaml.Node) fair.Dist {
	if n == nil {
		return nil
	}
	if m.depth++; m.depth > 16 {
		m.bad(n, "expected at most 16 distributions within each other")
		m.depth--
		return nil
	}
	defer func() { m.depth-- }()
	before := len(m.problems)
	var d fair.Dist
	var err error
	if n.Kind == yaml.ScalarNode {
		x := m.number(n, "a distribution")
		if len(m.problems) == before {
			d, err = fair.Constant(x)
		}
	} else {
		d, err = m.kind(n)
	}
	if len(m.problems) > before {
		return nil // what was read is not what was meant
	}
	if err != nil {
		m.problem(n, err)
		return nil
	}
	return d
}

var distKinds = []string{"pert", "triangular", "uniform", "constant", "normal", "lognormal", "beta", "gamma", "exponential", "generalized-pareto", "metalog", "empirical", "mixture"}

func (m *modelReader) kind(n *yaml.Node) (fair.Dist, error) {
	f := m.fields(n, "a distribution")
	if n.Kind != yaml.MappingNode {
		return nil, nil
	}
	defer f.done()
	kind := ""
	for _, k := range f.keys {
		if !slices.Contains(distKinds, k) {
			continue
		}
		if kind != "" {
			m.bad(n, "expected one kind of distribution, found %s and %s", kind, k)
			f.taken[k] = true
			continue
		}
		kind = k
	}
	if kind == "" {
		m.bad(n, "expected a number or one of %s", strings.Join(distKinds, ", "))
		for _, k := range f.keys {
			f.taken[k] = true
		}
		return nil, nil
	}
	before := len(m.problems)
	make_ := m.construct(kind, f.get(kind))
	var lo, hi *yaml.Node
	if t := f.get("truncate"); t != nil {
		g := m.fields(t, "truncate")
		lo, hi = g.get("min"), g.get("max")
		g.done()
	}
	if len(m.problems) > before {
		return nil, nil
	}
	d, err := make_()
	if err != nil || lo == nil && hi == nil {
		return d, err
	}
	low, high := d.Quantile(0), d.Quantile(1)
	if lo != nil {
		low = m.number(lo, "min")
	}
	if hi != nil {
		high = m.number(hi, "max")
	}
	return fair.Truncate(d, low, high)
}

// construct reads the parameters of a kind and returns what makes it.
func (m *modelReader) construct(kind string, n *yaml.Node) func() (fair.Dist, error) {
	switch kind {
	case "constant":
		x := m.number(n, kind)
		return func() (fair.Dist, error) { return fair.Constant(x) }
	case "empirical":
		var xs []float64
		for _, x := range m.list(n, kind) {
			xs = append(xs, m.number(x, "a value"))
		}
		return func() (fair.Dist, error) { return fair.Empirical(xs...) }
	case "mixture":
		var parts []fair.Component
		for _, x := range m.list(n, kind) {
			g := m.fields(x, "a component")
			parts = append(parts, fair.Component{Weight: m.number(g.need("weight"), "weight"), Dist: m.dist(g.need("distribution"))})
			g.done()
		}
		return func() (fair.Dist, error) { return fair.Mixture(parts...) }
	}
	g := m.fields(n, kind)
	defer g.done()
	num := func(name string) float64 { return m.number(g.need(name), name) }
	optional := func(name string) *float64 {
		if n := g.get(name); n != nil {
			return new(m.number(n, name))
		}
		return nil
	}
	switch kind {
	case "pert":
		a, b, c := num("min"), num("mode"), num("max")
		o := &fair.PERTOptions{}
		if x := optional("shape"); x != nil {
			o.Shape = *x
		}
		return func() (fair.Dist, error) { return fair.PERT(a, b, c, o) }
	case "triangular":
		a, b, c := num("min"), num("mode"), num("max")
		return func() (fair.Dist, error) { return fair.Triangular(a, b, c) }
	case "uniform":
		a, b := num("min"), num("max")
		return func() (fair.Dist, error) { return fair.Uniform(a, b) }
	case "normal":
		a, b := num("mean"), num("sd")
		return func() (fair.Dist, error) { return fair.Normal(a, b) }
	case "beta":
		a, b := num("alpha"), num("beta")
		return func() (fair.Dist, error) { return fair.Beta(a, b) }
	case "gamma":
		a, b := num("shape"), num("scale")
		return func() (fair.Dist, error) { return fair.Gamma(a, b) }
	case "exponential":
		a := num("mean")
		return func() (fair.Dist, error) { return fair.Exponential(a) }
	case "generalized-pareto":
		a, b, c := num("location"), num("scale"), num("shape")
		return func() (fair.Dist, error) { return fair.GeneralizedPareto(a, b, c) }
	case "metalog":
		q := m.quantiles(g.need("quantiles"), 3)
		o := &fair.MetalogOptions{Lower: optional("lower"), Upper: optional("upper")}
		return func() (fair.Dist, error) { return fair.Metalog(q[0], q[1], q[2], o) }
	}
	switch { // lognormal
	case g.value["quantiles"] != nil:
		q := m.quantiles(g.get("quantiles"), 2)
		return func() (fair.Dist, error) { return fair.LognormalQuantiles(q[0], q[1]) }
	case g.value["mean"] != nil:
		a, b := num("mean"), num("sd")
		return func() (fair.Dist, error) { return fair.LognormalMoments(a, b) }
	}
	a, b, level := num("lo"), num("hi"), 0.9
	if x := optional("level"); x != nil {
		level = *x
	}
	return func() (fair.Dist, error) { return fair.LognormalInterval(a, b, level) }
}
