package kernel

import "github.com/tensorcc/tcc/ir"

// Join makes one loop of v and of w, which follows it in the same body: iteration
// after iteration of both. It keeps the name v. What is between the two moves
// ahead of the loop, or behind it. It is legal where the extents are the same and
// neither touches what the other one writes, nor what moves.
func (k *Kernel) Join(v, w string) error {
	p, err := k.find("join", v)
	if err != nil {
		return err
	}
	q, err := k.find("join", w)
	if err != nil {
		return err
	}
	a, b := p.loop, q.loop
	if q.body != p.body || q.at <= p.at {
		return refuse("join", v, "%s does not follow it", w)
	}
	if !a.Extent.Equal(b.Extent) || a.Bind != b.Bind {
		return refuse("join", v, "it runs %v times, %v, and %s %v, %v", a.Extent, a.Bind, w, b.Extent,
			b.Bind)
	}
	if !apart([]Stmt{a}, []Stmt{b}) {
		return refuse("join", v, "it and %s touch what the other one writes", w)
	}
	var ahead, behind []Stmt
	for _, s := range (*p.body)[p.at+1 : q.at] {
		switch one := []Stmt{s}; {
		case apart(one, []Stmt{a}) && apart(one, behind):
			ahead = append(ahead, s)
		case apart(one, []Stmt{b}):
			behind = append(behind, s)
		default:
			return refuse("join", v, "what is between it and %s has to stay there", w)
		}
	}
	body := (&subst{dim: func(d ir.Dim) ir.Dim {
		return d.Subst(func(s string) (ir.Dim, bool) { return ir.Sym(v), s == w })
	}}).body(b.Body)
	a.Body = append(a.Body[:len(a.Body):len(a.Body)], body...)
	a.Indep = a.Indep && b.Indep
	*p.body = splice(*p.body, p.at, q.at-p.at+1, append(append(ahead, a), behind...)...)
	return nil
}

// apart reports whether neither of a and b touches memory that the other one
// writes, names what the other one uses, or may end the kernel.
func apart(a, b []Stmt) bool {
	for _, body := range [][]Stmt{a, b} {
		plain := true
		WalkStmts(body, func(s Stmt) {
			switch s.(type) {
			case *Let, *Fail:
				plain = false
			}
		})
		if !plain {
			return false
		}
	}
	x, y := collect(a), collect(b)
	if !x.known || !y.known {
		return false
	}
	for _, x := range x.list {
		of, _ := x.buf.Root()
		for _, y := range y.list {
			if root, _ := y.buf.Root(); root == of && (x.write || y.write) {
				return false
			}
		}
	}
	return true
}
