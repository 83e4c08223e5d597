package schedule

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
)

// dots schedules products of few rows whose operands are both contiguous along
// the accumulation, as where the right one is transposed: lanes are steps of the
// accumulation, and a block has all rows and some columns, so that what is read
// of the columns serves all rows, in as many streams.
func (s *scheduler) dots() error {
	if s.t.Vector == 0 {
		return refuse("scalar code")
	}
	d := s.domain()
	if len(d) == 0 {
		return refuse("no independent outer loop")
	}
	p := &product{scheduler: s, domain: s.collapse(d)}
	if err := p.recognize(); err != nil {
		return err
	}
	rows, err := p.along()
	if err != nil {
		return err
	}
	streams := int64(nearStreams)
	if p.askAlong(); len(p.ahead) > 0 {
		streams = farStreams
	} else if rows == 1 {
		return refuse("one row in a cache is read in line")
	}
	cols := max(min(int64(s.t.Accs)/rows, streams), 1)
	if n, ok := p.static(p.n); ok {
		cols = min(cols, n)
	}
	return p.dotBlocks(cols)
}

// Columns that one block reads side by side, from a cache, of which more would
// share a set, and from memory; aheadAlong is how many bytes are asked for before
// they are read. (One row, 4096 x 4096, in line: 5.2 ms; 4 columns with asking:
// 2.5; 8: 2.1. 2 rows, 1024 x 1024, 4 and 8 columns: 55 and 66 µs; one row in
// line 43, 4 columns 48. AMD EPYC, 2026-11-26.)
const (
	nearStreams = 4
	farStreams  = 8
	aheadAlong  = 1024
	leastAlong  = 256 // steps of an accumulation that are worth folding lanes
	mostScalar  = 8   // operations on one element that need no lanes
)

// along recognizes such a product, sets its axes and returns the number of rows.
func (p *product) along() (int64, error) {
	if len(p.red) != 1 || len(p.loads) != 2 || p.size(p.k, leastAlong) < leastAlong {
		return 0, refuse("no long sum of products")
	}
	for _, e := range p.loads {
		if stride(e.Index, p.red[0]) != 1 || len(e.Args) == 2 {
			return 0, refuse("memory is not contiguous along the accumulation")
		}
	}
	if weight([]kernel.Stmt{p.update}) > 3 {
		return 0, refuse("operands are computed, once for each block")
	}
	p.n = last(p.domain)
	left, right := p.loads[0], p.loads[1]
	if left.Index.Has(p.n) {
		left, right = right, left
	}
	if left.Index.Has(p.n) || !right.Index.Has(p.n) {
		return 0, refuse("no columns")
	}
	rows := int64(1)
	for _, v := range p.domain {
		n, ok := p.static(v)
		switch {
		case right.Index.Has(v) && v != p.n || !right.Index.Has(v) && !left.Index.Has(v):
		case v == p.n:
		case p.m != "" || !ok || n > fewRows:
			return 0, refuse("no few rows")
		default:
			p.m, rows = v, n
		}
	}
	return rows, nil
}

// askAlong asks for what is read of operands in memory, some lines ahead.
func (p *product) askAlong() {
	p.ahead = map[string]int64{}
	for _, e := range p.loads {
		size, ok := e.Buf.Size.Int()
		if bytes := size * int64(e.DType.Size()); ok && p.t.Stream > 0 && bytes >= p.t.Stream {
			p.ahead[e.Buf.Name] = aheadAlong / int64(e.DType.Size())
		}
	}
}

// dotBlocks makes the blocks of cols columns.
func (p *product) dotBlocks(cols int64) error {
	n0, err := p.Split(p.n, p.n+"v", cols, kernel.Clip)
	if err != nil {
		return err
	}
	outer := slices.DeleteFunc(slices.Clone(p.domain), func(v string) bool { return v == p.m })
	inner := []string{n0}
	if p.m != "" {
		inner = []string{n0, p.m}
	}
	if err := p.Reorder(slices.Concat(outer, inner)...); err != nil {
		return err
	}
	if err := p.parallel(outer); err != nil {
		return err
	}
	var names map[string]string
	if _, ok := p.static(n0); !ok {
		if names, err = p.Specialize(n0); err != nil {
			return err
		}
	}
	p.t.Fold = 1
	if err := p.fold(p.red[0]); err != nil {
		return err
	}
	if err := p.nests(inner, p.copyAll); err != nil || names == nil {
		return err
	}
	p.t.Fold = 0
	return p.fold(names[p.red[0]])
}

// copyAll copies out the loops of vars, whose bodies have their lanes; what is
// computed of the sums, if it is long, gets lanes of the last of vars instead.
func (s *scheduler) copyAll(vars []string, body []kernel.Stmt) error {
	if weight(body) > mostScalar {
		return s.roll(vars, body)
	}
	for _, v := range vars {
		if err := s.Bind(v, kernel.Unroll); err != nil {
			return err
		}
	}
	return nil
}
