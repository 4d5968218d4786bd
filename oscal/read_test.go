package oscal

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// TestAwkward reads the files that the corpus lists as awkward and malformed:
// each is accepted or refused as its table says.
func TestAwkward(t *testing.T) {
	var table struct {
		Cases []struct {
			File   string
			Accept bool
			Note   string
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "oscal/documents/awkward/cases.json"), &table))
	for _, c := range table.Cases {
		t.Run(c.File, func(t *testing.T) {
			doc, err := Read(strings.NewReader(string(corpus.Read(t, "oscal/documents/awkward", c.File))), &ReadOptions{Name: path.Base(c.File)})
			if c.Accept {
				require.NoError(t, err, c.Note)
				require.NotNil(t, doc)
				return
			}
			requireLocated(t, err)
		})
	}
}

func TestMalformed(t *testing.T) {
	var table struct {
		Cases []struct {
			Name, Base64, Note string
			Accept             bool
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "oscal/documents/awkward/malformed.json"), &table))
	for _, c := range table.Cases {
		t.Run(c.Name, func(t *testing.T) {
			text, err := base64.StdEncoding.DecodeString(c.Base64)
			require.NoError(t, err)
			_, err = Parse(string(text), &ReadOptions{Name: c.Name})
			if c.Accept {
				require.NoError(t, err, c.Note)
				return
			}
			requireLocated(t, err)
		})
	}
}

// requireLocated wants an error all of whose problems say where they are.
func requireLocated(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, ErrInvalid)
	for _, p := range err.(Problems) {
		require.True(t, p.Position.IsValid(), p.Error())
		require.NotEmpty(t, p.Rule)
		require.NotEmpty(t, p.Message)
	}
}

// TestDatatypes puts each value of the table into a slot of its type.
func TestDatatypes(t *testing.T) {
	type slot struct{ root, path string }
	slots := map[string]slot{
		"uuid":                    {"catalog", `"uuid":%s,"metadata":META`},
		"token":                   {"catalog", `UUID,"metadata":META,"groups":[{"title":"t","id":%s}]`},
		"string":                  {"catalog", `UUID,"metadata":{"title":"t","last-modified":"2026-01-01T00:00:00Z","version":%s,"oscal-version":"1.2.2"}`},
		"uri":                     {"catalog", `UUID,"metadata":META,"groups":[{"title":"t","props":[{"name":"n","value":"v","ns":%s}]}]`},
		"uri-reference":           {"catalog", `UUID,"metadata":META,"groups":[{"title":"t","links":[{"href":%s}]}]`},
		"date":                    {"system-security-plan", ""},
		"date-time-with-timezone": {"catalog", `UUID,"metadata":{"title":"t","last-modified":%s,"version":"1","oscal-version":"1.2.2"}`},
		"email-address":           {"catalog", `UUID,"metadata":{"title":"t","last-modified":"2026-01-01T00:00:00Z","version":"1","oscal-version":"1.2.2","parties":[{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","type":"person","email-addresses":[%s]}]}`},
		"base64":                  {"catalog", `UUID,"metadata":META,"back-matter":{"resources":[{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","base64":{"value":%s}}]}`},
		"boolean":                 {"profile", `UUID,"metadata":META,"imports":[{"href":"#x","include-all":{}}],"merge":{"as-is":%s}`},
	}
	var table struct {
		Types map[string]struct{ Valid, Invalid []json.RawMessage }
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "oscal/documents/datatype-cases.json"), &table))
	names := map[string]DataType{}
	for i := range typeFacts {
		names[typeFacts[i].name] = DataType(i)
	}
	n := 0
	for name, values := range table.Types {
		typ := names[name]
		require.NotZero(t, typ, name)
		check := func(raw json.RawMessage, want bool) {
			n++
			s, ok := slots[name]
			if !ok || s.path == "" {
				require.Equal(t, want, validJSON(typ, raw), "%s %s", name, raw)
				return
			}
			text := `{"` + s.root + `":{` + fmt.Sprintf(s.path, raw) + `}}`
			text = strings.ReplaceAll(text, "UUID", `"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10"`)
			text = strings.ReplaceAll(text, "META", `{"title":"t","last-modified":"2026-01-01T00:00:00Z","version":"1","oscal-version":"1.2.2"}`)
			_, err := Parse(text, nil)
			require.Equal(t, want, err == nil, "%s %s: %v", name, raw, err)
		}
		for _, raw := range values.Valid {
			check(raw, true)
		}
		for _, raw := range values.Invalid {
			check(raw, false)
		}
	}
	require.Greater(t, n, 60)
}

// validJSON checks a JSON value of a type that no slot of a small document has.
func validJSON(typ DataType, raw json.RawMessage) bool {
	b := &binder{doc: &Document{text: string(raw)}, opts: (*ReadOptions)(nil).withDefaults()}
	r := &jsonReader{binder: b, s: string(raw)}
	m := &Member{name: "x", json: "x", kind: Flag, def: -1, dtype: typ}
	n := NewNode(m)
	r.value(&frame{node: n}, m, n, typ)
	return b.problems.Errors() == nil
}

