package purego

import (
	"fmt"
	"strings"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Func returns the source of k as a Go function named name. The package it
// goes into imports math and unsafe, and the runtime under the name rt.
func Func(k *kernel.Kernel, name string) (string, error) {
	p := &printer{k: k, indent: 1, vars: map[*kernel.Expr]string{}, used: map[string]bool{},
		wide: accumulators(k), turns: map[string]ir.Dim{}, split: scalars(k)}
	p.copied, p.offsets = copies(k, p.wide), map[*kernel.Buffer]ir.Dim{}
	layOut(k, kernel.Scratch, p.copied, p.offsets)
	layOut(k, kernel.Common, p.copied, p.offsets)
	if err := p.nests(k.Body); err != nil {
		return "", fmt.Errorf("purego: kernel %s: %w", k.Name, err)
	}
	body := p.out.String()
	p.out.Reset()
	for i, b := range k.Params {
		if p.used[b.Name] {
			p.printf("%s := unsafe.Slice((*%s)(bufs[%d]), %s)", ident(b.Name), goType(b.DType), i,
				p.dim(b.Size))
		}
	}
	decls := p.out.String()
	var b strings.Builder
	fmt.Fprintf(&b, "func %s(bufs []unsafe.Pointer, dims []int64, lo, hi int64, "+
		"scratch unsafe.Pointer) int32 {\n", name)
	for i, d := range k.Dims {
		if p.used[d] {
			fmt.Fprintf(&b, "\t%s := dims[%d]\n", ident(d), i)
		}
	}
	b.WriteString(decls + body + "\treturn 0\n}\n")
	return b.String(), nil
}

// printer writes the body of one function.
type printer struct {
	k       *kernel.Kernel
	out     strings.Builder
	indent  int
	temps   int
	vars    map[*kernel.Expr]string   // values of shared expressions in scope
	used    map[string]bool           // names that were printed: Go refuses idle ones
	wide    map[*kernel.Buffer]bool   // accumulators, see there
	copied  map[*kernel.Buffer]bool   // copies that are held in float64
	offsets map[*kernel.Buffer]ir.Dim // of scratch and common buffers, in bytes
	turns   map[string]ir.Dim         // iterations of unrolled loops around
	split   map[*kernel.Buffer]bool   // local buffers whose elements are variables
	streams *streams                  // of the innermost loop around; nil where it has none
}

func (p *printer) printf(format string, args ...any) {
	p.out.WriteString(strings.Repeat("\t", p.indent))
	fmt.Fprintf(&p.out, format, args...)
	p.out.WriteByte('\n')
}

// ident makes a Go identifier of a name: the names of the tree cannot clash
// with the function's own, which are lo, hi, bufs, dims, scratch, task, tN.
func ident(name string) string { return "v_" + strings.ReplaceAll(name, ".", "_dot_") }

// use is ident of a name that is read or written.
func (p *printer) use(name string) string {
	p.used[name] = true
	return ident(name)
}

func goType(d ir.DType) string { return goTypes[d] }

var goTypes = map[ir.DType]string{
	ir.Bool: "bool", ir.I8: "int8", ir.I16: "int16", ir.I32: "int32", ir.I64: "int64",
	ir.U8: "uint8", ir.U16: "uint16", ir.U32: "uint32", ir.U64: "uint64",
	ir.F16: "uint16", ir.BF16: "uint16", ir.F32: "float32", ir.F64: "float64",
}

// dim prints an integer expression.
func (p *printer) dim(d ir.Dim) string {
	return ir.Walk(p.fold(d), func(k int64) string { return fmt.Sprint(k) }, p.use,
		func(op byte, a, b string) string {
			switch op {
			case '+', '*':
				return "(" + a + string(op) + b + ")"
			case '/':
				return "rt.FloorDiv(" + a + ", " + b + ")"
			case '%':
				return "rt.FloorMod(" + a + ", " + b + ")"
			case '<':
				return "min(" + a + ", " + b + ")"
			default:
				return "max(" + a + ", " + b + ")"
			}
		})
}

// at prints an index. A negative number, which a check before it keeps from being used, is printed
// as a variable: Go takes it for a mistake as a constant.
func (p *printer) at(d ir.Dim) string {
	n, ok := p.fold(d).Int()
	if !ok || n >= 0 {
		return p.dim(d)
	}
	t := p.temp()
	p.printf("%s := int64(%d)", t, n)
	return t
}

// stmts prints a scope: values computed in it are forgotten at its end.
func (p *printer) stmts(body []kernel.Stmt) error {
	outer := p.vars
	p.vars = make(map[*kernel.Expr]string, len(outer))
	for e, v := range outer {
		p.vars[e] = v
	}
	defer func() { p.vars = outer }()
	for _, s := range body {
		if err := p.stmt(s); err != nil {
			return err
		}
	}
	return nil
}

func (p *printer) stmt(s kernel.Stmt) error {
	switch s := s.(type) {
	case *kernel.Loop:
		return p.loop(s)
	case *kernel.Store:
		if p.wide[s.Buf] {
			return p.accumulate(s)
		}
		value := p.expr
		if p.copied[s.Buf] {
			value = p.exact
		}
		v, err := value(s.Value)
		if err != nil {
			return err
		}
		p.printf("%s = %s", p.place(s.Buf, s.Index), v)
		p.forgetLoads()
	case *kernel.Let:
		v, err := p.expr(s.Value)
		if err != nil {
			return err
		}
		p.printf("%s := %s", ident(s.Var), v)
		p.printf("_ = %s", ident(s.Var))
	case *kernel.If:
		return p.cond(s)
	case *kernel.Alloc:
		return p.alloc(s.Buf)
	case *kernel.Fail:
		v, err := p.expr(s.Cond)
		if err != nil {
			return err
		}
		p.printf("if %s {", v)
		p.printf("\treturn %d", s.Status)
		p.printf("}")
	default:
		return fmt.Errorf("statement %T has no pure Go form", s)
	}
	return nil
}

func (p *printer) cond(s *kernel.If) error {
	v, err := p.expr(s.Cond)
	if err != nil {
		return err
	}
	outer := p.streams
	p.streams = nil // what is touched under a condition may be nowhere
	defer func() { p.streams = outer }()
	p.printf("if %s {", v)
	p.indent++
	err = p.stmts(s.Then)
	p.indent--
	if err == nil && len(s.Else) > 0 {
		p.printf("} else {")
		p.indent++
		err = p.stmts(s.Else)
		p.indent--
	}
	p.printf("}")
	p.forgetLoads()
	return err
}

func (p *printer) alloc(b *kernel.Buffer) error {
	n, t := ident(b.Name), goType(b.DType)
	if b.Of != nil {
		p.printf("%s := %s[%s:][:%s]", n, p.use(b.Of.Name), p.dim(b.At), p.dim(b.Size))
		p.printf("_ = %s", n)
		return nil
	}
	if p.wide[b] || p.copied[b] {
		t = "float64"
	}
	switch b.Space {
	case kernel.Scratch, kernel.Common:
		from := "scratch"
		if b.Space == kernel.Common {
			from = fmt.Sprintf("bufs[%d]", len(p.k.Params))
		}
		p.printf("%s := unsafe.Slice((*%s)(unsafe.Add(%s, %s)), %s)", n, t, from,
			p.dim(p.offsets[b]), p.dim(b.Size))
		return nil
	}
	k, ok := p.fold(b.Size).Int()
	if !ok || b.Space != kernel.Local {
		return fmt.Errorf("buffer %s of size %v in space %d has no pure Go form", b.Name, b.Size,
			b.Space)
	}
	if !p.split[b] {
		p.printf("var %s [%d]%s", n, k, t)
		return nil
	}
	for i := range k {
		p.printf("var %s_%d %s", n, i, t)
		p.printf("_ = %s_%d", n, i)
	}
	return nil
}

// forgetLoads drops the values that a store may have changed: expressions are
// shared only between stores.
func (p *printer) forgetLoads() { clear(p.vars) }

// Scratch is the bytes of scratch memory that the function of k needs.
func Scratch(k *kernel.Kernel) ir.Dim {
	return layOut(k, kernel.Scratch, copies(k, accumulators(k)), map[*kernel.Buffer]ir.Dim{})
}

// Common is the bytes of memory that all tasks of the function of k share.
func Common(k *kernel.Kernel) ir.Dim {
	return layOut(k, kernel.Common, copies(k, accumulators(k)), map[*kernel.Buffer]ir.Dim{})
}

// layOut puts the buffers in space one after the other, and returns the bytes that they
// take up.
func layOut(k *kernel.Kernel, space kernel.Space, copied map[*kernel.Buffer]bool,
	offsets map[*kernel.Buffer]ir.Dim) ir.Dim {

	total := ir.Const(0)
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		a, ok := s.(*kernel.Alloc)
		if !ok || a.Buf.Space != space || a.Buf.Of != nil {
			return
		}
		d := a.Buf.DType
		if copied[a.Buf] {
			d = ir.F64
		}
		offsets[a.Buf] = total
		total = total.Add(kernel.ScratchBytes(a.Buf.Size, d))
	})
	return total
}
