package ptx

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Emit returns the PTX of a scheduled kernel: a module with one entry.
// Transcendental operations must have been expanded (codegen/mathfn) before.
// What PTX cannot do is an error that names the operation, its dtype and the
// reason.
func Emit(k *kernel.Kernel, t Target) (string, error) {
	text, err := entry(k)
	if err != nil {
		return "", err
	}
	return header(t) + text, nil
}

func header(t Target) string {
	return fmt.Sprintf(".version %s\n.target %s\n.address_size 64\n", t.Version, t.Name)
}

// class is a class of registers.
type class uint8

const (
	pred class = iota
	b16
	b32
	b64
	f32
	f64
	numClasses
)

var classes = [numClasses]struct{ prefix, typ string }{
	pred: {"%p", "pred"}, b16: {"%rs", "b16"}, b32: {"%r", "b32"}, b64: {"%rd", "b64"},
	f32: {"%f", "f32"}, f64: {"%fd", "f64"},
}

// val is a register, or a constant as an operand has it.
type val string

func (v val) isReg() bool { return strings.HasPrefix(string(v), "%") }

// scope has what was computed and is there in the code that follows.
type scope struct {
	vals  map[string]val                    // by the instruction's text
	loads map[*kernel.Buffer]map[string]val // by the address
}

// emitter holds the state of one emission.
type emitter struct {
	k      *kernel.Kernel
	launch Launch
	out    strings.Builder
	errs   []error

	count  [numClasses]int // registers given out
	labels int
	vars   map[string]val    // dims, loop variables and lets
	exact  map[string]ir.Dim // variables that stand for polynomials of others
	// natural has the integer variables that are never negative.
	natural map[string]bool
	bufs    map[*kernel.Buffer]*memory
	decls   []string // of shared and local memory
	symbols map[string]bool
	scopes  []scope
	memo    map[*kernel.Expr]val // values of the statement being emitted

	many    bool // a block has more than one thread
	uniform bool // all threads execute the statement alike
	fails   bool
	pending []touch // since the last barrier
}

// memory is where a buffer lies.
type memory struct {
	space string // of ld and st
	base  val
	regs  []val // of a local buffer that is kept in registers
}

// errorf records an error; emission goes on so that all are reported.
func (e *emitter) errorf(format string, args ...any) {
	err := fmt.Errorf("ptx: kernel %s: %s", e.k.Name, fmt.Sprintf(format, args...))
	for _, old := range e.errs {
		if old.Error() == err.Error() {
			return
		}
	}
	e.errs = append(e.errs, err)
}

// entry returns the text of one entry.
func entry(k *kernel.Kernel) (string, error) {
	if err := kernel.Verify(k); err != nil {
		return "", fmt.Errorf("ptx: %w", err)
	}
	e := &emitter{
		k: k, launch: LaunchOf(k), vars: map[string]val{}, exact: map[string]ir.Dim{},
		natural: map[string]bool{}, bufs: map[*kernel.Buffer]*memory{}, symbols: map[string]bool{},
	}
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		if _, ok := s.(*kernel.Fail); ok {
			e.fails = true
		}
	})
	e.scoped(func() {
		e.arguments()
		e.threads(k.Body)
	})
	e.line("ret")
	return e.text(), errors.Join(e.errs...)
}

