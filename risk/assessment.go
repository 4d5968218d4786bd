package risk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/issokit/issokit/internal/answer"
)

// Stage says what an assessment counts in. OSCAL's facets call inherent
// "initial" and residual "adjusted".
type Stage int

// The stages.
const (
	Inherent Stage = iota + 1 // without controls
	Current                   // with the controls as they are
	Residual                  // after the planned responses: the target
)

var stageNames = names{"", "inherent", "current", "residual"}

func (s Stage) String() string                   { return stageNames.string("Stage", int(s)) }
func (s Stage) MarshalText() ([]byte, error)     { return stageNames.marshal("Stage", int(s)) }
func (s *Stage) UnmarshalText(text []byte) error { return unmarshal(stageNames, "stage", text, s) }

// A Step is one line of the arithmetic of a rating: the rule that was applied,
// the quantity that it gave, and from what.
type Step struct {
	Rule  string `json:"rule"`           // table or rule, e.g. "G-5"
	Name  string `json:"name"`           // the quantity, a token, e.g. "overall-likelihood"
	Value string `json:"value"`          // what it came to, e.g. "high"
	Text  string `json:"text,omitempty"` // row, column, inputs, remarks
}

// String returns the step as a line: "G-5: overall-likelihood = high (row
// initiation very-high, column adverse-impact moderate)".
func (s Step) String() string {
	line := s.Rule + ": " + s.Name + " = " + s.Value
	if s.Text != "" {
		line += " (" + s.Text + ")"
	}
	return line
}

// A Facet is a named value in the terms of some other system than the one that
// rated: a CVE, a metric of a CVSS vector, a FedRAMP level.
type Facet struct {
	System string `json:"system"` // URI
	Name   string `json:"name"`   // a token
	Value  string `json:"value"`
	Stage  Stage  `json:"stage,omitzero"` // inherent or residual; 0 where the facet says neither
}

// An Estimate is a number with its interval: with confidence Level (e.g. 0.95)
// it lies between Lo and Hi. Level 0 means that there is no interval. Hi may be
// +Inf.
type Estimate struct {
	Value, Lo, Hi, Level float64
}

// wide is a number in JSON that may be infinite, which JSON has no number for: it
// is then the string "+Inf" or "-Inf".
type wide float64

func (w wide) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(w), 0) {
		return []byte(strconv.Quote(answer.Number(float64(w)))), nil
	}
	return json.Marshal(float64(w))
}

func (w *wide) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case `"+Inf"`:
		*w = wide(math.Inf(1))
		return nil
	case `"-Inf"`:
		*w = wide(math.Inf(-1))
		return nil
	}
	return json.Unmarshal(data, (*float64)(w))
}

// wideEstimate is the form of an [Estimate] in JSON.
type wideEstimate struct {
	Value wide `json:"value"`
	Lo    wide `json:"lo,omitzero"`
	Hi    wide `json:"hi,omitzero"`
	Level wide `json:"level,omitzero"`
}

