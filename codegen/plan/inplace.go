package plan

import (
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// Results that take the memory of an input, as the parameters of a model do in a
// step of training. That is possible where nothing reads an element of the input
// after that of the result is written: no later value, and not the kernel that
// writes it.

// declareInPlace notes the pairs of a result and a parameter for which the order
// of the values of g allows it; kernels are asked when they are lowered.
func (b *builder) declareInPlace(g *ir.Graph, pairs [][2]int) {
	for _, p := range pairs {
		r, in := g.Results[p[0]], g.Params[p[1]]
		root, _ := producer(r)
		if r.Type.Equal(in.Type) && lastUse(g, in, p[0]) && !b.written(root) {
			b.inPlace[b.outputs[p[0]]] = p[1]
		}
	}
}

// lastUse reports whether result r of g is parameter in itself, or is written by
// a region, which no value that reads in follows.
func lastUse(g *ir.Graph, in *ir.Value, r int) bool {
	root, k := producer(g.Results[r])
	written := slices.Index(g.Values, root)
	same := map[*ir.Value]bool{in: true} // values in the memory of in
	for i, v := range g.Values {
		switch {
		case !slices.ContainsFunc(v.Args, func(a *ir.Value) bool { return same[a] }):
		case v.Op.Is(ir.Views) || v.Op == ir.OpBind:
			same[v] = true
		case i > written && root != in:
			return false
		}
	}
	for i, other := range g.Results {
		o, ok := producer(other)
		if i != r && same[other] || i < r && o == root && ok == k {
			return false // a copy is made in the end
		}
	}
	return root == in || root.Op == ir.OpFuse
}

// mergeInPlace makes the outputs of a kernel that may take the memory of an
// input do so. args and outs have the buffers of its parameters; the arguments
// that are left are returned.
func (b *builder) mergeInPlace(k *kernel.Kernel, args, outs []int) (*kernel.Kernel, []int) {
	names := map[int]string{} // of the parameters that are read, by position in args
	for i := range args {
		names[i] = k.Params[i].Name
	}
	gone := map[int]bool{}
	for i, o := range outs {
		in, ok := b.inPlace[o]
		if !ok {
			continue
		}
		merged, used := k.Clone(), map[int]bool{}
		name := k.Params[len(k.Params)-len(outs)+i].Name
		for j, a := range args {
			x := b.p.Buffers[a]
			if gone[j] || x.Kind != runtime.InInput || x.Index != in {
				continue
			}
			if err := merged.InPlace(name, names[j]); err != nil {
				delete(b.inPlace, o)
				break
			}
			used[j] = true
		}
		if _, ok := b.inPlace[o]; ok {
			k = merged
			for j := range used {
				gone[j] = true
			}
		}
	}
	var left []int
	for j, a := range args {
		if !gone[j] {
			left = append(left, a)
		}
	}
	return k, left
}
