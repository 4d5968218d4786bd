package vendors

import (
	"errors"
	"fmt"
	"math"
)

// ErrCurrency is the error of [Money.Add] for amounts of different currencies.
var ErrCurrency = errors.New("amounts of different currencies cannot be added")

// Money is an amount in minor units of a currency, e.g. cents.
type Money struct {
	Minor    int64  `json:"minor" yaml:"minor"`
	Currency string `json:"currency" yaml:"currency"` // ISO 4217 code, e.g. EUR
}

func (m Money) String() string { return fmt.Sprintf("%d minor units %s", m.Minor, m.Currency) }

// Add returns the sum. The error matches [ErrCurrency] if the currencies
// differ, [ErrValue] if the sum is too large.
func (m Money) Add(n Money) (Money, error) {
	if m.Currency != n.Currency {
		return Money{}, fmt.Errorf("vendors: %w: %s and %s", ErrCurrency, m.Currency, n.Currency)
	}
	if n.Minor > 0 && m.Minor > math.MaxInt64-n.Minor || n.Minor < 0 && m.Minor < math.MinInt64-n.Minor {
		return Money{}, fmt.Errorf("vendors: %w: the sum of %s and %s is too large", ErrValue, m, n)
	}
	return Money{m.Minor + n.Minor, m.Currency}, nil
}

func (m Money) valid() bool {
	if len(m.Currency) != 3 {
		return false
	}
	for _, c := range m.Currency {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}
