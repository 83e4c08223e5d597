package kernel

// Spill copies the local buffer that loop v reads to another one before the
// loop, by a nest like it, and lets the loop read the copy: the first can then
// stay in registers although the loop is not unrolled. It returns the names of
// the loops of the copying nest, outermost first.
//
// It is legal where the loop does not write the buffer.
func (k *Kernel) Spill(v, buf string) ([]string, error) { return k.spill(v, buf, false) }

// SpillWhole is Spill, but elements are copied whatever the conditions around
// their uses: it is legal where they are there.
func (k *Kernel) SpillWhole(v, buf string) ([]string, error) { return k.spill(v, buf, true) }

func (k *Kernel) spill(v, buf string, whole bool) ([]string, error) {
	p, err := k.find("spill", v)
	if err != nil {
		return nil, err
	}
	var loads []*Expr
	WalkExprs(p.loop.Body, func(e *Expr) {
		if e.Kind == KLoad && e.Buf.Name == buf && e.Buf.Space == Local {
			loads = append(loads, e)
		}
	})
	if len(loads) == 0 {
		return nil, refuse("spill", v, "it does not read a local buffer %s", buf)
	}
	old := loads[0].Buf
	if collect(p.loop.Body).writes()[old] {
		return nil, refuse("spill", v, "it writes %s", buf)
	}
	b := *old
	b.Name = k.fresh(old.Name + "s")
	copied, names := k.copyBody([]Stmt{p.loop})
	used := false
	copied = copyNest(copied, old, &b, &used, whole)
	if !used {
		return nil, refuse("spill", v, "no store in it reads %s", buf)
	}
	if whole && !storesInside(p.facts(), copied) {
		return nil, refuse("spill", v, "elements that conditions leave out may not be there")
	}
	body := (&subst{bufs: map[*Buffer]*Buffer{old: &b}}).body([]Stmt{p.loop})
	var vars []string
	WalkStmts(body, func(s Stmt) {
		if l, ok := s.(*Loop); ok {
			vars = append(vars, names[l.Var])
		}
	})
	p.replace(append(append([]Stmt{&Alloc{Buf: &b}}, copied...), body...)...)
	return vars, nil
}

// copyNest replaces the stores in body by copies of the elements of old that
// they read, and drops everything else but loops and conditions.
func copyNest(body []Stmt, old, to *Buffer, used *bool, whole bool) []Stmt {
	var out []Stmt
	for _, s := range body {
		switch s := s.(type) {
		case *Loop:
			s.Body = copyNest(s.Body, old, to, used, whole)
			out = append(out, s)
		case *If:
			s.Then = copyNest(s.Then, old, to, used, whole)
			s.Else = copyNest(s.Else, old, to, used, whole)
			if whole {
				out = append(append(out, s.Then...), s.Else...)
			} else {
				out = append(out, s)
			}
		case *Store, *Let:
			seen := map[string]bool{}
			StmtExprs(s, func(e *Expr) {
				WalkExprs([]Stmt{&Let{Value: e}}, func(x *Expr) {
					if x.Kind == KLoad && x.Buf == old && !seen[x.Index.String()] {
						seen[x.Index.String()] = true
						*used = true
						out = append(out, &Store{Buf: to, Index: x.Index, Value: Load(old, x.Index)})
					}
				})
			})
		}
	}
	return out
}

// storesInside reports whether all stores in loops in body are within their
// buffers.
func storesInside(f *Facts, body []Stmt) bool {
	for _, s := range body {
		switch s := s.(type) {
		case *Loop:
			g := f.Clone()
			g.Loop(s.Var, s.Extent)
			if !storesInside(g, s.Body) {
				return false
			}
		case *Store:
			if !f.InBounds(s.Index, s.Buf.Size) {
				return false
			}
		}
	}
	return true
}
