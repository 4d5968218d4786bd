package vendors

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// load decodes a file of the corpus.
func load(tb testing.TB, v any, elem ...string) {
	tb.Helper()
	require.NoError(tb, json.Unmarshal(corpus.Read(tb, elem...), v))
}

func date(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func at(s string) time.Time { return date(s).In(time.UTC) }

// exposureCase is an exposure as the corpus writes it.
type exposureCase struct {
	Function *int
	Data     string
	Records  *int64
	Access   *struct{ Network, Privileged, Physical, SourceCode bool }

	Substitutability string
	Regulated        []string
}

func (c exposureCase) exposure() Exposure {
	e := Exposure{Function: c.Function, Data: c.Data, Records: c.Records, Substitutability: c.Substitutability, Regulated: c.Regulated}
	if c.Access != nil {
		e.Access = &Access{c.Access.Network, c.Access.Privileged, c.Access.Physical, c.Access.SourceCode}
	}
	return e
}

type tieringFile struct {
	Scheme json.RawMessage
	Cases  []struct {
		ID       string
		Exposure exposureCase
		Expected struct {
			Tier    Tier
			Reasons []string
		}
		Error bool
	}
}

func TestTieringCorpus(t *testing.T) {
	var file tieringFile
	load(t, &file, "vendors", "engagements", "tiering.json")
	require.Len(t, file.Cases, 12)
	read, err := ReadScheme(strings.NewReader(string(file.Scheme)))
	require.NoError(t, err)
	for _, s := range []*Scheme{read, DefaultScheme()} {
		for _, c := range file.Cases {
			t.Run(s.ID()+"/"+c.ID, func(t *testing.T) {
				got, err := s.Tier(c.Exposure.exposure(), &TierOptions{Unknown: LeftOut})
				if c.Error {
					require.ErrorIs(t, err, ErrValue)
					require.Equal(t, Tiering{}, got)
					return
				}
				require.NoError(t, err)
				require.Equal(t, c.Expected.Tier, got.Tier)
				reasons := []string{}
				for _, r := range got.Reasons {
					reasons = append(reasons, r.Factor)
				}
				require.Equal(t, c.Expected.Reasons, reasons)
			})
		}
	}
	// The built-in scheme is the one of the corpus.
	read.id = DefaultScheme().id
	require.Equal(t, DefaultScheme(), read)
}

func TestCadenceCorpus(t *testing.T) {
	var file struct {
		Cadence map[Tier]struct {
			Every                           *Span
			Instruments, Documents, Clauses []string
		}
		Cases []struct {
			Tier      Tier
			Last, Now string
			Expected  struct{ Next, State *string }
		}
	}
	load(t, &file, "vendors", "engagements", "cadence.json")
	read := Cadence{}
	list := func(s []string) []string {
		if len(s) == 0 {
			return nil
		}
		return s
	}
	for tier, r := range file.Cadence {
		req := Requirement{Instruments: list(r.Instruments), Documents: list(r.Documents), Clauses: list(r.Clauses)}
		if r.Every != nil {
			req.Every = *r.Every
		}
		read[tier] = req
	}
	require.Equal(t, DefaultCadence(), read)
	require.Len(t, file.Cases, 7)
	for _, c := range file.Cases {
		t.Run(c.Last+" "+c.Now, func(t *testing.T) {
			got, err := read.Next(c.Tier, date(c.Last), at(c.Now))
			require.NoError(t, err)
			var want Due
			if c.Expected.Next != nil {
				want.Next = date(*c.Expected.Next)
				require.NoError(t, want.State.UnmarshalText([]byte(*c.Expected.State)))
			}
			require.Equal(t, want, got)
		})
	}
}

type clausesFile struct {
	OurDuties []struct {
		ID    string
		Hours int
	}
	MarginHours int
	Cases       []struct {
		ID      string
		Tier    Tier
		Clauses []struct {
			Kind   string
			Within *struct {
				Amount int
				Unit   string
			}
		}
		Expected []struct {
			Clause       string
			Gap          GapKind
			AllowedHours int
		}
	}
}

func TestClausesCorpus(t *testing.T) {
	var file clausesFile
	load(t, &file, "vendors", "engagements", "clauses.json")
	var duties []Duty
	for _, d := range file.OurDuties {
		duties = append(duties, Duty{d.ID, Span{d.Hours, Hours}})
	}
	require.Len(t, file.Cases, 6)
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			var k Contract
			for _, cl := range c.Clauses {
				clause := Clause{Kind: cl.Kind}
				if cl.Within != nil {
					unit, ok := unitNames.find(cl.Within.Unit)
					require.True(t, ok)
					clause.Within = &Span{cl.Within.Amount, Unit(unit)}
				}
				k.Clauses = append(k.Clauses, clause)
			}
			var want []Gap
			for _, g := range c.Expected {
				want = append(want, Gap{Clause: g.Clause, Kind: g.Gap, Allowed: time.Duration(g.AllowedHours) * time.Hour})
			}
			got := ClauseGaps(k, DefaultCadence()[c.Tier], duties, &ClauseOptions{Margin: time.Duration(file.MarginHours) * time.Hour})
			require.Equal(t, want, got)
			require.Equal(t, want, ClauseGaps(k, DefaultCadence()[c.Tier], duties, nil), "the default margin is that of the corpus")
		})
	}
}

