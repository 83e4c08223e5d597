package llvm

import (
	llvm "github.com/llir/llvm/ir"
	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// mostStride is the largest distance of lanes in memory for which whole vectors
// are loaded and exchanged: a gather is a load for each lane.
const mostStride = 4

// loadStrided loads lanes that are stride elements apart, the first of them at
// first: what lies from the lowest to the highest of them, in as many vectors as
// the stride, the last of which ends there, and nothing beyond.
func (e *emitter) loadStrided(x *kernel.Expr, first ir.Dim, stride int64) val {
	w := int64(e.width)
	step, low := max(stride, -stride), first
	if stride < 0 {
		low = first.AddConst(stride * (w - 1))
	}
	end := step * (w - 1) // the last lane in memory
	var all value.Value
	for k := range step {
		from := min(k*w, end-(w-1))
		v := e.vectorAt(x, low.AddConst(from))
		if all == nil {
			all = v
		}
		all = e.shuffle(all, v, int(w), func(lane int) int {
			at := int64(lane) * step
			if stride < 0 {
				at = end - at
			}
			switch owner := min(at/w, step-1); {
			case owner != k: // what is there, or what a later vector has
				return lane
			case k == 0:
				return int(at)
			}
			return int(w + at - from)
		})
	}
	return e.fromStored(val{all, true}, x.DType)
}

// stretch is lanes that lie one after the other in memory.
type stretch struct {
	from, n int
	at      ir.Dim // of lane from
}

// stretches divides the lanes of the folded index d; nil where it depends on
// anything else that differs between lanes.
func (e *emitter) stretches(d ir.Dim) []stretch {
	if e.lane == "" || !e.evenBut("", d) {
		return nil
	}
	var all []stretch
	for i := range e.width {
		at := d.Subst(func(s string) (ir.Dim, bool) { return ir.Const(int64(i)), s == e.lane })
		if k := len(all) - 1; k >= 0 && at.Equal(all[k].at.AddConst(int64(all[k].n))) {
			all[k].n++
			continue
		}
		all = append(all, stretch{i, 1, at})
	}
	return all
}

// storeStretches stores lanes that lie in a few stretches, as depth to space has them, by
// a masked store each; it reports whether it did. What scatters is a store for each lane.
// (A convolution of 9 channels that become 3 x 3 pixels: 615 to 575 µs; one core of an AMD
// EPYC, Zen 4, 2026-11-26.)
func (e *emitter) storeStretches(s *kernel.Store, d ir.Dim, v val) bool {
	if !e.target.Gather || s.Buf.DType.Size() < 4 || e.memory(s.Buf).local {
		return false
	}
	all := e.stretches(d)
	if len(all) == 0 || len(all) > e.width/2 {
		return false
	}
	v = e.toStored(e.widen(v, true), s.Buf.DType)
	for _, r := range all {
		lanes := make([]constant.Constant, e.width)
		for i := range lanes {
			lanes[i] = constant.NewBool(i >= r.from && i < r.from+r.n)
		}
		var mask value.Value = constant.NewVector(e.vectorType(types.I1), lanes...)
		if e.mask != nil {
			mask = e.cur.NewAnd(mask, e.allLanes(e.mask))
		}
		// Lane 0 would be here, which is not in the buffer if it is of no stretch.
		first := e.address(s.Buf, r.at.AddConst(-int64(r.from)))
		e.putMasked(s.Buf, e.cur.NewBitCast(first, types.NewPointer(v.Type())), v, mask)
	}
	return true
}

// vectorAt loads a vector of elements as stored.
func (e *emitter) vectorAt(x *kernel.Expr, at ir.Dim) value.Value {
	m := e.memory(x.Buf)
	t := e.vectorType(m.elem)
	p := e.cur.NewBitCast(e.address(x.Buf, at), types.NewPointer(t))
	if e.passes(x.Buf, at) {
		e.ask(x.Buf, at, p)
	}
	l := e.cur.NewLoad(t, p)
	l.Align, l.Metadata = llvm.Align(x.DType.Size()), m.meta
	return l
}
