package schedule

import (
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Of large transposes a task has a block of up to as many tiles along each axis as a tile
// has rows. It goes along the result, and each of its tiles asks for the same number of
// lines of the next block, row by row: memory is read faster in such runs than a line of
// each row at a time, and a block stays in the second cache. (2048 x 2048: 28.4 GB/s in
// squares of 4 tiles that ask for the next tile, 31.7 so; one core of an AMD EPYC, Zen 4,
// ten runs in turn, 2026-11-26.)

// blocks are how many tiles along the axes i and j a task has, 0 where it has none.
type blocks struct{ i, j int64 }

// byBlocks finds them: at least one axis is long, and one that is not is a whole number of
// tiles, which divides the rows of a tile.
func (c *crossing) byBlocks() blocks {
	if c.perLine() != 1 || len(c.loads) != 1 || !c.t.passes(c.loads[0].Buf) {
		return blocks{}
	}
	tiles := func(v string) int64 {
		k, ok := c.static(v)
		switch n := k / c.n; {
		case !ok || n == 0:
			return 0
		case c.long(v):
			return c.n
		case k%c.n == 0 && c.n%n == 0:
			return n
		}
		return 0
	}
	b := blocks{tiles(c.i), tiles(c.j)}
	if b.i*b.j < c.n || !c.long(c.i) && !c.long(c.j) {
		return blocks{}
	}
	return b
}

// long reports whether v has several blocks.
func (c *crossing) long(v string) bool {
	k, ok := c.static(v)
	return ok && k >= 2*c.n*c.n
}

// askBlock has the tiles of a block, loops jt in it, ask for the next one along the result,
// or along the source where the result has no more.
func (c *crossing) askBlock(b blocks, it, jt string, further bool) error {
	source, err := c.loads[0].Buf.Name, error(nil)
	kernel.WalkStmts(c.Loop(jt).Body, func(s kernel.Stmt) {
		call, ok := s.(*kernel.Call)
		if !ok || len(call.Tiles) != 2 || call.Tiles[1].Buf.Name != source || err != nil {
			return
		}
		at, row := call.Tiles[1].Index, call.Tiles[1].Strides[1]
		if row.IsConst(1) {
			row = call.Tiles[1].Strides[0]
		}
		first := map[string]int64{it: b.i, jt: 0}
		if further {
			first = map[string]int64{it: 0, jt: b.j}
		}
		at = at.Subst(func(v string) (ir.Dim, bool) { k, ok := first[v]; return ir.Const(k), ok })
		rows := c.n / b.i // that a tile asks for
		at = at.Add(row.Mul(ir.Sym(it).MulConst(b.j).Add(ir.Sym(jt)).MulConst(rows)))
		for line := c.n - 1; line >= 0 && err == nil; line-- { // the last one comes first
			err = c.Ask(jt, source, at.Add(row.MulConst(line/b.i)).AddConst(line%b.i*c.n))
		}
	})
	return err
}
