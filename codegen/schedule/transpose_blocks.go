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

// blockBytes are those of a block whose tiles are whole lines.
const blockBytes = 128 << 10

// block is how many elements a block has along axis v where that is long: by half lines 1 KB
// of a row of the source, of as many rows as a vector has elements, squared; by whole lines two
// lines of a row of the result and 1 to 4 KB of one of the source, or as many bytes in another
// shape where one of the axes is short. (2048 x 2048 of f32, other memory read and written between
// runs, one core of an AMD EPYC, Zen 4, 2026-11-26: 26 to 33 GB/s in blocks of 256 rows of 1 KB,
// 34 in blocks of 32 of 4 KB. By AVX2, loops in C: 24 with 256 rows, 29 with 128, 31 with 64, but
// 20 by rows of 8 columns rather than squares of 16, and 27 with 64 rows of 256 bytes.)
func (c *crossing) block(v string) int64 {
	other := c.j
	if v == c.j {
		other = c.i
	}
	if k, ok := c.static(other); ok && c.perLine() == 1 && c.short(other) {
		return blockBytes / int64(c.size) / max(k, c.n) / c.n * c.n
	}
	return c.side(v)
}

// side is block where both axes are long.
func (c *crossing) side(v string) int64 {
	size := int64(c.size)
	n, half := 1024/size, c.perLine() > 1
	switch {
	case v == c.j && half:
		return max(c.n*c.n, 64)
	case v == c.j:
		return 2 * line / size
	case !half:
		for k, _ := c.static(v); n < 4096/size && k >= 4*n; {
			n *= 2
		}
	}
	return n
}

// short reports whether blocks have all of axis v, as it has no two of them or, of the result,
// a few lines.
func (c *crossing) short(v string) bool {
	k, ok := c.static(v)
	return ok && (k < 2*c.side(v) || v == c.j && c.perLine() == 1 && k*int64(c.size) <= 8*line)
}

// long reports whether v has several blocks.
func (c *crossing) long(v string) bool {
	k, ok := c.static(v)
	return ok && !c.short(v) && k >= 2*c.block(v)
}

// lines are those that a row of the source has in a block, and those of the next one that
// a square of tiles asks for, which are whole lines along both axes.
func (c *crossing) lines(b blocks) (row, each int64) {
	size, side := int64(c.size), c.n*c.perLine()
	return b.i * c.n * size / line, side * side * size / line
}

// byBlocks finds them: at least one axis is long, and one that is not is a whole number of
// tiles, so that all ask for as many lines, whole rows or parts of one.
func (c *crossing) byBlocks() blocks {
	switch {
	case len(c.loads) != 1 || !c.t.passes(c.loads[0].Buf) || !c.long(c.i) && !c.long(c.j):
		return blocks{}
	case c.perLine() > 1 && (c.crooked() || !c.long(c.j)):
		return blocks{} // 24 and 23 % slower by AVX2, of 2001 x 2047 and to channels last
	}
	tiles := func(v string) int64 {
		k, _ := c.static(v)
		if c.long(v) {
			k = c.block(v)
		}
		if k%(c.n*c.perLine()) > 0 {
			return 0
		}
		return k / c.n
	}
	b := blocks{tiles(c.i), tiles(c.j)}
	row, each := c.lines(b)
	if b.i*b.j < c.n || row%each > 0 && each%row > 0 {
		return blocks{}
	}
	return b
}

// askBlock has the squares of tiles of a block, loops jt in it, ask for the next one along the
// result, or along the source where the result has no more.
func (c *crossing) askBlock(b blocks, it, jt string, further bool) error {
	source := c.loads[0].Buf.Name
	next := map[string]int64{it: b.i / c.perLine(), jt: 0}
	if further {
		next = map[string]int64{it: 0, jt: b.j / c.perLine()}
	}
	var read *kernel.Tile
	kernel.WalkStmts(c.Loop(jt).Body, func(s kernel.Stmt) {
		switch s := s.(type) {
		case *kernel.Loop:
			next[s.Var] = 0
		case *kernel.Call:
			if len(s.Tiles) == 2 && s.Tiles[1].Buf.Name == source && read == nil {
				read = &s.Tiles[1]
			}
		}
	})
	if read == nil {
		return nil
	}
	at := read.Index.Subst(func(v string) (ir.Dim, bool) { k, ok := next[v]; return ir.Const(k), ok })
	pitch := read.Strides[1]
	if pitch.IsConst(1) {
		pitch = read.Strides[0]
	}
	row, each := c.lines(b)
	size := line / int64(c.size)
	turn := ir.Sym(it).MulConst(b.j / c.perLine()).Add(ir.Sym(jt))
	if each >= row {
		at = at.Add(pitch.Mul(turn).MulConst(each / row))
	} else {
		parts := ir.Const(row / each)
		at = at.Add(pitch.Mul(turn.FloorDiv(parts))).Add(turn.Mod(parts).MulConst(each * size))
	}
	list := make([]ir.Dim, each)
	for l := range each {
		list[l] = at.Add(pitch.MulConst(l / row)).AddConst(l % row * size)
	}
	return c.Ask(jt, source, list...)
}
