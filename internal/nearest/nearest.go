// Package nearest finds the name that somebody who misspelt one may have meant.
package nearest

// Name returns the name that is nearest to one that is not among names, "" if
// none is near: by at most two letters that are other, missing or too many
// (Levenshtein distance).
func Name(name string, names []string) string {
	best, bestDistance := "", 3
	for _, n := range names {
		if d := distance(name, n, bestDistance); d < bestDistance {
			best, bestDistance = n, d
		}
	}
	if bestDistance >= len(name) { // all letters are other ones
		return ""
	}
	return best
}

// distance is the Levenshtein distance of two short names, or limit if it is
// that or more.
func distance(a, b string, limit int) int {
	if len(a) > 64 || len(b) > 64 || max(len(a)-len(b), len(b)-len(a)) >= limit {
		return limit
	}
	var rows [2][65]int
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := range len(a) {
		prev, cur := &rows[i%2], &rows[(i+1)%2]
		cur[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			cur[j+1] = min(prev[j]+cost, prev[j+1]+1, cur[j]+1)
		}
	}
	return min(rows[len(a)%2][len(b)], limit)
}
