package vuln

import (
	"strings"
)

// A CVSSVersion is a version of the Common Vulnerability Scoring System.
type CVSSVersion uint8

// The versions.
const (
	CVSS20 CVSSVersion = iota + 1
	CVSS30
	CVSS31
	CVSS40
)

var versionNames = []string{CVSS20: "2.0", CVSS30: "3.0", CVSS31: "3.1", CVSS40: "4.0"}

func (v CVSSVersion) String() string { return enumName(v, versionNames, "CVSSVersion") }

func (v CVSSVersion) MarshalText() ([]byte, error) { return enumText(v, versionNames, "CVSSVersion") }

func (v *CVSSVersion) UnmarshalText(text []byte) error { return enumParse(v, versionNames, text) }

// A Metric is one metric of a vector in words.
type Metric struct {
	Group   string // "base", "temporal" (4.0: "threat"), "environmental", "supplemental"
	Name    string // e.g. "AV"
	Label   string // e.g. "Attack Vector"
	Value   string // e.g. "N"
	Meaning string // e.g. "Network"
}

// A standard is what a version says of its metrics. The values of a metric are
// counted from 1 in the order of the tables below, the most severe first but for
// the exploit maturity, remediation and confidence of old versions; 0 is not
// defined.
type standard struct {
	prefix    string
	undefined string // the value that stands for "not defined"
	ordered   bool   // metrics come in the order of the standard
	base      int    // so many metrics come first and are mandatory
	metrics   []metric
}

type metric struct {
	group, name, label string
	packed             uint64    // name
	codes              [6]uint64 // values, packed
	values             []value
	group1, groupN     int // first metric of its group and the first after it
}

type value struct{ code, meaning string }

// code returns the value that a packed text is, 0 for none.
func (m *metric) code(packed uint64) uint8 {
	for k, c := range m.codes {
		if c == packed && c != 0 {
			return uint8(k + 1)
		}
	}
	return 0
}

// pack makes a number of a short text, so that comparing is one instruction. The
// leading 1 keeps texts of different lengths apart; longer ones give 0.
func pack(s string) uint64 {
	if len(s) > 7 {
		return 0
	}
	x := uint64(1)
	for i := range len(s) {
		x = x<<8 | uint64(s[i])
	}
	return x
}

// newStandard reads a table: a line per metric, "group|name|label|code=meaning,...".
func newStandard(prefix, undefined string, ordered bool, table string) *standard {
	s := &standard{prefix: prefix, undefined: undefined, ordered: ordered}
	for line := range strings.Lines(strings.TrimSpace(table)) {
		f := strings.Split(strings.TrimSpace(line), "|")
		m := metric{group: f[0], name: f[1], label: f[2], packed: pack(f[1])}
		for v := range strings.SplitSeq(f[3], ",") {
			code, meaning, _ := strings.Cut(v, "=")
			m.codes[len(m.values)] = pack(code)
			m.values = append(m.values, value{code, meaning})
		}
		if m.group == "base" {
			s.base++
		}
		s.metrics = append(s.metrics, m)
	}
	for i := range s.metrics {
		for j := range s.metrics {
			if s.metrics[j].group == s.metrics[i].group {
				s.metrics[i].groupN = j + 1
			}
		}
		for s.metrics[s.metrics[i].group1].group != s.metrics[i].group {
			s.metrics[i].group1++
		}
	}
	return s
}

