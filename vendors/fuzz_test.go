package vendors

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// FuzzReadScheme: a text is refused with problems that say where, or gives a
// scheme that comes through writing and reading unchanged and tiers everything
// that it names.
func FuzzReadScheme(f *testing.F) {
	var file tieringFile
	require.NoError(f, json.Unmarshal(corpus.Read(f, "vendors", "engagements", "tiering.json"), &file))
	f.Add(string(file.Scheme))
	f.Add(schemeText)
	for _, p := range schemeProblems {
		f.Add(p.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ReadScheme(strings.NewReader(text))
		if err != nil {
			require.Nil(t, s)
			ps, ok := err.(Problems)
			require.True(t, ok)
			for i, p := range ps {
				require.Positive(t, p.Line)
				require.Positive(t, p.Column)
				if i > 0 {
					require.GreaterOrEqual(t, p.Line, ps[i-1].Line)
				}
			}
			return
		}
		data, err := json.Marshal(s)
		require.NoError(t, err)
		again, err := ReadScheme(strings.NewReader(string(data)))
		require.NoError(t, err, "%s", data)
		require.Equal(t, s, again)

		known := s.Tiers()
		for _, opts := range []*TierOptions{nil, {Unknown: LeftOut}} {
			got, err := s.Tier(Exposure{Records: new(int64(7)), Access: &Access{Network: true}}, opts)
			require.NoError(t, err)
			require.Contains(t, known, got.Tier)
		}
	})
}

// FuzzSpan: what is read is written and read again as the same.
func FuzzSpan(f *testing.F) {
	for _, s := range []string{"12 hours", "1 business-day", "6 months", "1 year", "", "-1 days", "9e9 days"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s Span
		if s.UnmarshalText([]byte(text)) != nil {
			return
		}
		out, err := s.MarshalText()
		require.NoError(t, err)
		var again Span
		require.NoError(t, again.UnmarshalText(out))
		require.Equal(t, s, again)
	})
}
