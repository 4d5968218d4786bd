package vendors

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMeasureSample: every number is counted by hand in the sample.
func TestMeasureSample(t *testing.T) {
	m, err := sample(t).Measure("us", nil, at("2026-06-30"))
	require.NoError(t, err)
	require.Equal(t, Measures{
		On: date("2026-06-30"),
		Tiers: []TierCount{
			{Tier: 1, Total: 1, InUse: 1, Scheduled: 1}, // payments: 2026-02-20 and 6 months
			{Tier: 2, Total: 1, InUse: 1, Overdue: 1},   // hosting: 2025-05-06 and a year
			{Tier: 3, Total: 1},                         // letters are not in use yet
			{Tier: 4},
		},
		OnTime: 1, Late: 1,
		OpenIssues:       []Aged{{30, 0}, {90, 0}, {180, 0}, {0, 1}},
		BridgeNeeded:     []string{"paywell-soc2-2025"}, // 91 days
		MissingDocuments: []string{"hosting soc2-type2"},
		ClauseGaps: map[string][]Gap{"northrack-2024": {
			{Clause: "breach-notification", Kind: ClauseTooSlow, Allowed: 20 * time.Hour},
			{Clause: "exit", Kind: ClauseMissing, Waived: date("2026-12-31")},
		}},
		Waivers: 1, OpenConditions: 1,
		DaysToDecision: new((38.0 + 39.0) / 2), // 2025-01-07 to 2025-02-14, 2024-02-01 to 2024-03-11
		ExitTested:     new(0.5),
		Concentration: Concentration{
			Functions: map[string][]string{
				"paywell": {"ordering"}, "northrack": {"delivery-tracking", "ordering"},
				"coldhall": {"delivery-tracking", "ordering"}, "lettermill": {"delivery-tracking"},
			},
			Shared: []string{"coldhall", "northrack"},
			HHI:    new(0.375),
			Direct: map[string]int{"paywell": 1, "northrack": 2, "lettermill": 1},
		},
		Spend: []Money{{4080000, "EUR"}},
	}, m)
}

func TestDeadlinesSample(t *testing.T) {
	got, err := sample(t).Deadlines(nil, at("2026-06-30"))
	require.NoError(t, err)
	require.Equal(t, []Deadline{
		{"reassessment", "payments", date("2026-08-20")},
		{"contract-end", "paywell-2025", date("2027-02-28")},
		{"contract-notice", "paywell-2025", date("2026-11-28")},
		{"decision-expiry", "payments-2026-1", date("2026-08-31")},
		{"document-expiry", "paywell-soc2-2025", date("2027-03-31")},
		{"document-expiry", "paywell-pentest-2026", date("2027-02-10")},
		{"reassessment", "hosting", date("2026-05-06")},
		{"contract-end", "northrack-2024", date("2027-03-31")},
		{"contract-notice", "northrack-2024", date("2026-09-30")},
		{"waiver-expiry", "northrack-2024 exit", date("2026-12-31")},
		{"decision-expiry", "hosting-2025", date("2026-09-30")},
		{"condition", "hosting-2025 named-accounts", date("2026-09-30")},
		{"document-expiry", "northrack-iso27001", date("2027-01-31")},
	}, got)
}

func TestMeasureErrors(t *testing.T) {
	p := sample(t)
	p.Engagements[1].Exposure.Data = "secret"
	_, err := p.Measure("us", nil, at("2026-06-30"))
	require.ErrorIs(t, err, ErrValue)
	require.Equal(t, "/engagements/1/exposure/data", err.(Problems)[0].Pointer)
	require.Equal(t, "hosting", err.(Problems)[0].ID)
	_, err = p.Deadlines(nil, at("2026-06-30"))
	require.ErrorIs(t, err, ErrValue)
	_, err = ToOSCAL(p, nil)
	require.ErrorIs(t, err, ErrValue)
	p.Vendors = nil
	_, err = p.Measure("us", nil, at("2026-06-30"))
	require.ErrorIs(t, err, ErrReference)
	_, err = (&Portfolio{}).Measure("us", nil, at("2026-06-30"))
	require.NoError(t, err)
}
