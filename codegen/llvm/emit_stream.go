package llvm

import (
	"slices"
	"strings"

	llvm "github.com/llir/llvm/ir"
	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/enum"
	"github.com/llir/llvm/ir/metadata"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Writes around the caches. They want whole vectors at multiples of their
// size, so that the kernel is there twice: one form for results that lie at
// such a multiple, and one for all others.

// streamed emits the form of the kernel that writes around the caches, where
// it has such results, and goes on with the other one.
func (e *emitter) streamed() {
	aligned := e.aligned()
	if aligned == nil {
		return
	}
	around, plain := e.f.NewBlock(""), e.f.NewBlock("")
	e.cur.NewCondBr(aligned, around, plain)
	e.cur, e.stream, e.repeats = around, true, repeats(e.k)
	e.asked, e.rows = map[string]*llvm.Block{}, map[*kernel.Buffer]int64{}
	e.passOf, e.crowded = passesOf(e.k), crowded(e.k)
	e.scoped(func() { e.block(e.k.Body) })
	// What follows on other threads must see these writes.
	e.intrinsic("llvm.x86.sse.sfence", types.Void)
	e.cur.NewRet(constant.NewInt(types.I32, 0))
	e.cur, e.stream, e.tasks = plain, false, false
}

// aligned says whether all results that are written around the caches lie at
// multiples of a vector; nil where there are none.
func (e *emitter) aligned() value.Value {
	if !strings.HasPrefix(e.target.Triple, "x86_64") {
		return nil
	}
	var any value.Value
	for _, b := range e.k.Params {
		if !b.Stream || !b.Out {
			continue
		}
		p := value.Value(e.cur.NewPtrToInt(e.memory(b).base, i64))
		if any != nil {
			p = e.cur.NewOr(any, p)
		}
		any = p
	}
	if any == nil {
		return nil
	}
	low := e.cur.NewAnd(any, constant.NewInt(i64, int64(e.target.Vector/8-1)))
	return e.cur.NewICmp(enum.IPredEQ, low, constant.NewInt(i64, 0))
}

// streams reports whether the vector at index first of b is whole and lies at
// a multiple of its size.
func (e *emitter) streams(b *kernel.Buffer, first ir.Dim) bool {
	return b.Stream && e.mask == nil && e.width*b.DType.Size()*8 == e.target.Vector &&
		first.Mod(ir.Const(int64(e.width))).IsConst(0)
}

func (e *emitter) putStream(m *memory, p value.Value, v val) {
	st := e.cur.NewStore(v.Value, p)
	if e.around == nil {
		e.around = &metadata.Tuple{MetadataID: metadata.MetadataID(len(e.m.MetadataDefs)),
			Fields: []metadata.Field{constant.NewInt(types.I32, 1)}}
		e.m.MetadataDefs = append(e.m.MetadataDefs, e.around)
	}
	st.Align = llvm.Align(e.target.Vector / 8)
	st.Metadata = append(m.meta[:len(m.meta):len(m.meta)], &metadata.Attachment{Name: "nontemporal", Node: e.around})
}

// passes reports whether what follows index first of b is read soon: not where
// the index is data.
func (e *emitter) passes(b *kernel.Buffer, first ir.Dim) bool {
	return e.stream && b.Stream &&
		!slices.ContainsFunc(first.SymNames(), func(n string) bool { return !e.natural[n] })
}

// How far in front of what is read memory is asked for, in bytes: some lines where a
// kernel passes over it once, nextLines or, where it is crowded, farLines and nearLines;
// and the row after the next where it passes over each row several times. It is then the
// last pass that asks, to the second cache, but to the nearest where it computes for long.
// Of rows that begin anywhere, and of what a loop around reads over and over, as panels of
// products, each pass asks for what lies leastRows ahead. Kernels that only read are
// slower with any of this.
//
// Shares of a copy on one thread, Zen 4, 2026-11-26: eight operations on each element
// 0.94 by nextLines, 0.73 by leastRows. ns an element, the best of 30 in turn:
//
//	rows of                          softmax 1024  1008  1001  layer norm 1024  1001
//	each pass, 4 KB                          0.34  0.42  0.37             0.22  0.33
//	each pass, two rows                      0.31  0.35  0.39             0.20  0.33
//	the last pass, two rows                  0.30  0.34                   0.19
//	the last pass, to the nearest cache      0.28  0.33                   0.18
//
// GB/s of the same operations with a row that all rows share, and of a product and a sum
// with one each, median of 61 in turn, one thread:
//
//	                            8 KB  16 KB  32 KB  128 KB  512 KB  two of 8 KB  16 KB
//	AVX-512, nextLines          30.8   30.4   27.2    29.2    27.4         22.8   21.1
//	AVX-512, far and nearLines  30.4   34.6   30.1    30.6    27.8         27.1   29.1
//	AVX2, nextLines             38.0   27.2   26.0    26.6    28.7         28.5   22.3
//	AVX2, far and nearLines     42.7   34.4   37.1    37.7    37.3         34.2   34.6
const (
	nextLines = 448
	farLines  = 8 << 10
	nearLines = 2 << 10
	leastRows = 4096
	mostRows  = 32 << 10
	mostNear  = 8 << 10 // to the nearest cache
)

// Where to what is asked for is to come, as llvm.prefetch has it.
const (
	passed      = 0 // it is not used again
	secondCache = 2
	nearest     = 3
)

// repeats reports whether k has loops that carry results on, as sums over a row
// are, so that it passes over rows several times.
func repeats(k *kernel.Kernel) bool {
	found := false
	kernel.WalkStmts(k.Body, func(st kernel.Stmt) {
		l, ok := st.(*kernel.Loop)
		found = found || ok && !l.Indep && l.Bind == kernel.Serial
	})
	return found
}

// ask asks for what is read some time after the vector of b at p, which passes: once
// in straight code, where several statements load it. at is its index.
func (e *emitter) ask(b *kernel.Buffer, at ir.Dim, p value.Value) {
	key := b.Name + "[" + at.String()
	if e.asked[key] == e.cur {
		return
	}
	e.asked[key] = e.cur
	if !e.repeats {
		e.askLines(p)
		return
	}
	pass, bytes, where := e.passOf[e.along], int64(leastRows), int64(secondCache)
	if at.Mod(ir.Const(int64(e.width))).IsConst(0) && !pass.over[b] {
		if pass.again[b] {
			return
		}
		bytes = e.twoRows(b, at)
		if least, ok := pass.least[b]; ok {
			if d, ok := at.Sub(least).Int(); ok && 2*d*int64(b.DType.Size()) >= bytes {
				return // a row ahead of another one, which asks
			}
		}
		if pass.long && bytes <= mostNear {
			where = nearest
		}
	}
	e.prefetch(p, bytes, where)
}

// askLines asks for what lies some lines behind p, of which a kernel passes over each once.
func (e *emitter) askLines(p value.Value) {
	if !e.crowded {
		e.prefetch(p, nextLines, passed)
		return
	}
	e.prefetch(p, farLines, secondCache)
	e.prefetch(p, nearLines, passed)
}

// Bytes of the rows that iterations of a loop share: with more than leastShared they do not
// stay in the nearest cache beside what passes, with more than mostShared not in the second.
const (
	leastShared = 4 << 10
	mostShared  = 512 << 10
)

// crowded reports whether the iterations of a loop of k share rows that the second cache
// holds, not the nearest one. Loads of them wait for what is asked for in front of them to
// come from memory, unless that has come to the second cache before.
func crowded(k *kernel.Kernel) bool {
	shared := map[*kernel.Buffer]int64{}
	var walk func(body []kernel.Stmt, around []*kernel.Loop)
	walk = func(body []kernel.Stmt, around []*kernel.Loop) {
		for _, s := range body {
			switch s := s.(type) {
			case *kernel.Loop:
				walk(s.Body, append(around[:len(around):len(around)], s))
			case *kernel.If:
				walk(s.Then, around)
				walk(s.Else, around)
			default:
				kernel.WalkExprs([]kernel.Stmt{s}, func(x *kernel.Expr) {
					if x.Kind == kernel.KLoad && x.Buf.Space == kernel.Global && !x.Buf.Stream {
						shared[x.Buf] = max(shared[x.Buf], sharedBytes(x, around))
					}
				})
			}
		}
	}
	walk(k.Body, nil)
	sum := int64(0)
	for _, n := range shared {
		sum += n
	}
	return sum > leastShared && sum <= mostShared
}

// sharedBytes is what load x reads in an iteration of the innermost of the loops around
// whose iterations all read the same; 0 where there is none, or extents are not known.
func sharedBytes(x *kernel.Expr, around []*kernel.Loop) int64 {
	bytes := int64(x.Buf.DType.Size())
	for _, l := range slices.Backward(around) {
		if x.Index.Has(l.Var) {
			n, _ := l.Extent.Int()
			bytes *= n
		} else if l.Bind != kernel.Unroll {
			return bytes
		}
	}
	return 0
}

// pass is what a loop does that passes over a row.
type pass struct {
	long  bool                      // it computes more than memory takes
	again map[*kernel.Buffer]bool   // what a later one passes over, which writes something
	over  map[*kernel.Buffer]bool   // what each iteration of a loop around passes over
	least map[*kernel.Buffer]ir.Dim // the least index, where all are so far apart at any time
}

// longest is the operations on an element that memory takes as long as.
const longest = 16

// expOps is the operations that an exponential stands for where it is native.
const expOps = 30

// passesOf looks at the loops of k.
func passesOf(k *kernel.Kernel) map[*kernel.Loop]pass {
	out := map[*kernel.Loop]pass{}
	var walk func(body []kernel.Stmt, around []string)
	walk = func(body []kernel.Stmt, around []string) {
		for i, s := range body {
			switch s := s.(type) {
			case *kernel.Loop:
				p := pass{again: map[*kernel.Buffer]bool{}, over: map[*kernel.Buffer]bool{}}
				ops := 0
				kernel.WalkExprs(s.Body, func(e *kernel.Expr) {
					switch {
					case e.Kind == kernel.KOp && e.Op == ir.OpExp:
						ops += expOps
					case e.Kind == kernel.KOp:
						ops++
					case e.Kind == kernel.KLoad && slices.ContainsFunc(around,
						func(v string) bool { return !e.Index.Has(v) }):
						p.over[e.Buf] = true
					}
				})
				p.long = ops > longest
				p.least = leastIndices(s.Body)
				for _, later := range body[i+1:] {
					if l, ok := later.(*kernel.Loop); ok && writes(l) && !writes(s) {
						kernel.WalkExprs(l.Body, func(e *kernel.Expr) { p.again[e.Buf] = true })
					}
				}
				out[s] = p
				in := around[:len(around):len(around)]
				if s.Bind == kernel.Serial && !s.Extent.IsConst(1) {
					in = append(in, s.Var)
				}
				walk(s.Body, in)
			case *kernel.If:
				walk(s.Then, around)
				walk(s.Else, around)
			}
		}
	}
	walk(k.Body, nil)
	return out
}

// leastIndices has the least index at which each buffer is loaded in body, at the start
// of the loops in it, where it is always the same one.
func leastIndices(body []kernel.Stmt) map[*kernel.Buffer]ir.Dim {
	inner, out, mixed := map[string]bool{}, map[*kernel.Buffer]ir.Dim{}, map[*kernel.Buffer]bool{}
	kernel.WalkStmts(body, func(s kernel.Stmt) {
		if l, ok := s.(*kernel.Loop); ok {
			inner[l.Var] = true
		}
	})
	kernel.WalkExprs(body, func(e *kernel.Expr) {
		if e.Kind != kernel.KLoad || mixed[e.Buf] {
			return
		}
		at := e.Index.Subst(func(v string) (ir.Dim, bool) { return ir.Const(0), inner[v] })
		least, ok := out[e.Buf]
		switch d, fixed := at.Sub(least).Int(); {
		case !ok || fixed && d < 0:
			out[e.Buf] = at
		case !fixed:
			mixed[e.Buf] = true
			delete(out, e.Buf)
		}
	})
	return out
}

// writes reports whether loop l stores to memory.
func writes(l *kernel.Loop) bool {
	found := false
	kernel.WalkStmts(l.Body, func(s kernel.Stmt) {
		st, ok := s.(*kernel.Store)
		found = found || ok && st.Buf.Space != kernel.Local
	})
	return found
}

// twoRows is the bytes of two rows of b: what the loop around passes over, or the longer
// one of which it has the rest, so that all of a row is asked for.
func (e *emitter) twoRows(b *kernel.Buffer, at ir.Dim) int64 {
	if e.along != nil {
		step, _, _ := at.Linear(e.along.Var)
		n, _ := step.Mul(e.fold(e.along.Extent)).Int()
		e.rows[b] = max(e.rows[b], 2*n*int64(b.DType.Size()))
	}
	return min(max(e.rows[b], leastRows), mostRows)
}

// prefetch asks for the line that lies some bytes behind p. That it may lie
// behind the buffer does no harm.
func (e *emitter) prefetch(p value.Value, bytes, where int64) {
	i32 := func(n int64) value.Value { return constant.NewInt(types.I32, n) }
	at := e.cur.NewGetElementPtr(types.I8, e.cur.NewBitCast(p, i8p), constant.NewInt(i64, bytes))
	e.intrinsic("llvm.prefetch.p0", types.Void, at, i32(0), i32(where), i32(1))
}