// TestAllProblemsAtOnce: several faults of several kinds come out together, in
// order, each at its place.
func TestAllProblemsAtOnce(t *testing.T) {
	const text = `{
  "catalog": {
    "uuid": "no",
    "metadata": {
      "titel": "Minimal",
      "last-modified": "2026-01-01",
      "version": "1.0", "version": "2.0",
      "oscal-version": "1.2.2"
    },
    "groups": [{"title": "é", "id": 3, "groups": [], "controls": [{"id": "c", "title": "C"}]}],
    "controls": {}
  }
}`
	doc, err := Parse(text, &ReadOptions{Name: "c.json"})
	require.NotNil(t, doc)
	var got []string
	for _, p := range err.(Problems) {
		got = append(got, p.Error())
	}
	require.Equal(t, []string{
		`c.json:3:13: expected a uuid (a version 4 or 5 UUID, 8-4-4-4-12 hexadecimal digits), found "no" (at /catalog/uuid) [datatype]`,
		`c.json:4:17: metadata lacks the required member "title" (at /catalog/metadata) [member-missing]`,
		`c.json:5:7: unknown member "titel" in metadata; did you mean "title"? (at /catalog/metadata) [member-unknown]`,
		`c.json:6:24: expected a date-time-with-timezone (YYYY-MM-DDThh:mm:ss, perhaps a fraction, then Z or an offset that is in use), found "2026-01-01" (at /catalog/metadata/last-modified) [datatype]`,
		`c.json:7:25: "version" stands twice in one object (at /catalog/metadata) [member-duplicate]`,
		`c.json:10:16: group has "groups" and "controls", expected only one of these (at /catalog/groups/0) [choice]`,
		`c.json:10:37: "id": expected a string (token), found a number (at /catalog/groups/0) [shape]`,
		`c.json:10:50: the array "groups" must have one item at least, or be left out (at /catalog/groups/0) [array-empty]`,
		`c.json:11:17: "controls": expected an array, found an object (at /catalog) [shape]`,
	}, got)
}

