package diff

import (
	"strings"
	"unicode"
)

// A Word is a run of words of a text that was kept, added or removed.
type Word struct {
	Kind Kind // Added, Removed, or 0 for what is in both
	Text string
}

// maxCells bounds the table of a comparison by words; longer texts are shown as
// removed and added as a whole.
const maxCells = 4 << 20

// Words compares two texts by words: the longest common subsequence of words,
// with the white space that follows each. The texts of the runs that are not
// Added make up from; those of the runs that are not Removed make up to, but for
// differences of white space in what both have.
func Words(from, to string) []Word {
	a, b := split(from), split(to)
	var out []Word
	put := func(k Kind, words ...string) {
		text := strings.Join(words, "")
		if text == "" {
			return
		}
		if n := len(out); n > 0 && out[n-1].Kind == k {
			out[n-1].Text += text
		} else {
			out = append(out, Word{k, text})
		}
	}
	head := 0
	for head < len(a) && head < len(b) && same(a[head], b[head]) {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && same(a[len(a)-1-tail], b[len(b)-1-tail]) {
		tail++
	}
	put(0, b[:head]...)
	x, y := a[head:len(a)-tail], b[head:len(b)-tail]
	if (len(x)+1)*(len(y)+1) > maxCells {
		put(Removed, x...)
		put(Added, y...)
	} else {
		middle(x, y, put)
	}
	put(0, b[len(b)-tail:]...)
	return out
}

// middle finds the longest common subsequence by the table of its lengths.
func middle(x, y []string, put func(Kind, ...string)) {
	width := len(y) + 1
	length := make([]int32, (len(x)+1)*width) // of what follows from there on
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if same(x[i], y[j]) {
				length[i*width+j] = length[(i+1)*width+j+1] + 1
			} else {
				length[i*width+j] = max(length[(i+1)*width+j], length[i*width+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case i < len(x) && j < len(y) && same(x[i], y[j]):
			put(0, y[j])
			i, j = i+1, j+1
		case j == len(y) || i < len(x) && length[(i+1)*width+j] >= length[i*width+j+1]:
			put(Removed, x[i])
			i++
		default:
			put(Added, y[j])
			j++
		}
	}
}

func same(a, b string) bool {
	return strings.TrimRightFunc(a, unicode.IsSpace) == strings.TrimRightFunc(b, unicode.IsSpace)
}

// split cuts a text into words, each with the white space that follows it.
func split(s string) []string {
	var out []string
	start, inSpace := 0, false
	for i, r := range s {
		space := unicode.IsSpace(r)
		if inSpace && !space {
			out = append(out, s[start:i])
			start = i
		}
		inSpace = space
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}
