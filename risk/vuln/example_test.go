package vuln_test

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/issokit/issokit/risk/vuln"
)

func ExampleParseVector() {
	v, err := vuln.ParseVector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/RL:O/E:F")
	fmt.Println(v, v.Score(), v.Severity(), err)
	s := v.Scores()
	fmt.Println(s.Base, s.Temporal, s.Environmental)
	_, err = vuln.ParseVector("CVSS:3.1/AV:N/AC:X/PR:N/UI:N/S:U/C:H/I:H/I:H")
	fmt.Println(err)
	// Output:
	// CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:F/RL:O 9.1 critical <nil>
	// 9.8 9.1 -
	// vuln: offset 14: expected AC to be one of L, H, found "X" (at AC) [value]
	// offset 41: metric I stands twice (at I) [duplicate]
	// offset 44: base metric A is missing (at A) [missing]
}

// Version 4.0: a vector changes as more becomes known, and its score is named after
// what went into it.
func ExampleVector_With() {
	v, err := vuln.ParseVector("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N")
	if err != nil {
		panic(err)
	}
	fmt.Println(v.Nomenclature(), v.Score(), v.MacroVector())
	v, err = v.With("E", "P")
	fmt.Println(v.Nomenclature(), v.Score(), v.MacroVector(), err)
	// Output:
	// CVSS-B 9.3 000200
	// CVSS-BT 8.9 000210 <nil>
}

func ExampleVector_Rate() {
	v, err := vuln.ParseVector("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C")
	if err != nil {
		panic(err)
	}
	fmt.Print(v.Rate().Explain())
	// Output:
	// base: AV = N (Access Vector: Network)
	// base: AC = L (Access Complexity: Low)
	// base: Au = N (Authentication: None)
	// base: C = N (Confidentiality Impact: None)
	// base: I = N (Integrity Impact: None)
	// base: A = C (Availability Impact: Complete)
	// temporal: E = F (Exploitability: Functional)
	// temporal: RL = OF (Remediation Level: Official Fix)
	// temporal: RC = C (Report Confidence: Confirmed)
	// base: impact = 6.8706 (10.41 × (1 - (1 - 0)(1 - 0)(1 - 0.66)))
	// base: exploitability = 9.9968 (20 × 1 × 0.71 × 0.704)
	// base: score = 7.8 (high)
	// temporal: score = 6.4 (medium)
}

func ExampleCheck() {
	d, err := vuln.Check("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:F/RL:O", 9.1)
	fmt.Println(d.Claim, d.Scores.Base, err)
	// Output: temporal 9.8 <nil>
}

func ExampleReadEPSS() {
	e, err := vuln.ReadEPSS(strings.NewReader(`#model_version:v2026.06.15,score_date:2026-08-01T00:00:00Z
cve,epss,percentile
CVE-2026-90001,0.91234,0.99812
CVE-2026-90002,0.00043,0.11210
`), nil)
	if err != nil {
		panic(err)
	}
	s, ok := e.Lookup("CVE-2026-90001")
	fmt.Println(s.Probability, s.ModelVersion, s.Date, ok)
	any, err := vuln.AnyOf(0.91234, 0.00043)
	fmt.Printf("%.4f %v\n", any, err)
	// Output:
	// 0.91234 v2026.06.15 2026-08-01 true
	// 0.9124 <nil>
}

func ExampleReadKEV() {
	k, err := vuln.ReadKEV(strings.NewReader(`{"catalogVersion":"2026.12.10","count":1,"vulnerabilities":[
{"cveID":"CVE-2026-90001","dateAdded":"2026-12-08","dueDate":"2026-12-29","knownRansomwareCampaignUse":"Known"}]}`), nil)
	if err != nil {
		panic(err)
	}
	e, ok := k.Lookup("CVE-2026-90001")
	fmt.Println(e.DateAdded, e.DueDate, e.KnownRansomwareCampaignUse, ok)
	// Output: 2026-12-08 2026-12-29 true true
}

func ExampleReadRecords() {
	text := `{"schema_version":"1.6.0","id":"GHSA-1","aliases":["CVE-2026-90003"],"modified":"2026-12-02T00:00:00Z",
"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}`
	for r, err := range vuln.ReadRecords(strings.NewReader(text), nil) {
		if err != nil {
			panic(err)
		}
		best, _ := r.Best()
		fmt.Println(r.Source, r.ID, r.CVE(), best.Vector.Score())
	}
	// Output: OSV GHSA-1 CVE-2026-90003 8.1
}

func ExampleLEV() {
	daily := make([]float64, 90)
	for i := range daily {
		daily[i] = 0.1
	}
	l, err := vuln.LEV(daily)
	fmt.Printf("%.3f %.3f %.3f %v\n", l.Windowed, l.Daily30th, l.ExactDaily, err)
	p, err := vuln.Composite(0.1, false, l.Windowed)
	fmt.Printf("%.3f %v\n", p, err)
	// Output:
	// 0.271 0.260 0.271 <nil>
	// 0.271 <nil>
}

