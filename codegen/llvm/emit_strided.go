package llvm

import (
	llvm "github.com/llir/llvm/ir"
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