// standards by version. Metrics, values and their words: CVSS v2.0 guide,
// sections 2.1 to 2.3; v3.0 and v3.1 specification, sections 2 to 4 and 6; v4.0
// specification, sections 2 to 5 and 7. CVSS is owned by FIRST and used by
// permission.
var standards = [...]*standard{
	CVSS20: newStandard("", "ND", true, `
base|AV|Access Vector|L=Local,A=Adjacent Network,N=Network
base|AC|Access Complexity|H=High,M=Medium,L=Low
base|Au|Authentication|M=Multiple,S=Single,N=None
base|C|Confidentiality Impact|N=None,P=Partial,C=Complete
base|I|Integrity Impact|N=None,P=Partial,C=Complete
base|A|Availability Impact|N=None,P=Partial,C=Complete
temporal|E|Exploitability|U=Unproven,POC=Proof-of-Concept,F=Functional,H=High
temporal|RL|Remediation Level|OF=Official Fix,TF=Temporary Fix,W=Workaround,U=Unavailable
temporal|RC|Report Confidence|UC=Unconfirmed,UR=Uncorroborated,C=Confirmed
environmental|CDP|Collateral Damage Potential|N=None,L=Low,LM=Low-Medium,MH=Medium-High,H=High
environmental|TD|Target Distribution|N=None,L=Low,M=Medium,H=High
environmental|CR|Confidentiality Requirement|L=Low,M=Medium,H=High
environmental|IR|Integrity Requirement|L=Low,M=Medium,H=High
environmental|AR|Availability Requirement|L=Low,M=Medium,H=High
`),
	CVSS30: newStandard("CVSS:3.0/", "X", false, metrics3),
	CVSS31: newStandard("CVSS:3.1/", "X", false, metrics3),
	CVSS40: newStandard("CVSS:4.0/", "X", true, `
base|AV|Attack Vector|N=Network,A=Adjacent,L=Local,P=Physical
base|AC|Attack Complexity|L=Low,H=High
base|AT|Attack Requirements|N=None,P=Present
base|PR|Privileges Required|N=None,L=Low,H=High
base|UI|User Interaction|N=None,P=Passive,A=Active
base|VC|Confidentiality Impact to the Vulnerable System|H=High,L=Low,N=None
base|VI|Integrity Impact to the Vulnerable System|H=High,L=Low,N=None
base|VA|Availability Impact to the Vulnerable System|H=High,L=Low,N=None
base|SC|Confidentiality Impact to the Subsequent System|H=High,L=Low,N=None
base|SI|Integrity Impact to the Subsequent System|H=High,L=Low,N=None
base|SA|Availability Impact to the Subsequent System|H=High,L=Low,N=None
threat|E|Exploit Maturity|A=Attacked,P=Proof-of-Concept,U=Unreported
environmental|CR|Confidentiality Requirement|H=High,M=Medium,L=Low
environmental|IR|Integrity Requirement|H=High,M=Medium,L=Low
environmental|AR|Availability Requirement|H=High,M=Medium,L=Low
environmental|MAV|Modified Attack Vector|N=Network,A=Adjacent,L=Local,P=Physical
environmental|MAC|Modified Attack Complexity|L=Low,H=High
environmental|MAT|Modified Attack Requirements|N=None,P=Present
environmental|MPR|Modified Privileges Required|N=None,L=Low,H=High
environmental|MUI|Modified User Interaction|N=None,P=Passive,A=Active
environmental|MVC|Modified Confidentiality Impact to the Vulnerable System|H=High,L=Low,N=None
environmental|MVI|Modified Integrity Impact to the Vulnerable System|H=High,L=Low,N=None
environmental|MVA|Modified Availability Impact to the Vulnerable System|H=High,L=Low,N=None
environmental|MSC|Modified Confidentiality Impact to the Subsequent System|H=High,L=Low,N=Negligible
environmental|MSI|Modified Integrity Impact to the Subsequent System|S=Safety,H=High,L=Low,N=Negligible
environmental|MSA|Modified Availability Impact to the Subsequent System|S=Safety,H=High,L=Low,N=Negligible
supplemental|S|Safety|N=Negligible,P=Present
supplemental|AU|Automatable|N=No,Y=Yes
supplemental|R|Recovery|A=Automatic,U=User,I=Irrecoverable
supplemental|V|Value Density|D=Diffuse,C=Concentrated
supplemental|RE|Vulnerability Response Effort|L=Low,M=Moderate,H=High
supplemental|U|Provider Urgency|Clear=Clear,Green=Green,Amber=Amber,Red=Red
`),
}

const metrics3 = `
base|AV|Attack Vector|N=Network,A=Adjacent,L=Local,P=Physical
base|AC|Attack Complexity|L=Low,H=High
base|PR|Privileges Required|N=None,L=Low,H=High
base|UI|User Interaction|N=None,R=Required
base|S|Scope|U=Unchanged,C=Changed
base|C|Confidentiality|H=High,L=Low,N=None
base|I|Integrity|H=High,L=Low,N=None
base|A|Availability|H=High,L=Low,N=None
temporal|E|Exploit Code Maturity|H=High,F=Functional,P=Proof-of-Concept,U=Unproven
temporal|RL|Remediation Level|U=Unavailable,W=Workaround,T=Temporary Fix,O=Official Fix
temporal|RC|Report Confidence|C=Confirmed,R=Reasonable,U=Unknown
environmental|CR|Confidentiality Requirement|H=High,M=Medium,L=Low
environmental|IR|Integrity Requirement|H=High,M=Medium,L=Low
environmental|AR|Availability Requirement|H=High,M=Medium,L=Low
environmental|MAV|Modified Attack Vector|N=Network,A=Adjacent,L=Local,P=Physical
environmental|MAC|Modified Attack Complexity|L=Low,H=High
environmental|MPR|Modified Privileges Required|N=None,L=Low,H=High
environmental|MUI|Modified User Interaction|N=None,R=Required
environmental|MS|Modified Scope|U=Unchanged,C=Changed
environmental|MC|Modified Confidentiality|H=High,L=Low,N=None
environmental|MI|Modified Integrity|H=High,L=Low,N=None
environmental|MA|Modified Availability|H=High,L=Low,N=None
`
