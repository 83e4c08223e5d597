// Package b has functions that are right, or may be. // want package:`syntax of example.com/m/b`
package b

import (
	"math/rand"
	"os"

	"github.com/tensorcc/tcc/frontend/tensor"
)

type params struct {
	W tensor.Tensor `tcc:"f32[4,8]"`
}

// Other functions are not looked at.
func notCompiled() tensor.Tensor {
	return tensor.Ones(tensor.F32, 2, 3).MatMul(tensor.Ones(tensor.F32, 2, 3))
}

//tcc:compile x=f32[N,4]
func condition(p params, x tensor.Tensor) tensor.Tensor {
	if os.Getenv("X") != "" {
		return p.W.MatMul(p.W)
	}
	y := x
	if rand.Int() > 0 {
		y = x.Sum(0)
	}
	return y.MatMul(p.W) // y may be a vector
}

//tcc:compile x=f32[N,4]
func early(p params, x tensor.Tensor) tensor.Tensor {
	if rand.Int() > 0 {
		return x
	}
	return p.W.MatMul(p.W) // may not run
}

//tcc:compile x=f32[N,4]
func memory(p params, x tensor.Tensor) tensor.Tensor {
	q := &p
	ts := []tensor.Tensor{p.W}
	Change(q, ts)
	return q.W.MatMul(ts[0])
}

// Change may be any function.
var Change = func(p *params, ts []tensor.Tensor) {
	p.W, ts[0] = p.W.T(), ts[0].T()
}

//tcc:compile x=f32[N,4]
func closures(p params, x tensor.Tensor) tensor.Tensor {
	w := p.W
	flip := func() { w = w.T() }
	each(flip)
	y := w.MatMul(p.W)
	for range rand.Int() {
		flip()
	}
	return y.MatMul(w)
}

func each(f func()) { Run(f) }

// Run may be any function.
var Run = func(f func()) { f() }

//tcc:compile x=f32[N,4]
func loops(p params, x tensor.Tensor) tensor.Tensor {
	for i := 0; i < 3; i++ {
		if rand.Int() > 0 {
			break
		}
		x = x.MatMul(p.W)
	}
	return x
}

//tcc:compile x=f32[N,4]
func shadows(p params, x tensor.Tensor) tensor.Tensor {
	w := p.W
	{
		w := w.T()
		_ = w
	}
	return x.MatMul(w)
}

//tcc:compile x=f32[N,4]
func stored(p params, x tensor.Tensor) tensor.Tensor {
	m := map[string]tensor.Tensor{"w": p.W}
	m["w"] = p.W.T()
	var any interface{} = p.W
	if w, ok := any.(tensor.Tensor); ok {
		x = x.MatMul(w)
	}
	return x.MatMul(m["w"])
}

//tcc:compile x=f32[N,4]
func unused(p params, x tensor.Tensor) tensor.Tensor {
	tensor.Ones(tensor.F32, 2, 3).MatMul(tensor.Ones(tensor.F32, 2, 3)) // depends on no argument
	return x.MatMul(p.W)
}

//tcc:compile x=f32[N,4]
func numbers(p params, x tensor.Tensor) tensor.Tensor {
	n := uint8(200)
	n += 100 // 44
	return x.Reshape(-1, int(n)/11)
}

type layer struct{ w tensor.Tensor }

func (l *layer) flip()                         { l.w = l.w.T() }
func (l *layer) sequence(yield func(int) bool) { l.flip(); yield(0) }

//tcc:compile x=f32[N,4]
func receivers(p params, x tensor.Tensor) tensor.Tensor {
	l := layer{p.W}
	if rand.Int() > 0 {
		l.flip()
	}
	y := l.w.MatMul(p.W)
	k := layer{p.W}
	for range k.sequence {
	}
	return y.Sum().Add(k.w.MatMul(p.W))
}

//tcc:compile x=f32[N,4]
func methodValue(p params, x tensor.Tensor) tensor.Tensor {
	l := layer{p.W}
	f := l.flip
	f()
	return l.w.MatMul(p.W)
}

//tcc:compile x=f32[N,4]
func fields(p params, x tensor.Tensor) tensor.Tensor {
	w := p.W
	s := struct{ f func() }{func() { w = w.T() }}
	register(s.f)
	again()
	return w.MatMul(p.W)
}

var registered func()

func register(f func()) { registered = f }

func again() { Run(registered) }

//tcc:compile x=f32[N,4]
func iterator(p params, x tensor.Tensor) tensor.Tensor {
	w := p.W
	seq := func(yield func(int) bool) { w = w.T(); yield(1) }
	for range seq {
	}
	return w.MatMul(p.W)
}

//tcc:compile x=f32[N,4]
func jumps(p params, x tensor.Tensor) tensor.Tensor {
	w := p.W
loop:
	for {
		switch {
		case x.Rank() == 2:
			w = w.T()
			break loop
		}
	}
	return w.MatMul(p.W)
}

//tcc:compile x=f32[N,4]
func late(p params, x tensor.Tensor) (y tensor.Tensor) {
	defer func() { y = x }()
	return p.W.MatMul(x.T())
}

//tcc:compile x=f32[N,4]
func array(p params, x tensor.Tensor) tensor.Tensor {
	a := [2]tensor.Tensor{p.W, p.W}
	b := a
	Swap(a[:])
	b[0] = b[0].T()
	return a[0].Sum().Add(b[0].MatMul(p.W)).Add(a[0].MatMul(p.W).Sum())
}

// Swap may do anything.
var Swap = func(ts []tensor.Tensor) {}
