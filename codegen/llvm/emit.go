// Package llvm makes machine code of scheduled kernels: [Emit] writes LLVM IR for
// a CPU level ([Target]), the tools of an installed LLVM ([Find]) compile it, and
// each kernel is cut out of the object with the constants it uses, relocations
// resolved, as bytes that run wherever they lie. Package codegen/gopkg writes them
// into Go packages, codegen/llvm/jit runs them in this process.
package llvm

import (
	"fmt"

	llvm "github.com/llir/llvm/ir"
	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/enum"
	"github.com/llir/llvm/ir/metadata"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Emit returns the LLVM IR of a scheduled kernel: a module with one function
// of the kernel's name,
//
//	i32 kernel(i8** bufs, i64* dims, i64 lo, i64 hi, i8* scratch)
//
// which calls nothing outside itself. Behind the buffers of the parameters, bufs has
// the address of the memory that all tasks share, if the kernel has any; the first
// tasks, see kernel.TasksAhead, are to be done before others begin. Transcendental
// operations must have been expanded (codegen/mathfn) before. What the target cannot
// do is an error that names the operation, its dtype and the reason.
func Emit(k *kernel.Kernel, target Target) (string, error) {
	b := NewBatch(target)
	if err := b.Add(k); err != nil {
		return "", err
	}
	return b.m.String(), nil
}

// val is the value of an expression: a scalar, the same in all lanes of the
// vector loop around, or a vector of one element a lane.
type val struct {
	value.Value
	vec bool
}

// emitter holds the state of one emission.
type emitter struct {
	k      *kernel.Kernel
	target Target
	m      *llvm.Module
	f      *llvm.Func
	entry  *llvm.Block // allocas and loads of the arguments
	cur    *llvm.Block // where code goes now
	fails  map[int]*llvm.Block
	bufs   map[*kernel.Buffer]*memory
	decls  map[string]*llvm.Func // intrinsics, by name
	errs   []error

	natural  map[string]bool // variables that are never negative
	safes    map[string]value.Value
	vars     map[string]val          // loop variables, dims and lets
	places   map[string]*kernel.Expr // lets that are what they loaded
	unrolled map[string]ir.Dim       // variables that stand for polynomials of others
	// scopes hold integers and addresses already computed, by their text;
	// what is in a scope dominates the code emitted while it is open.
	scopes []map[string]val
	memo   map[*kernel.Expr]val // values of the statement being emitted
	stmt   kernel.Stmt
	rare   map[*kernel.Expr][]*kernel.Expr // of stmt, see rareSelects

	lane  string                // variable of the vector loop around, or empty
	width int                   // its extent
	mask  *val                  // lanes that are active, nil for all
	tasks bool                  // the parallel loops have been emitted
	runs  map[*kernel.Loop]bool // those that run at least once

	stream  bool                     // writes go around the caches, to where the kernel says so
	around  *metadata.Tuple          // marks such writes
	repeats bool                     // see repeats
	crowded bool                     // see crowded
	along   *kernel.Loop             // the innermost serial loop around
	turn    turn                     // the iteration of the innermost unrolled loop
	asked   map[string]*llvm.Block   // where the places of what passes were asked for
	rows    map[*kernel.Buffer]int64 // see twoRows
	passOf  map[*kernel.Loop]pass
	lines   *lines           // of the loop around, if it puts some together
	kept    *llvm.InstAlloca // what they keep, if that is little

	scratch     value.Value
	scratchMeta llvm.Metadata
	top         ir.Dim // bytes of scratch in use
	common      value.Value
	commonMeta  llvm.Metadata
	commonTop   ir.Dim // bytes of common memory in use

	tiles     map[*kernel.Buffer]int // the first register of a buffer in registers
	tileTop   int                    // registers in use
	configure bool                   // there are any
	held      map[int64]heldTile     // by register: what was loaded to it
}

// memory is where a buffer lies.
type memory struct {
	base value.Value // pointer to the first element
	elem types.Type  // element as stored
	// local is memory that only this function sees: it may be read and
	// rewritten where a mask is false.
	local bool
	lanes bool // an element for each lane of the vector loop that made it
	meta  llvm.Metadata
}

// errorf records an error; emission goes on so that all are reported.
func (e *emitter) errorf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	for _, old := range e.errs {
		if old.Error() == err.Error() {
			return
		}
	}
	e.errs = append(e.errs, err)
}

