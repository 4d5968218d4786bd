package oscal

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// seed adds the smaller documents of the corpus in one format.
func seed(f *testing.F, format Format) {
	f.Add(minimal)
	for _, file := range documents(f, "oscal/documents", "oscal/constraints/cli") {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		if doc, _ := Parse(string(data), nil); len(data) < 4000 && doc != nil && doc.Format() == format {
			f.Add(string(data))
		}
	}
}

// roundTrip is the property of all readers: what is read without error can be
// written in both forms, and read again it is equal.
func roundTrip(t *testing.T, text string, format Format) {
	doc, err := Parse(text, &ReadOptions{Format: format, MaxNodes: 10000})
	if err != nil {
		if doc == nil {
			requireLocated(t, err)
		}
		return
	}
	for _, form := range []Format{JSON, YAML} {
		var b bytes.Buffer
		require.NoError(t, doc.Write(&b, &WriteOptions{Format: form}))
		again, err := Parse(b.String(), &ReadOptions{Format: form})
		require.NoError(t, err, b.String())
		require.NoError(t, equalTrees(doc.root, again.root), b.String())
	}
}

func FuzzJSON(f *testing.F) {
	seed(f, JSON)
	f.Fuzz(func(t *testing.T, text string) { roundTrip(t, text, JSON) })
}

func FuzzYAML(f *testing.F) {
	seed(f, YAML)
	f.Fuzz(func(t *testing.T, text string) { roundTrip(t, text, YAML) })
}
