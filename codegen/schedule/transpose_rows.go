package schedule

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Results whose rows do not begin at vectors are put together line by line from one
// tile and the next, which is to follow soon. Tiles then go along rows of the result,
// and what they read comes by rows too: a piece of each row of a tile is copied to the
// nearest cache, and exchanged from there. Rows that are about a multiple of 4 KB apart
// are in the way of each other in that cache: a tile would come from the next one, and
// twice where its own lines do not begin at vectors; and a long piece of a row is read
// faster than a line of it. (2001 x 2047: 17.8 GB/s without, 22.4 so, medians of five;
// one core of an AMD EPYC, Zen 4, 2026-11-26.)
const (
	rowPiece = 1024 // bytes of a row
	rowTask  = 2048 // rows of the source that a task has, at most
)

// byRows reports whether tiles are exchanged so: rows of the result do not begin at
// vectors, the axes are long, and what is read crosswise is larger than the caches.
func (c *crossing) byRows() bool {
	i, ok := c.static(c.i)
	j, known := c.static(c.j)
	return ok && known && c.crooked() && i >= rowPiece/2/int64(c.size) && j >= 16*c.n &&
		c.perLine() == 1 && !slices.ContainsFunc(c.loads, func(e *kernel.Expr) bool {
		return !c.t.passes(e.Buf)
	})
}

// crooked reports whether rows of a result do not begin at vectors.
func (c *crossing) crooked() bool {
	return slices.ContainsFunc(accessesOf(c.Loop(c.i).Body), func(a access) bool {
		_, row, _ := a.index.Linear(c.j)
		return a.write && c.t.passes(a.buf) && !row.Mod(ir.Const(c.n)).IsConst(0)
	})
}

// rows schedules them.
func (c *crossing) rows(d []string) error {
	outer := slices.DeleteFunc(slices.Clone(d), func(v string) bool { return v == c.i || v == c.j })
	c.ahead = map[string]int64{}
	for _, e := range c.loads {
		coef, _, _ := e.Index.Linear(c.j)
		if k, ok := coef.Int(); ok && k > 0 {
			c.ahead[e.Buf.Name] = k * c.n
		}
	}
	j0, err := c.Split(c.j, c.j+"t", rowTask, kernel.Clip)
	if err != nil {
		return err
	}
	i0, err := c.Split(c.i, c.i+"t", rowPiece/int64(c.size), kernel.Clip)
	if err != nil {
		return err
	}
	outer = append(outer, c.i, c.j)
	if err := c.Reorder(append(outer, i0, j0)...); err != nil {
		return err
	}
	if err := c.parallel(outer); err != nil {
		return err
	}
	rest, err := c.specialize(i0)
	if err != nil {
		return err
	}
	if rest != nil {
		if err := c.byPieces(rest[i0], rest[j0]); err != nil {
			return err
		}
	}
	return c.byPieces(i0, j0)
}

// byPieces schedules the loops i0 over a piece of a row and j0 over the rows.
func (c *crossing) byPieces(i0, j0 string) error {
	if err := c.Reorder(j0, i0); err != nil {
		return err
	}
	if rest, err := c.cutTiles(j0); err != nil {
		return err
	} else if rest != nil {
		if err := c.edge(rest[i0], rest[j0]); err != nil {
			return err
		}
	}
	jn, err := c.Split(j0, j0+"v", c.n, kernel.Exact)
	if err != nil {
		return err
	}
	if err := c.stageRows(j0, jn, i0); err != nil {
		return err
	}
	if err := c.Reorder(i0, jn); err != nil {
		return err
	}
	if rest, err := c.cutTiles(i0); err != nil {
		return err
	} else if rest != nil {
		if err := c.vectorize(rest[jn]); err != nil {
			return err
		}
	}
	in, err := c.Split(i0, i0+"r", c.n, kernel.Exact)
	if err != nil {
		return err
	}
	return c.exchange(in, jn)
}

// cutTiles cuts off of loop v what is left of whole tiles, nil where that is nothing.
func (c *crossing) cutTiles(v string) (map[string]string, error) {
	l := c.Loop(v)
	main := l.Extent.FloorDiv(ir.Const(c.n)).MulConst(c.n)
	if l.Extent.Equal(main) {
		return nil, nil
	}
	return c.Cut(v, main)
}

// stageRows copies what the rows of loop jn have of a piece, of loop i0, ahead of
// them, in an iteration of loop v.
func (c *crossing) stageRows(v, jn, i0 string) error {
	pitch := ir.Const(rowPiece/int64(c.size) + c.n)
	for _, e := range c.crossed(i0, jn) {
		axes := []kernel.Axis{{Var: jn, Extent: ir.Const(c.n), Stride: pitch},
			{Var: i0, Extent: c.Loop(i0).Extent, Stride: ir.Const(1)}}
		names, err := c.Stage(v, e, "rows", kernel.Scratch, pitch.MulConst(c.n), axes)
		if err != nil {
			return err
		}
		if err := c.vectorize(last(names)); err != nil {
			return err
		}
	}
	return nil
}
