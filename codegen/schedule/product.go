package schedule

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// product is a kernel with one accumulation inside its domain: matrix
// products, convolutions, windows.
type product struct {
	*scheduler
	domain []string
	red    []string                // loops of the accumulation, outermost first
	update *kernel.Store           // in the innermost of them
	loads  []*kernel.Expr          // in the update, without the accumulator
	n      string                  // the axis of lanes
	m, h   string                  // the axis of rows and one around it, or empty
	k      ir.Dim                  // iterations of the accumulation
	odd    map[*kernel.Buffer]bool // what is not contiguous over lanes; in scalar code what is copied
	shared map[*kernel.Buffer]bool // of it, what neighbouring columns share
	// shares are the buffers whose columns are packed once for all tasks.
	shares map[*kernel.Buffer]bool
	// inOrder are buffers of which passes are asked for in the order of memory.
	inOrder []string
}

// product schedules accumulations in register blocks: rows of one axis by
// vectors of another.
func (s *scheduler) product() error {
	d := s.domain()
	if len(d) == 0 {
		return refuse("no independent outer loop")
	}
	d = s.collapse(d)
	p := &product{scheduler: s, domain: d}
	if err := p.recognize(); err != nil {
		return err
	}
	if p.scalar() {
		if err := p.loops(); err != nil {
			return err
		}
	}
	if err := p.axes(); err != nil {
		return err
	}
	if p.scalar() {
		p.oddSteps()
	}
	return p.tile()
}

// recognize finds the accumulation: the only nest of loops in the domain, with
// one store into a local scalar.
func (p *product) recognize() error {
	var l *kernel.Loop
	for _, st := range p.Loop(last(p.domain)).Body {
		switch st := st.(type) {
		case *kernel.Loop:
			if l != nil {
				return refuse("several accumulations")
			}
			l = st
		case *kernel.Fail, *kernel.Call, *kernel.If:
			return refuse("statements beside the accumulation")
		}
	}
	if l == nil {
		return refuse("no accumulation")
	}
	p.k = ir.Const(1)
	for {
		if l.Indep {
			return refuse("loop %s folds nothing", l.Var)
		}
		p.red = append(p.red, l.Var)
		p.k = p.k.Mul(l.Extent)
		if len(l.Body) != 1 {
			return refuse("%d statements in the accumulation", len(l.Body))
		}
		if in, ok := l.Body[0].(*kernel.Loop); ok {
			l = in
			continue
		}
		break
	}
	st, ok := l.Body[0].(*kernel.Store)
	if !ok || st.Buf.Space != kernel.Local {
		return refuse("no accumulator")
	}
	p.update = st
	kernel.WalkExprs(l.Body, func(e *kernel.Expr) {
		if e.Kind == kernel.KLoad && e.Buf != st.Buf {
			p.loads = append(p.loads, e)
		}
	})
	return nil
}

func last(v []string) string { return v[len(v)-1] }

// axes picks the axes of lanes and rows.
func (p *product) axes() error {
	best := 1 << 30
	w := p.lanes(p.Loop(last(p.domain)).Body)
	outer := accessesOf(p.Loop(last(p.domain)).Body)
	for i := len(p.domain) - 1; i >= 0; i-- {
		v, cost := p.domain[i], 0
		for _, e := range p.loads {
			switch {
			case laneStride(e.Index, v, w) < 2:
			case p.window(e, v):
				cost += 2 // once packed
			default:
				cost += 8
			}
		}
		for _, a := range outer {
			if a.write && stride(a.index, v) == 2 {
				cost++
			}
		}
		if n, ok := p.static(v); ok && n < 4 {
			cost += 100
		}
		if cost < best {
			best, p.n = cost, v
		}
	}
	if best >= 100 {
		return refuse("no axis long enough for lanes")
	}
	if !p.scalar() && best >= 8 && p.contiguous() && p.size(p.k, 64) > 8 && !p.packs() {
		return refuse("memory is contiguous along the accumulation")
	}
	p.odd, p.shared = map[*kernel.Buffer]bool{}, map[*kernel.Buffer]bool{}
	for _, e := range p.loads {
		if laneStride(e.Index, p.n, w) == 2 {
			p.odd[e.Buf] = true
			p.shared[e.Buf] = p.window(e, p.n)
		}
	}
	gain := 0
	for i := len(p.domain) - 1; i >= 0; i-- {
		v, g := p.domain[i], 0
		if v == p.n {
			continue
		}
		for _, e := range p.loads {
			if e.Index.Has(p.n) && !e.Index.Has(v) {
				g++
			}
		}
		if n, ok := p.static(v); ok && n == 1 {
			g = 0
		}
		for _, e := range p.loads {
			if r, _ := p.slides(e.Index, v); g == 0 && r != "" {
				g = 1 // windows overlap along v
			}
		}
		if g > gain {
			gain, p.m = g, v
		}
	}
	return nil
}

// contiguous reports whether memory is contiguous along a loop of the
// accumulation.
func (p *product) contiguous() bool {
	return slices.ContainsFunc(p.red, func(r string) bool {
		return !slices.ContainsFunc(p.loads, func(e *kernel.Expr) bool { return stride(e.Index, r) == 2 })
	})
}

// packs reports whether there are rows enough that an operand without
// contiguous lanes is worth packing.
func (p *product) packs() bool {
	for _, v := range p.domain {
		if v == p.n {
			continue
		}
		if n, ok := p.static(v); ok && n < 4 {
			continue
		}
		for _, e := range p.loads {
			if stride(e.Index, p.n) == 2 && !e.Index.Has(v) {
				return true
			}
		}
	}
	return slices.ContainsFunc(p.loads, func(e *kernel.Expr) bool { return p.window(e, p.n) })
}

// window reports whether the load e is not contiguous along v, and neighbours
// use the same elements.
func (p *product) window(e *kernel.Expr, v string) bool {
	r, q := p.slides(e.Index, v)
	return r != "" && q == 1 && stride(e.Index, v) == 2
}

// size is d where it is a number, else a typical value.
func (p *product) size(d ir.Dim, typical int64) int64 {
	if n, ok := d.Int(); ok {
		return n
	}
	return typical
}
