package nearest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestName(t *testing.T) {
	names := []string{"title", "description", "id", "uuid"}
	for _, tt := range []struct{ name, want string }{
		{"titel", "title"},
		{"descripton", "description"},
		{"uuids", "uuid"},
		{"colour", ""},
		{"x", ""},
		{"ix", "id"},
		{"", ""},
		{"an-absurdly-long-name-that-nobody-would-ever-write-into-a-file-of-any-kind", ""},
	} {
		require.Equal(t, tt.want, Name(tt.name, names), tt.name)
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"kitten", "sitting", 3}, {"", "abc", 3}, {"same", "same", 0}, {"ab", "ba", 2}} {
		require.Equal(t, tt.want, distance(tt.a, tt.b, 10))
		require.Equal(t, min(tt.want, 2), distance(tt.b, tt.a, 2))
	}
}