func TestDocumentsCorpus(t *testing.T) {
	var file struct {
		Limits Limits
		Cases  []struct {
			ID       string
			Document struct {
				Type                                             string
				PeriodStart, PeriodEnd, ValidUntil, Issued, AsOf Date
			}
			On       Date
			Expected struct {
				BridgeDays *int
				State      string
			}
		}
	}
	load(t, &file, "vendors", "engagements", "documents.json")
	require.Len(t, file.Cases, 8)
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			d := Document{
				ID: c.ID, Type: c.Document.Type, PeriodStart: c.Document.PeriodStart, PeriodEnd: c.Document.PeriodEnd,
				ValidUntil: c.Document.ValidUntil, Issued: c.Document.Issued, AsOf: c.Document.AsOf,
			}
			for _, limits := range []Limits{file.Limits, {}} {
				got, err := d.Coverage(c.On, limits)
				if c.Expected.State == "error" {
					require.ErrorIs(t, err, ErrValue)
					require.Equal(t, Coverage{}, got)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, c.Expected.BridgeDays, got.Bridge)
				require.Equal(t, c.Expected.State, got.State.String())
			}
		})
	}
}

func TestMachineCorpus(t *testing.T) {
	var file struct {
		Initial Status
		Moves   map[Status][]Status
		Guards  map[string][]string
		Pairs   struct{ Allowed, Rejected int }
	}
	load(t, &file, "vendors", "engagements", "engagement-machine.json")
	require.Equal(t, Proposed, file.Initial)

	// Facts for which every guard holds.
	all := Facts{
		Now: at("2026-06-30"),
		Assessment: &Assessment{
			Decision: DecisionConditional, Expires: date("2026-06-30"),
			Conditions: []Condition{{ID: "c", Owner: "o", Due: date("2026-06-30")}},
		},
		Contract: &Contract{Start: date("2026-06-30"), End: date("2026-06-30")},
		Gaps:     []Gap{{Clause: "exit", Kind: ClauseMissing, Waived: date("2026-06-30")}},
		Exit:     Exit{"certificate", true, true, true},
		Reason:   "reason", Request: "request",
	}
	actor := Actor{"a", []string{"requester", "vendor-manager", "approver"}}
	allowed, rejected := 0, 0
	for from := Proposed; from <= Terminated; from++ {
		for to := Proposed; to <= Terminated; to++ {
			e := Engagement{ID: "e", Status: from}
			got, err := Move(e, to, actor, all)
			switch {
			case slices.Contains(file.Moves[from], to):
				allowed++
				require.NoError(t, err)
				e.Status = to
				require.Equal(t, e, got)
			default:
				require.Equal(t, &MoveError{Engagement: "e", From: from, To: to}, err)
				if from != to { // the corpus counts pairs of different states
					rejected++
				}
			}
			require.Equal(t, slices.Contains(from.Next(), to), err == nil)
		}
	}
	require.Equal(t, file.Pairs.Allowed, allowed)
	require.Equal(t, file.Pairs.Rejected, rejected)

	// Without facts, exactly the guards of the corpus stand against each move.
	for from, tos := range file.Moves {
		for _, to := range tos {
			want := slices.Concat(file.Guards[to.String()], file.Guards[to.String()+" from "+from.String()])
			bad := Facts{Now: all.Now, Gaps: []Gap{{Clause: "exit"}}}
			if to == Active {
				bad.Assessment = &Assessment{Conditions: []Condition{{ID: "late", Due: date("2026-06-29")}}}
			}
			_, err := Move(Engagement{ID: "e", Status: from}, to, actor, bad)
			if len(want) == 0 {
				require.NoError(t, err)
				continue
			}
			require.Equal(t, &MoveError{Engagement: "e", From: from, To: to, Missing: want}, err)
		}
	}
	require.Equal(t, []string{"active", "active from exiting", "conditional", "proposed from rejected", "terminated"}, slices.Sorted(maps.Keys(file.Guards)))
}

