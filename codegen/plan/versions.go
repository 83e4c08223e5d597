package plan

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// A product is best computed in one way where few rows share its right operand,
// which is then read once, as it lies, and in another where many do, which is
// worth packing it. Where the number of rows is known when a call is made, there
// are versions of its kernel, each for some numbers of rows. A step launches them
// all, and those that are not meant have no tasks.
//
// A result has the same bits for any number of threads, as its version depends
// on the extents alone.

// version is a tree with the values of its Dims, and the condition, 1 or 0, under
// which it has tasks.
type version struct {
	tree *kernel.Kernel
	dims []ir.Dim
	when ir.Dim
}

// Products with versions.
const (
	leastShared = 16 << 10 // elements of an operand that is worth versions
	// A weight is packed already; from this number of bytes on, about a shared
	// cache, few rows read it from memory, which takes another schedule.
	leastWeight = 14 << 20
)

// few has the most rows of each version but the last. One row is a number, which
// makes the simplest kernel; the others compute as many rows as they may have.
// (1024 x 1024, 1, 2, 4 and 8 rows: 130, 169, 165 and 244 µs as for any number,
// 53, 98, 98 and 205 in versions; 4096 x 4096, 1 and 8 rows: 51 and 132 ms, 3.4
// and 4.6; AMD EPYC, 2026-11-26.)
var few = []int64{1, 4, 8}

// versions returns those of tree, the last of which is for all other extents;
// weights has its parameters that are.
func versions(tree *kernel.Kernel, weights map[string]bool) []version {
	k, dims := opaque(tree)
	all := version{k, dims, ir.Const(1)}
	rows := sharingRows(k, weights)
	if len(rows) == 0 {
		return []version{all}
	}
	row, fixed := rows[0], map[string]ir.Dim{}
	single := ir.Const(1) // inner loops over rows have one iteration in versions
	for _, l := range rows[1:] {
		fixed[l.Extent.String()] = ir.Const(1)
		single = single.Mul(atMost(all.value(l.Extent.String()), 1))
	}
	n := all.value(row.Extent.String())
	var out []version
	less := ir.Const(0)
	for _, most := range few {
		c := atMost(n, most)
		v := all.with(fixed, single.Mul(c.Sub(less)))
		if most == 1 {
			v = v.with(map[string]ir.Dim{row.Extent.String(): ir.Const(1)}, v.when)
		} else {
			v = v.clamp(row.Var, most)
		}
		out, less = append(out, v), c
	}
	all.when = ir.Const(1).Sub(single.Mul(less))
	return append(out, all)
}

// value is the value of the symbol s of the tree.
func (v version) value(s string) ir.Dim { return v.dims[slices.Index(v.tree.Dims, s)] }

// atMost is 1 where 1 <= d <= n, else 0; d is not negative.
func atMost(d ir.Dim, n int64) ir.Dim {
	return d.Min(ir.Const(1)).Mul(ir.Const(n + 1).Sub(d).Max(ir.Const(0)).Min(ir.Const(1)))
}

// with is v where symbols have values.
func (v version) with(values map[string]ir.Dim, when ir.Dim) version {
	out := version{when: when}
	out.tree = kernel.MapDims(v.tree, func(d ir.Dim) ir.Dim {
		return d.Subst(func(s string) (ir.Dim, bool) { x, ok := values[s]; return x, ok })
	})
	out.tree.Dims = nil
	for i, s := range v.tree.Dims {
		if _, ok := values[s]; !ok {
			out.tree.Dims, out.dims = append(out.tree.Dims, s), append(out.dims, v.dims[i])
		}
	}
	return out
}

// clamp gives the loop over rows n iterations, at least as many as there are:
// those behind the last row compute the last one again, and store it once more.
func (v version) clamp(row string, n int64) version {
	var end ir.Dim
	kernel.WalkStmts(v.tree.Body, func(s kernel.Stmt) {
		if l, ok := s.(*kernel.Loop); ok && l.Var == row {
			end = l.Extent
		}
	})
	at := ir.Sym(row).Min(end.AddConst(-1))
	v.tree = kernel.MapDims(v.tree, func(d ir.Dim) ir.Dim {
		if d.Equal(end) {
			return d
		}
		return d.Subst(func(s string) (ir.Dim, bool) { return at, s == row })
	})
	kernel.WalkStmts(v.tree.Body, func(s kernel.Stmt) {
		if l, ok := s.(*kernel.Loop); ok && l.Var == row {
			l.Extent = ir.Const(n)
		}
	})
	return v
}

// sharingRows returns the loops over the rows of a product for which k gets
// versions, outermost first, those with one iteration left out: the extent of
// each is a symbol that no other loop has. None: k gets none.
func sharingRows(k *kernel.Kernel, weights map[string]bool) []*kernel.Loop {
	var domain []*kernel.Loop
	body := k.Body
	for len(body) == 1 {
		l, ok := body[0].(*kernel.Loop)
		if !ok || !l.Indep {
			break
		}
		domain, body = append(domain, l), l.Body
	}
	updates := func(b *kernel.Buffer) bool { return b.In && b.Out }
	if len(domain) < 2 || slices.ContainsFunc(k.Params, updates) {
		return nil // rows that are computed twice must find what they read unchanged
	}
	left, right := operands(body, domain[len(domain)-1].Var)
	worth := func(e *kernel.Expr) bool { return worthVersions(e.Buf, weights[e.Buf.Name]) }
	if len(left) == 0 || !slices.ContainsFunc(right, worth) {
		return nil
	}
	var rows []*kernel.Loop
	extents := map[string]int{}
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		if l, ok := s.(*kernel.Loop); ok {
			for _, s := range l.Extent.SymNames() {
				extents[s]++
			}
		}
	})
	for _, l := range domain[:len(domain)-1] {
		has := func(e *kernel.Expr) bool { return e.Index.Has(l.Var) }
		if l.Extent.IsConst(1) || slices.ContainsFunc(right, has) {
			continue
		}
		s := l.Extent.String()
		if !slices.Contains(k.Dims, s) || extents[s] > 1 || !slices.ContainsFunc(left, has) {
			return nil
		}
		rows = append(rows, l)
	}
	return rows
}

// operands are the loads from memory of the products in body, those that depend
// on the column apart.
func operands(body []kernel.Stmt, column string) (left, right []*kernel.Expr) {
	kernel.WalkStmts(body, func(s kernel.Stmt) {
		st, ok := s.(*kernel.Store)
		if !ok || !multiplies(st) {
			return
		}
		kernel.WalkExprs([]kernel.Stmt{&kernel.Let{Value: st.Value}}, func(e *kernel.Expr) {
			switch {
			case e.Kind != kernel.KLoad || e.Buf.Space != kernel.Global:
			case e.Index.Has(column):
				right = append(right, e)
			default:
				left = append(left, e)
			}
		})
	})
	return left, right
}

// worthVersions reports whether few rows read their right operand b in another
// way than many.
func worthVersions(b *kernel.Buffer, weight bool) bool {
	n, ok := b.Size.Int()
	if weight {
		return ok && n*int64(b.DType.Size()) >= leastWeight
	}
	return !ok || n >= leastShared
}
