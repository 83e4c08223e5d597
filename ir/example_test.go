package ir_test

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

func Example() {
	g := ir.NewGraph("example")
	n := ir.Sym("N")
	x := g.Param("x", ir.T(ir.F32, n, ir.Const(4)), ir.Pos{File: "model.go", Line: 2})
	half := ir.Shape{n.CeilDiv(ir.Const(2)), ir.Const(4)}
	rows := g.Must(ir.Pos{}, ir.OpSlice, &ir.SliceAttr{Start: ir.Dims(0, 0), Step: []int64{2, 1},
		Shape: half}, x)
	sum := g.Must(ir.Pos{}, ir.OpSum, &ir.AxesAttr{Axes: []int{0}}, rows)
	g.SetResults([]string{"total"}, sum)
	fmt.Println(ir.Print(g), ir.Verify(g))

	_, err := g.New(ir.Pos{}, ir.OpAdd, nil, x, rows)
	fmt.Println(err)
	// Output:
	// graph example
	// 	v0 = param <f32[N,4]> {x}                        # model.go:2
	// 	v1 = slice <f32[((N+1)/2),4]> v0 {start=[0,0] step=[2 1] shape=[((N+1)/2),4]}
	// 	v2 = sum <f32[4]> v1 {[0]}
	// 	return total=v2
	//  <nil>
	// add: c1: type(y) = f32[((N+1)/2),4], type(x) = f32[N,4]
}
