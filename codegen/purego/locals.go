package purego

import (
	"fmt"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// mostScalars is how many elements of a local buffer are variables: more would not
// be in registers either.
const mostScalars = 64

// scalars finds the local buffers whose elements are known where they are used:
// they become variables, which Go keeps in registers, as it does not do with arrays.
func scalars(k *kernel.Kernel) map[*kernel.Buffer]bool {
	out, copied := map[*kernel.Buffer]bool{}, map[string]bool{}
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		switch s := s.(type) {
		case *kernel.Alloc:
			n, ok := s.Buf.Size.Int()
			out[s.Buf] = ok && n <= mostScalars && s.Buf.Space == kernel.Local && s.Buf.Of == nil
			if s.Buf.Of != nil {
				out[s.Buf.Of] = false
			}
		case *kernel.Loop:
			copied[s.Var] = s.Bind == kernel.Unroll
		}
	})
	see := func(b *kernel.Buffer, at ir.Dim) {
		for _, v := range at.SymNames() {
			out[b] = out[b] && copied[v]
		}
	}
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		if s, ok := s.(*kernel.Store); ok {
			see(s.Buf, s.Index)
		}
	})
	kernel.WalkExprs(k.Body, func(e *kernel.Expr) {
		if e.Kind == kernel.KLoad {
			see(e.Buf, e.Index)
		}
	})
	return out
}

// place prints element d of b.
func (p *printer) place(b *kernel.Buffer, d ir.Dim) string {
	if p.split[b] {
		n, _ := p.fold(d).Int()
		return fmt.Sprintf("%s_%d", ident(b.Name), n)
	}
	return p.element(b.Name, d)
}

// guarded is place where the element is touched under a condition.
func (p *printer) guarded(b *kernel.Buffer, d ir.Dim) string {
	s := p.streams
	p.streams = nil
	defer func() { p.streams = s }()
	return p.place(b, d)
}
