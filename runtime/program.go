package runtime

import "unsafe"

// This file has the launch plan as data. Nothing here runs; New checks and prepares it.

// A Program is a compiled model: the plan of its launches. It is not changed once New has it, and
// may be shared by many Models. The weights are given to New apart from it.
type Program struct {
	Name    string
	Inputs  []Port
	Outputs []Port
	Symbols []Symbol
	Exprs   []Expr
	Checks  []Check
	Buffers []Buffer
	Levels  []string // that it is compiled for, those of the kernels' forms at least
	Kernels []Kernel
	Steps   []Step
	// Arena is the bytes of working memory of one call, planned by the compiler.
	Arena Int
	// WeightBytes is the length of the weights; Weights buffers lie within it.
	WeightBytes int64
	// WeightAlign is the alignment that kernels assume of the weights' first byte, a power of
	// two; 0 is 1. Weights that lie otherwise are copied by New.
	WeightAlign int
}

// Int is an integer of the plan: n >= 0 is the number n; a negative Int is ^s, the value of slot s,
// which is the value of Program.Exprs[s]. Negative numbers are written as OpConst exprs.
type Int int64

// Port describes an input or an output.
type Port struct {
	Name  string
	DType DType
	Dims  []Int
	// InPlace, of an output, is 1 + the index of the input of the same type in whose memory the
	// output is made: what a kernel writes to the one it has read from the other. A call that is
	// given other memory for the output copies the input there first. 0 is none.
	InPlace int
}

// Symbol is a dynamic dim. It is read from axis Axis of input Input where a call starts or, where
// Input is negative, set by a Bind or BindSlot step before anything uses it.
type Symbol struct {
	Name  string
	Input int
	Axis  int
}

// ExprOp is the operation of an Expr.
type ExprOp uint8

// The operations. Division rounds toward minus infinity (OpFloorDiv) or plus infinity (OpCeilDiv)
// and OpMod has the sign of B, as in Python; dividing by zero gives 0. A result that does not fit
// int64 makes the call fail.
const (
	OpConst    ExprOp = iota // Const
	OpSym                    // the symbol Symbols[A]
	OpAdd                    // A + B
	OpSub                    // A - B
	OpMul                    // A * B
	OpFloorDiv               // floor(A / B)
	OpCeilDiv                // ceil(A / B)
	OpMod                    // A - B*floor(A/B)
	OpMin                    // min(A, B)
	OpMax                    // max(A, B)
	OpEq                     // 1 if A == B, else 0
	OpLess                   // 1 if A < B, else 0
	OpSelect                 // B if A != 0, else C
)

// Expr is an integer computed from symbols; Exprs refer to earlier ones only. A, B, C are operands:
// numbers or slots as in Int, except that A of OpSym is the index of a symbol.
type Expr struct {
	Op      ExprOp
	A, B, C Int
	Const   int64
}

// Relation is what a Check asks.
type Relation uint8

// The relations.
const (
	Equal     Relation = iota // A == B
	AtMost                    // A <= B
	Divisible                 // A mod B == 0
)

// Check is a relation of dims which must hold at run time. Checks of input symbols are made before
// the first step; those that depend on symbols bound late are made by Verify steps.
type Check struct {
	Rel  Relation
	A, B Int
	// Text says where this is wanted and what to do, such as "node conv1: Add: dims must agree".
	Text string
	// Guarded says that only a Verify step makes this check, as one in a branch of an If that
	// holds only where the branch is taken.
	Guarded bool
}

// BufferKind says where a Buffer lies.
type BufferKind uint8

// The kinds.
const (
	InInput   BufferKind = iota // the memory of input Index
	InOutput                    // the memory of output Index
	InWeights                   // the weights
	InArena                     // the arena of the call
	InLate                      // memory made by the Alloc step of late block Index
)