// text puts the entry together.
func (e *emitter) text() string {
	var b strings.Builder
	l := e.launch
	fmt.Fprintf(&b, "\n// grid (%v, %v, %v), block (%d, %d, %d)\n", l.Grid[0], l.Grid[1], l.Grid[2],
		l.Block[0], l.Block[1], l.Block[2])
	fmt.Fprintf(&b, ".visible .entry %s(", e.k.Name)
	sep := "\n"
	param := func(typ, name string) {
		fmt.Fprintf(&b, "%s\t.param .%s %s", sep, typ, name)
		sep = ",\n"
	}
	for _, p := range e.k.Params {
		param("u64", e.param(p.Name))
	}
	for _, d := range e.k.Dims {
		param("s64", e.param(d))
	}
	if e.fails {
		param("u64", e.param("status."))
	}
	b.WriteString("\n)\n")
	fmt.Fprintf(&b, ".reqntid %d, %d, %d\n{\n", l.Block[0], l.Block[1], l.Block[2])
	for c, n := range e.count {
		if n > 0 {
			fmt.Fprintf(&b, "\t.reg .%s %s<%d>;\n", classes[c].typ, classes[c].prefix, n)
		}
	}
	for _, d := range e.decls {
		fmt.Fprintf(&b, "\t%s;\n", d)
	}
	b.WriteString("\n" + e.out.String() + "}\n")
	return b.String()
}

// param is the name of a parameter.
func (e *emitter) param(name string) string { return e.k.Name + "$" + symbol(name) }

// symbol makes an identifier of a name, which may have dots.
func symbol(name string) string { return strings.ReplaceAll(name, ".", "$") }

// arguments loads the parameters.
func (e *emitter) arguments() {
	for _, b := range e.k.Params {
		p := e.reg(b64)
		e.line("ld.param.u64 %s, [%s]", p, e.param(b.Name))
		e.bufs[b] = &memory{space: "global", base: e.pure(b64, "cvta.to.global.u64", p)}
	}
	for _, d := range e.k.Dims {
		r := e.reg(b64)
		e.line("ld.param.s64 %s, [%s]", r, e.param(d))
		e.vars[d], e.natural[d] = r, true
	}
	e.many = e.launch.Block != [3]int64{1, 1, 1}
}

// leader is the predicate of the thread that stores for its block.
func (e *emitter) leader() val {
	out := val("")
	for axis, n := range e.launch.Block {
		if n == 1 {
			continue
		}
		p := e.pure(pred, "setp.eq.u32", e.special("tid", axis), "0")
		if out != "" {
			p = e.pure(pred, "and.pred", out, p)
		}
		out = p
	}
	return out
}

// special is the register that tells the number of the block or thread.
func (e *emitter) special(name string, axis int) val {
	return e.pure(b32, "mov.u32", val(fmt.Sprintf("%%%s.%c", name, "xyz"[axis])))
}

// line writes an instruction.
func (e *emitter) line(format string, args ...any) {
	e.out.WriteByte('\t')
	fmt.Fprintf(&e.out, format, args...)
	e.out.WriteString(";\n")
}

// reg returns a new register.
func (e *emitter) reg(c class) val {
	v := val(fmt.Sprintf("%s%d", classes[c].prefix, e.count[c]))
	e.count[c]++
	return v
}

func (e *emitter) label() string {
	e.labels++
	return fmt.Sprintf("$L%d", e.labels)
}

func (e *emitter) place(label string) { fmt.Fprintf(&e.out, "%s:\n", label) }

// scoped emits code that does not always run, or runs several times: what it
// computes is forgotten at its end.
func (e *emitter) scoped(f func()) {
	e.scopes = append(e.scopes, scope{map[string]val{}, map[*kernel.Buffer]map[string]val{}})
	f()
	e.scopes = e.scopes[:len(e.scopes)-1]
}

// pure is the result of an instruction that depends on its operands alone.
func (e *emitter) pure(c class, op string, args ...val) val {
	text := op
	for _, a := range args {
		text += " " + string(a)
	}
	for _, s := range e.scopes {
		if v, ok := s.vals[text]; ok {
			return v
		}
	}
	r := e.reg(c)
	e.line("%s %s%s", op, r, operands(args))
	e.scopes[len(e.scopes)-1].vals[text] = r
	return r
}

func operands(args []val) string {
	var b strings.Builder
	for _, a := range args {
		b.WriteString(", ")
		b.WriteString(string(a))
	}
	return b.String()
}

// inReg is v in a register.
func (e *emitter) inReg(c class, v val) val {
	if v.isReg() {
		return v
	}
	return e.pure(c, "mov."+classes[c].typ, v)
}
