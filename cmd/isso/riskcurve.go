package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/issokit/issokit/risk/fair"
)

// The picture of a loss exceedance curve, in pixels.
const (
	curveWidth, curveHeight                       = 820, 500
	curveLeft, curveRight, curveTop, curveBottom  = 80.0, 30.0, 60.0, 70.0
	plotWidth                                     = curveWidth - curveLeft - curveRight
	plotHeight                                    = curveHeight - curveTop - curveBottom
	inkColor, gridColor, curveColor, markingColor = "#1f2933", "#d9dee3", "#0b5cad", "#b3261e"
)

// A canvas writes SVG.
type canvas struct{ bytes.Buffer }

func (c *canvas) text(x, y float64, anchor string, size int, fill, s string) {
	fmt.Fprintf(c, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\" fill=\"%s\">%s</text>\n", x, y, anchor, size, fill, escape(s))
}

func (c *canvas) line(x1, y1, x2, y2 float64, color, more string) {
	fmt.Fprintf(c, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"%s/>\n", x1, y1, x2, y2, color, more)
}

// drawCurve draws the loss exceedance curve as SVG: the logarithm of the loss to the
// right, probability up, the band of the confidence interval, value at risk marked.
func drawCurve(m *model, r *fair.Result) []byte {
	c := new(canvas)
	title := "Loss exceedance curve"
	if m.Title != "" {
		title += ": " + m.Title
	}
	ends := slices.Collect(r.Curve(0))
	desc := fmt.Sprintf("Probability that the loss of a year exceeds an amount, %d simulated years, seed %d.", r.Years(), r.Seed())
	if len(ends) > 0 {
		desc += fmt.Sprintf(" Mean %s; one year in twenty loses more than %s, one in a hundred more than %s.", amount(r.Mean().Value), amount(r.VaR(0.95).Value), amount(r.VaR(0.99).Value))
	}
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title desc" font-family="Helvetica, Arial, sans-serif">`+"\n", curveWidth, curveHeight, curveWidth, curveHeight)
	fmt.Fprintf(c, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n", escape(title), escape(desc))
	fmt.Fprintf(c, "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", curveWidth, curveHeight)
	size, shown := fit(title, 18, 12, plotWidth)
	c.text(curveLeft, 30, "start", size, inkColor, shown)
	if len(ends) == 0 {
		c.text(curveWidth/2, curveHeight/2, "middle", 14, inkColor, "no losses to draw")
		c.WriteString("</svg>\n")
		return c.Bytes()
	}

	// The axes: somewhat more than the losses there are, up to the probability at
	// the least of them.
	lo, hi := math.Log10(ends[0].Loss), math.Log10(ends[len(ends)-1].Loss)
	pad := 0.04 * (hi - lo)
	if pad < 1e-6 {
		pad = 0.2
	}
	lo, hi = lo-pad, hi+pad
	points := trace(r, lo, hi)
	ymax := 1.0
	for e, steps := 0.1, []float64{5, 2, 1}; e > 1e-10; e /= 10 {
		for _, k := range steps {
			if top := k * e; points[0].Exceed.Hi <= top {
				ymax = top
			}
		}
	}
	x := func(loss float64) float64 { return curveLeft + (math.Log10(loss)-lo)/(hi-lo)*plotWidth }
	y := func(p float64) float64 { return curveHeight - curveBottom - min(p/ymax, 1)*plotHeight }
	const floor = curveHeight - curveBottom
	for i := range 6 {
		p := ymax * float64(i) / 5
		c.line(curveLeft, y(p), curveWidth-curveRight, y(p), gridColor, "")
		c.text(curveLeft-8, y(p)+4, "end", 12, inkColor, fmt.Sprintf("%.3g%%", 100*p))
	}
	for _, t := range ticks(math.Pow(10, lo), math.Pow(10, hi), plotWidth) {
		c.line(x(t.loss), curveTop, x(t.loss), floor, gridColor, "")
		c.text(x(t.loss), floor+18, "middle", 12, inkColor, t.label)
	}

	c.WriteString("<path d=\"")
	for i, p := range points {
		fmt.Fprintf(c, "%c%.1f %.1f", "ML"[min(i, 1)], x(p.Loss), y(p.Exceed.Hi))
	}
	for _, p := range slices.Backward(points) {
		fmt.Fprintf(c, "L%.1f %.1f", x(p.Loss), y(p.Exceed.Lo))
	}
	fmt.Fprintf(c, "Z\" fill=\"%s\" fill-opacity=\"0.18\"/>\n<path d=\"", curveColor)
	for i, p := range points {
		fmt.Fprintf(c, "%c%.1f %.1f", "ML"[min(i, 1)], x(p.Loss), y(p.Exceed.Value))
	}
	fmt.Fprintf(c, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"2.5\" stroke-linejoin=\"round\"/>\n", curveColor)
	c.marks(r, x, y, ymax, points[0].Loss)

	fmt.Fprintf(c, "<path d=\"M%.1f %.1fV%.1fH%.1f\" fill=\"none\" stroke=\"%s\"/>\n", curveLeft, curveTop, floor, curveWidth-curveRight, inkColor)
	axis := "loss in a year (logarithmic)"
	if m.Currency != "" {
		axis = m.Currency + ", " + axis
	}
	c.text(curveLeft+plotWidth/2, curveHeight-28, "middle", 13, inkColor, axis)
	fmt.Fprintf(c, "<text transform=\"translate(22 %.1f) rotate(-90)\" text-anchor=\"middle\" font-size=\"13\" fill=\"%s\">probability of a greater loss</text>\n", curveTop+plotHeight/2, inkColor)
	c.text(curveWidth-curveRight, curveHeight-8, "end", 11, "#616e7c", fmt.Sprintf("%s years, seed %d, band: %.3g%% confidence", amount(float64(r.Years())), r.Seed(), 100*r.Level))
	c.WriteString("</svg>\n")
	return c.Bytes()
}

// trace returns points of the curve between two logarithms of losses, closer together
// where it falls fast, so that the step at a loss with a probability of its own is
// upright.
func trace(r *fair.Result, lo, hi float64) []fair.Point {
	const even = 96
	at := func(l float64) fair.Point {
		loss := math.Pow(10, l)
		return fair.Point{Loss: loss, Exceed: r.Exceed(loss)}
	}
	out := []fair.Point{at(lo)}
	least := out[0].Exceed.Value / 200 // fall of one piece
	var piece func(a, b float64, to fair.Point, depth int)
	piece = func(a, b float64, to fair.Point, depth int) {
		if depth > 0 && out[len(out)-1].Exceed.Value-to.Exceed.Value > least {
			middle := (a + b) / 2
			piece(a, middle, at(middle), depth-1)
			piece(middle, b, to, depth-1)
			return
		}
		out = append(out, to)
	}
	for i := range even {
		a, b := lo+(hi-lo)*float64(i)/even, lo+(hi-lo)*float64(i+1)/even
		piece(a, b, at(b), 6)
	}
	return out
}

// marks marks the value at risk. A label stands beside the end of its line, to the
// right if there is room; in rows such that no line crosses a label.
func (c *canvas) marks(r *fair.Result, x, y func(float64) float64, ymax, least float64) {
	const room = 150
	type mark struct {
		p, x float64
		text string
		left bool
	}
	var marks []mark
	for _, p := range []float64{0.9, 0.95, 0.99} {
		if v := r.VaR(p).Value; v >= least && 1-p <= ymax {
			marks = append(marks, mark{p, x(v), fmt.Sprintf("VaR %.3g%%: %s", 100*p, short(v)), false})
		}
	}
	edge := float64(curveWidth - curveRight)
	for i, m := range slices.Backward(marks) {
		if m.x > edge-room {
			marks[i].left, edge = true, m.x
		}
	}
	// Those to the left of their lines from the right on, then the others from the left
	// on: what lies under a label begins in a row below.
	first := slices.IndexFunc(marks, func(m mark) bool { return m.left })
	if first >= 0 {
		slices.Reverse(marks[first:])
		marks = slices.Concat(marks[first:], marks[:first])
	}
	for i, m := range marks {
		row := curveTop + 18 + 18*float64(i)
		c.line(m.x, y(1-m.p), m.x, row-4, markingColor, ` stroke-dasharray="3 3"`)
		fmt.Fprintf(c, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n", m.x, y(1-m.p), markingColor)
	}
	for i, m := range marks {
		anchor, dx := "start", 5.0
		if m.left {
			anchor, dx = "end", -5
		}
		// White around the letters keeps them apart from grid and curve.
		fmt.Fprintf(c, "<g stroke=\"#ffffff\" stroke-width=\"4\" stroke-linejoin=\"round\" paint-order=\"stroke\">")
		c.text(m.x+dx, curveTop+18+18*float64(i), anchor, 12, markingColor, m.text)
		c.WriteString("</g>\n")
	}
}

// A tick is a loss that is written at the axis.
type tick struct {
	loss  float64
	label string
}

// ticks returns the round losses from lo to hi for a logarithmic axis of a width, as
// many as have room for their labels: 1, 2 and 5 times powers of ten, or powers of ten
// alone, or where that are too few, even steps.
func ticks(lo, hi, width float64) []tick {
	decades := math.Log10(hi / lo)
	fits := func(list []tick) bool {
		for i := 1; i < len(list); i++ {
			room := math.Log10(list[i].loss/list[i-1].loss) / decades * width
			if room < 12+3.4*float64(len(list[i].label)+len(list[i-1].label)) {
				return false
			}
		}
		return true
	}
	powers := func(every float64, factors ...float64) (out []tick) {
		for e := math.Floor(math.Log10(lo)/every) * every; e <= math.Log10(hi); e += every {
			for _, k := range factors {
				// As a reader would write it: 5 x 10^-7 has no such product in float64.
				v, _ := strconv.ParseFloat(fmt.Sprintf("%ge%g", k, e), 64)
				if v >= lo && v <= hi {
					out = append(out, tick{v, short(v)})
				}
			}
		}
		return out
	}
	if list := powers(1, 1, 2, 5); len(list) >= 3 && fits(list) {
		return list
	}
	if decades > 2 {
		for every := 1.0; ; every++ {
			if list := powers(every, 1); fits(list) {
				return list
			}
		}
	}
	for parts := 6.0; ; parts-- {
		step := (hi - lo) / parts
		size := math.Pow(10, math.Floor(math.Log10(step)))
		for _, k := range []float64{1, 2, 5, 10} {
			if k*size >= step*0.999 {
				step = k * size
				break
			}
		}
		if list := even(lo, hi, step); fits(list) || parts == 1 {
			return list
		}
	}
}

// even returns the multiples of a step, with as many digits as tell them apart.
func even(lo, hi, step float64) []tick {
	var out []tick
	for i := math.Ceil(lo / step); i*step <= hi && len(out) < 20; i++ {
		out = append(out, tick{loss: i * step})
	}
	for digits := 3; digits < 17; digits++ {
		seen := map[string]bool{}
		exact := true
		for i, t := range out {
			out[i].label = digitsOf(t.loss, digits)
			rounded, _ := strconv.ParseFloat(strconv.FormatFloat(t.loss, 'g', digits, 64), 64)
			exact = exact && !seen[out[i].label] && math.Abs(rounded-t.loss) < step/10
			seen[out[i].label] = true
		}
		if exact {
			break
		}
	}
	return out
}

// short writes an amount with three digits and k, M, G or T.
func short(x float64) string { return digitsOf(x, 3) }

func digitsOf(x float64, digits int) string {
	plain := func(x float64) string {
		return strings.Replace(strconv.FormatFloat(x, 'g', digits, 64), "e+", "e", 1)
	}
	for _, u := range []struct {
		size float64
		name string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', digits, 64), 64); rounded >= u.size {
			if rounded/u.size >= 1000 {
				return plain(x)
			}
			return plain(rounded/u.size) + u.name
		}
	}
	return plain(x)
}

// fit returns the size, from most down to least, at which a text is at most so wide, and
// the text, shortened if it is too wide at the least.
func fit(text string, most, least int, width float64) (int, string) {
	wide := func(s string) float64 { // in sizes, for letters of usual width
		w := 0.0
		for _, r := range s {
			if r < 0x1100 {
				w += 0.56
			} else {
				w++
			}
		}
		return w
	}
	for size := most; size >= least; size-- {
		if wide(text)*float64(size) <= width {
			return size, text
		}
	}
	short := []rune(text)
	for len(short) > 0 && wide(string(short)+"…")*float64(least) > width {
		short = short[:len(short)-1]
	}
	return least, strings.TrimRight(string(short), " ") + "…"
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
