package ir

// Attr is what an operation needs to know beside its arguments. Each kind is a
// struct of its own whose exported fields print and parse by one rule (see
// print.go): field types are int, int64, bool, string, DType, Dim, Shape and
// slices of these, *Literal and *Graph.
type Attr interface{ attr() }

// The attribute kinds. An axis is never negative.
type (
	// ParamAttr names a parameter.
	ParamAttr struct{ Name string }
	// ConstAttr holds a constant's data.
	ConstAttr struct{ Value *Literal }
	// DimsAttr lists integer expressions.
	DimsAttr struct{ Dims Shape }
	// BindAttr names the symbol that a value at run time is bound to.
	BindAttr struct{ Sym string }
	// CheckAttr is a condition on extents that is checked at run time:
	// X Rel Y with Rel one of "==", "<=".
	CheckAttr struct {
		X, Y Dim
		Rel  string
		Msg  string
	}
	// IndexAttr picks a result of a tuple.
	IndexAttr struct{ Index int }
	// DTypeAttr is the element type of the result.
	DTypeAttr struct{ DType DType }
	// ShapeAttr is the shape of the result.
	ShapeAttr struct{ Shape Shape }
	// BarrierAttr is of barriers.
	BarrierAttr struct {
		ID   int
		Stop bool
	}
	// BroadcastAttr places argument axis i at axis Axes[i] of the result of
	// shape Shape; Axes is increasing.
	BroadcastAttr struct {
		Shape Shape
		Axes  []int
	}
	// PermAttr: axis i of the result is axis Perm[i] of the argument.
	PermAttr struct{ Perm []int }
	// SliceAttr: element i along an axis is Start + i*Step of the argument;
	// Shape is the shape of the slice. Start lies inside the argument where
	// the slice is not empty; Step is not zero.
	SliceAttr struct {
		Start Shape
		Step  []int64
		Shape Shape
	}
	// PadAttr: Lo and Hi may be negative, which crops.
	PadAttr struct{ Lo, Hi Shape }
	// AxisAttr names one axis.
	AxisAttr struct{ Axis int }
	// AxesAttr names axes, increasing.
	AxesAttr struct{ Axes []int }
	// CumAttr is of cumulative operations.
	CumAttr struct {
		Axis               int
		Exclusive, Reverse bool
	}
	// SortAttr is of sorting.
	SortAttr struct {
		Axis int
		Desc bool
	}
	// ScatterAttr: Reduce is one of "none", "add", "mul", "min", "max".
	ScatterAttr struct {
		Axis   int
		Reduce string
	}
	// BatchAttr counts the leading axes that are shared.
	BatchAttr struct{ Batch int }
	// DotAttr pairs axes: the argument axes LBatch[i] and RBatch[i] run
	// together and are kept, LContract[i] and RContract[i] are summed over.
	// The result has the batch axes, then the other axes of the first
	// argument, then those of the second.
	DotAttr struct{ LBatch, RBatch, LContract, RContract []int }
	// ConvAttr is of convolutions. Lists have one entry a spatial axis.
	// InDilation > 1 puts zeros between the input's elements (transposed
	// convolution). Pads may be negative. With Last the channel axis is the
	// last one: input [N,S...,C], weights [S...,C/Groups,O], result [N,S...,O];
	// otherwise [N,C,S...], [O,C/Groups,S...], [N,O,S...].
	ConvAttr struct {
		Stride, Dilation, InDilation []int64
		Lo, Hi                       Shape
		Groups                       int64
		Last                         bool
	}
	// WindowAttr is of reductions over windows; one entry an axis.
	// Padding holds the identity of the reduction.
	WindowAttr struct {
		Size, Stride, Dilation []int64
		Lo, Hi                 Shape
	}
	// IotaAttr is of iota.
	IotaAttr struct {
		DType DType
		Shape Shape
		Axis  int
	}
	// RandomAttr is of random bits: the shape of the result.
	RandomAttr struct{ Shape Shape }
	// IfAttr has the branches of an if: closed graphs whose parameters are
	// the arguments after the condition. Result extents that differ
	// between the branches are symbols, defined by Joins.
	IfAttr struct {
		Then, Else *Graph
		Syms       []string // symbols defined by this if
		ThenDims   Shape    // their values, in terms of the symbols known
		ElseDims   Shape    // at the end of each branch
	}
	// LoopAttr is of scan: Body is a closed graph. Its parameters are
	// Carry values, then one slice (without the axis 0) of each of Xs
	// arguments, then the remaining arguments, unchanged in each step. Its
	// results are the new carries, then one slice of each stacked result.
	LoopAttr struct {
		Body    *Graph
		Carry   int
		Xs      int
		Length  Dim
		Reverse bool
	}
	// FuseAttr has the body of a fused region, one kernel: a closed graph
	// whose parameters are the arguments. Kind is the schedule class that
	// the fuse pass gave it.
	FuseAttr struct {
		Body *Graph
		Kind string
	}
)

func (*ParamAttr) attr()     {}
func (*ConstAttr) attr()     {}
func (*DimsAttr) attr()      {}
func (*BindAttr) attr()      {}
func (*CheckAttr) attr()     {}
func (*IndexAttr) attr()     {}
func (*DTypeAttr) attr()     {}
func (*ShapeAttr) attr()     {}
func (*BarrierAttr) attr()   {}
func (*BroadcastAttr) attr() {}
func (*PermAttr) attr()      {}
func (*SliceAttr) attr()     {}
func (*PadAttr) attr()       {}
func (*AxisAttr) attr()      {}
func (*AxesAttr) attr()      {}
func (*CumAttr) attr()       {}
func (*SortAttr) attr()      {}
func (*ScatterAttr) attr()   {}
func (*BatchAttr) attr()     {}
func (*DotAttr) attr()       {}
func (*ConvAttr) attr()      {}
func (*WindowAttr) attr()    {}
func (*IotaAttr) attr()      {}
func (*RandomAttr) attr()    {}
func (*IfAttr) attr()        {}
func (*LoopAttr) attr()      {}
func (*FuseAttr) attr()      {}
