package vuln

// Decision points and tables of SSVC: repository CERTCC/SSVC, commit e3b00a25,
// data/json/decision_points and data/json/decision_tables. The notice of their
// licence is in NOTICE.

// ssvcPoints has a line per decision point: id|name|values, the lowest first.
const ssvcPoints = `
cisa:BOD2604:1.0.0|CISA BOD 26-04 Remediation Timelines|FSU=Fix on system upgrade,60D=60 days,14D=14 days,3D=3 days,3DF=3 days & forensic investigation
cisa:CISA:1.1.0|CISA Levels|T=Track,T*=Track*,AT=Attend,AC=Act
cisa:KEV:1.0.0|In KEV|N=No,Y=Yes
cisa:PE:1.0.0|Publicly Exposed|N=No,Y=Yes
ssvc:A:2.0.0|Automatable|N=No,Y=Yes
ssvc:DSOI:1.0.0|Defer, Scheduled, Out-of-Cycle, Immediate|D=Defer,S=Scheduled,O=Out-of-Cycle,I=Immediate
ssvc:E:1.1.0|Exploitation|N=None,P=Public PoC,A=Active
ssvc:EXP:1.0.1|System Exposure|S=Small,C=Controlled,O=Open
ssvc:HI:2.0.2|Human Impact|L=Low,M=Medium,H=High,VH=Very High
ssvc:MI:2.0.0|Mission Impact|D=Degraded,MSC=MEF Support Crippled,MEF=MEF Failure,MF=Mission Failure
ssvc:MWI:1.0.0|Mission and Well-Being Impact|L=Low,M=Medium,H=High
ssvc:PSI:2.0.1|Public Safety Impact|M=Minimal,S=Significant
ssvc:SI:2.0.1|Safety Impact|N=Negligible,M=Marginal,R=Critical,C=Catastrophic
ssvc:TI:1.0.0|Technical Impact|P=Partial,T=Total
ssvc:U:1.0.1|Utility|L=Laborious,E=Efficient,S=Super Effective
ssvc:VD:1.0.0|Value Density|D=Diffuse,C=Concentrated
`

// ssvcTables has the outcomes of each table over all combinations of its points,
// the last point changing fastest.
var ssvcTables = []struct{ short, id, name, points, outcome, cells string }{
	{"coordinator", "cisa:DT_CO:2.0.3", "CISA Coordinator", "ssvc:E:1.1.0 ssvc:A:2.0.0 ssvc:TI:1.0.0 ssvc:MWI:1.0.0", "cisa:CISA:1.1.0", `
T T T T T T*
T T AT T T AT
T T T* T T* AT
T T AT T T* AT
T T AT T AT AC
AT AT AC AT AC AC
`},
	{"deployer", "ssvc:DT_DP:1.0.0", "Deployer Patch Application Priority", "ssvc:E:1.1.0 ssvc:EXP:1.0.1 ssvc:A:2.0.0 ssvc:HI:2.0.2", "ssvc:DSOI:1.0.0", `
D D S S D S S S
D S S S S S S S
D S S S S S S O
D S S S S S S S
D S S S S S S O
S S S O S S O O
S S O O S O O O
S S O O O O O O
S O O I O O I I
`},
	{"supplier", "ssvc:DT_SP:1.0.0", "Supplier Patch Development Priority", "ssvc:E:1.1.0 ssvc:U:1.0.1 ssvc:TI:1.0.0 ssvc:PSI:2.0.1", "ssvc:DSOI:1.0.0", `
D S S O
S O S O
S O O O
S O S I
S I O I
O I O I
O I O I
O I O I
I I I I
`},
	{"human-impact", "ssvc:DT_HI:1.0.0", "Human Impact", "ssvc:SI:2.0.1 ssvc:MI:2.0.0", "ssvc:HI:2.0.2", `
L L M VH L L M VH M H H VH VH VH VH VH
`},
	{"utility", "ssvc:DT_U:1.0.0", "Utility", "ssvc:A:2.0.0 ssvc:VD:1.0.0", "ssvc:U:1.0.1", `
L E E S
`},
	{"bod-26-04", "cisa:DT_BOD2604:1.0.0", "CISA BOD 26-04", "cisa:KEV:1.0.0 cisa:PE:1.0.0 ssvc:A:2.0.0 ssvc:TI:1.0.0", "cisa:BOD2604:1.0.0", `
FSU FSU 60D 60D
60D 14D 14D 3D
14D 14D 14D 3DF
14D 3DF 3D 3DF
`},
}
