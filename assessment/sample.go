package assessment

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"sort"
	"strconv"
)

// Sampling is a rule that says how many subjects of a population are looked at.
// One of Number, Percent and Deviations is set; the zero value is all.
type Sampling struct {
	Number  int // so many, or all if there are fewer
	Percent int // this share, rounded up
	Minimum int // with Percent or Deviations: at least so many

	// Deviations and Confidence: the smallest number that finds, with at least
	// this confidence, one deviation if the population has so many (see
	// [SampleSize]).
	Deviations int
	Confidence float64 // above 0, up to 1; its shortest decimal form counts
}

// String says the rule in words.
func (s Sampling) String() string {
	var text string
	switch {
	case s.Number > 0:
		return fmt.Sprintf("%d subjects", s.Number)
	case s.Percent > 0:
		text = fmt.Sprintf("%d %%", s.Percent)
	case s.Deviations > 0:
		text = fmt.Sprintf("finds one of %d deviations with confidence %s", s.Deviations, strconv.FormatFloat(s.Confidence, 'f', -1, 64))
	default:
		return "all"
	}
	if s.Minimum > 0 {
		text += fmt.Sprintf(", at least %d", s.Minimum)
	}
	return text
}

// Size returns how many of a population are looked at. The error matches
// [ErrConflict] if several rules are set, [ErrRange] if numbers make no sense.
func (s Sampling) Size(population int) (int, error) {
	set := 0
	for _, n := range []int{s.Number, s.Percent, s.Deviations} {
		if n > 0 {
			set++
		}
	}
	switch {
	case set > 1:
		return 0, fmt.Errorf("assessment: the sampling rule %w: Number, Percent and Deviations exclude each other", ErrConflict)
	case s.Number < 0 || s.Percent < 0 || s.Percent > 100 || s.Minimum < 0 || s.Deviations < 0 || population < 0:
		return 0, fmt.Errorf("assessment: a number of the sampling rule %w: %+v", ErrRange, s)
	case set == 0:
		return population, nil
	case s.Number > 0:
		return min(s.Number, population), nil
	}
	n := (population*s.Percent + 99) / 100
	if s.Deviations > 0 {
		c, ok := new(big.Rat).SetString(strconv.FormatFloat(s.Confidence, 'f', -1, 64))
		if !ok {
			return 0, fmt.Errorf("assessment: the confidence %w: %v", ErrRange, s.Confidence)
		}
		var err error
		if n, err = SampleSize(population, min(s.Deviations, population), c); err != nil {
			return 0, err
		}
	}
	return min(max(n, s.Minimum), population), nil
}

// SampleSize returns the smallest number n of subjects, drawn without
// replacement from a population of N of which D deviate, that holds at least one
// deviation with probability c: the least n with 1 - C(N-D,n)/C(N,n) >= c
// (hypergeometric distribution). The arithmetic is exact. The error matches
// [ErrRange] unless 0 <= D <= N <= 1,000,000 and 0 < c <= 1. Without deviations nothing can
// be found: n is N.
func SampleSize(population, deviations int, confidence *big.Rat) (int, error) {
	if population < 0 || population > 1_000_000 || deviations < 0 || deviations > population || confidence.Sign() <= 0 || confidence.Cmp(big.NewRat(1, 1)) > 0 {
		return 0, fmt.Errorf("assessment: population %d, deviations %d, confidence %s: a number %w", population, deviations, confidence.RatString(), ErrRange)
	}
	if deviations == 0 {
		return population, nil
	}
	most := new(big.Rat).Sub(big.NewRat(1, 1), confidence)
	// enough tells whether C(N-D,n)/C(N,n) <= 1-c, without division. The quotient
	// is the product of (N-D-i)/(N-i) over i < n, and also that of (N-n-i)/(N-i)
	// over i < D: the shorter one is taken.
	enough := func(n int) bool {
		terms, top := n, population-deviations
		if deviations < n {
			terms, top = deviations, population-n
		}
		left, right := new(big.Int).Set(most.Denom()), new(big.Int).Set(most.Num())
		for i := range terms {
			left.Mul(left, big.NewInt(int64(max(top-i, 0))))
			right.Mul(right, big.NewInt(int64(population-i)))
		}
		return left.Cmp(right) <= 0
	}
	return sort.Search(population, enough), nil
}

// A Sample is what was drawn from a population, and all that is needed to draw
// it again.
type Sample struct {
	Rule       Sampling
	Population int
	Seed       string   // hexadecimal
	Selected   []string // in the order of the draw
	Reserve    []string // what comes next, should one of the selected have to be replaced
	Replaced   []string // "x by y: reason", see [Sample.Replace]
}

// Select draws a sample of subject ids. The order of the draw is that of
// HMAC-SHA-256(seed, id), so that everyone with the seed draws the same,
// whatever the order of ids; an id that stands twice counts once. With stratum,
// the rule applies to the subjects of each stratum by themselves. The errors are
// those of [Sampling.Size].
func (s Sampling) Select(ids []string, seed []byte, stratum func(id string) string) (Sample, error) {
	type draw struct {
		id, stratum string
		key         []byte
	}
	var draws []draw
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		mac := hmac.New(sha256.New, seed)
		mac.Write([]byte(id))
		d := draw{id: id, key: mac.Sum(nil)}
		if stratum != nil {
			d.stratum = stratum(id)
		}
		draws = append(draws, d)
	}
	slices.SortFunc(draws, func(a, b draw) int {
		return cmp.Or(cmp.Compare(a.stratum, b.stratum), bytes.Compare(a.key, b.key), cmp.Compare(a.id, b.id))
	})
	out := Sample{Rule: s, Population: len(draws), Seed: hex.EncodeToString(seed)}
	for len(draws) > 0 {
		n := slices.IndexFunc(draws, func(d draw) bool { return d.stratum != draws[0].stratum })
		if n < 0 {
			n = len(draws)
		}
		size, err := s.Size(n)
		if err != nil {
			return Sample{}, err
		}
		for i, d := range draws[:n] {
			if i < size {
				out.Selected = append(out.Selected, d.id)
			} else {
				out.Reserve = append(out.Reserve, d.id)
			}
		}
		draws = draws[n:]
	}
	return out, nil
}

// Replace takes the next subject of the reserve for one that cannot be looked
// at, notes why, and returns it. The error matches [ErrUnknown] if id is not
// selected, [ErrMissing] if the reserve is empty.
func (s *Sample) Replace(id, reason string) (string, error) {
	i := slices.Index(s.Selected, id)
	switch {
	case i < 0:
		return "", fmt.Errorf("assessment: subject %q of the sample %w", id, ErrUnknown)
	case len(s.Reserve) == 0:
		return "", fmt.Errorf("assessment: a substitute for subject %q %w: the whole population is selected", id, ErrMissing)
	}
	next := s.Reserve[0]
	s.Selected, s.Reserve = slices.Clone(s.Selected), s.Reserve[1:]
	s.Selected[i] = next
	s.Replaced = append(s.Replaced, id+" by "+next+": "+reason)
	return next, nil
}

// String says population, rule, size and seed in words.
func (s Sample) String() string {
	text := fmt.Sprintf("%d of %d (rule: %s", len(s.Selected), s.Population, s.Rule)
	if s.Seed != "" {
		text += "; seed: " + s.Seed
	}
	text += ")"
	for _, r := range s.Replaced {
		text += "; replaced: " + r
	}
	return text
}
