package kernel

import "github.com/tensorcc/tcc/ir"

// Kernel is a function that reads and writes global buffers.
type Kernel struct {
	Name   string
	Params []*Buffer // global, in the order of the call's pointers
	Dims   []string  // symbols in the order of the call's integers
	Body   []Stmt
	Pos    []ir.Pos // where the fused values come from
}

// Space is where a buffer lives.
type Space uint8

// The spaces.
const (
	Global    Space = iota // a parameter
	Scratch                // memory of the worker, addressable; lives as long as its scope
	Local                  // small, static: registers, or the stack where indices are not constant
	Shared                 // memory of a GPU block
	Registers              // tiles of a matrix unit, which only instructions touch
	Common                 // memory that all tasks of a call share, see Phase
)

// Buffer is a row of elements. Two parameters never overlap.
type Buffer struct {
	Name  string
	DType ir.DType
	Size  ir.Dim // elements
	Space Space
	Out   bool // written; a parameter is either read or written, or both where Out and In
	In    bool
	Const bool // a weight: same contents in every call
	// Stream says that the buffer is larger than the caches and passed through
	// once: what is written may go to memory around them, and what is read is
	// worth asking for ahead. See [Kernel.Stream].
	Stream bool
	// Ahead, if not 0, is how many elements behind one that is used memory is
	// asked for: what the kernel uses some time later. See [Kernel.Ahead].
	Ahead int64
	// Of is the buffer that an allocated buffer is a part of, from its element At
	// on; nil for one of its own.
	Of *Buffer
	At ir.Dim
}

// Root is the buffer in whose memory b lies, and where it begins there.
func (b *Buffer) Root() (*Buffer, ir.Dim) {
	at := ir.Const(0)
	for ; b.Of != nil; b = b.Of {
		at = at.Add(b.At)
	}
	return b, at
}

// Stmt is a statement: *Loop, *Store, *Let, *If, *Alloc, *Fail or *Call.
type Stmt interface{ stmt() }

// Bind says how a loop is executed.
type Bind uint8

// The bindings, see the package comment.
const (
	Serial Bind = iota
	Parallel
	Unroll
	Vector
	Steps
	GridX
	GridY
	GridZ
	BlockX
	BlockY
	BlockZ
)

// The statements.
type (
	// Loop runs Body with Var = 0 .. Extent-1. Names of variables are unique
	// in a kernel.
	Loop struct {
		Var    string
		Extent ir.Dim
		Bind   Bind
		Body   []Stmt
		// Indep says that iterations do not depend on each other: no two
		// touch the same element of a buffer from outside the loop while one
		// of them writes it, or all write the same value. [MarkIndep] proves it;
		// primitives keep it.
		Indep bool
	}
	// Store puts Value at Index of Buf.
	Store struct {
		Buf   *Buffer
		Index ir.Dim
		Value *Expr
	}
	// Let binds Var to Value from here to the end of the enclosing body. An
	// i64 variable may be used in indices as a symbol.
	Let struct {
		Var   string
		Value *Expr
	}
	// If runs Then where Cond holds, else Else, which may be empty.
	If struct {
		Cond       *Expr
		Then, Else []Stmt
	}
	// Alloc makes a scratch, local or shared buffer for the rest of the
	// enclosing body, whose contents are undefined, or names a part of another.
	Alloc struct{ Buf *Buffer }
	// Fail ends the kernel with Status where Cond holds.
	Fail struct {
		Cond   *Expr
		Status int
	}
	// Call executes an instruction in place of the loop nest that is its
	// meaning, on tiles of buffers.
	Call struct {
		Instr *Instr
		Tiles []Tile
	}
)

// Tile is where an operand of an instruction begins: element (i, j, …) is at
// Index + i*Strides[0] + j*Strides[1] + ….
type Tile struct {
	Buf     *Buffer
	Index   ir.Dim
	Strides []ir.Dim
}

