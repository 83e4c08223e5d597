package kernel

import (
	"slices"
	"strconv"

	"github.com/tensorcc/tcc/ir"
)

// Abstract returns a copy of k in which quotients, remainders, minima and
// maxima of dims alone, as the extents of strided convolutions are, have a
// symbol each, and the function that puts them back: what is then to be proven
// is about fewer things. Only what is never negative gets a symbol, since that
// is what facts take symbols to be.
func Abstract(k *Kernel) (out *Kernel, restore func(*Kernel) *Kernel) {
	a := &abstraction{k: k, facts: NewFacts(), syms: map[string]string{}, dims: map[string]ir.Dim{}}
	bufs := map[*Buffer]*Buffer{}
	out = mapDims(k, a.replace, bufs)
	out.Dims = append(k.Dims[:len(k.Dims):len(k.Dims)], a.names...)
	back := map[*Buffer]*Buffer{}
	for old, b := range bufs {
		back[b] = old
	}
	return out, func(s *Kernel) *Kernel {
		r := mapDims(s, a.putBack, back)
		r.Dims = k.Dims
		return r
	}
}

type abstraction struct {
	k     *Kernel
	facts *Facts
	syms  map[string]string // of the text of an expression
	dims  map[string]ir.Dim // what a symbol stands for, with symbols in it
	names []string
}

func (a *abstraction) replace(d ir.Dim) ir.Dim {
	if !composite(d) {
		return d
	}
	return ir.Walk(d, ir.Const, ir.Sym, func(op byte, x, y ir.Dim) ir.Dim {
		out := ir.DimOp(op, x, y)
		if op == '+' || op == '*' || !composite(out) || !a.known(out) {
			return out
		}
		key := out.String()
		if _, ok := a.syms[key]; !ok {
			a.syms[key] = ""
			if a.facts.NonNeg(out) {
				name := "dim." + strconv.Itoa(len(a.names))
				a.names = append(a.names, name)
				a.syms[key], a.dims[name] = name, out
			}
		}
		if name := a.syms[key]; name != "" {
			return ir.Sym(name)
		}
		return out
	})
}

// known reports whether d is about dims alone.
func (a *abstraction) known(d ir.Dim) bool {
	for _, s := range d.SymNames() {
		if _, ok := a.dims[s]; !ok && !slices.Contains(a.k.Dims, s) {
			return false
		}
	}
	return true
}

func (a *abstraction) putBack(d ir.Dim) ir.Dim {
	return d.Subst(func(s string) (ir.Dim, bool) {
		e, ok := a.dims[s]
		if !ok {
			return ir.Dim{}, false
		}
		return a.putBack(e), true
	})
}

// mapDims returns k with f applied to every integer expression. Buffers whose
// size changes are copied, unless bufs has what they become; it gets the
// copies.
func mapDims(k *Kernel, f func(ir.Dim) ir.Dim, bufs map[*Buffer]*Buffer) *Kernel {
	see := func(b *Buffer) {
		if _, ok := bufs[b]; ok {
			return
		}
		if n := f(b.Size); !n.Equal(b.Size) {
			c := *b
			c.Size = n
			bufs[b] = &c
		}
	}
	for _, p := range k.Params {
		see(p)
	}
	WalkStmts(k.Body, func(s Stmt) {
		if s, ok := s.(*Alloc); ok {
			see(s.Buf)
		}
	})
	s := &subst{dim: f, bufs: bufs}
	out := *k
	out.Params = nil
	for _, p := range k.Params {
		out.Params = append(out.Params, s.buf(p))
	}
	out.Body = s.body(k.Body)
	return &out
}
