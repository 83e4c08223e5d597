package kernel

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

type instrRow struct {
	levels string // that have it
	shapes [][]int64
	text   string // its meaning; parameters are the operands
	sum    string // what it is in real numbers, if that differs; the same parameters
}

// instrTable has the instructions. To add one, see CONTRIBUTING.md: its row
// here says what it does and which CPU levels have it, codegen/llvm has its
// text.
//
// Integer sums wrap around, so the dot rows are exact: none of them saturates.
var instrTable = []instrRow{
	{levels: "x86-64-v3 x86-64-v4 avx512-vnni avx512-bf16 amx",
		shapes: [][]int64{{2}, {8, 2}, {8}}, text: `
kernel vpmaddwd.256(a i16[2] in, b i16[16] in, c i32[8] in out)
	vector i < 8
		unroll q < 2
			c[i] = add(c[i], mul(i32(a[q]), i32(b[2*i+q])))
`},
	{levels: "x86-64-v4 avx512-vnni avx512-bf16 amx", shapes: [][]int64{{2}, {16, 2}, {16}}, text: `
kernel vpmaddwd.512(a i16[2] in, b i16[32] in, c i32[16] in out)
	vector i < 16
		unroll q < 2
			c[i] = add(c[i], mul(i32(a[q]), i32(b[2*i+q])))
`},
	{levels: "avx512-vnni avx512-bf16 amx", shapes: [][]int64{{2}, {16, 2}, {16}}, text: `
kernel vpdpwssd.512(a i16[2] in, b i16[32] in, c i32[16] in out)
	vector i < 16
		unroll q < 2
			c[i] = add(c[i], mul(i32(a[q]), i32(b[2*i+q])))
`},
	{levels: "avx512-vnni avx512-bf16 amx", shapes: [][]int64{{4}, {16, 4}, {16}}, text: `
kernel vpdpbusd.512(a u8[4] in, b i8[64] in, c i32[16] in out)
	vector i < 16
		unroll q < 4
			c[i] = add(c[i], mul(i32(a[q]), i32(b[4*i+q])))
`},
}

// Instrs has the instructions by name.
var Instrs = map[string]*Instr{}

func init() {
	tileInstrs()
	bf16Instrs()
	transpositions()
	interleaveInstrs()
	askInstrs()
	for _, r := range instrTable {
		k := mustParse(r.text)
		in := &Instr{Name: k.Name, Levels: strings.Fields(r.levels), Params: k.Params,
			Shapes: r.shapes, Body: k.Body}
		in.Sum = in.Body
		if r.sum != "" {
			sum := mustParse(r.sum)
			bufs := map[*Buffer]*Buffer{}
			for i, p := range sum.Params {
				bufs[p] = in.Params[i]
			}
			in.Sum = (&subst{bufs: bufs}).body(sum.Body)
		}
		Instrs[in.Name] = in
	}
}

// mustParse reads the text of a row; its variables get names of their own,
// apart from those where the instruction is called.
func mustParse(text string) *Kernel {
	k, err := Parse(strings.TrimLeft(text, "\n"))
	if err != nil {
		panic("BUG: " + text + err.Error())
	}
	names := map[string]string{}
	WalkStmts(k.Body, func(s Stmt) {
		switch s := s.(type) {
		case *Loop:
			names[s.Var] = k.Name + "." + s.Var
		case *Let:
			names[s.Var] = k.Name + "." + s.Var
		}
	})
	k.Body = (&subst{names: names}).body(k.Body)
	return k
}

// On reports whether the CPU level has the instruction.
func (in *Instr) On(level string) bool { return slices.Contains(in.Levels, level) }

// Dense reports whether the tile's elements follow each other in memory, as
// those of a row-major array of the shape.
func (t *Tile) Dense(shape []int64) bool {
	n := int64(1)
	for i := len(shape) - 1; i >= 0; i-- {
		if !t.Strides[i].IsConst(n) {
			return false
		}
		n *= shape[i]
	}
	return true
}

// Inline returns the meaning of c as statements: the body of the instruction
// on the tiles' buffers. Its loops have the instruction's variables.
func (c *Call) Inline() ([]Stmt, error) {
	body, err := c.inline(c.Instr.Body)
	if err != nil {
		return nil, err
	}
	return simplifyBody(body, NewFacts()), nil
}

// inline is a body of the instruction on the tiles' buffers, with the indices as
// substitution leaves them.
func (c *Call) inline(body []Stmt) ([]Stmt, error) {
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
	}}).body(body), nil
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
