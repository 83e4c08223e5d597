package passes

import (
	"math/rand/v2"
	"testing"

	"github.com/tensorcc/tcc/ir"
)

// TestOffsets packs random lifetimes of static and symbolic sizes.
func TestOffsets(t *testing.T) {
	sizes := []func(r *rand.Rand) ir.Dim{
		func(r *rand.Rand) ir.Dim { return ir.Const(r.Int64N(10000)) },
		func(r *rand.Rand) ir.Dim { return ir.Sym("N").MulConst(1 + r.Int64N(1000)) },
		func(r *rand.Rand) ir.Dim {
			h := ir.Sym("H").AddConst(1).FloorDiv(ir.Const(2))
			return ir.Sym("N").MulConst(r.Int64N(100)).Add(h.Mul(ir.Sym("N")).MulConst(r.Int64N(9))).AddConst(r.Int64N(50))
		},
	}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		m := &MemoryPlan{}
		for range 1 + r.IntN(60) {
			d := sizes[r.IntN(1+int(seed)%len(sizes))](r)
			birth := r.IntN(50)
			m.buffers = append(m.buffers, &buffer{slots: []slot{{v: &ir.Value{}}}, bytes: d, size: alignUp(d),
				birth: birth, death: birth + r.IntN(10)})
		}
		m.total = assignOffsets(m.buffers)
		for _, n := range []int64{0, 1, 7, 100} {
			env := map[string]int64{"N": n, "H": 3 * n}
			if err := m.check(env); err != nil {
				t.Fatalf("seed %d, %v: %v", seed, env, err)
			}
			total, bound, err := m.Peak(env)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range m.buffers {
				lo, _ := b.offset.Eval(env)
				size, _ := b.size.Eval(env)
				if lo%arenaAlign != 0 || lo+size > total {
					t.Fatalf("seed %d: buffer at %d of %d bytes in an arena of %d", seed, lo, size, total)
				}
			}
			if total < bound {
				t.Fatalf("seed %d: arena of %d bytes below the bound of %d", seed, total, bound)
			}
		}
	}
}

// TestInPlace: a loop writes over its operand where it reads it for the last
// time, element by element.
func TestInPlace(t *testing.T) {
	g := mustParse(t, "", `graph g
	v0 = param <f32[N,8]> {x}
	v1 = sum <f32[N]> v0 {[1]}
	v2 = fuse <f32[N]> v1 {loop}
		body graph a
			v0 = param <f32[N]> {a}
			v1 = exp <f32[N]> v0
			return v1
	v3 = fuse <f32[N]> v2 {loop}
		body graph b
			v0 = param <f32[N]> {a}
			v1 = neg <f32[N]> v0
			return v1
	v4 = fuse <f32[N]> v3 v3 {loop}
		body graph c
			v0 = param <f32[N]> {a}
			v1 = param <f32[N]> {b}
			v2 = slice <f32[N]> v1 {start=[N-1] step=[-1] shape=[N]}
			v3 = add <f32[N]> v0 v2
			return v3
	v5 = fuse <f32[N]> v4 {loop}
		body graph d
			v0 = param <f32[N]> {a}
			v1 = abs <f32[N]> v0
			return v1
	return y=v5
`)
	m := PlanMemory(g)
	place := func(i int) ir.Dim {
		d, ok := m.Place(g.Values[i], 0)
		if !ok {
			t.Fatalf("v%d has no place", i)
		}
		return d
	}
	if !place(2).Equal(place(3)) {
		t.Errorf("v3 is at %v, its only operand at %v", place(3), place(2))
	}
	if place(4).Equal(place(3)) {
		t.Errorf("v4 is written over v3, which it reads backwards")
	}
	if _, ok := m.Place(g.Values[5], 0); ok {
		t.Error("the result has a place in the arena")
	}
	if err := m.check(map[string]int64{"N": 5}); err != nil {
		t.Error(err)
	}
}

// TestPlaceInBodies: the branches of an if share memory, and what a scan keeps
// lives until its end.
func TestPlaceInBodies(t *testing.T) {
	g := mustParse(t, "", `graph g
	v0 = param <f32[8]> {x}
	v1 = param <bool[]> {c}
	v2 = if <f32[8]> v1 v0
			then graph t
				v0 = param <f32[8]> {p}
				v1 = fuse <f32[8]> v0 {loop}
					body graph a
						v0 = param <f32[8]> {a}
						v1 = exp <f32[8]> v0
						return v1
				v2 = fuse <f32[8]> v1 {cumsum}
					body graph a
						v0 = param <f32[8]> {a}
						v1 = cumsum <f32[8]> v0 {axis=0 exclusive=false reverse=false}
						return v1
				return v2
			else graph e
				v0 = param <f32[8]> {p}
				return v0
	v3 = param <f32[4,8]> {s}
	v4 = scan <(f32[8], f32[4,8])> v2 v3 {carry=1 xs=1 length=4 reverse=false}
			body graph b
				v0 = param <f32[8]> {h}
				v1 = param <f32[8]> {x}
				v2 = fuse <f32[8]> v0 v1 {loop}
					body graph a
						v0 = param <f32[8]> {a}
						v1 = param <f32[8]> {b}
						v2 = add <f32[8]> v0 v1
						return v2
				v3 = fuse <f32[8]> v2 {loop}
					body graph a
						v0 = param <f32[8]> {a}
						v1 = neg <f32[8]> v0
						return v1
				return v2 v3
	v5 = get <f32[8]> v4 {0}
	v6 = get <f32[4,8]> v4 {1}
	return y=v5 z=v6
`)
	m := PlanMemory(g)
	if err := m.check(nil); err != nil {
		t.Error(err)
	}
	has := func(v *ir.Value, i int, want bool) {
		if _, ok := m.Place(v, i); ok != want {
			t.Errorf("%v, result %d: has a place: %v, want %v", v.Line(), i, ok, want)
		}
	}
	branch := g.Values[2].Attr.(*ir.IfAttr).Then
	has(g.Values[2], 0, true)
	has(branch.Values[1], 0, true)
	has(branch.Values[2], 0, false) // written to the result of the if
	has(g.Values[4], 0, true)
	has(g.Values[4], 1, true)
	body := g.Values[4].Attr.(*ir.LoopAttr).Body
	has(body.Values[2], 0, false) // written to the next carry
	if total, ok := m.Total().Int(); !ok || total != 320 {
		t.Errorf("the arena has %v bytes, want 320", m.Total())
	}
}
