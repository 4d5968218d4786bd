package telephone

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

func TestDigits(t *testing.T) {
	// The pattern is the one of the Metaschema module.
	found := regexp.MustCompile(`id="oscal-metadata-telephone-number-regex"[^>]* regex="([^"]*)"`).
		FindSubmatch(corpus.Read(t, "oscal", "metaschema-1.2.2", "oscal_metadata_metaschema.xml"))
	require.NotNil(t, found)
	pattern := regexp.MustCompile(string(found[1]))
	tests := []struct {
		name, number, want string
		passes             bool
	}{
		{"digits", "12025550100", "12025550100", true},
		{"spaces and plus", " +47 00 00 00 00", "4700000000", true},
		{"no-break space", "+47\u00a0000000", "47000000", true},
		{"parentheses, hyphens, dots", "(202) 555-01.00", "2025550100", true},
		{"national prefix", "+44 (0)20 7946 0958", "442079460958", true},
		{"four digits", "1234", "1234", true},
		{"three digits", "11-2", "11-2", false},
		{"fifteen digits", "+123456789012345", "123456789012345", true},
		{"sixteen digits", "+1234567890123456", "+1234567890123456", false},
		{"extension", "+1 202 555 0100 ext. 7", "+1 202 555 0100 ext. 7", false},
		{"two numbers", "2025550100 / 101", "2025550100 / 101", false},
		{"plus inside", "202+5550100", "202+5550100", false},
		{"other digits", "٠١٢٣٤", "٠١٢٣٤", false},
		{"empty", "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, Digits(tt.number))
			require.Equal(t, tt.passes, pattern.MatchString(tt.want))
		})
	}
}
