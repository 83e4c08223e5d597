package passes

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tensorcc/tcc/frontend/onnx"
	"github.com/tensorcc/tcc/ir"
)

// arenaSim follows which value each range of the arena holds while a graph
// runs, independently of the lifetimes that the plan has computed.
type arenaSim struct {
	m      *MemoryPlan
	env    map[string]int64
	live   map[slot][2]int64
	root   map[*ir.Value]slot
	target map[slot]slot // results that are written to those of an if or scan
	errs   []error
}

func (s *arenaSim) view(v *ir.Value) slot {
	if r, ok := s.root[v]; ok {
		return r
	}
	out := slot{v, 0}
	switch v.Op {
	case ir.OpReshape, ir.OpBarrier, ir.OpBind:
		out = s.view(v.Args[0])
	case ir.OpGet:
		out = slot{v.Args[0], v.Attr.(*ir.IndexAttr).Index}
	}
	if t, ok := s.target[out]; ok {
		return t
	}
	return out
}

// extent is the range of a slot, false where it is not in the arena.
func (s *arenaSim) extent(x slot) (r [2]int64, ok bool) {
	d, ok := s.m.Place(x.v, x.i)
	if !ok {
		return r, false
	}
	size := tensorBytes(x.v.ResultTypes()[x.i])
	if a, scan := x.v.Attr.(*ir.LoopAttr); scan && x.i < a.Carry {
		size = alignUp(size).MulConst(2)
	}
	lo, err := d.Eval(s.env)
	n, err2 := size.Eval(s.env)
	if err != nil || err2 != nil {
		s.errs = append(s.errs, fmt.Errorf("%v: %v %v", x.v, err, err2))
	}
	return [2]int64{lo, lo + n}, true
}

func (s *arenaSim) read(by, v *ir.Value) {
	x := s.view(v)
	if r, ok := s.extent(x); ok && s.live[x] != r {
		s.errs = append(s.errs, fmt.Errorf("%v reads result %d of %v, which is overwritten", by.Line(), x.i, x.v))
	}
}

func (s *arenaSim) write(x slot) {
	if t, ok := s.target[x]; ok {
		x = t
	}
	r, ok := s.extent(x)
	if !ok {
		return
	}
	for y, q := range s.live {
		if y != x && q[0] < r[1] && r[0] < q[1] {
			delete(s.live, y)
		}
	}
	s.live[x] = r
}

// graph runs g; to has the slots that its results are written to.
func (s *arenaSim) graph(g *ir.Graph, to []slot, direct bool) {
	for i, r := range g.Results {
		x := s.view(r)
		inner := slices.Contains(g.Values, x.v) // not what a parameter stands for
		if _, taken := s.target[x]; direct && inner && !taken && (x.v.Op == ir.OpFuse || x.v.Op == ir.OpIf) {
			if _, placed := s.m.Place(x.v, x.i); !placed {
				s.target[x] = to[i]
			}
		}
	}
	for _, v := range g.Values {
		switch a := v.Attr.(type) {
		case *ir.FuseAttr:
			s.launch(v, a)
		case *ir.IfAttr:
			s.branches(v, a)
		case *ir.LoopAttr:
			s.scan(v, a)
		case *ir.BindAttr:
			s.read(v, v.Args[0])
		}
	}
	for i, r := range g.Results {
		s.read(r, r)
		if to[i].v != nil {
			s.write(to[i])
		}
	}
}

func (s *arenaSim) launch(v *ir.Value, a *ir.FuseAttr) {
	for i, x := range v.Args {
		s.read(v, x)
		r, ok := s.extent(s.view(x))
		for k := range v.ResultTypes() {
			out := slot{v, k}
			if t, ok := s.target[out]; ok {
				out = t
			}
			q, placed := s.extent(out)
			if ok && placed && q[0] < r[1] && r[0] < q[1] && !(inPlace(a, i) && q == r) &&
				out.v.Op != ir.OpScan { // the halves of a carry are one slot here
				s.errs = append(s.errs, fmt.Errorf("%v writes over its argument %d", v.Line(), i))
			}
		}
	}
	for k := range v.ResultTypes() {
		s.write(slot{v, k})
	}
}

func (s *arenaSim) outs(v *ir.Value) []slot {
	out := make([]slot, len(v.ResultTypes()))
	for i := range out {
		out[i] = slot{v, i}
		if t, ok := s.target[out[i]]; ok {
			out[i] = t
		}
	}
	return out
}

func (s *arenaSim) branches(v *ir.Value, a *ir.IfAttr) {
	before := maps.Clone(s.live)
	var after []map[slot][2]int64
	for i, body := range []*ir.Graph{a.Then, a.Else} {
		s.live = maps.Clone(before)
		for j, p := range body.Params {
			s.root[p] = s.view(v.Args[j+1])
		}
		s.graph(body, s.outs(v), !definesAny(body, [2]ir.Shape{a.ThenDims, a.ElseDims}[i]))
		after = append(after, s.live)
	}
	maps.DeleteFunc(after[0], func(x slot, r [2]int64) bool { return after[1][x] != r })
	s.live = after[0]
}

func (s *arenaSim) scan(v *ir.Value, a *ir.LoopAttr) {
	for i := range v.ResultTypes() {
		s.write(slot{v, i})
	}
	for i, p := range a.Body.Params {
		if s.root[p] = s.view(v.Args[i]); i < a.Carry {
			s.read(v, v.Args[i])
			s.root[p] = slot{v, i}
		}
	}
	for range 2 {
		s.graph(a.Body, s.outs(v), true)
	}
}

// simulate runs the plan of g with all symbols n and returns the first fault.
func simulate(g *ir.Graph, n int64) error {
	s := &arenaSim{m: PlanMemory(g), env: map[string]int64{}, live: map[slot][2]int64{},
		root: map[*ir.Value]slot{}, target: map[slot]slot{}}
	for _, sym := range s.m.Total().SymNames() {
		s.env[sym] = n
	}
	s.graph(g, make([]slot, len(g.Results)), false)
	return errors.Join(s.errs...)
}

// TestArena runs the plans of the corpora's models on the simulated arena.
func TestArena(t *testing.T) {
	files, _ := filepath.Glob("../../shared/corpora/models/*/model.onnx")
	if len(files) == 0 {
		t.Skip("no ../shared/corpora/models beside the module")
	}
	for _, path := range files {
		m, err := onnx.Load(path, onnx.Options{})
		if err != nil {
			continue // the test of the models says why
		}
		g, err := Run(m.Graph, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int64{1, 40} {
			if err := simulate(g, n); err != nil {
				t.Errorf("%s, extents %d: %.400v", filepath.Base(filepath.Dir(path)), n, err)
			}
		}
		m.Close()
	}
}