func (e *emitter) function() {
	params := []*llvm.Param{
		llvm.NewParam("bufs", types.NewPointer(i8p)), llvm.NewParam("dims", types.NewPointer(i64)),
		llvm.NewParam("lo", i64), llvm.NewParam("hi", i64), llvm.NewParam("scratch", i8p),
	}
	e.f = e.m.NewFunc(e.k.Name, types.I32, params...)
	e.f.FuncAttrs = e.attributes()
	e.entry = e.f.NewBlock("entry")
	e.cur = e.f.NewBlock("body")
	for i, name := range e.k.Dims {
		p := e.entry.NewGetElementPtr(i64, params[1], constant.NewInt(i64, int64(i)))
		e.bind(name, val{Value: e.entry.NewLoad(i64, p)})
	}
	e.params(params[0])
	e.scratch = params[4]
	body := e.cur
	e.streamed()
	e.runs = kernel.Runs(e.k)
	e.block(e.k.Body)
	e.cur.NewRet(constant.NewInt(types.I32, 0))
	if e.configure {
		e.configureTiles()
		for _, b := range e.f.Blocks {
			early(b)
		}
	}
	e.entry.NewBr(body)
}

// bind gives a dim or a loop variable its value.
func (e *emitter) bind(name string, v val) { e.vars[name], e.natural[name] = v, true }

func (e *emitter) attributes() []llvm.FuncAttribute {
	attrs := []llvm.FuncAttribute{
		enum.FuncAttrNoUnwind, enum.FuncAttrNoRedZone, llvm.AttrString("no-builtins"),
		llvm.AttrPair{Key: "target-cpu", Value: e.target.CPU},
		llvm.AttrPair{Key: "prefer-vector-width", Value: fmt.Sprint(e.target.Vector)},
	}
	if e.target.Features != "" {
		attrs = append(attrs, llvm.AttrPair{Key: "target-features", Value: e.target.Features})
	}
	return attrs
}

// params loads the pointers of the buffers. Each gets an alias scope of its
// own and is declared not to alias the others, except for the written ones
// among each other's inputs where they may be the same memory: the kernel then
// reads an element before it writes it.
func (e *emitter) params(bufs value.Value) {
	n := len(e.k.Params)
	all := n + 1
	if !kernel.CommonSize(e.k).IsConst(0) {
		all++
	}
	domain, scopes := e.node(nil), make([]*metadata.Tuple, all)
	for i := range scopes {
		scopes[i] = e.node(domain)
	}
	load := func(i int) value.Value {
		return e.entry.NewLoad(i8p, e.entry.NewGetElementPtr(i8p, bufs, constant.NewInt(i64, int64(i))))
	}
	for i, b := range e.k.Params {
		elem := stored(b.DType)
		e.bufs[b] = &memory{
			base: e.entry.NewBitCast(load(i), types.NewPointer(elem)), elem: elem,
			meta: e.noalias(scopes, i),
		}
	}
	e.scratchMeta = e.noalias(scopes, n)
	if all > n+1 {
		e.common, e.commonMeta = load(n), e.noalias(scopes, n+1)
	}
}

// node makes a metadata node that is distinct from all others; an alias
// domain, or a scope in one.
func (e *emitter) node(domain *metadata.Tuple) *metadata.Tuple {
	n := &metadata.Tuple{MetadataID: metadata.MetadataID(len(e.m.MetadataDefs)), Distinct: true}
	n.Fields = []metadata.Field{n}
	if domain != nil {
		n.Fields = append(n.Fields, domain)
	}
	e.m.MetadataDefs = append(e.m.MetadataDefs, n)
	return n
}

// noalias returns the attachments of accesses in scopes[i], which none of the
// other scopes overlaps.
func (e *emitter) noalias(scopes []*metadata.Tuple, i int) llvm.Metadata {
	own, others := &metadata.Tuple{MetadataID: -1}, &metadata.Tuple{MetadataID: -1}
	for j, s := range scopes {
		if j == i {
			own.Fields = append(own.Fields, s)
		} else {
			others.Fields = append(others.Fields, s)
		}
	}
	var out llvm.Metadata
	add := func(name string, n *metadata.Tuple) {
		n.MetadataID = metadata.MetadataID(len(e.m.MetadataDefs))
		e.m.MetadataDefs = append(e.m.MetadataDefs, n)
		out = append(out, &metadata.Attachment{Name: name, Node: n})
	}
	add("alias.scope", own)
	add("noalias", others)
	return out
}

// intrinsic calls the LLVM intrinsic of the given full name.
func (e *emitter) intrinsic(name string, ret types.Type, args ...value.Value) *llvm.InstCall {
	f, ok := e.decls[name]
	if !ok {
		params := make([]*llvm.Param, len(args))
		for i, a := range args {
			params[i] = llvm.NewParam("", a.Type())
		}
		f = e.m.NewFunc(name, ret, params...)
		e.decls[name] = f
	}
	return e.cur.NewCall(f, args...)
}
