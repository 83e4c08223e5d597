package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/runtime"
)

// tolerance says when elements agree: |got-want| <= rtol*|want| + atol*max|want|;
// NaN agrees with NaN, infinities with themselves; everything but floats must
// be equal.
type tolerance struct{ rtol, atol float64 }

// difference is the result of a comparison.
type difference struct {
	err   error   // shape or dtype differ
	index int     // of the worst element that does not agree, -1 if all do
	count int     // elements that do not agree
	worst float64 // largest |got-want| / max|want|
	got   float64
	want  float64
}

func (d *difference) ok() bool { return d.err == nil && d.index < 0 }

func (d *difference) String() string {
	if d.err != nil {
		return d.err.Error()
	}
	if d.index < 0 {
		return fmt.Sprintf("largest error %.3g of the largest element", d.worst)
	}
	return fmt.Sprintf("%d elements differ, worst element %d: got %v, want %v",
		d.count, d.index, d.got, d.want)
}

func (tol tolerance) compare(got, want *runtime.Tensor) difference {
	if got.DType() != want.DType() || !slices.Equal(got.Shape(), want.Shape()) {
		return difference{err: fmt.Errorf("got %v, want %v", got, want), index: -1}
	}
	g, err := toInterp(got)
	if err != nil {
		return difference{err: err, index: -1}
	}
	w, err := toInterp(want)
	if err != nil {
		return difference{err: err, index: -1}
	}
	if !g.DType.IsFloat() {
		return exact(g, w)
	}
	return tol.floats(g.Float64s(), w.Float64s())
}

func exact(g, w *interp.Tensor) difference {
	d := difference{index: -1}
	if bytes.Equal(g.Data, w.Data) {
		return d
	}
	x, y := g.Float64s(), w.Float64s()
	size := w.DType.Size()
	for i := range y {
		if !bytes.Equal(g.Data[i*size:(i+1)*size], w.Data[i*size:(i+1)*size]) {
			if d.count == 0 {
				d.index, d.got, d.want = i, x[i], y[i]
			}
			d.count++
		}
	}
	return d
}

func (tol tolerance) floats(got, want []float64) difference {
	scale := 0.0
	for _, w := range want {
		if !math.IsInf(w, 0) && !math.IsNaN(w) {
			scale = max(scale, math.Abs(w))
		}
	}
	d := difference{index: -1}
	most := -1.0
	for i, w := range want {
		g := got[i]
		if g == w || g != g && w != w {
			continue
		}
		e := math.Abs(g - w)
		if !(e <= tol.rtol*math.Abs(w)+tol.atol*scale) {
			d.count++
			if !(e <= most) {
				d.index, d.got, d.want, most = i, g, w, e
			}
		}
		d.worst = max(d.worst, e/max(scale, math.SmallestNonzeroFloat64))
	}
	return d
}
