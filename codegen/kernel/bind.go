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
	case BlockX, BlockY, BlockZ:
		if err := p.blockAxis(v, b); err != nil {
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
		if l.Indep = independent(p.facts(), v, l.Body, nil); !l.Indep {
			return refuse("bind", v, "to %v: its iterations are not known to be independent", b)
		}
	}
	l.Bind = b
	return nil
}

// blockAxis checks that loop v may be an axis of a block: a loop directly in
// the loops over the grid or in another axis of the block.
func (p *place) blockAxis(v string, b Bind) error {
	if n, ok := p.loop.Extent.Int(); !ok || n < 1 || n > maxBlock {
		return refuse("bind", v, "to %v, the extent %v must be a number up to %d", b, p.loop.Extent, maxBlock)
	}
	for _, e := range p.path {
		out, ok := e.stmt.(*Loop)
		if !ok || !gpuAxis(out.Bind) || out.Bind == b {
			return refuse("bind", v, "to %v, only loops over the grid and other axes of the block "+
				"may be around it", b)
		}
	}
	return nil
}

// maxBlock is the most threads of a block.
const maxBlock = 1024

func gridAxis(b Bind) bool  { return b == GridX || b == GridY || b == GridZ }
func blockAxis(b Bind) bool { return b == BlockX || b == BlockY || b == BlockZ }
func gpuAxis(b Bind) bool   { return gridAxis(b) || blockAxis(b) }

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