// MarshalJSON writes infinite ends as the strings "+Inf" and "-Inf".
func (e Estimate) MarshalJSON() ([]byte, error) {
	return json.Marshal(wideEstimate{wide(e.Value), wide(e.Lo), wide(e.Hi), wide(e.Level)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Estimate) UnmarshalJSON(data []byte) error {
	var w wideEstimate
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*e = Estimate{float64(w.Value), float64(w.Lo), float64(w.Hi), float64(w.Level)}
	return nil
}

// A Quantile is the value at a probability, e.g. the value at risk at 0.95.
type Quantile struct {
	P     float64  `json:"p"`
	Value Estimate `json:"value"`
}

// An Exceedance is a point of a loss exceedance curve: the probability that the
// annual loss is greater than Loss.
type Exceedance struct {
	Loss        float64  `json:"loss"`
	Probability Estimate `json:"probability"`
}

// A Loss is the result of a quantitative analysis: annual loss in units of the
// currency.
type Loss struct {
	Currency string       `json:"currency"`       // ISO 4217
	Mean     Estimate     `json:"mean"`           // mean annual loss (annualized loss expectancy)
	Events   *Estimate    `json:"lef,omitempty"`  // mean loss events a year (loss event frequency); nil if not told
	VaR      []Quantile   `json:"var,omitempty"`  // value at risk: smallest loss whose probability of not being exceeded is at least P
	TVaR     []Quantile   `json:"tvar,omitempty"` // mean of the losses beyond the value at risk
	Curve    []Exceedance `json:"curve,omitempty"`
	Years    int          `json:"years,omitempty"` // simulated; 0 for an analytic result
	Seed     uint64       `json:"seed,omitempty"`
}

// An Actor is who assessed, found or logged something.
type Actor struct {
	Type string `json:"type,omitempty"` // party (the default), tool or assessment-platform
	ID   string `json:"id"`             // a UUID, or a name of one's own
	Role string `json:"role,omitempty"` // role ID
}

// An Assessment is one rating of a risk at one stage by one method.
type Assessment struct {
	Stage    Stage     `json:"stage"`
	System   string    `json:"system"`            // URI of the scale that Level is on
	Version  string    `json:"version,omitempty"` // of the method
	Level    string    `json:"level,omitempty"`   // needed unless there is a Loss
	Score    *float64  `json:"score,omitempty"`   // the number that goes with the level
	Loss     *Loss     `json:"loss,omitempty"`
	Why      []Step    `json:"why,omitempty"`      // the path that led to it
	Facets   []Facet   `json:"facets,omitempty"`   // statements in the terms of other systems
	Controls []string  `json:"controls,omitempty"` // controls that were counted in
	Basis    string    `json:"basis,omitempty"`    // the engine's digest of method, tables and inputs
	At       time.Time `json:"at,omitzero"`
	Origins  []Actor   `json:"origins,omitempty"` // who assessed; OSCAL needs one at least
}

// rating is the shape that the answers of all engines share.
type rating[S step] struct {
	System  string
	Version string
	Level   string
	Score   *float64
	Why     []S
	Digest  string
}

type step interface {
	~struct{ Rule, Name, Value, Text string }
}

// Rated returns an assessment made from the answer of an engine, e.g. a
// matrix.Rating: any struct type of the same shape will do, so that engines and
// the register need not know each other.
func Rated[S step, R ~struct {
	System  string
	Version string
	Level   string
	Score   *float64
	Why     []S
	Digest  string
}](stage Stage, answer R, at time.Time, by ...Actor) Assessment {
	r := rating[S](answer)
	why := make([]Step, len(r.Why))
	for i, s := range r.Why {
		plain := struct{ Rule, Name, Value, Text string }(s)
		why[i] = Step(plain)
	}
	return Assessment{Stage: stage, System: r.System, Version: r.Version, Level: r.Level, Score: r.Score, Why: why, Basis: r.Digest, At: at, Origins: by}
}

// Explain returns the path that led to the rating as text, a line per step.
func (a Assessment) Explain() string {
	var b strings.Builder
	for _, s := range a.Why {
		b.WriteString(s.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// Digest returns the SHA-256, in hexadecimal digits, of what makes the
// assessment the one that it is: stage, system, version, level, the set of
// controls counted, and the basis; without a basis score, steps and loss stand
// for it. Who assessed, when, remarks, and with a basis the seed and the number of
// simulated years do not change it. An acceptance holds for a digest.
func (a Assessment) Digest() string {
	h := sha256.New()
	put := func(parts ...string) {
		for _, p := range parts {
			io.WriteString(h, strconv.Itoa(len(p))+":"+p)
		}
	}
	put("1", a.Stage.String(), a.System, a.Version, a.Level, a.Basis)
	controls := slices.Clone(a.Controls)
	slices.Sort(controls)
	for _, c := range slices.Compact(controls) {
		put("control", c)
	}
	if a.Basis != "" {
		return hex.EncodeToString(h.Sum(nil))
	}
	if a.Score != nil {
		put("score", answer.Number(*a.Score))
	}
	facts := make([]string, len(a.Why))
	for i, s := range a.Why {
		facts[i] = strconv.Itoa(len(s.Name)) + ":" + s.Name + s.Value
	}
	slices.Sort(facts)
	put(facts...)
	if l := a.Loss; l != nil {
		put("loss", l.Currency, answer.Number(l.Mean.Value))
		if l.Events != nil {
			put("lef", answer.Number(l.Events.Value))
		}
		for _, q := range append(slices.Clone(l.VaR), l.TVaR...) {
			put(answer.Number(q.P), answer.Number(q.Value.Value))
		}
		for _, e := range l.Curve {
			put(answer.Number(e.Loss), answer.Number(e.Probability.Value))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Assessment returns the latest assessment of a stage that rates, i.e. has a
// level or a loss.
func (r Risk) Assessment(stage Stage) (Assessment, bool) {
	var found Assessment
	ok := false
	for _, a := range r.Assessments {
		if a.Stage == stage && a.rates() && !(ok && a.At.Before(found.At)) {
			found, ok = a, true
		}
	}
	return found, ok
}

// Standing returns the assessment that counts now: the latest current one, or
// the inherent one where the controls have not been looked at yet.
func (r Risk) Standing() (Assessment, bool) {
	if a, ok := r.Assessment(Current); ok {
		return a, true
	}
	return r.Assessment(Inherent)
}

func (a Assessment) rates() bool { return a.Level != "" || a.Loss != nil }

// rating is the level, the mean annual loss, or both, in words.
func (a Assessment) rating() string {
	if a.Loss == nil {
		return a.Level
	}
	loss := fmt.Sprintf("a mean annual loss of %.2f %s", a.Loss.Mean.Value, a.Loss.Currency)
	if a.Level == "" {
		return loss
	}
	return a.Level + " with " + loss
}
