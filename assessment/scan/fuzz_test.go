package scan

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// FuzzSARIF: what is read, is the same from any kind of reader; an error has
// its place; each span holds one object.
func FuzzSARIF(f *testing.F) {
	f.Add([]byte(head + `{"ruleId": "A"}]}]}`))
	f.Add([]byte(`{"runs": [{"results": [{}], "tool": {"driver": {}}}], "version": "2.1.0"}`))
	for _, row := range oracles(f) {
		if data := corpus.Read(f, "scan", row["file"]); len(data) < 4_000 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		opts := &Options{MaxSpool: 1 << 20, MaxText: 1 << 16, Open: emptyProperties}
		want, err := read(bytes.NewReader(data), opts)
		again, againErr := read(stream(data), opts)
		if !errors.Is(againErr, ErrLimit) {
			require.Equal(t, want, again)
			require.Equal(t, err == nil, againErr == nil)
		}
		for _, rec := range want {
			var object map[string]json.RawMessage
			span := bytes.ToValidUTF8(data[rec.Span.Start:rec.Span.End], nil)
			require.True(t, bytes.HasPrefix(span, []byte("{")) && bytes.HasSuffix(span, []byte("}")), string(span))
			if !strings.Contains(string(span), `\u`) { // encoding/json is stricter about lone surrogates
				require.NoError(t, json.Unmarshal(span, &object), string(span))
			}
		}
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			require.True(t, ok)
			require.LessOrEqual(t, e.Offset, int64(len(data)))
			before := bytes.TrimPrefix(data[:e.Offset], []byte("\xEF\xBB\xBF"))
			require.Equal(t, 1+bytes.Count(before, []byte("\n")), e.Line)
			if utf8.Valid(before) {
				require.Equal(t, lineAndColumn(before)[1], e.Column)
			}
		}
	})
}
