package constraint

type contextRules struct {
	targets []*Expression
	rules   *hostRules
	inner   []*contextRules
}

func (e *evaluator) findContexts() error { return nil }