// A fact that nobody knows leaves several outcomes: the highest is the one to plan
// for.
func ExampleTable_Decide() {
	t, err := vuln.LookupTable("coordinator")
	if err != nil {
		panic(err)
	}
	d, err := t.Decide(vuln.Facts{"Exploitation": {"PoC"}, "Automatable": {"yes"}, "Technical Impact": {"total"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(d.Determined(), d.Unknown, d.Highest().Name)
	fmt.Print(d.Rate().Explain())
	// Output:
	// false [Mission and Well-Being Impact] Attend
	// fact: Exploitation = public poc (ssvc:E:1.1.0)
	// fact: Automatable = yes (ssvc:A:2.0.0)
	// fact: Technical Impact = total (ssvc:TI:1.0.0)
	// fact: Mission and Well-Being Impact = unknown (ssvc:MWI:1.0.0, any answer is possible)
	// cisa:DT_CO:2.0.3: CISA Levels = track (row 21)
	// cisa:DT_CO:2.0.3: CISA Levels = track* (row 22)
	// cisa:DT_CO:2.0.3: CISA Levels = attend (row 23)
	// cisa:DT_CO:2.0.3: plan-for = attend (the highest outcome that is possible)
}

func ExampleLoadTable() {
	t, err := vuln.LoadTable(strings.NewReader(`Exposed v1.0.0 (x_house),Exploitation v1.1.0,Action v1.0.0 (x_house)
no,none,wait
no,public poc,wait
no,active,fix
yes,none,wait
yes,public poc,fix
yes,active,drop everything
`))
	if err != nil {
		panic(err)
	}
	d, err := t.Decide(vuln.Facts{"Exposed": {"yes"}, "Exploitation": {"active"}})
	fmt.Println(d.Highest().Name, len(t.Warnings()), err)
	// Output: drop everything 0 <nil>
}

func ExampleDecision_Selections() {
	t, err := vuln.LookupTable("utility")
	if err != nil {
		panic(err)
	}
	d, err := t.Decide(vuln.Facts{"Automatable": {"yes"}})
	if err != nil {
		panic(err)
	}
	list := d.Selections(time.Date(2026, 12, 10, 12, 0, 0, 0, time.UTC), "CVE-2026-90001")
	if err := list.Write(os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	// {
	//   "target_ids": [
	//     "CVE-2026-90001"
	//   ],
	//   "timestamp": "2026-12-10T12:00:00Z",
	//   "schemaVersion": "2.0.0",
	//   "selections": [
	//     {
	//       "namespace": "ssvc",
	//       "key": "A",
	//       "version": "2.0.0",
	//       "name": "Automatable",
	//       "values": [
	//         {
	//           "key": "Y",
	//           "name": "Yes"
	//         }
	//       ]
	//     },
	//     {
	//       "namespace": "ssvc",
	//       "key": "U",
	//       "version": "1.0.1",
	//       "name": "Utility",
	//       "values": [
	//         {
	//           "key": "E",
	//           "name": "Efficient"
	//         },
	//         {
	//           "key": "S",
	//           "name": "Super Effective"
	//         }
	//       ]
	//     }
	//   ]
	// }
}

func ExampleDueAll() {
	f := vuln.Finding{
		ID: "CVE-2026-90001", Detected: vuln.Date{Year: 2026, Month: 12, Day: 10}, Rating: "High",
		KEV: vuln.Yes, KEVListed: vuln.Date{Year: 2026, Month: 12, Day: 8}, KEVDue: vuln.Date{Year: 2026, Month: 12, Day: 22},
		Exposed: vuln.Yes, Automatable: vuln.Yes, TechnicalImpact: "total",
		Evaluated: time.Date(2026, 12, 12, 0, 0, 0, 0, time.UTC), PotentialImpact: 4, InternetReachable: vuln.Yes, LikelyExploitable: vuln.Yes,
	}
	ds, err := vuln.DueAll([]vuln.Finding{f}, []vuln.Policy{vuln.FedRAMPRev5(), vuln.VDRPolicy{Class: "B"}, vuln.KEVPolicy{}, vuln.BODPolicy{}}, nil)
	for _, d := range ds {
		fmt.Println(d.Policy, d)
	}
	fmt.Println(ds[0].Forensic, err)
	// Output:
	// BOD 26-04 2026-12-11
	// FedRAMP VDR 2026-12-20T00:00:00Z
	// KEV catalog 2026-12-22
	// FedRAMP Rev5 2027-01-09
	// true <nil>
}

// Facts that improve do not move a deadline back.
func ExampleDue() {
	exposed := vuln.Finding{At: time.Date(2026, 12, 7, 0, 0, 0, 0, time.UTC), KEV: vuln.Yes, Exposed: vuln.Yes, Automatable: vuln.Yes, TechnicalImpact: "total"}
	hidden := exposed
	hidden.At, hidden.Exposed, hidden.TechnicalImpact = time.Date(2026, 12, 8, 0, 0, 0, 0, time.UTC), vuln.No, "partial"
	d, err := vuln.Due([]vuln.Finding{exposed, hidden}, vuln.BODPolicy{StartAtFacts: true}, nil)
	fmt.Println(d, err)
	// Output: 2026-12-10 <nil>
}

func ExampleCalendar_AddBusinessDays() {
	c := vuln.Calendar{Holidays: vuln.FederalHolidays(2026, 2027)}
	d, err := c.AddBusinessDays(vuln.Date{Year: 2026, Month: 12, Day: 24}, 1)
	fmt.Println(d, d.Weekday(), err)
	// Output: 2026-12-28 Monday <nil>
}

func ExamplePrioritize() {
	vector := func(s string) vuln.Vector {
		v, err := vuln.ParseVector(s)
		if err != nil {
			panic(err)
		}
		return v
	}
	ranked, err := vuln.Prioritize([]vuln.Candidate{
		{ID: "CVE-2026-90002", CVSS: vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")},
		{ID: "CVE-2026-90001", Deadline: vuln.Deadline{Policy: "BOD 26-04", Date: vuln.Date{Year: 2026, Month: 12, Day: 11}}},
	}, nil)
	for _, r := range ranked {
		fmt.Println(r.Priority, r.ID, r.Reason)
	}
	fmt.Println(err)
	// Output:
	// 1 CVE-2026-90001 the first
	// 2 CVE-2026-90002 after CVE-2026-90001: deadline none, there 2026-12-11
	// <nil>
}
