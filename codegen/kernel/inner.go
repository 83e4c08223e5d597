package kernel

import "github.com/tensorcc/tcc/ir"

// Inner returns the body of loop v of k, a part of steps or of a chain, as a kernel of its own: the
// buffers that it uses from outside are its parameters, those that it reads first, and the
// symbols its dims.
func (k *Kernel) Inner(v string) (*Kernel, error) {
	p, err := k.find("inner", v)
	if err != nil {
		return nil, err
	}
	out := &Kernel{Name: v}
	own, vars := map[*Buffer]bool{}, map[string]bool{}
	WalkStmts(p.loop.Body, func(s Stmt) {
		switch s := s.(type) {
		case *Loop:
			vars[s.Var] = true
		case *Let:
			vars[s.Var] = true
		case *Alloc:
			own[s.Buf] = true
		}
	})
	s := &subst{bufs: map[*Buffer]*Buffer{}}
	use := func(b *Buffer) *Buffer {
		c, ok := s.bufs[b]
		if !ok && !own[b] {
			c = &Buffer{Name: b.Name, DType: b.DType, Size: b.Size}
			s.bufs[b] = c
			out.Params = append(out.Params, c)
		}
		return c
	}
	WalkExprs(p.loop.Body, func(e *Expr) {
		if e.Kind == KLoad && !own[e.Buf] {
			use(e.Buf).In = true
		}
	})
	WalkStmts(p.loop.Body, func(st Stmt) {
		if st, ok := st.(*Store); ok && !own[st.Buf] {
			use(st.Buf).Out = true
		}
	})
	out.Body = s.body(p.loop.Body)
	used := map[string]bool{}
	for _, b := range out.Params {
		b.Size.Syms(used)
	}
	WalkDims(out.Body, func(d ir.Dim) { d.Syms(used) })
	for _, name := range append(k.Dims[:len(k.Dims):len(k.Dims)], p.outside()...) {
		if used[name] && !vars[name] {
			out.Dims = append(out.Dims, name)
		}
	}
	return out, nil
}

// outside are the variables of the loops around.
func (p *place) outside() []string {
	var out []string
	for _, e := range p.path {
		if l, ok := e.stmt.(*Loop); ok {
			out = append(out, l.Var)
		}
	}
	return out
}

// SetInner makes the body of s, a kernel with or without a schedule, that of loop v of k. bufs
// stand for its parameters; what is parallel in it is then serial.
func (k *Kernel) SetInner(v string, s *Kernel, bufs []*Buffer) error {
	p, err := k.find("inner", v)
	if err != nil {
		return err
	}
	if len(bufs) != len(s.Params) {
		return refuse("inner", v, "%d buffers for %d parameters", len(bufs), len(s.Params))
	}
	p.loop.Body = nil // its names may be used again
	body, _ := k.copyBody(s.Body)
	to := &subst{bufs: map[*Buffer]*Buffer{}}
	for i, b := range s.Params {
		to.bufs[b] = bufs[i]
	}
	p.loop.Body = to.body(body)
	WalkStmts(p.loop.Body, func(st Stmt) {
		if l, ok := st.(*Loop); ok && l.Bind == Parallel {
			l.Bind = Serial
		}
	})
	return nil
}
