package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

const log4shell = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"

func TestRiskScore(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, text string) { require.NoError(t, os.WriteFile(name, []byte(text), 0o600)) }
	write("own.json", `{"id":"house","version":"1","axes":[{"name":"likelihood","levels":["rare","often"]},{"name":"impact","levels":["small","large"]}],
"outcomes":["low","high"],"cells":[{"at":["rare","small"],"outcome":"low"},{"at":["rare","large"],"outcome":"low"},{"at":["often","small"],"outcome":"low"},{"at":["often","large"],"outcome":"high"}]}`)
	write("items.json", `[{"id":"CVE-2021-44228","cvss":"`+log4shell+`","claimed":10,"ssvc":"bod-26-04","facts":{"In KEV":["yes"],"Publicly Exposed":["yes"],"Automatable":["yes"],"Technical Impact":["total"]}},
{"id":"broken","cvss":"CVSS:3.1/AV:N","owasp":"SL:99"},{"id":"event","nist":["high","moderate","very-high"]},{"id":"empty"}]`)
	write("records.json", `{"vulnerabilities":[{"cve":{"id":"CVE-2021-44228","metrics":{"cvssMetricV31":[{"source":"nvd@nist.gov","type":"Primary","cvssData":{"vectorString":"`+log4shell+`","baseScore":9.0}}]}}}]}`)
	for _, tt := range []struct {
		name, stdin string
		args        []string
		status      int
		out, err    string
	}{
		{"CVSS", "", []string{"--cvss", log4shell, "--claimed", "10"}, 0, "CVSS 3.1 10.0 critical, the claimed score is: base [" + log4shell + "]\n", ""},
		{"claim that is no score", "", []string{"--cvss", log4shell, "--claimed", "9.75"}, 1, "CVSS 3.1 10.0 critical [" + log4shell + "]\n", "?9.75"},
		{"claim that is no number", "", []string{"--cvss", log4shell, "--claimed", "NaN"}, 1, "CVSS 3.1 10.0 critical [" + log4shell + "]\n", "?NaN"},
		{"explained", "", []string{"--ssvc", "utility", "--fact", "automatable=yes", "--fact", "value density=diffuse", "--explain"}, 0, `SSVC efficient [utility]
  fact: Automatable = yes (ssvc:A:2.0.0)
  fact: Value Density = diffuse (ssvc:VD:1.0.0)
  ssvc:DT_U:1.0.0: Utility = efficient (row 2)
`, ""},
		{"not all facts", "", []string{"--ssvc", "deployer", "--fact", "exploitation=active", "--fact", "EXP=open"}, 0, "SSVC immediate (possible: scheduled, out-of-cycle, immediate) [deployer]\n", ""},
		{"OWASP", "", []string{"--owasp", "SL:5/M:2/O:7/S:1/ED:3/EE:6/A:9/ID:2/LC:9/LI:7/LAV:5/LAC:8/FD:1/RD:2/NC:1/PV:5"}, 0, "OWASP low [SL:5/M:2/O:7/S:1/ED:3/EE:6/A:9/ID:2/LC:9/LI:7/LAV:5/LAC:8/FD:1/RD:2/NC:1/PV:5]\n", ""},
		{"file", "", []string{"--file", "items.json"}, 1, `CVE-2021-44228: CVSS 3.1 10.0 critical, the claimed score is: base [` + log4shell + `]
CVE-2021-44228: SSVC 3 days & forensic investigation [bod-26-04]
event: SP 800-30 8 high [high,moderate,very-high]
`, "?items.json:2:1: broken: "},
		{"records", "", []string{"--records", "records.json"}, 1, "CVE-2021-44228: CVSS 3.1 10.0 critical, nvd@nist.gov states 9: wrong [" + log4shell + "]\n", ""},
		{"matrix", "", []string{"--matrix", "own.json", "often", "large"}, 0, "own.json high [often,large]\n", ""},
		{"matrix, not all known", "", []string{"--matrix", "own.json", "often", "?"}, 0, "own.json high (possible: low, high) [often,?]\n", ""},
		{"nothing", "", nil, 2, "", "isso: nothing to score: expected --cvss, --owasp, --nist, --matrix, --ssvc, --file or --records\n"},
		{"fact", "", []string{"--ssvc", "utility", "--fact", "x"}, 2, "", "isso: expected a fact such as exploitation=active, found \"x\"\n"},
		{"table", "", []string{"--ssvc", "coffee"}, 1, "", "item 1: vuln: expected one of coordinator, deployer, supplier, human-impact, utility, bod-26-04, found \"coffee\" (at table) [unknown]\n"},
		{"unknown member", `[{"colour":"red"}]`, []string{"--file", "-"}, 1, "", "stdin:1:3: unknown member \"colour\"; expected one of id, cvss, claimed, owasp, nist, matrix, levels, ssvc, facts (at /0)\n"},
		{"all of a file at once", "[{\"id\":\"a\",\"cvss\":\"x\",\"cvss\":\"y\"},\n{\"idd\":3,\"claimed\":\"9\"}]", []string{"--file", "-"}, 1, "", `stdin:1:23: the member "cvss" stands twice, first in line 1 (at /0)
stdin:2:2: unknown member "idd"; did you mean "id"? (at /1)
stdin:2:20: expected a number, found the text "9" (at /1/claimed)
`},
		{"items in their places", "- {id: event, nist: [high]}\n- {}\n", []string{"--file", "-"}, 1, "", `stdin:1:3: event: expected three levels for SP 800-30, likelihood of initiation, of adverse impact, and level of impact, found 1
stdin:2:3: item 2: expected cvss, owasp, nist, matrix or ssvc, found none
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, err := isso(t, tt.stdin, append([]string{"risk", "score"}, tt.args...)...)
			if want, ok := strings.CutPrefix(tt.err, "?"); ok {
				require.Contains(t, err, want)
			} else {
				require.Equal(t, tt.err, err)
			}
			require.Equal(t, tt.out, out)
			require.Equal(t, tt.status, status)
		})
	}
	status, out, err := isso(t, "", "risk", "score", "--cvss", log4shell, "--json")
	require.Equal(t, []any{0, ""}, []any{status, err})
	var results []scoreResult
	require.NoError(t, json.Unmarshal([]byte(out), &results))
	require.Equal(t, []any{"critical", 10.0, "AV"}, []any{results[0].Level, *results[0].Score, results[0].Why[0].Name})
}

const poam = `{"plan-of-action-and-milestones":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"Plan",
"last-modified":"2026-01-01T00:00:00Z","version":"1.0","oscal-version":"1.2.2"},"system-id":{"id":"s"},
"risks":[{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a11","title":"Log4Shell","description":"d","statement":"s","status":"open","deadline":"2026-03-01T00:00:00Z",
"characterizations":[{"origin":{"actors":[{"type":"party","actor-uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a13"}]},
"facets":[{"name":"attack-complexity","system":"http://www.first.org/cvss/v3.1","value":"low"}]}]},
{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a12","title":"Old","description":"d","statement":"s","status":"closed"}],
"poam-items":[{"title":"t","description":"d"}]}}`

func TestRiskRegister(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("poam.json", []byte(poam), 0o600))
	status, out, err := isso(t, "", "risk", "register", "poam.json", "--as-of", "2026-06-30")
	require.Equal(t, "", err)
	require.Equal(t, 1, status)
	require.Equal(t, registerText, out)

	status, out, _ = isso(t, "", "risk", "register", "poam.json", "--as-of", "2026-02-01", "--json")
	require.Equal(t, 1, status)
	var r registerReport
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Equal(t, 2, r.Risks)
	require.Empty(t, r.Breaches, "the deadline is not passed yet")
	require.Len(t, r.Problems, 1)

	status, out, _ = isso(t, "", "risk", "register", corpus.Path(t, "oscal", "documents", "fedramp-rev5-templates", "FedRAMP-SAR-OSCAL-Template.json"), "--json")
	require.Equal(t, 0, status)
	require.NoError(t, json.Unmarshal([]byte(out), &r), "parts that typed views cannot hold do not matter")
	require.Equal(t, 4, r.Risks)

	inFolder(t)
	status, _, err = isso(t, "", "risk", "register", "good.json")
	require.Equal(t, []any{2, "isso: good.json: expected assessment-results or a plan-of-action-and-milestones, found a catalog\n"}, []any{status, err})
}

// TestRiskRegisterProblems: of the document and of the criteria, all at once, each in
// its place.
func TestRiskRegisterProblems(t *testing.T) {
	t.Chdir(t.TempDir())
	wild := strings.NewReplacer(`"status":"open"`, `"status":"wild"`, `"Old",`, `"Old",
"props":[{"ns":"https://github.com/issokit/issokit/ns/oscal","name":"state","value":"nonsense"}],`).Replace(poam)
	require.NoError(t, os.WriteFile("poam.json", []byte(wild), 0o600))
	status, out, err := isso(t, "", "risk", "register", "poam.json", "--as-of", "2026-02-01")
	require.Equal(t, []any{1, ""}, []any{status, err})
	require.Equal(t, `poam.json: 2 risks
       1 state unknown (wild)
       1 state closed
       2 level not rated
poam.json:3:120: risk 5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a11: expected the status open, investigating, remediating, deviation-requested, deviation-approved or closed, found "wild" (at /plan-of-action-and-milestones/risks/0/status)
poam.json:5:11: risk 5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a11: facet http://www.first.org/cvss/v3.1 attack-complexity = "low" violates oscal-facet-cvss3-name-values (at /plan-of-action-and-milestones/risks/0/characterizations/0/facets/0)
poam.json:6:1: risk 5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a12: not valid: expected a state, found "nonsense" (at /plan-of-action-and-milestones/risks/1)
`, out)

	for _, tt := range []struct{ name, criteria, want string }{
		{"text and meaning", `{"scales":[{"system":"s","levels":["a","b"]}],"scales":[],
"appetites":[{"system":"zz","appetite":"q"}],
"foo":1}`, `criteria.json:1:47: the member "scales" stands twice, first in line 1
criteria.json:2:29: levels of different scales cannot be compared: no scale "zz" (at /appetites/0/appetite)
criteria.json:3:1: unknown member "foo"; expected one of scales, appetites, authorities, terms, warnDays
`},
		{"text behind", `{"scales":[]} trailing`, "criteria.json:1:15: this is no YAML: did not find expected <document start>\n"},
		{"kinds", "scales:\n- {levels: a}\nterms: [{acceptDays: soon}]\n", `criteria.json:2:12: expected a list, found the text "a" (at /scales/0/levels)
criteria.json:3:22: expected a whole number, found the text "soon" (at /terms/0/acceptDays)
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, os.WriteFile("criteria.json", []byte(tt.criteria), 0o600))
			status, out, err := isso(t, "", "risk", "register", "poam.json", "--criteria", "criteria.json")
			require.Equal(t, []any{1, "", tt.want}, []any{status, out, err})
		})
	}
}

const registerText = `poam.json: 2 risks
       1 state identified
       1 state closed
       2 level not rated
breach: 5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a11: deadline passed, since 2026-03-01 (Log4Shell)
poam.json:5:11: risk 5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a11: facet http://www.first.org/cvss/v3.1 attack-complexity = "low" violates oscal-facet-cvss3-name-values (at /plan-of-action-and-milestones/risks/0/characterizations/0/facets/0)
`
