package onnx

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// Activation functions, which recurrent operators use too.

// activation computes a function of one tensor; alpha and beta are its
// parameters.
type activation func(n *node, x *ir.Value, alpha, beta float64) *ir.Value

// activationInfo is a row of the table of activations, with the default
// parameters.
type activationInfo struct {
	f           activation
	alpha, beta float32
	attrs       [2]string // names of the operator's attributes, where it has them
}

var activations = map[string]activationInfo{
	"Affine":      {affine, 1, 0, [2]string{"alpha", "beta"}},
	"Celu":        {celu, 1, 0, [2]string{"alpha"}},
	"Elu":         {elu, 1, 0, [2]string{"alpha"}},
	"HardSigmoid": {hardSigmoid, 0.2, 0.5, [2]string{"alpha", "beta"}},
	"HardSwish": {func(n *node, x *ir.Value, _, _ float64) *ir.Value {
		return n.apply(ir.OpMul, x, hardSigmoid(n, x, 1.0/6, 0.5))
	}, 0, 0, [2]string{}},
	"LeakyRelu":  {leakyRelu, 0.01, 0, [2]string{"alpha"}},
	"Mish":       {mish, 0, 0, [2]string{}},
	"Relu":       {relu, 0, 0, [2]string{}},
	"ScaledTanh": {scaledTanh, 1, 1, [2]string{}},
	"Selu": {selu, 1.67326319217681884765625, 1.05070102214813232421875,
		[2]string{"alpha", "gamma"}},
	"Shrink": {shrink, 0.5, 0, [2]string{"lambd", "bias"}},
	"Sigmoid": {func(n *node, x *ir.Value, _, _ float64) *ir.Value {
		return n.apply(ir.OpSigmoid, x)
	}, 0, 0, [2]string{}},
	"Softplus": {softplus, 0, 0, [2]string{}},
	"Softsign": {softsign, 0, 0, [2]string{}},
	"Swish": {func(n *node, x *ir.Value, alpha, _ float64) *ir.Value {
		return n.apply(ir.OpMul, x, n.apply(ir.OpSigmoid, n.scaled(x, alpha)))
	}, 1, 0, [2]string{"alpha"}},
	"Tanh": {func(n *node, x *ir.Value, _, _ float64) *ir.Value {
		return n.apply(ir.OpTanh, x)
	}, 0, 0, [2]string{}},
	"ThresholdedRelu": {thresholdedRelu, 1, 0, [2]string{"alpha"}},
}

// activate imports an operator that is a row of activations.
func activate(name string) func(*node) []*tensor {
	return func(n *node) []*tensor {
		a := activations[name]
		p := [2]float64{float64(a.alpha), float64(a.beta)}
		for i, attr := range a.attrs {
			if attr != "" {
				p[i] = n.float(attr, float32(p[i]))
			}
		}
		return result(a.f(n, n.arg(0), p[0], p[1]))
	}
}

// apply applies an elementwise operation to values of one type.
func (n *node) apply(op ir.Op, args ...*ir.Value) *ir.Value { return n.op(op, nil, args...) }

// with applies an elementwise operation to x and the number c.
func (n *node) with(op ir.Op, x *ir.Value, c float64) *ir.Value {
	return n.op(op, nil, x, n.like(x, c))
}

func relu(n *node, x *ir.Value, _, _ float64) *ir.Value { return n.with(ir.OpMax, x, 0) }

func affine(n *node, x *ir.Value, alpha, beta float64) *ir.Value {
	return n.with(ir.OpAdd, n.scaled(x, alpha), beta)
}

func leakyRelu(n *node, x *ir.Value, alpha, _ float64) *ir.Value {
	return n.apply(ir.OpSelect, n.with(ir.OpLt, x, 0), n.with(ir.OpMul, x, alpha), x)
}

func elu(n *node, x *ir.Value, alpha, _ float64) *ir.Value {
	return n.apply(ir.OpSelect, n.with(ir.OpLt, x, 0), n.scaled(n.apply(ir.OpExpm1, x), alpha), x)
}

func celu(n *node, x *ir.Value, alpha, _ float64) *ir.Value {
	below := n.scaled(n.apply(ir.OpExpm1, n.with(ir.OpDiv, x, alpha)), alpha)
	return n.apply(ir.OpAdd, n.with(ir.OpMax, x, 0), n.with(ir.OpMin, below, 0))
}

