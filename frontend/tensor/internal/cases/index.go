package cases

import (
	"fmt"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
)

// indexItem is one part of an index expression.
type indexItem struct {
	Int                 *int
	Slice               []*int
	All, None, Ellipsis bool
	Array               *int // the case's array of that number
}

func (x indexItem) value(args []tensor.Tensor) any {
	switch {
	case x.Int != nil:
		return *x.Int
	case x.All:
		return tensor.All
	case x.None:
		return tensor.None
	case x.Ellipsis:
		return tensor.Ellipsis
	case x.Array != nil:
		return args[*x.Array]
	}
	if x.Slice[2] == nil {
		return tensor.Slice(orNil(x.Slice[0]), orNil(x.Slice[1]))
	}
	return tensor.Slice(orNil(x.Slice[0]), orNil(x.Slice[1]), *x.Slice[2])
}

func orNil(p *int) any {
	if p == nil {
		return nil
	}
	return *p
}

// indexed reads array 0 through the index expressions, or writes array 1
// through the last and returns the base.
func (c *Case) indexed(args []tensor.Tensor) tensor.Tensor {
	v := args[0]
	for i, items := range c.Index {
		var idx []any
		for _, it := range items {
			idx = append(idx, it.value(args))
		}
		if c.Op == "set" && i == len(c.Index)-1 {
			if w := v.Set(args[1], idx...); w.Err() != nil {
				return w
			}
			return args[0]
		}
		v = v.Index(idx...)
	}
	return v
}

// ArrayOf reads the value of a tensor.
func ArrayOf(t tensor.Tensor) (Array, error) {
	if err := t.Err(); err != nil {
		return Array{}, err
	}
	a := Array{DType: t.DType().String(), Shape: t.Shape()}
	var err error
	switch d := t.DType(); d {
	case ir.Bool:
		a.Data, err = bytesOf[bool](t)
	case ir.I8:
		a.Data, err = bytesOf[int8](t)
	case ir.I16:
		a.Data, err = bytesOf[int16](t)
	case ir.I32:
		a.Data, err = bytesOf[int32](t)
	case ir.I64:
		a.Data, err = bytesOf[int64](t)
	case ir.U8:
		a.Data, err = bytesOf[uint8](t)
	case ir.U16, ir.F16, ir.BF16:
		a.Data, err = bytesOf[uint16](t)
	case ir.U32:
		a.Data, err = bytesOf[uint32](t)
	case ir.U64:
		a.Data, err = bytesOf[uint64](t)
	case ir.F32:
		a.Data, err = bytesOf[float32](t)
	case ir.F64:
		a.Data, err = bytesOf[float64](t)
	default:
		err = fmt.Errorf("type %v", d)
	}
	return a, err
}

func bytesOf[E ir.Element](t tensor.Tensor) ([]byte, error) {
	es, err := tensor.Data[E](t)
	if err != nil {
		return nil, err
	}
	return ir.NewLiteral(dtype[E](), []int64{int64(len(es))}, es).Data, nil
}

// dtype is an element type of E's size.
func dtype[E ir.Element]() ir.DType { return tensor.FromSlice([]E{}, 0).DType() }
