package risk

import (
	"iter"
	"math"
	"time"
)

// losses is what the answers of engines that simulate annual losses share, e.g. a
// *fair.Result: any type with these methods will do, so that engines and the register
// need not know each other.
type losses[E estimate, P point[E]] interface {
	Mean() E
	VaR(p float64) E
	TVaR(p float64) E
	Curve(points int) iter.Seq[P]
	Years() int64
	Seed() uint64
}

type estimate interface {
	~struct {
		Value float64 `json:"value"`
		Lo    float64 `json:"lo"`
		Hi    float64 `json:"hi"`
		Level float64 `json:"level"`
	}
}

type point[E estimate] interface {
	~struct {
		Loss   float64 `json:"loss"`
		Exceed E       `json:"exceed"`
	}
}

// Probabilities at which [Quantified] asks for value and tail value at risk.
var (
	varLevels  = []float64{0.5, 0.9, 0.95, 0.99, 0.995}
	tvarLevels = []float64{0.9, 0.95, 0.99, 0.995}
)

// Quantified returns an assessment in annual loss, of system [SystemFAIR], made from
// the answer of an engine, e.g. a *fair.Result. The currency is that of the model. The
// basis is a digest of the model, e.g. of fair.Portfolio.Digest, that neither seed nor
// number of years change: an acceptance holds until it changes. Without a basis the
// numbers stand for it, so that another seed voids the acceptance.
func Quantified[E estimate, P point[E]](stage Stage, answer losses[E, P], currency, basis string, at time.Time, by ...Actor) Assessment {
	plain := func(e E) Estimate {
		s := struct{ Value, Lo, Hi, Level float64 }(e)
		return Estimate(s)
	}
	l := &Loss{Currency: currency, Mean: plain(answer.Mean()), Years: int(min(answer.Years(), math.MaxInt)), Seed: answer.Seed()}
	for _, p := range varLevels {
		l.VaR = append(l.VaR, Quantile{p, plain(answer.VaR(p))})
	}
	for _, p := range tvarLevels {
		l.TVaR = append(l.TVaR, Quantile{p, plain(answer.TVaR(p))})
	}
	for p := range answer.Curve(0) {
		s := struct {
			Loss   float64
			Exceed E
		}(p)
		l.Curve = append(l.Curve, Exceedance{s.Loss, plain(s.Exceed)})
	}
	return Assessment{Stage: stage, System: SystemFAIR, Loss: l, Basis: basis, At: at, Origins: by}
}
