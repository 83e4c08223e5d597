package onnx

import (
	"errors"
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Operations on parts of tensors for which ONNX has no operator, exported.

// exportShift exports shifts of unsigned integers, as which ONNX has them.
func exportShift(direction string) exportFunc {
	return func(e *exporter, v *ir.Value) ([]string, error) {
		if !v.Type.DType.IsUnsigned() {
			return nil, fmt.Errorf("shifts of %v: ONNX shifts unsigned integers alone", v.Type.DType)
		}
		return one(e.node("BitShift", attrs{"direction", direction}, e.args(v)...)), nil
	}
}

// exportUpdateSlice pads the new part to the whole extent and picks it where a
// mask that is padded in the same way says so.
func exportUpdateSlice(e *exporter, v *ir.Value) ([]string, error) {
	a := v.Attr.(*ir.SliceAttr)
	after := make(ir.Shape, len(a.Start))
	for i, start := range a.Start {
		if a.Step[i] != 1 && !a.Shape[i].IsConst(1) {
			return nil, fmt.Errorf("axis %d: a step of %d", i, a.Step[i])
		}
		after[i] = v.Type.Shape[i].Sub(start).Sub(a.Shape[i])
	}
	pads, err := e.shape(append(a.Start.Clone(), after...))
	if err != nil {
		return nil, err
	}
	return e.overwrite(e.arg(v, 0), e.arg(v, 1), v.Args[1].Type, pads)
}

// overwrite replaces the part of x that y, of type t, covers when padded.
func (e *exporter) overwrite(x, y string, t ir.Type, pads string) ([]string, error) {
	shape, err := e.shape(t.Shape)
	if err != nil {
		return nil, err
	}
	all := e.node("Expand", nil, e.number(ir.Bool, 1), shape)
	mask := e.node("Pad", nil, all, pads, e.number(ir.Bool, 0))
	wide := e.node("Pad", nil, y, pads, e.number(t.DType, 0))
	return one(e.node("Where", nil, mask, wide, x)), nil
}

// clampedStart returns the starts of a part of the given shape, moved so that
// it lies inside a tensor of shape whole.
func (e *exporter) clampedStart(start string, part, whole ir.Shape) (string, error) {
	room := make(ir.Shape, len(whole))
	for i := range whole {
		room[i] = whole[i].Sub(part[i])
	}
	last, err := e.shape(room)
	return e.node("Max", nil, e.node("Min", nil, start, last), e.ints(0)), err
}

func exportDynamicSlice(e *exporter, v *ir.Value) ([]string, error) {
	start, err := e.clampedStart(e.arg(v, 1), v.Type.Shape, v.Args[0].Type.Shape)
	size, err2 := e.shape(v.Type.Shape)
	end := e.node("Add", nil, start, size)
	return one(e.node("Slice", nil, e.arg(v, 0), start, end)), errors.Join(err, err2)
}

func exportDynamicUpdate(e *exporter, v *ir.Value) ([]string, error) {
	part := v.Args[1].Type
	start, err := e.clampedStart(e.arg(v, 2), part.Shape, v.Type.Shape)
	whole, err2 := e.shape(v.Type.Shape)
	size, err3 := e.shape(part.Shape)
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, err
	}
	after := e.node("Sub", nil, e.node("Sub", nil, whole, start), size)
	pads := e.node("Concat", attrs{"axis", 0}, start, after)
	return e.overwrite(e.arg(v, 0), e.arg(v, 1), part, pads)
}
