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
	p := &printer{indent: 1, vars: map[*kernel.Expr]string{}, used: map[string]bool{},
		wide: accumulators(k)}
	if err := p.tasks(k.Body); err != nil {
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
	out     strings.Builder
	indent  int
	temps   int
	vars    map[*kernel.Expr]string // values of shared expressions in scope
	used    map[string]bool         // names that were printed: Go refuses idle ones
	wide    map[*kernel.Buffer]bool // accumulators, see there
	scratch ir.Dim                  // bytes of scratch given out so far
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
	return ir.Walk(d, func(k int64) string { return fmt.Sprint(k) }, p.use,
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
	n, ok := d.Int()
	if !ok || n >= 0 {
		return p.dim(d)
	}
	t := p.temp()
	p.printf("%s := int64(%d)", t, n)
	return t
}

// tasks prints the parallel loops as one loop over [lo,hi).
func (p *printer) tasks(body []kernel.Stmt) error {
	var loops []*kernel.Loop
	for len(body) == 1 {
		l, ok := body[0].(*kernel.Loop)
		if !ok || l.Bind != kernel.Parallel && l.Bind != kernel.Steps {
			break
		}
		loops, body = append(loops, l), l.Body
	}
	if len(loops) == 0 {
		p.printf("_, _ = lo, hi")
		return p.stmts(body)
	}
	p.printf("for task := lo; task < hi; task++ {")
	p.indent++
	p.printf("rest := task")
	for i := len(loops) - 1; i > 0; i-- {
		e := p.dim(loops[i].Extent)
		if loops[i].Extent.Equal(ir.Const(0)) {
			e = "1" // there are no tasks, and Go refuses to divide by a constant 0
		}
		p.printf("%s := rest %% %s", ident(loops[i].Var), e)
		p.printf("rest /= %s", e)
	}
	p.printf("%s := rest", ident(loops[0].Var))
	for _, l := range loops {
		p.printf("_ = %s", ident(l.Var))
	}
	err := p.stmts(body)
	p.indent--
	p.printf("}")
	return err
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
		v, err := p.expr(s.Value)
		if err != nil {
			return err
		}
		p.printf("%s[%s] = %s", p.use(s.Buf.Name), p.at(s.Index), v)
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

func (p *printer) loop(l *kernel.Loop) error {
	if l.Bind == kernel.Parallel {
		return fmt.Errorf("BUG: parallel loop %s inside", l.Var)
	}
	v := ident(l.Var)
	p.forgetLoads()
	p.printf("for %s := int64(0); %s < %s; %s++ {", v, v, p.dim(l.Extent), v)
	p.indent++
	err := p.stmts(l.Body)
	p.indent--
	p.printf("}")
	p.forgetLoads()
	return err
}

func (p *printer) cond(s *kernel.If) error {
	v, err := p.expr(s.Cond)
	if err != nil {
		return err
	}
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
	if b.Space == kernel.Scratch {
		p.printf("%s := unsafe.Slice((*%s)(unsafe.Add(scratch, %s)), %s)", n, t, p.dim(p.scratch),
			p.dim(b.Size))
		p.scratch = p.scratch.Add(rounded(b))
		return nil
	}
	k, ok := b.Size.Int()
	if !ok || b.Space != kernel.Local {
		return fmt.Errorf("buffer %s of size %v in space %d has no pure Go form", b.Name, b.Size,
			b.Space)
	}
	if p.wide[b] {
		t = "float64"
	}
	p.printf("var %s [%d]%s", n, k, t)
	return nil
}

// forgetLoads drops the values that a store may have changed: expressions are
// shared only between stores.
func (p *printer) forgetLoads() { clear(p.vars) }

// Scratch is the bytes of scratch memory that the function of k needs.
func Scratch(k *kernel.Kernel) ir.Dim {
	total := ir.Const(0)
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		if a, ok := s.(*kernel.Alloc); ok && a.Buf.Space == kernel.Scratch {
			total = total.Add(rounded(a.Buf))
		}
	})
	return total
}

// rounded is the size of b in bytes, up to a cache line.
func rounded(b *kernel.Buffer) ir.Dim {
	return b.Size.MulConst(int64(b.DType.Size())).AddConst(63).FloorDiv(ir.Const(64)).MulConst(64)
}
