package ridge

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/foldstream/foldstream"
)

// span is the sessions from lo to hi−1.
type span struct{ lo, hi int }

// span returns the sessions of a segment that are in the segment within, too.
func (p *prices) span(s, within foldstream.Segment) span {
	return span{max(p.from(s.Start), p.from(within.Start)), min(p.until(s.End), p.until(within.End))}
}

// scale is the mean and the standard deviation of each feature.
type scale struct{ mean, std []float64 }

// scaleOf measures the rows of a span whose features are all known. A feature without spread has deviation 1: it becomes 0.
func (f *features) scaleOf(s span) scale {
	c := scale{make([]float64, len(f.values)), make([]float64, len(f.values))}
	for j, column := range f.values {
		var sum, squares float64
		n := 0
		for row := f.row(s.lo); row < f.row(s.hi); row++ {
			if f.whole[row] {
				sum += column[row]
				n++
			}
		}
		c.mean[j] = sum / float64(n)
		for row := f.row(s.lo); row < f.row(s.hi); row++ {
			if f.whole[row] {
				squares += (column[row] - c.mean[j]) * (column[row] - c.mean[j])
			}
		}
		if c.std[j] = math.Sqrt(squares / float64(n)); !(c.std[j] > 1e-12) {
			c.std[j] = 1
		}
	}
	return c
}

// row returns the first row of session t.
func (f *features) row(t int) int { return t * len(f.names) }

// standard writes the standardised features of a row into z.
func (f *features) standard(row int, c scale, z []float64) {
	for j, column := range f.values {
		z[j] = (column[row] - c.mean[j]) / c.std[j]
	}
}

// labels returns close[t+1+h] / close[t+1] − 1 for every instrument of session t, NaN where a price is missing or the features
// are; less their mean where demean is set.
func (f *features) labels(t, h int, demean bool) []float64 {
	y := make([]float64, len(f.names))
	var sum float64
	n := 0
	for i := range y {
		y[i] = math.NaN()
		if f.whole[f.row(t)+i] {
			y[i] = f.change(i, t+1, t+1+h)
		}
		if !math.IsNaN(y[i]) {
			sum += y[i]
			n++
		}
	}
	if demean {
		for i := range y {
			y[i] -= sum / float64(n)
		}
	}
	return y
}

// normal holds the sums of the normal equations of a regression. Rows come in one at a time, so no matrix of them is ever made.
type normal struct {
	n     int
	x, xy []float64 // sums of x and of x·y
	y     float64   // sum of y
	xx    []float64 // sums of products, row-major, upper triangle
}

func newNormal(p int) *normal {
	return &normal{x: make([]float64, p), xy: make([]float64, p), xx: make([]float64, p*p)}
}

// add takes a row.
func (m *normal) add(z []float64, y float64) {
	m.n++
	m.y += y
	for j, v := range z {
		m.x[j] += v
		m.xy[j] += v * y
		products := m.xx[j*len(z) : (j+1)*len(z)]
		for k := j; k < len(z); k++ {
			products[k] += v * z[k]
		}
	}
}

// solve returns the weights that minimise |y − b − xw|² + alpha·|w|², and the intercept b, which is not penalised.
// Errors: Invalid where there are no rows or they determine no weights.
func (m *normal) solve(alpha float64) (w []float64, b float64, err error) {
	p, n := len(m.x), float64(m.n)
	if m.n == 0 {
		return nil, 0, foldstream.Errorf(foldstream.Invalid, "ridge", "no row of the train segment has all features and a label")
	}
	// Centring the sums takes the intercept out of the equations, so that the penalty does not touch it.
	a, rhs := mat.NewSymDense(p, nil), mat.NewVecDense(p, nil)
	for j := range p {
		for k := j; k < p; k++ {
			a.SetSym(j, k, m.xx[j*p+k]-m.x[j]*m.x[k]/n)
		}
		a.SetSym(j, j, a.At(j, j)+alpha)
		rhs.SetVec(j, m.xy[j]-m.x[j]*m.y/n)
	}
	var c mat.Cholesky
	var x mat.VecDense
	if !c.Factorize(a) || c.SolveVecTo(&x, rhs) != nil {
		return nil, 0, foldstream.Errorf(foldstream.Invalid, "ridge", "the features of the %d train rows are collinear; raise model.kwargs.alpha above %v", m.n, alpha)
	}
	b = m.y
	for j := range p {
		w = append(w, x.AtVec(j))
		b -= w[j] * m.x[j]
	}
	return w, b / n, nil
}
