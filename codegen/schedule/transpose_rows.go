package schedule

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Results whose rows do not begin at vectors are put together line by line from one
// tile and the next, which is to follow soon. Tiles then go along rows of the result,
// and what they read comes by rows too, as long a part of them as fits: memory is read
// faster so than a line of each row. A piece of each row of a tile is copied to the
// nearest cache, and exchanged from there: rows that are about a multiple of 4 KB apart
// are in the way of each other in that cache, and a tile would come from the next one,
// twice where its own lines do not begin at vectors. Tiles have 4 columns, and while
// those of a piece are exchanged the next piece is copied, a vector for each one that is
// written: stores leave the core in order, and those to the nearest cache then leave
// between those around it. (2001 x 2047, medians in turn: 30.8 GB/s with tiles of 16
// columns and copies ahead of them, 29.4 with tiles of 4, 34.0 with these copies too. One
// core of an AMD EPYC, Zen 4, 2026-11-26.)
const (
	rowPiece = 256  // bytes of a row
	rowSpan  = 4096 // bytes of a row that a task has, at most
	rowTask  = 1024 // rows of the source that a task has, at most

	rowColumns = 4 // columns of a tile
)

// byRows reports whether tiles are exchanged so: rows of the result do not begin at
// vectors, the axes are long, and what is read crosswise is larger than the caches.
func (c *crossing) byRows() bool {
	i, ok := c.static(c.i)
	j, known := c.static(c.j)
	return ok && known && c.crooked() && i >= 2*rowPiece/int64(c.size) && j >= 16*c.n &&
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
	i0, err := c.Split(c.i, c.i+"t", rowSpan/int64(c.size), kernel.Clip)
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
	if rest, err := c.cutTiles(j0, c.n); err != nil {
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
	if err := c.Reorder(i0, jn); err != nil {
		return err
	}
	rest, err := c.cutTiles(i0, rowPiece/int64(c.size))
	if err != nil {
		return err
	}
	if rest != nil {
		if err := c.piece(rest[i0], rest[jn]); err != nil {
			return err
		}
	}
	return c.piece(i0, jn)
}

// piece schedules the loops i0 over pieces of a row, or what is left of one, and jn
// over the rows of a tile.
func (c *crossing) piece(i0, jn string) error {
	n, ok := c.static(i0)
	if !ok {
		return refuse("pieces of %v elements of a row", c.Loop(i0).Extent)
	}
	in, err := c.Split(i0, i0+"p", min(rowPiece/int64(c.size), n), kernel.Exact)
	if err != nil {
		return err
	}
	if n < c.n {
		return c.vectorize(jn)
	}
	if err := c.Reorder(jn, in); err != nil {
		return err
	}
	copies, err := c.stageRows(i0, jn, in)
	if err != nil {
		return err
	}
	if err := c.Reorder(in, jn); err != nil {
		return err
	}
	if rest, err := c.cutTiles(in, rowColumns); err != nil {
		return err
	} else if rest != nil {
		if err := c.vectorize(rest[jn]); err != nil {
			return err
		}
	}
	if err := c.exchange(in, "", jn, rowColumns); err != nil {
		return err
	}
	if pieces, _ := c.static(i0); pieces > 1 && len(copies) == 1 {
		return c.Overlap(i0, copies[0])
	}
	return nil
}

// cutTiles cuts off of loop v what is left of whole tiles of n, nil where that is
// nothing or all.
func (c *crossing) cutTiles(v string, n int64) (map[string]string, error) {
	l := c.Loop(v)
	main := l.Extent.FloorDiv(ir.Const(n)).MulConst(n)
	if l.Extent.Equal(main) || main.IsConst(0) {
		return nil, nil
	}
	return c.Cut(v, main)
}

// stageRows copies what the rows of loop jn have of a piece, of loop i0, ahead of
// them, in an iteration of loop v. It returns the loops that do.
func (c *crossing) stageRows(v, jn, i0 string) (copies []string, err error) {
	pitch := ir.Const(rowPiece/int64(c.size) + c.n)
	for _, e := range c.crossed(i0, jn) {
		axes := []kernel.Axis{{Var: jn, Extent: ir.Const(c.n), Stride: pitch},
			{Var: i0, Extent: c.Loop(i0).Extent, Stride: ir.Const(1)}}
		names, err := c.Stage(v, e, "rows", kernel.Scratch, pitch.MulConst(c.n), axes)
		if err != nil {
			return nil, err
		}
		if err := c.vectorize(last(names)); err != nil {
			return nil, err
		}
		copies = append(copies, names[0])
	}
	return copies, nil
}
