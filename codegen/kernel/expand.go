package kernel

import "github.com/tensorcc/tcc/ir"

// ExpandDim gives the buffer that the body of loop v allocates one more
// dimension, of the loop's extent, and allocates it before the loop: each
// iteration has its own part. Contents do not survive an iteration, so it is
// always legal; a local buffer needs a number as extent.
func (k *Kernel) ExpandDim(buf, v string) error {
	p, err := k.find("expand", v)
	if err != nil {
		return err
	}
	l := p.loop
	if parallel(l.Bind) {
		return refuse("expand", v, "it is %v", l.Bind)
	}
	alloc := dropAlloc(&l.Body, buf)
	if alloc == nil {
		return refuse("expand", v, "its body does not allocate %s", buf)
	}
	old := alloc.Buf
	b := *old
	b.Size = old.Size.Mul(l.Extent)
	if b.Space != Scratch && !b.Size.Static() || old.Size.Has(v) {
		return refuse("expand", v, "%s would have size %v", buf, b.Size)
	}
	at := ir.Sym(v).Mul(old.Size)
	if n, ok := l.Extent.Int(); ok && n == 1 {
		at = ir.Const(0)
	}
	out := *l
	out.Body = (&subst{bufs: map[*Buffer]*Buffer{old: &b}, index: func(x *Buffer, d ir.Dim) ir.Dim {
		if x == &b {
			return d.Add(at)
		}
		return d
	}}).body(l.Body)
	p.replace(&Alloc{Buf: &b}, &out)
	return nil
}

// dropAlloc removes the alloc of buf from body or conditions in it.
func dropAlloc(body *[]Stmt, buf string) *Alloc {
	for i, s := range *body {
		switch s := s.(type) {
		case *Alloc:
			if s.Buf.Name == buf {
				*body = splice(*body, i, 1)
				return s
			}
		case *If:
			if a := dropAlloc(&s.Then, buf); a != nil {
				return a
			}
			if a := dropAlloc(&s.Else, buf); a != nil {
				return a
			}
		}
	}
	return nil
}
