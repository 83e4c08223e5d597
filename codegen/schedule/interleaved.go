package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Columns of a table at places that are data: of a few rows at a time the elements of a
// column are laid side by side, so that a load has 16 bytes of what is picked, of all these
// rows, and vectors of a row are exchanged out of such loads in registers. (1024 columns of
// [4096,1024]: two rows at a time, an element a load, 34.8 GB/s, four so 38.9; 2048 of
// [2048,2048] one row at a time 29.6, four 38.2; one core of an AMD EPYC, Zen 4, 2026-11-26.)

// table is what a loop over places reads.
type table struct {
	load    *kernel.Expr
	let     string // the place
	columns int64  // that there are
	pitch   int64  // of rows
}

// interleaved makes vectors of w lanes of loop row, for as many iterations of loop v, around
// it, at a time as 16 bytes have elements.
func (s *scheduler) interleaved(v, row string, w int64) error {
	t, err := s.table(v, row)
	if err != nil {
		return err
	}
	q := 16 / int64(t.load.DType.Size())
	length, _ := s.static(row)
	switch bytes := t.columns * 16; {
	case kernel.Transposition(q, q, t.load.DType) == nil || q > 8 || w < q || length < w:
		return refuse("no vectors of columns of %v", t.load.DType)
	case length < t.columns/2 || bytes > int64(s.t.L2)/8:
		return refuse("%d of %d columns", length, t.columns)
	case !s.near(v, row, bytes/q):
		return refuse("rows from memory that is not asked for")
	}
	if err := s.wholes(v, row, q, w); err != nil {
		return err
	}
	rows, err := s.Split(v, v+"q", q, kernel.Exact)
	if err != nil {
		return err
	}
	if t, err = s.table(rows, row); err != nil {
		return err
	}
	fill, err := s.Stage(v, t.load, "rows", kernel.Scratch, ir.Const(q*t.columns), []kernel.Axis{
		{Var: t.let, Extent: ir.Const(t.columns), Stride: ir.Const(q)},
		{Var: rows, Extent: ir.Const(q), Stride: ir.Const(1)}})
	if err != nil {
		return err
	}
	if err := s.lay(fill[0], fill[1], q); err != nil {
		return err
	}
	if err := s.abreast(rows, row, w); err != nil {
		return err
	}
	return s.askRowsOf(t, rows, row, q, length/w)
}

// wholes cuts off of loop v what is left of whole groups of q iterations.
func (s *scheduler) wholes(v, row string, q, w int64) error {
	count := s.Loop(v).Extent
	whole := count.FloorDiv(ir.Const(q)).MulConst(q)
	switch {
	case whole.IsConst(0):
		return refuse("less than %d rows", q)
	case count.Equal(whole):
		return nil
	}
	rest, err := s.Cut(v, whole)
	if err != nil {
		return err
	}
	return s.vectorizeBy(rest[row], w)
}

// lay exchanges q rows, those of loop r, and columns, of loop c around it, a vector of columns
// at a time.
func (s *scheduler) lay(c, r string, q int64) error {
	st, ok := s.Loop(r).Body[0].(*kernel.Store)
	n, _ := s.static(c)
	if !ok {
		return refuse("no copy of rows")
	}
	tile := q
	for 2*tile*int64(st.Buf.DType.Size()) <= int64(s.t.Vector) && 2*tile <= n {
		tile *= 2
	}
	if main := n / tile * tile; main < n {
		if main == 0 {
			return refuse("no whole tile of %d columns", tile)
		}
		if _, err := s.Cut(c, ir.Const(main)); err != nil {
			return err
		}
	}
	in, err := s.Split(c, c+"x", tile, kernel.Exact)
	if err != nil {
		return err
	}
	return s.swap(in, r, q, tile)
}

// table finds the load of loop row at a place that is the same for all iterations of v.
func (s *scheduler) table(v, row string) (*table, error) {
	body := s.Loop(row).Body
	let, ok := body[0].(*kernel.Let)
	if !ok || len(body) != 2 {
		return nil, refuse("more than a place and a store")
	}
	t := &table{let: let.Var}
	several := false
	kernel.WalkExprs(body[1:], func(e *kernel.Expr) {
		if e.Kind != kernel.KLoad || !e.Index.Has(let.Var) {
			return
		}
		several = several || t.load != nil && !t.load.Index.Equal(e.Index)
		t.load = e
	})
	if t.load == nil || several || len(t.load.Args) > 0 || t.load.Index.Has(row) ||
		stride(t.load.Index, let.Var) != 1 {

		return nil, refuse("no load at a place alone")
	}
	pitch, _, _ := t.load.Index.Linear(v)
	t.pitch, ok = pitch.Int()
	t.columns = s.bound()
	if !ok || t.columns == 0 {
		return nil, refuse("rows or columns are not known in number")
	}
	return t, nil
}

// bound is the number that a check of the kernel wants places to be below, 0 where there is
// none.
func (s *scheduler) bound() int64 {
	var n int64
	kernel.WalkStmts(s.Body, func(st kernel.Stmt) {
		f, ok := st.(*kernel.Fail)
		if !ok || f.Cond.Kind != kernel.KOp || f.Cond.Op != ir.OpOr {
			return
		}
		for _, c := range f.Cond.Args {
			if c.Kind == kernel.KOp && c.Op == ir.OpGe && c.Args[1].Kind == kernel.KIndex {
				n, _ = c.Args[1].Index.Int()
			}
		}
	})
	return n
}

// askRowsOf has loop row, over n tiles of columns, ask for the next q rows, some lines of
// each in an iteration: they come from memory while vectors go there.
func (s *scheduler) askRowsOf(t *table, rows, row string, q, n int64) error {
	if !s.t.passes(t.load.Buf) {
		return nil
	}
	size := line / int64(t.load.DType.Size())
	each := ceil(ceil(t.columns, size), n)
	first := t.load.Index.Subst(func(s string) (ir.Dim, bool) {
		return ir.Const(0), s == rows || s == t.let
	}).AddConst(q * t.pitch).Add(ir.Sym(row).MulConst(each * size))
	var list []ir.Dim
	for i := range q * each {
		list = append(list, first.AddConst(i/each*t.pitch+i%each*size))
	}
	return s.Ask(row, t.load.Buf.Name, list...)
}