func selu(n *node, x *ir.Value, alpha, gamma float64) *ir.Value {
	below := n.scaled(n.apply(ir.OpExpm1, x), alpha)
	return n.scaled(n.apply(ir.OpSelect, n.with(ir.OpGt, x, 0), x, below), gamma)
}

func hardSigmoid(n *node, x *ir.Value, alpha, beta float64) *ir.Value {
	return n.with(ir.OpMax, n.with(ir.OpMin, affine(n, x, alpha, beta), 1), 0)
}

func scaledTanh(n *node, x *ir.Value, alpha, beta float64) *ir.Value {
	return n.scaled(n.apply(ir.OpTanh, n.scaled(x, beta)), alpha)
}

// softplus is log(1+e**x), written so that no large x overflows.
func softplus(n *node, x *ir.Value, _, _ float64) *ir.Value {
	tail := n.apply(ir.OpLog1p, n.apply(ir.OpExp, n.apply(ir.OpNeg, n.apply(ir.OpAbs, x))))
	return n.apply(ir.OpAdd, n.with(ir.OpMax, x, 0), tail)
}

func softsign(n *node, x *ir.Value, _, _ float64) *ir.Value {
	return n.apply(ir.OpDiv, x, n.with(ir.OpAdd, n.apply(ir.OpAbs, x), 1))
}

func mish(n *node, x *ir.Value, _, _ float64) *ir.Value {
	return n.apply(ir.OpMul, x, n.apply(ir.OpTanh, softplus(n, x, 0, 0)))
}

func thresholdedRelu(n *node, x *ir.Value, alpha, _ float64) *ir.Value {
	return n.apply(ir.OpSelect, n.with(ir.OpGt, x, alpha), x, n.like(x, 0))
}

func shrink(n *node, x *ir.Value, lambd, bias float64) *ir.Value {
	high := n.apply(ir.OpSelect, n.with(ir.OpGt, x, lambd), n.with(ir.OpSub, x, bias), n.like(x, 0))
	return n.apply(ir.OpSelect, n.with(ir.OpLt, x, -lambd), n.with(ir.OpAdd, x, bias), high)
}

func gelu(n *node) []*tensor {
	x := n.arg(0)
	var phi *ir.Value
	if n.choice("approximate", "none", "tanh") == "tanh" {
		cube := n.apply(ir.OpMul, x, n.apply(ir.OpMul, x, x))
		inner := n.apply(ir.OpAdd, x, n.scaled(cube, 0.044715))
		phi = n.apply(ir.OpTanh, n.scaled(inner, math.Sqrt(2/math.Pi)))
	} else {
		phi = n.apply(ir.OpErf, n.scaled(x, math.Sqrt2/2))
	}
	return result(n.apply(ir.OpMul, n.scaled(x, 0.5), n.with(ir.OpAdd, phi, 1)))
}

func prelu(n *node) []*tensor {
	n.sameTypes()
	x := n.arg(0)
	slope := n.arg(1)
	if rank := x.Type.Rank(); slope.Type.Rank() == 1 && rank > 2 {
		// One slope a channel, which exporters write as before version 7.
		d, s := slope.Type.Shape[0], x.Type.Shape
		if !d.IsConst(1) && d.Equal(s[1]) && !d.Equal(s[rank-1]) {
			slope = n.place(slope, rank, 1)
		}
	}
	slope = n.broadcast(slope, x.Type.Shape)
	return result(n.apply(ir.OpSelect, n.with(ir.OpLt, x, 0), n.apply(ir.OpMul, x, slope), x))
}

func clipAttrs(n *node) []*tensor {
	x := n.arg(0)
	if n.attrs["min"] != nil {
		x = n.with(ir.OpMax, x, n.float("min", 0))
	}
	if n.attrs["max"] != nil {
		x = n.with(ir.OpMin, x, n.float("max", 0))
	}
	return result(x)
}

func clip(n *node) []*tensor {
	x := n.clipBy(n.arg(0), 1, ir.OpMax)
	return result(n.clipBy(x, 2, ir.OpMin))
}

func (n *node) clipBy(x *ir.Value, i int, op ir.Op) *ir.Value {
	if !n.has(i) {
		return x
	}
	bound := n.value(n.onlyElement(i))
	return n.op(op, nil, x, n.broadcast(bound, x.Type.Shape))
}