// Instr is a machine instruction with its meaning: Body over the operands
// Params, whose flat indices are row-major in the tile's shape.
type Instr struct {
	Name   string
	Levels []string // CPU levels that have it
	Params []*Buffer
	Shapes [][]int64
	Body   []Stmt
	// Sum is what it does in real numbers: Body, or a plain sum of products of
	// which Body rounds and flushes in its own way.
	Sum []Stmt
}

func (*Loop) stmt()  {}
func (*Store) stmt() {}
func (*Let) stmt()   {}
func (*If) stmt()    {}
func (*Alloc) stmt() {}
func (*Fail) stmt()  {}
func (*Call) stmt()  {}

// Kind is the kind of an expression.
type Kind uint8

// The kinds of expressions.
const (
	KConst Kind = iota // Bits
	KIndex             // the integer Index as an i64
	KVar               // the scalar that a Let bound
	KLoad              // Buf[Index]; with Args = [mask, other] no access and other where mask is false
	KOp                // Op of Args; DType is the result's
)

// Expr is a scalar expression. It never changes once made; shared
// subexpressions are computed once by the back ends.
type Expr struct {
	Kind  Kind
	DType ir.DType
	Op    ir.Op
	Args  []*Expr
	Bits  uint64 // of a constant: the element's bits, integers sign-extended
	Index ir.Dim
	Buf   *Buffer
	Var   string
}

// IndexExpr is an integer as a scalar of type i64.
func IndexExpr(d ir.Dim) *Expr { return &Expr{Kind: KIndex, DType: ir.I64, Index: d} }

// VarExpr is the scalar bound to name.
func VarExpr(name string, d ir.DType) *Expr { return &Expr{Kind: KVar, DType: d, Var: name} }

// Load is buf[index].
func Load(buf *Buffer, index ir.Dim) *Expr {
	return &Expr{Kind: KLoad, DType: buf.DType, Buf: buf, Index: index}
}

// LoadIf is buf[index] where mask holds, else other; buf is then not accessed.
func LoadIf(buf *Buffer, index ir.Dim, mask, other *Expr) *Expr {
	return &Expr{Kind: KLoad, DType: buf.DType, Buf: buf, Index: index, Args: []*Expr{mask, other}}
}

// ConstExpr is the element of type d with the given bits; integers are
// sign-extended to 64 bits, unsigned ones zero-extended.
func ConstExpr(d ir.DType, bits uint64) *Expr { return &Expr{Kind: KConst, DType: d, Bits: bits} }

// OpExpr is an elementwise operation of the ir table, without attribute: its
// result type follows from the arguments.
func OpExpr(op ir.Op, args ...*Expr) *Expr {
	d := args[len(args)-1].DType
	if op.Is(ir.Compares) {
		d = ir.Bool
	}
	return &Expr{Kind: KOp, Op: op, DType: d, Args: args}
}

// CastExpr is x converted (OpCast) to d.
func CastExpr(d ir.DType, x *Expr) *Expr {
	if x.DType == d {
		return x
	}
	return &Expr{Kind: KOp, Op: ir.OpCast, DType: d, Args: []*Expr{x}}
}

// BitcastExpr is the bits of x as a d.
func BitcastExpr(d ir.DType, x *Expr) *Expr {
	return &Expr{Kind: KOp, Op: ir.OpBitcast, DType: d, Args: []*Expr{x}}
}

// Rewrite returns e with f applied bottom up; f returns its argument to keep
// it. Shared subexpressions are rewritten once and stay shared.
func (e *Expr) Rewrite(f func(*Expr) *Expr) *Expr { return rewrite(e, f, map[*Expr]*Expr{}) }

func rewrite(e *Expr, f func(*Expr) *Expr, memo map[*Expr]*Expr) *Expr {
	if out, ok := memo[e]; ok {
		return out
	}
	cur := e
	for i, a := range e.Args {
		if b := rewrite(a, f, memo); b != a {
			if cur == e {
				c := *e
				c.Args = append([]*Expr(nil), e.Args...)
				cur = &c
			}
			cur.Args[i] = b
		}
	}
	out := f(cur)
	memo[e] = out
	return out
}