func TestBadInput(t *testing.T) {
	deep := strings.Repeat(`{"catalog":`, 1000)
	parts := `{"catalog":{"groups":[` + strings.Repeat(`{"groups":[`, 1000)
	for _, tt := range []struct {
		name, text, want string
	}{
		{"empty", "", "1:1: the document is empty [format]"},
		{"white space", " \n", "1:1: the document is empty [format]"},
		{"utf-16", "\xff\xfe{\x00}\x00", "1:1: expected UTF-8, found UTF-16 or UTF-32 [encoding]"},
		{"no root", "{}", "1:1: expected one root member: catalog, mapping-collection, profile, component-definition, system-security-plan, assessment-plan, assessment-results, plan-of-action-and-milestones [root-missing]"},
		{"array", "[]", "1:1: expected an object, found an array [shape]"},
		{"truncated", `{"catalog": {"uuid": "x`, "1:24: expected the closing quote of a string, found the end of the text [syntax]"},
		{"truncated after colon", `{"catalog":`, "1:12: expected an object, found the end of the text (at /catalog) [shape]"},
		{"lone surrogate", `{"catalog":{"uuid":"\ud800"}}`, `1:21: expected an escape (\n, \", \u0000 and the like; surrogates in pairs), found "\\ud800" [syntax]`},
		{"bad number", `{"catalog":{"uuid":01}}`, `1:21: expected "," or "}", found a number [syntax]`},
		{"schema twice", `{"$schema":"a","$schema":"b","catalog":{}}`, `1:16: "$schema" stands twice [member-duplicate]`},
		{"trailing comma", `{"catalog":{"uuid":"x",}}`, `1:24: expected a member name in quotes, found "}" [syntax]`},
		{"deep unknown", deep, "1:2201: objects and arrays are nested deeper than 200 [limit]"},
		{"deep groups", parts, "1:1111: objects and arrays are nested deeper than 200 [limit]"},
		{"yaml tab", "catalog:\n\tuuid: x", "2:1: found character that cannot start any token [syntax]"},
		{"yaml two documents", "catalog: {}\n---\ncatalog: {}", "2:1: expected one YAML document, found a second one [trailing-data]"},
		{"yaml merge key", "catalog:\n  <<: {uuid: x}\n", "2:3: the merge key << is not supported (at /catalog) [unsupported]"},
		{"yaml unknown anchor", "catalog: *x\n", "1:10: unknown anchor 'x' referenced [syntax]"},
		{"yaml alias in itself", "catalog: &x\n  metadata: *x\n", "2:13: the alias *x stands inside its own anchor [alias]"},
		{"yaml quoted boolean", "profile:\n  merge:\n    as-is: \"true\"\n", `3:12: "as-is": expected a boolean without quotes, found a string (at /profile/merge) [shape]`},
		{"yaml yes in a boolean", "profile:\n  merge:\n    as-is: yes\n", `3:12: "as-is": expected true or false, found "yes" (at /profile/merge) [shape]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.text, nil)
			require.ErrorIs(t, err, ErrInvalid)
			var got []string
			for _, p := range err.(Problems) {
				got = append(got, p.Error())
			}
			require.Contains(t, got, tt.want)
		})
	}
}

func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts ReadOptions
		rule Rule
	}{
		{"bytes", ReadOptions{MaxBytes: 100}, RuleLimit},
		{"depth", ReadOptions{MaxDepth: 2}, RuleLimit},
		{"nodes", ReadOptions{MaxNodes: 5}, RuleLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(minimal), &tt.opts)
			ps := err.(Problems)
			require.Equal(t, tt.rule, ps[len(ps)-1].Rule)
		})
	}
	t.Run("problems", func(t *testing.T) {
		text := `{"catalog":{` + strings.Repeat(`"x":1,`, 100) + `"y":2}}`
		_, err := Parse(text, &ReadOptions{MaxProblems: 10})
		ps := err.(Problems)
		require.Len(t, ps, 10)
		require.Equal(t, RuleLimit, ps[9].Rule)
	})
}

// TestMemberNamesAreDistinct: paths and [Node.Child] find a member by its XML
// name, so no definition may use one name for a flag and an element.
func TestMemberNamesAreDistinct(t *testing.T) {
	for i := range defs {
		var names, json []string
		for j := range defs[i].members {
			names = append(names, defs[i].members[j].name)
			json = append(json, defs[i].members[j].json)
		}
		slices.Sort(names)
		slices.Sort(json)
		require.Len(t, slices.Compact(names), len(defs[i].members), defs[i].name)
		require.Len(t, slices.Compact(json), len(defs[i].members), defs[i].name)
	}
}

func TestPointerAndPath(t *testing.T) {
	doc, err := Parse(minimal, nil)
	require.NoError(t, err)
	n := doc.Root().Child("control").Next().Child("title")
	require.Equal(t, "/catalog/controls/1/title", n.Pointer())
	require.Equal(t, "/catalog[1]/control[2]/title[1]", n.Path())
	require.Equal(t, Position{Offset: strings.Index(minimal, `"B"`), Line: 3, Column: 54}, doc.Position(n))
	require.Equal(t, "/catalog[1]/control[2]/@id", n.Parent().Child("id").Path())
}

func TestVersions(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Version
		ok   bool
	}{
		{"1.0.0", Version{Major: 1}, true},
		{"1.2.2", Version{Major: 1, Minor: 2, Patch: 2}, true},
		{"1.1", Version{Major: 1, Minor: 1}, true},
		{"1.0.0-rc1", Version{Major: 1, Pre: "rc1"}, true},
		{"2.0.0", Version{Major: 2}, false},
		{"1.3.0", Version{Major: 1, Minor: 3}, false},
		{"x", Version{}, false},
		{"1.2.3.4", Version{}, false},
		{"", Version{}, false},
	} {
		got, ok := ParseVersion(tt.text)
		require.Equal(t, tt.ok, ok, tt.text)
		require.Equal(t, tt.want, got, tt.text)
	}
	order := []string{"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.1", "1.10"}
	for i, a := range order {
		for j, b := range order {
			x, _ := ParseVersion(a)
			y, _ := ParseVersion(b)
			require.Equal(t, min(max(i-j, -1), 1), x.Compare(y), "%s %s", a, b)
		}
	}
}

// TestPositionsOfLongLines: a place is found by line and column and the other
// way round, wherever it lies and however long its line is.
func TestPositionsOfLongLines(t *testing.T) {
	long := strings.Repeat("é", 3*bytesPerMark+7)
	for _, text := range []string{"", "a", "\n", "a\n\nb", bom + "ab\nc", long, long + "\n" + long[:len(long)/2], strings.Repeat("x", bytesPerMark) + "\n", "x\r\n" + long} {
		d := &Document{text: text}
		line, column := 1, 1
		for i, r := range text {
			if i == 0 && r == '\ufeff' {
				continue
			}
			require.Equal(t, Position{i, line, column}, d.position(i))
			require.Equal(t, i, d.offsetOf(line, column))
			column++
			if r == '\n' {
				line, column = line+1, 1
			}
		}
		require.Equal(t, Position{len(text), line, column}, d.position(len(text)))
	}
}

// TestEndOfPlain: every byte at every place beside every other, as a look at one
// byte after the other sees it.
func TestEndOfPlain(t *testing.T) {
	for length := range 18 {
		for at := range length {
			for c := range 256 {
				text := []byte(strings.Repeat("a", length))
				text[at] = byte(c)
				for _, before := range []byte{0x7f, 0x80, '!', '#', 0xff, byte(c)} {
					if at > 0 {
						text[at-1] = before
					}
					want := strings.IndexFunc(string(text), func(r rune) bool { return r == '"' || r == '\\' || r < ' ' })
					if want < 0 {
						want = length
					}
					require.Equal(t, want, endOfPlain(string(text), 0), "%q", text)
				}
			}
		}
	}
}
