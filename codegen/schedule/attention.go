package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
)

// attention schedules rows that are computed by a product, reduced, and
// multiplied again: a block of rows at a time is what lies in the cache. The
// products of a block are register blocks, the statements between them row
// operations.
func (s *scheduler) attention() error {
	d := s.domain()
	if s.t.Vector == 0 || len(d) == 0 {
		return refuse("no rows, or scalar code")
	}
	i := last(d)
	body := s.Loop(i).Body
	first, final := s.products(body)
	if first < 0 || first == final {
		return refuse("no two products around row operations")
	}
	if n, ok := s.static(i); ok && n < 4 {
		return refuse("%d rows", n)
	}
	i0, err := s.Split(i, i+"b", s.blockOf(i), kernel.Clip)
	if err != nil {
		return err
	}
	if err := s.parallel(d); err != nil {
		return err
	}
	blocks := []string{i0}
	if _, ok := s.static(i0); !ok {
		names, err := s.Specialize(i0)
		if err != nil {
			return err
		}
		if names != nil {
			blocks = append(blocks, names[i0])
		}
	}
	for _, b := range blocks {
		if err := s.attend(b); err != nil {
			return err
		}
	}
	return nil
}

// blockOf is how many rows a block has: what leaves the least rest among the
// larger ones.
func (s *scheduler) blockOf(i string) int64 {
	most := int64(s.t.Rows)
	n, ok := s.static(i)
	if !ok {
		return most
	}
	best, waste := most, int64(1)<<62
	for rows := most; rows > most/2; rows-- {
		steps := n / rows * max(rows*2, 8)
		if n%rows > 0 {
			steps += max(n%rows*2, 8)
		}
		if steps += n / rows; steps < waste { // operands are read once a block
			best, waste = rows, steps
		}
	}
	return best
}

// products returns the first and the last of the loops in body that hold an
// accumulation over a loop for each of their iterations, -1 where there is
// none.
func (s *scheduler) products(body []kernel.Stmt) (first, final int) {
	first, final = -1, -1
	for at, st := range body {
		l, ok := st.(*kernel.Loop)
		if !ok || !l.Indep || !hasLoops(l.Body) {
			continue
		}
		if first < 0 {
			first = at
		}
		final = at
	}
	return first, final
}

// attend schedules the block of rows i0.
func (s *scheduler) attend(i0 string) error {
	body := s.Loop(i0).Body
	first, final := s.products(body)
	rows := body[first].(*kernel.Loop).Var
	// What crosses from one part to the next gets a row for each row of the
	// block.
	for _, name := range s.crossing(body, first+1, final) {
		if err := s.ExpandDim(name, i0); err != nil {
			return err
		}
	}
	body = s.Loop(i0).Body
	first, _ = s.products(body)
	between, err := s.FissionNest([]string{i0}, first+1)
	if err != nil {
		return err
	}
	_, final = s.products(s.Loop(between[0]).Body)
	after, err := s.FissionNest(between, final)
	if err != nil {
		return err
	}
	if err := s.blockProduct(i0, rows); err != nil {
		return err
	}
	if err := s.along(s.Loop(between[0]).Body); err != nil {
		return err
	}
	name := s.Loop(after[0]).Body[0].(*kernel.Loop).Var
	return s.blockProduct(after[0], name)
}

// crossing lists the buffers that body allocates in one of the parts [0,a),
// [a,b), [b,…) and uses in another.
func (s *scheduler) crossing(body []kernel.Stmt, a, b int) []string {
	part := func(i int) int {
		switch {
		case i < a:
			return 0
		case i < b:
			return 1
		}
		return 2
	}
	uses := map[*kernel.Buffer]map[int]bool{}
	see := func(buf *kernel.Buffer, i int) {
		if uses[buf] == nil {
			uses[buf] = map[int]bool{}
		}
		uses[buf][part(i)] = true
	}
	var order []*kernel.Buffer
	for i, st := range body {
		one := []kernel.Stmt{st}
		if al, ok := st.(*kernel.Alloc); ok {
			order = append(order, al.Buf)
			see(al.Buf, i)
		}
		kernel.WalkStmts(one, func(x kernel.Stmt) {
			if x, ok := x.(*kernel.Store); ok {
				see(x.Buf, i)
			}
		})
		kernel.WalkExprs(one, func(e *kernel.Expr) {
			if e.Kind == kernel.KLoad {
				see(e.Buf, i)
			}
		})
	}
	var out []string
	for _, buf := range order {
		if len(uses[buf]) > 1 {
			out = append(out, buf.Name)
		}
	}
	return out
}

// blockProduct makes register blocks of the rows i0 by the columns j, whose
// loop is the body of i0.
func (s *scheduler) blockProduct(i0, j string) error {
	w := s.narrow(j, s.lanes(s.Loop(j).Body))
	cols := int64(s.t.Cols)
	if n, ok := s.static(j); ok {
		cols = min(cols, (n+w-1)/w)
	}
	j0, err := s.Split(j, j+"v", w*cols, kernel.Clip)
	if err != nil {
		return err
	}
	if err := s.Reorder(j, j0, i0); err != nil {
		return err
	}
	p := &product{scheduler: s}
	tiles := [][2]string{{j0, i0}}
	if _, ok := s.static(j0); !ok {
		names, err := s.Specialize(j0)
		if err != nil {
			return err
		}
		if names != nil {
			tiles = append(tiles, [2]string{names[j0], names[i0]})
		}
	}
	for _, t := range tiles {
		vars, err := p.lanesIn(t[0], []string{t[1]}, w)
		if err != nil {
			return err
		}
		order := append([]string{t[1]}, vars...)
		if len(vars) == 1 && vars[0] != t[0] {
			order = append([]string{t[0]}, order...)
		}
		if err := s.Reorder(order...); err != nil {
			return err
		}
		if err := p.rowBlocks(t[1], vars, int64(s.t.Rows)); err != nil {
			return err
		}
	}
	return nil
}
