package kernel

import "github.com/tensorcc/tcc/ir"

// Join makes one loop of v and of w, which follows it: iteration after iteration
// of both. It keeps the name v. Allocations between the two move ahead. It is
// legal where the extents are the same, the iterations of each are independent,
// and neither touches what the other one writes.
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
	between := (*p.body)[p.at+1 : q.at]
	for _, s := range between {
		if _, ok := s.(*Alloc); !ok {
			return refuse("join", v, "there is more than allocations between it and %s", w)
		}
	}
	if !a.Extent.Equal(b.Extent) || a.Bind != b.Bind {
		return refuse("join", v, "it runs %v times, %v, and %s %v, %v", a.Extent, a.Bind, w, b.Extent,
			b.Bind)
	}
	if !a.Indep || !b.Indep {
		return refuse("join", v, "its iterations or those of %s are not known to be independent", w)
	}
	if !apart(collect(a.Body), collect(b.Body)) {
		return refuse("join", v, "it and %s touch what the other one writes", w)
	}
	body := (&subst{dim: func(d ir.Dim) ir.Dim {
		return d.Subst(func(s string) (ir.Dim, bool) { return ir.Sym(v), s == w })
	}}).body(b.Body)
	a.Body = append(a.Body[:len(a.Body):len(a.Body)], body...)
	list := append(append([]Stmt{}, between...), a)
	*p.body = splice(*p.body, p.at, q.at-p.at+1, list...)
	return nil
}

// apart reports whether neither of a and b touches what the other one writes.
func apart(a, b *accesses) bool {
	if !a.known || !b.known {
		return false
	}
	for _, x := range a.list {
		for _, y := range b.list {
			if x.buf == y.buf && (x.write || y.write) {
				return false
			}
		}
	}
	return true
}
