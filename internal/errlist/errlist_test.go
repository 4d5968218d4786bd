package errlist

import (
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestText(t *testing.T) {
	var list []error
	require.Equal(t, "p: ", Text("p: ", "; ", list))
	for i := range 12 {
		list = append(list, errors.New(strconv.Itoa(i)))
	}
	require.Equal(t, "p: 0; 1; 2", Text("p: ", "; ", list[:3]))
	require.Equal(t, "p: 0; 1; 2; 3; 4; 5; 6; 7; 8; 9", Text("p: ", "; ", list[:10]))
	require.Equal(t, "p: 0\n1\n2\n3\n4\n5\n6\n7\n8\n9\nand 2 more", Text("p: ", "\n", list))
	require.Equal(t, list, Unwrap(list))
}