type chain struct {
	Self      string
	Edges     [][2]string
	Functions map[string][]string
}

func (c chain) graph(tb testing.TB) *Graph {
	g, err := NewGraph(c.Self, func(yield func(Edge) bool) {
		for _, e := range c.Edges {
			if !yield(Edge{e[0], e[1]}) {
				return
			}
		}
	})
	require.NoError(tb, err)
	return g
}

func TestSupplyChainCorpus(t *testing.T) {
	var file struct {
		Graph    chain
		Expected struct {
			Rank                              map[string]int
			FunctionsDependingOn              map[string][]string
			SharedNodes, SinglePointOfFailure []string
			HHIOfDirectVendorsByFunction      float64
			Cycles                            [][]string
		}
		Cyclic struct {
			chain
			Expected struct {
				Cycles [][]string
				Rank   map[string]int
			}
		}
	}
	load(t, &file, "vendors", "engagements", "supply-chain.json")
	g := file.Graph.graph(t)
	require.Equal(t, file.Expected.Rank, g.Ranks())
	c, err := g.Concentration(file.Graph.Functions)
	require.NoError(t, err)
	require.Equal(t, file.Expected.FunctionsDependingOn, c.Functions)
	require.Equal(t, file.Expected.SharedNodes, c.Shared)
	require.Equal(t, file.Expected.SinglePointOfFailure, c.SinglePoints)
	require.Equal(t, file.Expected.HHIOfDirectVendorsByFunction, *c.HHI)
	cycles, more := g.Cycles(0)
	require.Empty(t, file.Expected.Cycles)
	require.Empty(t, cycles)
	require.False(t, more)

	g = file.Cyclic.graph(t)
	cycles, more = g.Cycles(0)
	require.Equal(t, file.Cyclic.Expected.Cycles, cycles)
	require.False(t, more)
	require.Equal(t, file.Cyclic.Expected.Rank, g.Ranks())
}

func TestLEICorpus(t *testing.T) {
	var file struct {
		Vectors []struct {
			LEI                  string
			Pattern, CheckDigits bool
		}
	}
	load(t, &file, "vendors", "dora", "lei.json")
	require.Len(t, file.Vectors, 15)
	for _, v := range file.Vectors {
		require.Equal(t, v.Pattern && v.CheckDigits, validLEI(v.LEI), v.LEI)
	}
}
