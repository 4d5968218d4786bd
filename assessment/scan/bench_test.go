package scan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkSARIF reads logs of growing size, beside encoding/json that only
// fills structs of the members that count.
func BenchmarkSARIF(b *testing.B) {
	for _, n := range []int{1, 10} {
		data := replicate(b, 1000*n)
		b.Run(fmt.Sprintf("issokit/%dx", n), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				count := 0
				for _, err := range SARIF.Records(b.Context(), bytes.NewReader(data), nil) {
					require.NoError(b, err)
					count++
				}
				require.Equal(b, 1000*n, count)
			}
		})
		b.Run(fmt.Sprintf("issokit-spool/%dx", n), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				for _, err := range SARIF.Records(b.Context(), stream(data), nil) {
					require.NoError(b, err)
				}
			}
		})
		b.Run(fmt.Sprintf("encoding-json-into-structs/%dx", n), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				var log plainLog
				require.NoError(b, json.NewDecoder(bytes.NewReader(data)).Decode(&log))
				require.Len(b, log.Runs[0].Results, 1000*n)
			}
		})
	}
}

// BenchmarkSARIFMemory reports the memory that is live in the middle of reading,
// whatever the size of the log.
func BenchmarkSARIFMemory(b *testing.B) {
	for _, n := range []int{1, 10} {
		data := replicate(b, 1000*n)
		b.Run(fmt.Sprintf("%dx", n), func(b *testing.B) {
			var live float64
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				count := 0
				for _, err := range SARIF.Records(b.Context(), bytes.NewReader(data), nil) {
					require.NoError(b, err)
					if count++; count == 1000*n-1 {
						runtime.GC()
						runtime.ReadMemStats(&after)
					}
				}
				live = float64(after.HeapAlloc) - float64(before.HeapAlloc)
			}
			b.ReportMetric(live/1024, "live-KiB")
			b.ReportMetric(float64(len(data))/1024, "log-KiB")
		})
	}
}

type plainText struct {
	Text string `json:"text"`
}

type plainLog struct {
	Version string `json:"version"`
	Runs    []struct {
		Tool struct {
			Driver struct {
				Name    string `json:"name"`
				Version string `json:"version"`
				Rules   []struct {
					ID                   string    `json:"id"`
					Name                 string    `json:"name"`
					ShortDescription     plainText `json:"shortDescription"`
					FullDescription      plainText `json:"fullDescription"`
					HelpURI              string    `json:"helpUri"`
					DefaultConfiguration struct {
						Level string `json:"level"`
					} `json:"defaultConfiguration"`
					Properties struct {
						Tags []string `json:"tags"`
					} `json:"properties"`
				} `json:"rules"`
			} `json:"driver"`
		} `json:"tool"`
		Results []struct {
			RuleID        string    `json:"ruleId"`
			RuleIndex     int       `json:"ruleIndex"`
			Kind          string    `json:"kind"`
			Level         string    `json:"level"`
			BaselineState string    `json:"baselineState"`
			Message       plainText `json:"message"`
			Locations     []struct {
				PhysicalLocation struct {
					ArtifactLocation struct {
						URI       string `json:"uri"`
						URIBaseID string `json:"uriBaseId"`
						Index     int    `json:"index"`
					} `json:"artifactLocation"`
					Region struct {
						StartLine   int `json:"startLine"`
						StartColumn int `json:"startColumn"`
						EndLine     int `json:"endLine"`
						EndColumn   int `json:"endColumn"`
					} `json:"region"`
				} `json:"physicalLocation"`
			} `json:"locations"`
			Suppressions        []struct{ Status, Justification string } `json:"suppressions"`
			Fingerprints        map[string]any                           `json:"fingerprints"`
			PartialFingerprints map[string]any                           `json:"partialFingerprints"`
			Properties          struct {
				Tags []string `json:"tags"`
			} `json:"properties"`
		} `json:"results"`
	} `json:"runs"`
}
