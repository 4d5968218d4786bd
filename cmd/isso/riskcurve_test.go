package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/risk/fair"
)

func TestTicks(t *testing.T) {
	labels := func(lo, hi float64) string {
		var out []string
		for _, x := range ticks(lo, hi, plotWidth) {
			out = append(out, x.label)
		}
		return strings.Join(out, " ")
	}
	for _, tt := range []struct {
		name   string
		lo, hi float64
		want   string
	}{
		{"one step of 1, 2, 5", 1.2e6, 1.9e6, "1.2M 1.4M 1.6M 1.8M"},
		{"two decades", 900, 1.1e5, "1k 2k 5k 10k 20k 50k 100k"},
		{"narrow", 999.5, 1010.5, "1k 1.002k 1.004k 1.006k 1.008k 1.01k"},
		{"many decades", 0.5, 2e18, "1 100 10k 1M 100M 10G 1T 100T 1e16 1e18"},
		{"small", 2e-9, 3e-7, "2e-09 5e-09 1e-08 2e-08 5e-08 1e-07 2e-07"},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, labels(tt.lo, tt.hi)) })
	}
	g := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		lo := math.Pow(10, g.Float64()*24-6)
		hi := lo * (1 + math.Pow(10, g.Float64()*16-5))
		list := ticks(lo, hi, plotWidth)
		require.GreaterOrEqual(t, len(list), 2, "%v %v", lo, hi)
		for i, x := range list {
			require.True(t, x.loss >= lo && x.loss <= hi, "%v %v %v", lo, hi, x)
			if i > 0 {
				apart := math.Log10(x.loss/list[i-1].loss) / math.Log10(hi/lo) * plotWidth
				require.Greater(t, apart, 3.3*float64(len(x.label)+len(list[i-1].label)), "%v %v: %v", lo, hi, list)
				require.NotEqual(t, x.label, list[i-1].label)
			}
		}
	}
}

// TestDrawCurve: of losses near and far, rare and of one amount the curve can be read.
func TestDrawCurve(t *testing.T) {
	for _, tt := range []struct{ name, frequency, magnitude string }{
		{"narrow", "{at-most-once: 0.4}", "{pert: {min: 1200000, mode: 1400000, max: 1900000}}"},
		{"wide", "{poisson: 5}", "{lognormal: {lo: 1, hi: 1.0e12}}"},
		{"rare", "{at-most-once: 0.0008}", "{lognormal: {lo: 100, hi: 1000}}"},
		{"constant", "{at-most-once: 0.4}", "1000"},
		{"discrete", "{at-most-once: 0.4}", "{empirical: [1000, 1010]}"},
		{"far apart", "{poisson: 1}", "{mixture: [{weight: 40, distribution: {uniform: {min: 10, max: 20}}}, {weight: 1, distribution: 5000}]}"},
		{"common", "{poisson: 3}", "{lognormal: {lo: 1000, hi: 200000}}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := parseModel("x", []byte("title: "+strings.Repeat("Long title ", 30)+"\nscenarios: [{id: a, frequency: "+tt.frequency+", losses: [{form: response, magnitude: "+tt.magnitude+"}]}]"))
			require.NoError(t, err)
			r, err := fair.Simulate(context.Background(), m.portfolio, &fair.Options{Years: 20_000})
			require.NoError(t, err)
			var svg struct {
				Title string `xml:"title"`
				Texts []text `xml:"text"`
				Marks []struct {
					Texts []text `xml:"text"`
				} `xml:"g"`
				Lines []struct {
					X      float64 `xml:"x1,attr"`
					Y1     float64 `xml:"y1,attr"`
					Y2     float64 `xml:"y2,attr"`
					Dashed string  `xml:"stroke-dasharray,attr"`
				} `xml:"line"`
				Paths []struct {
					D    string `xml:"d,attr"`
					Fill string `xml:"fill,attr"`
				} `xml:"path"`
			}
			require.NoError(t, xml.Unmarshal(drawCurve(m, r), &svg))
			require.Contains(t, svg.Title, strings.TrimSpace(m.Title), "the whole title is there for those who ask")
			for _, x := range svg.Texts { // one is turned, and placed so
				lo, hi := x.ends()
				require.True(t, x.X == 0 || lo >= -15 && hi <= curveWidth+15, "%v is cut off", x)
			}
			atAxis := 0
			for _, x := range svg.Texts {
				if x.Y == curveHeight-curveBottom+18 {
					atAxis++
				}
			}
			require.GreaterOrEqual(t, atAxis, 2)
			require.Equal(t, tt.name == "rare", len(svg.Marks) == 0)
			for _, m := range svg.Marks {
				lo, hi := m.Texts[0].ends()
				for _, l := range svg.Lines {
					crosses := l.X > lo && l.X < hi && min(l.Y1, l.Y2) < m.Texts[0].Y && max(l.Y1, l.Y2) > m.Texts[0].Y-9
					require.False(t, l.Dashed != "" && crosses, "a line at %v crosses %v", l.X, m.Texts[0])
				}
			}

			// The curve uses the height there is, and never rises.
			curve := svg.Paths[1]
			require.Equal(t, "none", curve.Fill)
			var points [][2]float64
			for _, p := range regexp.MustCompile(`[ML]([0-9.]+) ([0-9.]+)`).FindAllStringSubmatch(curve.D, -1) {
				x, _ := strconv.ParseFloat(p[1], 64)
				y, _ := strconv.ParseFloat(p[2], 64)
				points = append(points, [2]float64{x, y})
			}
			require.Less(t, points[0][1], curveTop+0.62*plotHeight)
			upright := 0.0
			for i := 1; i < len(points); i++ {
				require.GreaterOrEqual(t, points[i][1], points[i-1][1])
				if points[i][0]-points[i-1][0] < 0.3 {
					upright += points[i][1] - points[i-1][1]
				}
			}
			if tt.name == "constant" || tt.name == "discrete" {
				require.Greater(t, upright, 0.98*(points[len(points)-1][1]-points[0][1]), "steps are upright")
			}
		})
	}
}

// A text of a picture.
type text struct {
	X      float64 `xml:"x,attr"`
	Y      float64 `xml:"y,attr"`
	Anchor string  `xml:"text-anchor,attr"`
	Size   float64 `xml:"font-size,attr"`
	Text   string  `xml:",chardata"`
}

// ends are about where the text begins and ends.
func (x text) ends() (lo, hi float64) {
	width := 0.56 * x.Size * float64(len([]rune(x.Text)))
	switch x.Anchor {
	case "end":
		return x.X - width, x.X
	case "middle":
		return x.X - width/2, x.X + width/2
	}
	return x.X, x.X + width
}

func (x text) String() string { return fmt.Sprintf("%q at %v %v", x.Text, x.X, x.Y) }
