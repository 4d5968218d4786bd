package fair

import (
	"fmt"
	"math"
)

// A Correlation ties scenarios together by a Gaussian copula with a matrix of
// linear correlations of the underlying normal numbers.
type Correlation struct {
	Scenarios []string // ids, one for each row
	Matrix    [][]float64
}

// eigenTolerance is how far below 0 rounding may put an eigenvalue of a matrix
// that is positive semidefinite.
const eigenTolerance = 1e-10

// Check tells what is wrong with the matrix: it must be square, symmetric, with a
// diagonal of 1, all entries in -1 to 1, and positive semidefinite (singular is legal).
// The error is of type [Problems] and names the smallest eigenvalue.
func (c Correlation) Check() error {
	var ps Problems
	c.check(&ps, "correlation")
	return ps.err()
}

func (c Correlation) check(ps *Problems, where string) {
	n, before := len(c.Matrix), len(*ps)
	if c.Scenarios != nil && len(c.Scenarios) != n {
		ps.add(where, fmt.Sprintf("a row for each of %d scenarios", len(c.Scenarios)), fmt.Sprintf("%d rows", n))
	}
	if n > maxCorrelated {
		ps.add(where, fmt.Sprintf("at most %d rows", maxCorrelated), n)
		return
	}
	for i, row := range c.Matrix {
		if len(row) != n {
			ps.add(fmt.Sprintf("%s: row %d", where, i+1), fmt.Sprintf("%d entries", n), len(row))
		}
	}
	if len(*ps) > before {
		return
	}
	for i, row := range c.Matrix {
		for j, x := range row {
			at := fmt.Sprintf("%s: row %d, column %d", where, i+1, j+1)
			switch {
			case !(x >= -1 && x <= 1):
				ps.add(at, "a number from -1 to 1", x)
			case i == j && x != 1:
				ps.add(at, "1", x)
			case j < i && x != c.Matrix[j][i]:
				ps.add(at, fmt.Sprintf("the entry across the diagonal, %v", c.Matrix[j][i]), x)
			}
		}
	}
	if len(*ps) > before || n == 0 {
		return
	}
	values, _ := eigen(c.Matrix)
	low := values[0]
	for _, v := range values {
		low = min(low, v)
	}
	if low < -eigenTolerance*float64(n) {
		ps.add(where, "a positive semidefinite matrix", fmt.Sprintf("the eigenvalue %.6g", low))
	}
}

// maxCorrelated bounds the rows of a matrix.
const maxCorrelated = 1000

// Repair returns the correlation with the nearest positive semidefinite matrix
// (in the Frobenius norm, by alternating projections: Higham 2002, Computing the
// nearest correlation matrix, algorithm 3.3), and how far the farthest entry moved.
// Everything but the eigenvalues must be right; else the error is of type [Problems].
func (c Correlation) Repair() (Correlation, float64, error) {
	n := len(c.Matrix)
	var ps Problems
	c.check(&ps, "correlation")
	if len(ps) == 0 {
		return c, 0, nil
	}
	if len(ps) > 1 || ps[0].Expected != "a positive semidefinite matrix" {
		return c, 0, ps
	}
	y, shift := copyMatrix(c.Matrix), newMatrix(n)
	for range 500 {
		r := newMatrix(n)
		for i := range n {
			for j := range n {
				r[i][j] = y[i][j] - shift[i][j]
			}
		}
		values, vectors := eigen(r)
		x := newMatrix(n)
		for k, v := range values {
			if v <= 0 {
				continue
			}
			for i := range n {
				for j := range n {
					x[i][j] += mul(mul(v, vectors[i][k]), vectors[j][k])
				}
			}
		}
		moved := 0.0
		for i := range n {
			for j := range n {
				shift[i][j] = x[i][j] - r[i][j]
				next := (x[i][j] + x[j][i]) / 2
				if i == j {
					next = 1
				}
				moved = max(moved, math.Abs(next-y[i][j]))
				y[i][j] = next
			}
		}
		if moved < 1e-13 {
			break
		}
	}
	// What is left of negative eigenvalues goes by moving towards the identity.
	values, _ := eigen(y)
	low := 0.0
	for _, v := range values {
		low = min(low, v)
	}
	scale := 1 / (1 - low)
	worst := 0.0
	for i := range n {
		for j := range i {
			x := min(max(mul((y[i][j]+y[j][i])/2, scale), -1), 1)
			y[i][j], y[j][i] = x, x
			worst = max(worst, math.Abs(x-c.Matrix[i][j]))
		}
		y[i][i] = 1
	}
	return Correlation{c.Scenarios, y}, worst, nil
}

func newMatrix(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

func copyMatrix(a [][]float64) [][]float64 {
	m := newMatrix(len(a))
	for i := range a {
		copy(m[i], a[i])
	}
	return m
}

// eigen returns the eigenvalues and, as columns, the eigenvectors of a symmetric
// matrix, by the cyclic method of Jacobi.
func eigen(m [][]float64) (values []float64, vectors [][]float64) {
	n := len(m)
	a, v := copyMatrix(m), newMatrix(n)
	for i := range n {
		v[i][i] = 1
	}
	for range 60 {
		off := 0.0
		for i := range n {
			for j := range i {
				off += mul(a[i][j], a[i][j])
			}
		}
		if off < 1e-28 {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				if math.Abs(a[p][q]) < 1e-300 {
					continue
				}
				theta := (a[q][q] - a[p][p]) / (2 * a[p][q])
				t := math.Copysign(1, theta) / (math.Abs(theta) + math.Sqrt(mul(theta, theta)+1))
				c := 1 / math.Sqrt(mul(t, t)+1)
				s := mul(t, c)
				for k := range n {
					x, y := a[k][p], a[k][q]
					a[k][p], a[k][q] = mul(c, x)-mul(s, y), mul(s, x)+mul(c, y)
				}
				for k := range n {
					x, y := a[p][k], a[q][k]
					a[p][k], a[q][k] = mul(c, x)-mul(s, y), mul(s, x)+mul(c, y)
					x, y = v[k][p], v[k][q]
					v[k][p], v[k][q] = mul(c, x)-mul(s, y), mul(s, x)+mul(c, y)
				}
			}
		}
	}
	values = make([]float64, n)
	for i := range n {
		values[i] = a[i][i]
	}
	return values, v
}

// cholesky returns the lower triangular root of a positive semidefinite matrix;
// zero pivots are legal.
func cholesky(m [][]float64) [][]float64 {
	n := len(m)
	l := newMatrix(n)
	for j := range n {
		d := m[j][j]
		for k := range j {
			d -= mul(l[j][k], l[j][k])
		}
		if d < 1e-12 {
			continue // this normal number is a combination of the ones before
		}
		l[j][j] = math.Sqrt(d)
		for i := j + 1; i < n; i++ {
			x := m[i][j]
			for k := range j {
				x -= mul(l[i][k], l[j][k])
			}
			l[i][j] = x / l[j][j]
		}
	}
	return l
}
