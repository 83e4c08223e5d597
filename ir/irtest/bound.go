package irtest

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// Bound says by how much a correct back end may differ from the interpreter
// in a value: |got-want| <= Abs + Rel*|want|. The zero Bound asks for the same
// bits, but for the payload of NaN. The generator derives bounds as it builds
// a graph, and builds only what keeps them small: no rounding of a value that
// is itself inexact to an integer, no comparison, no cancellation unknown.
type Bound struct {
	Abs, Rel float64
	mag      float64 // bound of the magnitude of finite elements; +Inf: unknown
	raw      bool    // the bits come from data by moves alone: NaN payloads too
	clean    bool    // neither NaN nor infinite
}

// Exact reports whether b allows no difference.
func (b Bound) Exact() bool { return b.Abs == 0 && b.Rel == 0 }

// abs is b as an absolute error alone.
func (b Bound) abs() float64 {
	if b.Rel == 0 {
		return b.Abs
	}
	return b.Abs + b.Rel*b.mag
}

// join is the bound of elements that are taken from values with these bounds.
func join(bs ...Bound) Bound {
	out := bs[0]
	for _, b := range bs[1:] {
		out.Abs, out.Rel = max(out.Abs, b.Abs), max(out.Rel, b.Rel)
		out.mag = max(out.mag, b.mag)
		out.raw, out.clean = out.raw && b.raw, out.clean && b.clean
	}
	return out
}

// functions are the elementwise functions of one argument that back ends
// approximate, with what is known about them: slope bounds the derivative, and
// is 0 where the function takes exact arguments alone; mag bounds the result.
var functions = map[ir.Op]struct{ slope, mag float64 }{
	ir.OpTanh: {1, 1}, ir.OpSigmoid: {1, 1}, ir.OpErf: {1.2, 1}, ir.OpAtan: {1, 1.6},
	ir.OpAsinh: {1, 0}, ir.OpSin: {1, 1}, ir.OpCos: {1, 1},
	ir.OpExp: {}, ir.OpExpm1: {}, ir.OpLog: {}, ir.OpLog1p: {}, ir.OpTan: {}, ir.OpAsin: {0, 1.6},
	ir.OpAcos: {0, 3.2}, ir.OpSinh: {}, ir.OpCosh: {}, ir.OpAcosh: {}, ir.OpAtanh: {},
	ir.OpPow: {}, ir.OpAtan2: {0, 3.2},
}

// ulps is the error of an approximated function, in units in the last place,
// that comparison grants.
const ulps = 4

// function returns the bound of an approximated function of type d.
func function(op ir.Op, d ir.DType, args ...Bound) (Bound, bool) {
	f, u := functions[op], unit(d)
	out := Bound{Rel: 2 * ulps * u, mag: math.Inf(1)}
	if f.mag > 0 {
		out.mag = f.mag
	}
	x := join(args...)
	if op == ir.OpAsinh {
		out.mag = x.mag
	}
	out.clean = x.clean && out.mag < math.Inf(1) && op != ir.OpAsin && op != ir.OpAcos
	if op == ir.OpExp && x.mag < 20 {
		out.mag, out.clean = math.Exp(x.mag), x.clean
		out.Abs = x.abs() * out.mag
	} else if f.slope > 0 {
		out.Abs = f.slope * x.abs()
	} else if !x.Exact() {
		return out, false
	}
	return out.fits(d)
}

// fits refuses bounds that would let everything pass.
func (b Bound) fits(d ir.DType) (Bound, bool) {
	if b.Abs != 0 {
		return b, b.Abs < 0.02*max(b.mag, 1) && b.mag < largest(d)/16 && b.Abs == b.Abs
	}
	return b, b.Rel < 0.1
}

// arith returns the bound of float arithmetic that rounds once: exact where
// the arguments are.
func arith(op ir.Op, d ir.DType, args []Bound) (Bound, bool) {
	u, x := unit(d), join(args...)
	exact := x.Exact()
	out := Bound{mag: math.Inf(1)}
	switch op {
	case ir.OpAdd, ir.OpSub:
		out.mag = args[0].mag + args[1].mag
		out.Abs = args[0].abs() + args[1].abs() + u*out.mag
	case ir.OpMul, ir.OpFMA:
		ma, mb := args[0].mag, args[1].mag
		out.mag = ma * mb
		out.Abs = (args[0].abs()+u*ma)*mb + args[1].abs()*ma
		if op == ir.OpFMA {
			out.mag += args[2].mag
			out.Abs += args[2].abs() + u*out.mag
		}
	default: // div, sqrt: exact arguments alone
		if !exact {
			return out, false
		}
		if op == ir.OpSqrt {
			out.mag = max(x.mag, 1)
		}
		return out, true
	}
	if out.mag != out.mag { // 0 * inf
		out.mag = math.Inf(1)
	}
	out.clean = x.clean && out.mag < largest(d)
	if exact {
		out.Abs = 0
		return out, true
	}
	return out.fits(d)
}

// accumulate returns the bound of a sum of n products of elements of args.
func accumulate(d ir.DType, n float64, args ...Bound) (Bound, bool) {
	if !isFloat(d) {
		return Bound{}, true
	}
	mag, abs := 1.0, 0.0
	for _, a := range args {
		abs = abs*a.mag + a.abs()*mag
		mag *= a.mag
	}
	n = max(n, 1)
	out := Bound{mag: mag * n, clean: join(args...).clean}
	// Back ends may accumulate in the type itself but for f16 and bf16.
	u := max(unit(d)*4, unit(ir.F32)*(n+4))
	if d == ir.F64 {
		u = unit(d) * (n + 4)
	}
	out.Abs = n*abs + u*out.mag
	return out.fits(d)
}
