package constraint

import (
	"context"
	"encoding/json"
	"math/big"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

// load reads a document of the corpus under its name there.
func load(tb testing.TB, name string) *oscal.Document {
	tb.Helper()
	doc, err := oscal.Parse(string(corpus.Read(tb, "oscal", name)), &oscal.ReadOptions{Name: path.Base(name)})
	if doc == nil {
		tb.Fatal(err)
	}
	return doc
}

func readJSON[T any](tb testing.TB, name string) T {
	tb.Helper()
	var v T
	require.NoError(tb, json.Unmarshal(corpus.Read(tb, "oscal/constraints", name), &v))
	return v
}

// wantItem is an item as the tables of the corpus write it.
type wantItem struct {
	Type    string       `json:"type"`
	Value   any          `json:"value"`
	Members [][]wantItem `json:"members"`
	Entries []struct {
		Key   wantItem   `json:"key"`
		Value []wantItem `json:"value"`
	} `json:"entries"`
}

// plain makes items comparable: numbers by value, maps by key.
func plain(s Sequence) []any {
	out := make([]any, 0, len(s))
	for _, it := range s {
		switch it.kind {
		case kindInteger, kindDecimal:
			out = append(out, "number "+it.num().rat().RatString())
		case kindArray:
			var members []any
			for _, m := range it.v.(*array).members {
				members = append(members, plain(m))
			}
			out = append(out, []any{"array", members})
		case kindMap:
			m := map[any]any{}
			for _, e := range it.v.(*mapping).entries {
				m[plain(one(e.key))[0]] = plain(e.value)
			}
			out = append(out, m)
		default:
			out = append(out, it.Type()+" "+it.String())
		}
	}
	return out
}

func plainWant(t *testing.T, s []wantItem) []any {
	out := make([]any, 0, len(s))
	for _, it := range s {
		switch it.Type {
		case "integer", "decimal":
			data, err := json.Marshal(it.Value)
			require.NoError(t, err)
			text := string(data)
			if v, ok := it.Value.(string); ok {
				text = v
			}
			r, ok := new(big.Rat).SetString(text)
			require.True(t, ok, text)
			out = append(out, "number "+r.RatString())
		case "array":
			var members []any
			for _, m := range it.Members {
				members = append(members, plainWant(t, m))
			}
			out = append(out, []any{"array", members})
		case "map":
			m := map[any]any{}
			for _, e := range it.Entries {
				m[plainWant(t, []wantItem{e.Key})[0]] = plainWant(t, e.Value)
			}
			out = append(out, m)
		case "boolean":
			out = append(out, "boolean "+map[any]string{true: "true", false: "false"}[it.Value])
		default:
			out = append(out, it.Type+" "+it.Value.(string))
		}
	}
	return out
}

// poem is what the tests of matches() of the XPath functions and operators
// specification, section 5.6.3, bind to $poem.
const poem = "\nKaum hat dies der Hahn gesehen,\nFängt er auch schon an zu krähen:\n«Kikeriki! Kikikerikih!!»\nTak, tak, tak! - da kommen sie.\n"

func TestExpressions(t *testing.T) {
	table := readJSON[struct {
		Cases []struct {
			ID, Expression string
			Expect         []wantItem
			Error          bool
		}
	}](t, "metapath/expressions.json")
	require.Len(t, table.Cases, 233)
	for _, c := range table.Cases {
		t.Run(c.ID, func(t *testing.T) {
			e, err := Compile(c.Expression, &CompileOptions{Variables: []string{"poem"}})
			require.NoError(t, err)
			got, err := e.Eval(t.Context(), nil, &EvalOptions{Now: time.Unix(0, 0).UTC(), Variables: map[string]Sequence{"poem": {StringItem(poem)}}})
			if c.Error {
				require.Error(t, err)
				return
			}
			require.NoError(t, err, c.Expression)
			require.Equal(t, plainWant(t, c.Expect), plain(got), c.Expression)
		})
	}
}

func TestPaths(t *testing.T) {
	table := readJSON[struct {
		Cases []struct {
			ID, Document, Context, Expression string
			Expect                            []wantItem
		}
	}](t, "metapath/paths.json")
	require.Len(t, table.Cases, 74)
	docs := map[string]*oscal.Document{}
	for _, c := range table.Cases {
		t.Run(c.ID, func(t *testing.T) {
			doc := docs[c.Document]
			if doc == nil {
				doc = load(t, c.Document)
				docs[c.Document] = doc
			}
			var node *oscal.Node
			if c.Context != "" {
				e, err := Compile(c.Context, nil)
				require.NoError(t, err)
				s, err := e.Eval(t.Context(), nil, &EvalOptions{Document: doc})
				require.NoError(t, err)
				require.Len(t, s, 1)
				node = s[0].Node()
			}
			e, err := Compile(c.Expression, nil)
			require.NoError(t, err)
			got, err := e.Eval(t.Context(), node, &EvalOptions{Document: doc})
			require.NoError(t, err, c.Expression)
			if len(c.Expect) > 0 && c.Expect[0].Type == "string" {
				// The table compares typed values as text.
				var want []string
				for _, w := range c.Expect {
					want = append(want, w.Value.(string))
				}
				require.Equal(t, want, got.Strings(), c.Expression)
				return
			}
			require.Equal(t, plainWant(t, c.Expect), plain(got), c.Expression)
		})
	}
}

func TestAccept(t *testing.T) {
	table := readJSON[struct{ Expressions []string }](t, "metapath/accept.json")
	require.Len(t, table.Expressions, 666)
	for _, e := range table.Expressions {
		_, err := parse(e)
		require.Nil(t, err, e)
		// Compiling may refuse it, but says why and where.
		if _, err := Compile(e, nil); err != nil {
			require.ErrorIs(t, err, ErrStatic)
		}
	}
}

func TestReject(t *testing.T) {
	table := readJSON[struct{ Expressions []string }](t, "metapath/reject.json")
	require.Len(t, table.Expressions, 62)
	for _, e := range table.Expressions {
		_, err := Compile(e, nil)
		require.ErrorIs(t, err, ErrStatic, e)
		x := err.(*ExpressionError)
		require.Equal(t, CodeSyntax, x.Code, e)
		require.True(t, x.Offset >= 0 && x.Offset <= len(e), e)
	}
}

// TestHostileExpressions: these are answered at once, whatever the answer.
func TestHostileExpressions(t *testing.T) {
	doc, err := oscal.Parse(fuzzDocument, nil)
	require.NoError(t, err)
	repeat := func(before, core, after string, n int) string {
		return strings.Repeat(before, n) + core + strings.Repeat(after, n)
	}
	doubled := "let $a := 'xxxxxxxxxx'"
	for range 60 {
		doubled += " return let $a := concat($a, $a)"
	}
	sequence := "let $a := (1, 2, 3)"
	for range 60 {
		sequence += " return let $a := ($a, $a)"
	}
	power := "let $a := 7"
	for range 60 {
		power += " return let $a := $a * $a"
	}
	for _, tt := range []struct {
		name, text string
		code       Code // "" for a value
	}{
		{"nested parentheses", repeat("(", "1", ")", 5000), CodeSyntax},
		{"nested not", repeat("not(", "1", ")", 150), ""},
		{"nested predicates", repeat("*[", "1", "]", 150), ""},
		{"nested predicates of calls", repeat("(//*)[not(", "@x = 1", ")]", 60), CodeLimit},
		{"nested arrays", repeat("[", "1", "]", 190), ""},
		{"minus signs", strings.Repeat("-", 5000) + "1", CodeSyntax},
		{"long sum", "1" + strings.Repeat("+1", 20000), ""},
		{"long path", "catalog" + strings.Repeat("/..", 20000), ""},
		{"deep descendants", strings.Repeat("//*", 300), ""},
		{"too long", strings.Repeat(" ", maxExpressionBytes+1), CodeSyntax},
		{"long range", "count(1 to 1000000000000)", CodeLimit},
		{"huge exponent", "1e999999999", CodeUnsupported},
		{"doubled string", doubled + " return string-length($a)", CodeLimit},
		{"doubled sequence", sequence + " return count($a)", CodeLimit},
		{"squares", power + " return $a", CodeLimit},
		{"powers of a replacement", "replace(replace(replace(replace(string-join(1 to 100000), '.', '$0$0$0$0$0$0$0$0'), '.', '$0$0$0$0'), '.', '$0$0$0$0'), '.', '$0$0$0$0')", CodeLimit},
		{"catastrophic regular expression", "matches(string-join((1 to 3000) ! 'a'), '(a+)+(a+)+(a+)+$b')", ""},
		{"bad regular expression at run time", "matches('a', concat('(', 'a'))", CodeRegex},
		{"recursion without end", "count(recurse-depth('..|*|.'))", ""},
		{"round to far away", "round(1, 99999999999)", ""},
		{"division", "1 div 0", CodeValue},
		{"following", "following::a", CodeUnsupported},
		{"function", "count#1", CodeUnsupported},
		{"partial application", "concat('a', ?)", CodeUnsupported},
		{"assembly as a value", "catalog = 1", CodeType},
		{"no context", "(1, 2)[. = 1] ! ./a", CodeType},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := Compile(tt.text, nil)
			if err == nil {
				_, err = e.Eval(t.Context(), nil, &EvalOptions{Document: doc, MaxSteps: 5_000_000})
			}
			var code Code
			if x, ok := err.(*ExpressionError); ok {
				code = x.Code
			}
			require.Equal(t, tt.code, code, "%v", err)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e, err := Compile("count(for $a in 1 to 3000, $b in 1 to 3000 return 1)", nil)
	require.NoError(t, err)
	_, err = e.Eval(ctx, nil, nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = Validate(ctx, doc, nil)
	require.ErrorIs(t, err, context.Canceled)
}
