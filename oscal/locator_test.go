package oscal

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// TestLocator: what a Locator remembers is what a node counts.
func TestLocator(t *testing.T) {
	for _, name := range []string{rev5XML, "authorization/packages/nist-ifa/json/ifa_ssp-example.json"} {
		doc := mustParseText(t, string(corpus.Read(t, name)))
		var l Locator
		i := 0
		for n := range doc.Root().Walk() {
			if i++; i%7 == 0 {
				require.Equal(t, n.Pointer(), l.Pointer(n))
				require.Equal(t, n.Path(), l.Path(n))
			}
		}
	}
	require.Empty(t, (&Locator{}).Pointer(nil))
	require.Empty(t, (*Locator)(nil).Path(nil))
}

func ExampleLocator() {
	doc, err := Parse(`{"catalog":{"groups":[{"title":"A"},{"title":"B"}]}}`, nil)
	if doc == nil {
		fmt.Println(err)
		return
	}
	var places Locator
	for group := range doc.Root().All("group") {
		fmt.Println(places.Pointer(group), places.Path(group))
	}
	// Output:
	// /catalog/groups/0 /catalog[1]/group[1]
	// /catalog/groups/1 /catalog[1]/group[2]
}
