package kernel

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Instrs has the instructions by name.
var Instrs = map[string]*Instr{}

// inline returns the meaning of c as statements: the body of the instruction
// with the tiles' addresses.
func (c *Call) inline() ([]Stmt, error) {
	in := c.Instr
	if len(c.Tiles) != len(in.Params) {
		return nil, fmt.Errorf("call %s: %d tiles, want %d", in.Name, len(c.Tiles), len(in.Params))
	}
	tiles := map[*Buffer]int{}
	for i, p := range in.Params {
		if len(c.Tiles[i].Strides) != len(in.Shapes[i]) {
			return nil, fmt.Errorf("call %s: tile %d has %d strides, want %d", in.Name, i,
				len(c.Tiles[i].Strides), len(in.Shapes[i]))
		}
		tiles[p] = i
	}
	return (&subst{expr: func(e *Expr) *Expr {
		if i, ok := tiles[e.Buf]; ok && e.Kind == KLoad {
			return Load(c.Tiles[i].Buf, c.Tiles[i].at(in.Shapes[i], e.Index))
		}
		return e
	}, store: func(b *Buffer, at ir.Dim) (*Buffer, ir.Dim) {
		if i, ok := tiles[b]; ok {
			return c.Tiles[i].Buf, c.Tiles[i].at(in.Shapes[i], at)
		}
		return b, at
	}}).body(in.Body), nil
}

// at is the index in the tile's buffer of element flat of the tile.
func (t *Tile) at(shape []int64, flat ir.Dim) ir.Dim {
	out := t.Index
	for i := len(shape) - 1; i >= 0; i-- {
		n := ir.Const(shape[i])
		q := flat
		if i > 0 {
			q = flat.Mod(n)
		}
		out = out.Add(q.Mul(t.Strides[i]))
		flat = flat.FloorDiv(n)
	}
	return out
}
