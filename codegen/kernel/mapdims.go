package kernel

import "github.com/tensorcc/tcc/ir"

// MapDims returns k with f applied to every integer expression in it: extents,
// indices, sizes. Variables keep their names; Dims is left for the caller.
func MapDims(k *Kernel, f func(ir.Dim) ir.Dim) *Kernel {
	m := &dimMapper{f: f, bufs: map[*Buffer]*Buffer{}, exprs: map[*Expr]*Expr{}}
	out := *k
	out.Params = make([]*Buffer, len(k.Params))
	for i, b := range k.Params {
		out.Params[i] = m.buf(b)
	}
	out.Body = m.body(k.Body)
	return &out
}

type dimMapper struct {
	f     func(ir.Dim) ir.Dim
	bufs  map[*Buffer]*Buffer
	exprs map[*Expr]*Expr
}

func (m *dimMapper) buf(b *Buffer) *Buffer {
	if _, ok := m.bufs[b]; !ok {
		c := *b
		c.Size = m.f(b.Size)
		if b.Of != nil {
			c.Of, c.At = m.buf(b.Of), m.f(b.At)
		}
		m.bufs[b] = &c
	}
	return m.bufs[b]
}

// expr keeps what is shared shared.
func (m *dimMapper) expr(e *Expr) *Expr {
	if out, ok := m.exprs[e]; ok {
		return out
	}
	c := *e
	c.Args = make([]*Expr, len(e.Args))
	for i, a := range e.Args {
		c.Args[i] = m.expr(a)
	}
	if e.Kind == KIndex || e.Kind == KLoad {
		c.Index = m.f(e.Index)
	}
	if e.Kind == KLoad {
		c.Buf = m.buf(e.Buf)
	}
	m.exprs[e] = &c
	return &c
}

func (m *dimMapper) body(body []Stmt) []Stmt {
	out := make([]Stmt, len(body))
	for i, s := range body {
		out[i] = m.stmt(s)
	}
	return out
}

func (m *dimMapper) stmt(s Stmt) Stmt {
	switch s := s.(type) {
	case *Loop:
		c := *s
		c.Extent, c.Body = m.f(s.Extent), m.body(s.Body)
		return &c
	case *Store:
		return &Store{Buf: m.buf(s.Buf), Index: m.f(s.Index), Value: m.expr(s.Value)}
	case *Let:
		return &Let{Var: s.Var, Value: m.expr(s.Value)}
	case *If:
		return &If{Cond: m.expr(s.Cond), Then: m.body(s.Then), Else: m.body(s.Else)}
	case *Alloc:
		return &Alloc{Buf: m.buf(s.Buf)}
	case *Fail:
		return &Fail{Cond: m.expr(s.Cond), Status: s.Status}
	case *Call:
		c := *s
		c.Tiles = make([]Tile, len(s.Tiles))
		for i, t := range s.Tiles {
			c.Tiles[i] = Tile{Buf: m.buf(t.Buf), Index: m.f(t.Index)}
			for _, d := range t.Strides {
				c.Tiles[i].Strides = append(c.Tiles[i].Strides, m.f(d))
			}
		}
		return &c
	}
	panic("BUG: kernel: unknown statement")
}