// Buffer is a range of memory, in bytes. Ranges may overlap: a view is a Buffer of its own or the
// same one, and planning in place gives two Buffers one range.
type Buffer struct {
	Kind   BufferKind
	Index  int // of the input, output or late block
	Offset Int
	Size   Int
}

// GoFunc is a kernel as a Go function, with the machine code's arguments. Buffers are at least as
// long as the kernel's dims imply. It returns a status.
type GoFunc func(bufs []unsafe.Pointer, dims []int64, lo, hi int64, scratch unsafe.Pointer) int32

// Kernel is one kernel with a form for each CPU level; where it has none for a level of the
// program, the form of the next level that the machine runs is as good.
type Kernel struct {
	Name     string
	Node     string // where it comes from, for errors: node names of the source model
	Variants []Variant
}

// Variant is a kernel's form for a level. Code is the address of machine code with the C signature
//
//	int32 kernel(void **bufs, const int64 *dims, int64 lo, int64 hi, void *scratch)
//
// in the System V (amd64) or AAPCS64 (arm64) convention, which uses at most 32 KiB of stack,
// calls nothing outside itself and cannot fault. Go is used where Code is 0.
type Variant struct {
	Level   string
	Code    uintptr
	Go      GoFunc
	Tasks   Int // the kernel is called with ranges that partition [0,Tasks)
	Scratch Int // bytes of memory of the calling worker, 64-byte aligned, contents undefined
	// Common is the bytes of memory that all tasks of a launch share, 64-byte aligned, whose address
	// is behind those of the buffers; 0: none. The first Ahead of the tasks fill it, and are done
	// before the others begin.
	Common, Ahead Int
}

// Statuses a kernel may return.
const (
	StatusOK     = 0
	StatusIndex  = 1 // an index is out of range
	StatusDivide = 2 // an integer is divided by zero
	StatusShape  = 3 // sizes computed at run time do not fit
	StatusValue  = 4 // a value has no defined result here
)

// Step is a part of the plan: *Launch, *If, *Bind, *BindSlot, *Alloc, *Verify, *Copy
// or *Loop.
type Step interface{ step() }

// Launch runs a kernel over all its tasks.
type Launch struct {
	Kernel int
	Bufs   []int // the buffer params in order
	Writes []int // positions in Bufs of those that are written; the others are read
	Dims   []Int // the integer params in order
	Cost   Int   // estimated nanoseconds on one thread; decides about splitting, not about results
	// Ordered says that the kernel's tasks are steps, each of which needs what those before it did:
	// one thread runs them in order.
	Ordered bool
}

// If runs Then if the byte at Cond is not zero, else Else.
type If struct {
	Cond       int // buffer
	Then, Else []Step
}

// Bind sets a late symbol from the integer scalar in a buffer.
type Bind struct {
	Symbol int
	Buf    int
	DType  DType // an integer type
	Text   string
}

// BindSlot sets a late symbol from an Int, as the branches of an If do for the dims of its results.
type BindSlot struct {
	Symbol int
	Value  Int
}

// Alloc makes the memory of late block Late, of Size bytes. The memory lives until the call ends.
// For an output whose dims depend on late symbols, Output is its index + 1 and the memory is that
// of the output; Late and Size are then not used.
type Alloc struct {
	Late   int
	Size   Int
	Output int
}

// Verify makes one of the Program's Checks.
type Verify struct{ Check int }

// Copy copies Size bytes; the buffers do not overlap, or are the same.
type Copy struct {
	Dst, Src int // buffers
	Size     Int
}

func (*Launch) step()   {}
func (*If) step()       {}
func (*Bind) step()     {}
func (*BindSlot) step() {}
func (*Alloc) step()    {}
func (*Verify) step()   {}
func (*Copy) step()     {}

// Loop runs Body Trip times. Before each round it sets the symbol to the number of the round, from
// 0: a late symbol, so that offsets and kernel dims that depend on it follow.
type Loop struct {
	Symbol int
	Trip   Int
	Body   []Step
}

func (*Loop) step() {}
