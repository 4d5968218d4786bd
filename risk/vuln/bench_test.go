package vuln

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"testing"
	"time"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"
	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// beside runs two functions in turns for as long as the benchmark asks and
// reports how many times as long the second takes.
func beside(b *testing.B, ours, theirs func()) {
	b.ReportAllocs()
	var own, peer time.Duration
	for b.Loop() {
		t0 := time.Now()
		ours()
		t1 := time.Now()
		theirs()
		own, peer = own+t1.Sub(t0), peer+time.Since(t1)
	}
	b.ReportMetric(float64(own.Nanoseconds())/float64(b.N), "own-ns/op")
	b.ReportMetric(float64(peer)/float64(own), "times-peer")
}

// BenchmarkCVSS parses and scores a thousand times beside go-cvss.
func BenchmarkCVSS(b *testing.B) {
	var sink float64
	peers := []func(string){
		func(s string) { v, _ := gocvss20.ParseVector(s); sink += v.EnvironmentalScore() },
		func(s string) { v, _ := gocvss31.ParseVector(s); sink += v.EnvironmentalScore() },
		func(s string) { v, _ := gocvss40.ParseVector(s); sink += v.Score() },
	}
	for i, s := range benchVectors {
		b.Run([]string{"2.0", "3.1", "4.0"}[i], func(b *testing.B) {
			beside(b, func() {
				for range 1000 {
					v, _ := ParseVector(s)
					sink += float64(v.Score())
				}
			}, func() {
				for range 1000 {
					peers[i](s)
				}
			})
		})
	}
}

// BenchmarkEPSS reads 300,000 rows beside a plain loop over encoding/csv into a
// map.
func BenchmarkEPSS(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("#model_version:v2026.06.15,score_date:2026-08-01T00:00:00Z\ncve,epss,percentile\n")
	for i := range 300_000 {
		fmt.Fprintf(&text, "CVE-%d-%04d,0.%05d,0.%05d\n", 1999+i/12_000, 1+i%12_000, i*7%100_000, i*13%100_000)
	}
	type score struct{ probability, percentile float64 }
	beside(b, func() {
		e, err := ReadEPSS(bytes.NewReader(text.Bytes()), nil)
		require.NoError(b, err)
		require.Equal(b, 300_000, e.Len())
	}, func() {
		r := csv.NewReader(bytes.NewReader(text.Bytes()))
		r.Comment, r.ReuseRecord = '#', true
		_, err := r.Read()
		require.NoError(b, err)
		m := map[string]score{}
		for {
			row, err := r.Read()
			if err != nil {
				break
			}
			p, _ := strconv.ParseFloat(row[1], 64)
			q, _ := strconv.ParseFloat(row[2], 64)
			m[row[0]] = score{p, q}
		}
		require.Len(b, m, 300_000)
	})
}

func BenchmarkKEV(b *testing.B) {
	data := corpus.Read(b, "risk", "vuln", "kev", "known_exploited_vulnerabilities.json.gz")
	b.ReportAllocs()
	for b.Loop() {
		_, err := ReadKEV(bytes.NewReader(data), nil)
		require.NoError(b, err)
	}
}

func BenchmarkDecide(b *testing.B) {
	t, err := LookupTable("deployer")
	require.NoError(b, err)
	facts := Facts{"Exploitation": {"active"}, "System Exposure": {"open"}, "Automatable": {"yes"}}
	b.ReportAllocs()
	for b.Loop() {
		_, err := t.Decide(facts)
		require.NoError(b, err)
	}
}
