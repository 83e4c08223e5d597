package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Parts of concats. A value that a kernel writes, and that is a part of a concat,
// is written where the concat has it, and read from there by others: in rows that
// are as far apart as those of the concat. The concat's kernel is left to copy the
// parts that are elsewhere. These are
//
//   - what no kernel of the same graph writes: arguments and constants;
//   - what the concat's own kernel computes;
//   - results of the graph, which have memory of their own, and what ifs, loops
//     and binds read, which know no rows;
//   - values whose rows do not begin where an axis does, in some shape in which a
//     kernel writes or reads them;
//   - rows of less than 16 bytes, which would be slower to write than to copy;
//   - parts of two concats, in one of them. Where the parts of a concat stand side
//     by side in a later one, too, it is a part of that as a whole.

// part says where in the memory of another value a value lies: rows of row
// elements, pitch apart, from offset on. What has as many as row lies in one piece.
type part struct {
	of                 slot
	offset, row, pitch ir.Dim
}

// joint is a region that is a concat: rows of pitch elements, made of pieces.
type joint struct {
	v      *ir.Value
	shape  ir.Shape // of the concat, in front of reshapes
	pitch  ir.Dim
	pieces []piece
}

type piece struct {
	from    *ir.Value // an argument of the region; nil: what it computes
	at, row ir.Dim
}

// jointOf returns the concat that region v is, nil if it is none.
func jointOf(v *ir.Value) *joint {
	a, ok := v.Attr.(*ir.FuseAttr)
	if !ok || len(a.Body.Results) != 1 {
		return nil
	}
	c := beneath(a.Body.Results[0])
	if c.Op != ir.OpConcat {
		return nil
	}
	axis := c.Attr.(*ir.AxisAttr).Axis
	j := &joint{v: v, shape: c.Type.Shape, pitch: c.Type.Shape[axis:].Size()}
	at := ir.Const(0)
	for _, x := range c.Args {
		p := piece{at: at, row: x.Type.Shape[axis:].Size()}
		if i := slices.Index(a.Body.Params, beneath(x)); i >= 0 {
			p.from = v.Args[i]
		}
		at = at.Add(p.row)
		j.pieces = append(j.pieces, p)
	}
	return j
}

// beneath is what v is a view of.
func beneath(v *ir.Value) *ir.Value {
	for v.Op.Is(ir.Views) {
		v = v.Args[0]
	}
	return v
}

// placer finds the parts of the concats of a graph and of the bodies in it.
type placer struct {
	life    *liveness
	parts   map[slot]part
	written map[*ir.Value][]bool
}

// placing is the state of one graph.
type placing struct {
	*placer
	joints []*joint
	shapes map[slot][]ir.Shape // in which kernels write and read what kernels write
	pinned map[slot]bool       // has to lie in one piece, in memory of its own
}

func (p *placer) graph(g *ir.Graph, inner bool) {
	l := &placing{placer: p, shapes: map[slot][]ir.Shape{}, pinned: map[slot]bool{}}
	for _, v := range g.Values {
		l.see(v)
	}
	results := map[slot]bool{}
	for _, r := range g.Results {
		results[p.life.view(r)] = true
	}
	for i := len(l.joints) - 1; i >= 0; i-- {
		j := l.joints[i]
		if s := (slot{j.v, 0}); results[s] && inner || !l.early(j.v.Type.Shape) {
			continue
		}
		l.join(j, l.joints[:i], results)
	}
}

// see notes how v is written, and what it reads.
func (l *placing) see(v *ir.Value) {
	a, kernel := v.Attr.(*ir.FuseAttr)
	for i, x := range v.Args {
		switch s := l.life.view(x); {
		case v.Op.Is(ir.Views) || v.Op == ir.OpGet:
		case !kernel:
			l.pinned[s] = true
		default:
			l.shapes[s] = append(l.shapes[s], a.Body.Params[i].Type.Shape)
		}
	}
	if !kernel {
		for _, body := range v.Regions() {
			l.graph(body, true)
		}
		return
	}
	for i, r := range a.Body.Results {
		s := slot{v, i}
		l.shapes[s] = append(l.shapes[s], r.Type.Shape)
		l.pinned[s] = l.pinned[s] || singleOps[r.Op]
	}
	if j := jointOf(v); j != nil {
		l.joints = append(l.joints, j)
		l.shapes[slot{v, 0}] = append(l.shapes[slot{v, 0}], j.shape)
	}
}

