package ir

import "reflect"

// Op is an operation.
type Op uint8

// The operations. See opTable for what each does.
const (
	OpInvalid Op = iota

	// Structure.
	OpParam
	OpConst
	OpGet
	OpDims
	OpBind
	OpCheck
	OpIf
	OpScan
	OpFuse

	// Elementwise, one argument.
	OpNeg
	OpAbs
	OpSign
	OpCeil
	OpFloor
	OpTrunc
	OpRound
	OpSqrt
	OpExp
	OpExpm1
	OpLog
	OpLog1p
	OpSin
	OpCos
	OpTan
	OpAsin
	OpAcos
	OpAtan
	OpSinh
	OpCosh
	OpTanh
	OpAsinh
	OpAcosh
	OpAtanh
	OpErf
	OpSigmoid
	OpNot
	OpIsNaN
	OpIsInf
	OpPopcount
	OpCast
	OpBitcast
	OpBarrier

	// Elementwise, two and three arguments.
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpFloorDiv
	OpRem
	OpMod
	OpPow
	OpAtan2
	OpMax
	OpMin
	OpAnd
	OpOr
	OpXor
	OpShl
	OpShr
	OpEq
	OpNe
	OpLt
	OpLe
	OpGt
	OpGe
	OpSelect
	OpFMA

	// Creation.
	OpIota
	OpRandomBits

	// Moves.
	OpBroadcast
	OpReshape
	OpTranspose
	OpSlice
	OpUpdateSlice
	OpPad
	OpConcat
	OpGather
	OpTakeAlong
	OpGatherND
	OpScatterAlong
	OpScatterND
	OpDynamicSlice
	OpDynamicUpdate
	OpNonZero

	// Reductions, scans, sorting.
	OpSum
	OpProd
	OpReduceMax
	OpReduceMin
	OpArgMax
	OpArgMin
	OpCumSum
	OpCumProd
	OpCumMax
	OpCumLogSumExp
	OpArgSort
	OpWindowSum
	OpWindowMax

	// Products.
	OpDot
	OpConv

	numOps
)

// Props are facts about an operation that passes rely on.
type Props uint16

// The facts.
const (
	Elementwise Props = 1 << iota // result element i depends on argument elements i alone
	Commutes                      // exchanging the two arguments does not change a bit
	Moves                         // copies elements, computes nothing
	Reduces                       // folds axes
	Effect                        // may stop the program, or binds a symbol: never removed as dead
	Region                        // has a body
	Compares                      // elementwise with a bool result
	Views                         // the argument's elements, in order: its memory serves
)

// variadic is Args of an operation with any number of arguments.
const variadic = -1

// OpInfo is one row of the op table.
type OpInfo struct {
	Name  string
	Args  int // number of arguments; -1: any number
	Attr  reflect.Type
	Props Props
	Types DTypes // element types of the first computed argument
	Infer func(in *inference) (Type, error)
	Doc   string
}

// String returns the name of op in the text form.
func (op Op) String() string {
	if op >= numOps {
		return "invalid"
	}
	return opTable[op].Name
}

// Info returns the table row of op.
func (op Op) Info() *OpInfo { return &opTable[op] }

// Is reports whether op has all the facts p.
func (op Op) Is(p Props) bool { return opTable[op].Props&p == p }

// Ops returns all operations in table order.
func Ops() []Op {
	ops := make([]Op, 0, numOps)
	for op := OpInvalid + 1; op < numOps; op++ {
		ops = append(ops, op)
	}
	return ops
}

// ParseOp returns the operation with the given name.
func ParseOp(name string) (Op, bool) {
	op, ok := opByName[name]
	return op, ok
}

var opByName = func() map[string]Op {
	m := map[string]Op{}
	for _, op := range Ops() {
		m[op.String()] = op
	}
	return m
}()

func attrOf[T any]() reflect.Type { return reflect.TypeFor[*T]() }
