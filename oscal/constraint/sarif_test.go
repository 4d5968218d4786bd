package constraint

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/oscal"
)

// TestSARIFSchema: the log holds what SARIF 2.1.0 requires (section 3, the
// properties that "SHALL be present") and its indexes point at what they name.
func TestSARIFSchema(t *testing.T) {
	doc := load(t, "documents/fedramp-rev5-templates/FedRAMP-SSP-OSCAL-Template.xml")
	r, err := Validate(t.Context(), doc, nil)
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, WriteSARIF(&b, r.Findings, nil))
	var again strings.Builder
	require.NoError(t, WriteSARIF(&again, r.Findings, nil))
	require.Equal(t, b.String(), again.String())
	var log struct {
		Version string
		Runs    []struct {
			ColumnKind string
			Tool       struct {
				Driver struct {
					Name  string
					Rules []struct{ ID string }
				}
			}
			Artifacts []struct{ Location struct{ URI string } }
			Results   []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct {
							URI   string
							Index int
						}
						Region struct{ StartLine, StartColumn int }
					}
				}
				RelatedLocations []struct {
					ID      int
					Message struct{ Text string }
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(b.String()), &log))
	run := log.Runs[0]
	require.Len(t, run.Results, len(r.Findings))
	require.Equal(t, "unicodeCodePoints", run.ColumnKind)
	related := 0
	for i, res := range run.Results {
		f := r.Findings[i]
		require.Equal(t, f.Rule, run.Tool.Driver.Rules[res.RuleIndex].ID)
		require.Equal(t, f.Rule, res.RuleID)
		require.Contains(t, []string{"error", "warning", "note"}, res.Level)
		require.NotEmpty(t, res.Message.Text)
		at := res.Locations[0].PhysicalLocation
		require.Equal(t, run.Artifacts[at.ArtifactLocation.Index].Location.URI, at.ArtifactLocation.URI)
		require.Equal(t, [2]int{f.Position.Line, f.Position.Column}, [2]int{at.Region.StartLine, at.Region.StartColumn})
		related += len(res.RelatedLocations)
	}
	require.Equal(t, 2, related) // the two repeated keys of the template
	seen := map[string]bool{}
	for _, rule := range run.Tool.Driver.Rules {
		require.False(t, seen[rule.ID], rule.ID)
		seen[rule.ID] = true
	}
	require.Equal(t, "dir/my%20file%25.json", fileURI("dir/my file%.json"))
}

// TestSARIFRules: every rule of package oscal has a text, and what code scanning
// asks of rules and places is there: texts, a level, a line, a related place
// with a message.
func TestSARIFRules(t *testing.T) {
	for _, name := range []string{"../problem.go", "../reference.go"} {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		rules := regexp.MustCompile(`\bRule\w+ +Rule = "(.*?)"`).FindAllSubmatch(source, -1)
		require.NotEmpty(t, rules)
		for _, m := range rules {
			require.NotZero(t, ruleTexts[oscal.Rule(m[1])], string(m[1]))
			require.Contains(t, Rules(), string(m[1]))
		}
	}
	place := oscal.Position{Offset: 7, Line: 2, Column: 3}
	found := StructureFindings(oscal.Problems{
		{Level: oscal.Error, Rule: oscal.RuleWrongKind, File: "/a/b.json", Position: place, Message: "x", Related: []oscal.Place{{File: "c.json", Position: place}}},
	})
	found = append(found, Finding{Level: LevelError, Rule: "unreadable", File: "none.json", Message: "no such file"}, Finding{Level: LevelInformational, Rule: "mine", File: "a.json", Message: "x"})
	var b strings.Builder
	require.NoError(t, WriteSARIF(&b, found, nil))
	var log sarifLog
	require.NoError(t, json.Unmarshal([]byte(b.String()), &log))
	tags := func(category, severity string) sarifProperties {
		return sarifProperties{Tags: []string{"OSCAL", category}, Severity: severity, Category: category}
	}
	kind, file := ruleTexts[oscal.RuleWrongKind], ruleTexts["unreadable"]
	require.Equal(t, []sarifRule{
		{ID: "reference-wrong-kind", ShortDescription: sarifText{kind.short}, FullDescription: sarifText{kind.full}, Configuration: sarifConfig{"error"}, Help: sarifText{kind.full}, Properties: tags("references", "error")},
		{ID: "unreadable", ShortDescription: sarifText{file.short}, FullDescription: sarifText{file.full}, Configuration: sarifConfig{"error"}, Help: sarifText{file.full}, Properties: tags("input", "error")},
		{ID: "mine", ShortDescription: sarifText{"mine"}, FullDescription: sarifText{"mine"}, Configuration: sarifConfig{"note"}, Help: sarifText{"mine"}, Properties: tags("others", "recommendation")},
	}, log.Runs[0].Tool.Driver.Rules)
	results := log.Runs[0].Results
	require.Equal(t, "file:///a/b.json", results[0].Locations[0].Physical.Artifact.URI)
	require.Equal(t, []sarifLocation{{
		ID: new(0), Message: &sarifText{"what has this identifier"},
		Physical: &sarifPhysical{sarifURI{"c.json", new(1)}, &sarifRegion{2, 3, new(7)}},
	}}, results[0].Related)
	require.Equal(t, &sarifRegion{StartLine: 1}, results[1].Locations[0].Physical.Region)
}

// TestDescribe: what a constraint asks for, in a sentence.
func TestDescribe(t *testing.T) {
	for _, tt := range []struct{ key, want string }{
		{"metadata:metadata/party/type#0", "The value of metadata/party/type must be one of person, organization."},
		{"metadata:action#2", "The value of ./system/@value in action should be one of http://csrc.nist.gov/ns/oscal; others are allowed."},
		{"component:defined-component#9", "The value of prop[has-oscal-namespace('http://csrc.nist.gov/ns/oscal') and @name='inherited-uuid']/@value in defined-component must be a uuid."},
		{"metadata:telephone-number(field)#0", "The value of telephone-number must match ^[0-9]{3}[0-9]{1,12}$."},
		{"metadata:responsible-party#0", "The key @role-id of responsible-party must be in the index index-metadata-role-id."},
		{"metadata:party-uuid(field)#0", "The value of party-uuid must be in the index index-metadata-party-uuid."},
		{"metadata:back-matter/resource#5", "The key @filename of base64 in back-matter/resource must be unique."},
		{"assessment-common:local-objective#1", "There must be at most 1 of part[has-oscal-namespace('http://csrc.nist.gov/ns/oscal') and @name=('objective','assessment-objective')] in local-objective."},
	} {
		i := slices.IndexFunc(BuiltIn().all, func(c *compiled) bool { return c.Key == tt.key })
		require.GreaterOrEqual(t, i, 0, tt.key)
		require.Equal(t, tt.want, describe(BuiltIn().all[i].Constraint))
	}
	titled := 0
	for _, s := range fedramp(t, nil) {
		for c := range s.Constraints() {
			if c.FormalName != "" {
				titled++
			}
			require.NotContains(t, describe(c), "  ")
			require.LessOrEqual(t, len([]rune(describe(c))), 1024)
		}
	}
	require.Equal(t, 154, titled) // elements with a formal-name in the three files
}
