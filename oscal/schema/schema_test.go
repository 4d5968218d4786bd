package schema_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/schema"
)

func published(t testing.TB) *schema.Schema {
	t.Helper()
	s, err := schema.Compile("NIST's schema", bytes.NewReader(corpus.Read(t, "oscal/json-schema/oscal_complete_schema-1.2.2.json")))
	require.NoError(t, err)
	return s
}

const catalog = `{"catalog":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"T",
"last-modified":"2026-01-01T00:00:00Z","version":"1.0","oscal-version":"1.2.2"}}}`

func Example() {
	s, err := schema.Compile("names.json", strings.NewReader(`{"properties":{"catalog":{"properties":{"metadata":{"properties":{"title":{"pattern":"^ACME "}}}}}}}`))
	if err != nil {
		panic(err)
	}
	doc, err := oscal.Parse(catalog, &oscal.ReadOptions{Name: "catalog.json"})
	if err != nil {
		panic(err)
	}
	problems, err := s.Validate(doc)
	fmt.Println(problems, err)
	// Output:
	// oscal: catalog.json:1:79: does not match pattern '^ACME ', says names.json (at /catalog/metadata/title) [json-schema] <nil>
}

// TestAgrees: what package oscal takes of published documents, the schema of their
// version takes too.
func TestAgrees(t *testing.T) {
	s := published(t)
	n := 0
	for _, folder := range []string{"oscal/documents/aws-components", "oscal/documents/mapping-collections"} {
		files, err := filepath.Glob(filepath.Join(corpus.Path(t, folder), "*.json"))
		require.NoError(t, err)
		for _, name := range files {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			doc, err := oscal.Parse(string(text), nil)
			if err != nil || !strings.HasPrefix(doc.Version(), "1.2") {
				continue
			}
			problems, err := s.Validate(doc)
			require.NoError(t, err)
			require.Empty(t, problems, name)
			n++
		}
	}
	require.Greater(t, n, 10)
}

func TestProblems(t *testing.T) {
	s := published(t)
	for _, tt := range []struct {
		name, old, new string
		want           []string // pointers
	}{
		{"valid", "", "", nil},
		{"a value", "5b4f1c0e", "no", []string{"/catalog/uuid"}},
		{"two values", `"1.0","oscal-version":"1.2.2"`, `"","oscal-version":" "`, []string{"/catalog/metadata/version", "/catalog/metadata/oscal-version"}},
		{"a member that is missing", `"title":"T",`, "", []string{"/catalog/metadata"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, _ := oscal.Parse(strings.Replace(catalog, tt.old, tt.new, 1), &oscal.ReadOptions{Name: "c.json"})
			require.NotNil(t, doc)
			problems, err := s.Validate(doc)
			require.NoError(t, err)
			var got []string
			for _, p := range problems {
				require.Equal(t, []any{oscal.Error, schema.RuleSchema, "c.json"}, []any{p.Level, p.Rule, p.File})
				require.NotZero(t, p.Position.Line)
				if len(got) == 0 || got[len(got)-1] != p.Pointer {
					got = append(got, p.Pointer)
				}
			}
			require.Equal(t, tt.want, got)
		})
	}
}

// TestForms: the JSON form is validated, the places are those of the text.
func TestForms(t *testing.T) {
	s, err := schema.Compile("s", strings.NewReader(`{"properties":{"catalog":{"properties":{"metadata":{"properties":{"version":{"const":"2.0"}}}}}}}`))
	require.NoError(t, err)
	doc, err := oscal.Parse(catalog, nil)
	require.NoError(t, err)
	for _, format := range []oscal.Format{oscal.YAML, oscal.XML} {
		var text bytes.Buffer
		require.NoError(t, doc.Write(&text, &oscal.WriteOptions{Format: format}))
		same, err := oscal.Parse(text.String(), nil)
		require.NoError(t, err)
		problems, err := s.Validate(same)
		require.NoError(t, err)
		require.Len(t, problems, 1)
		before, _, _ := strings.Cut(text.String(), "1.0\"\n")
		require.Positive(t, strings.Count(before, "\n"))
		require.Greater(t, problems[0].Position.Line, 3)
		require.Equal(t, "/catalog/metadata/version", problems[0].Pointer)
	}
}

func TestCompile(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"no JSON", `{"type":`, "unexpected EOF"},
		{"no schema", `{"type":5}`, "schema: s: "},
		{"another file", `{"$ref":"file:///etc/passwd"}`, "it refers to file:///etc/passwd, and nothing is loaded"},
		{"the network", `{"$ref":"https://example.org/x.json"}`, "nothing is loaded"},
		{"pattern", `{"pattern":"(?=a)"}`, "schema: s: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := schema.Compile("s", strings.NewReader(tt.text))
			require.ErrorContains(t, err, tt.want)
		})
	}
	broken := errors.New("broken pipe")
	_, err := schema.Compile("s", iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
	_, err = schema.Compile("s", strings.NewReader(strings.Repeat(" ", 65<<20)))
	require.ErrorContains(t, err, "more than")
}

// FuzzCompile compiles any text, and validates a document by it.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{`{}`, `true`, `{"$ref":"#"}`, `{"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"required":["x"]}}}`, `{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/a"}}}`} {
		f.Add(text)
	}
	doc, err := oscal.Parse(catalog, nil)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := schema.Compile("s", strings.NewReader(text))
		if err != nil {
			return
		}
		problems, err := s.Validate(doc)
		if err == nil {
			require.LessOrEqual(t, len(problems), 1000)
		}
	})
}