// early reports whether the size of s is known before the run.
func (l *placing) early(s ir.Shape) bool {
	late := func(name string) bool { return l.life.late[name] }
	return !slices.ContainsFunc(s.Size().SymNames(), late)
}

// join places the pieces of j that can be placed; earlier has the concats before.
func (l *placing) join(j *joint, earlier []*joint, results map[slot]bool) {
	written := make([]bool, len(j.pieces))
	for i, p := range j.pieces {
		if p.from != nil {
			written[i] = l.put(j, l.life.view(p.from), p.at, p.row, results)
		}
	}
	for i := len(earlier) - 1; i >= 0; i-- {
		e := earlier[i]
		if n := l.run(j, e); n >= 0 && l.put(j, slot{e.v, 0}, j.pieces[n].at, e.pitch, results) {
			for k := range e.pieces {
				written[n+k] = true
			}
		}
	}
	if slices.Contains(written, true) {
		l.written[j.v] = written
	}
}

// run returns the first of the pieces of j that are those of e, -1 if they are not
// among them.
func (l *placing) run(j, e *joint) int {
	if j.v.Type.DType != e.v.Type.DType {
		return -1
	}
	same := func(p, q piece) bool {
		return p.from != nil && q.from != nil && l.life.view(p.from) == l.life.view(q.from) &&
			p.row.Equal(q.row)
	}
	for n := range len(j.pieces) - len(e.pieces) + 1 {
		if slices.EqualFunc(j.pieces[n:n+len(e.pieces)], e.pieces, same) {
			return n
		}
	}
	return -1
}

// put places s at offset at of j's rows, and reports whether it is there now.
func (l *placing) put(j *joint, s slot, at, row ir.Dim, results map[slot]bool) bool {
	p := part{of: slot{j.v, 0}, offset: at, row: row, pitch: j.pitch}
	if home, ok := l.parts[p.of]; ok {
		switch size := j.v.Type.Shape.Size(); {
		case home.row.Equal(j.pitch):
			p.pitch = home.pitch
		case !home.row.Equal(size):
			return false
		}
		p.of, p.offset = home.of, home.offset.Add(at)
	}
	if q, ok := l.parts[s]; ok {
		return q.of == p.of && q.offset.Equal(p.offset)
	}
	if l.shapes[s] == nil || s.v.Op != ir.OpFuse || l.pinned[s] || results[s] {
		return false
	}
	t := s.v.ResultTypes()[s.i]
	if !row.Equal(t.Shape.Size()) {
		bytes := row.MulConst(int64(t.DType.Size()))
		none := func(s ir.Shape) bool { return s.Tail(row) < 0 }
		if !notNegative(bytes.AddConst(-minPartRow)) || slices.ContainsFunc(l.shapes[s], none) {
			return false
		}
	}
	l.parts[s] = p
	return true
}

// minPartRow is the smallest row, in bytes, that is written in place. (yolox-nano on
// one thread: 13.8 ms, 14.0 with rows of 64 bytes and more alone, 14.1 without any;
// AMD EPYC, 2026-11-26.)
const minPartRow = 16

// Within says where in the memory of another value, which is a concat, result i of
// v lies: in rows of row elements, pitch apart, from offset on, in elements. Where
// it lies in memory of its own, whole is nil.
func (m *MemoryPlan) Within(v *ir.Value, i int) (whole *ir.Value, offset, row, pitch ir.Dim) {
	p := m.parts[slot{v, i}]
	return p.of.v, p.offset, p.row, p.pitch
}

// Written says of the parts of a concat, which region v is, which are written to
// their places by others; nil: none.
func (m *MemoryPlan) Written(v *ir.Value) []bool { return m.written[v] }
