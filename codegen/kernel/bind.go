package kernel

// Bind says how loop v is executed; it refuses what [Verify] would.
func (k *Kernel) Bind(v string, b Bind) error {
	p, err := k.find("bind", v)
	if err != nil {
		return err
	}
	l := p.loop
	n, static := l.Extent.Int()
	switch b {
	case Serial:
	case Unroll:
		if !static || n > 1<<10 {
			return refuse("bind", v, "to unroll, the extent %v must be a number up to 1024", l.Extent)
		}
	case Vector:
		if !static || n > 1<<10 || n < 1 {
			return refuse("bind", v, "to vector, the extent %v must be a number up to 1024", l.Extent)
		}
		if err := vectorBody(v, l.Body); err != nil {
			return err
		}
	default:
		for _, e := range p.path {
			out, ok := e.stmt.(*Loop)
			if !ok || !parallel(out.Bind) || len(out.Body) != 1 {
				return refuse("bind", v, "to %v, it must be outermost", b)
			}
		}
		if len(*p.body) != 1 {
			return refuse("bind", v, "to %v, there are statements beside it", b)
		}
	}
	if (b == Vector || parallel(b)) && !l.Indep {
		if l.Indep = independent(p.facts(k), v, l.Body, nil); !l.Indep {
			return refuse("bind", v, "to %v: its iterations are not known to be independent", b)
		}
	}
	l.Bind = b
	return nil
}

func vectorBody(v string, body []Stmt) error {
	var err error
	WalkStmts(body, func(s Stmt) {
		switch s := s.(type) {
		case *Loop:
			if s.Bind != Unroll {
				err = refuse("bind", v, "to vector: %v loop %s is inside", s.Bind, s.Var)
			}
		case *Call:
			err = refuse("bind", v, "to vector: instruction %s is inside", s.Instr.Name)
		}
	})
	return err
}
