package answer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnswer(t *testing.T) {
	require.Equal(t, "1s\n2m0s\n", Explain([]time.Duration{time.Second, 2 * time.Minute}))
	require.Empty(t, Explain[time.Duration](nil))
	for f, want := range map[float64]string{0.1: "0.1", 1e21: "1000000000000000000000", -2.50: "-2.5", 1e-7: "0.0000001"} {
		require.Equal(t, want, Number(f))
	}
	// printf '1:a1:b' | sha256sum
	require.Equal(t, "facdde7abf1eac5b301273ab2e282f79bab0100f058833a7b8bdf9f80741e149", Digest("a", "b"))
	require.NotEqual(t, Digest("a", "b"), Digest("ab"))
}
