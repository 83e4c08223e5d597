package purego

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// This file prints loops: those over tasks, those that are copied out, and the
// innermost ones, which read and write slices of the buffers.

// nests prints the kernel's nests of tasks, one behind the other.
func (p *printer) nests(body []kernel.Stmt) error {
	ahead := kernel.TasksAhead(p.k)
	if ahead.IsConst(0) {
		return p.tasks(body, "lo", "hi")
	}
	from, to := "lo", "min(hi, "+p.dim(ahead)+")"
	for _, s := range body {
		if a, ok := s.(*kernel.Alloc); ok {
			if err := p.alloc(a.Buf); err != nil {
				return err
			}
			continue
		}
		if err := p.tasks([]kernel.Stmt{s}, from, to); err != nil {
			return err
		}
		from = "max(lo-" + p.dim(ahead) + ", 0)"
		to = "hi-" + p.dim(ahead)
	}
	return nil
}

// tasks prints the parallel loops as one loop over the tasks from one to another.
func (p *printer) tasks(body []kernel.Stmt, from, to string) error {
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
	p.printf("for task := %s; task < %s; task++ {", from, to)
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

func (p *printer) loop(l *kernel.Loop) error {
	if l.Bind == kernel.Parallel {
		return fmt.Errorf("BUG: parallel loop %s inside", l.Var)
	}
	p.forgetLoads()
	defer p.forgetLoads()
	if l.Bind == kernel.Unroll {
		return p.unroll(l)
	}
	if s := p.streamed(l); s != nil {
		return p.passing(l, s)
	}
	return p.counted(l, p.dim(l.Extent))
}

// counted prints a loop of n iterations.
func (p *printer) counted(l *kernel.Loop, n string) error {
	v := ident(l.Var)
	p.printf("for %s := int64(0); %s < %s; %s++ {", v, v, n, v)
	p.indent++
	err := p.stmts(l.Body)
	p.indent--
	p.printf("}")
	return err
}

// unroll prints the iterations of l one after the other, in scopes of their own
// where they define names.
func (p *printer) unroll(l *kernel.Loop) error {
	n, ok := p.fold(l.Extent).Int()
	if !ok {
		return fmt.Errorf("loop %s is unrolled %v times, want a number", l.Var, l.Extent)
	}
	defer delete(p.turns, l.Var)
	scope := defines(l.Body)
	for i := range n {
		p.turns[l.Var] = ir.Const(i)
		if scope {
			p.printf("{")
			p.indent++
		}
		if err := p.stmts(l.Body); err != nil {
			return err
		}
		if scope {
			p.indent--
			p.printf("}")
		}
	}
	return nil
}

// defines reports whether body has statements that define names.
func defines(body []kernel.Stmt) bool {
	found := false
	kernel.WalkStmts(body, func(s kernel.Stmt) {
		switch s.(type) {
		case *kernel.Let, *kernel.Alloc:
			found = true
		}
	})
	return found
}

// fold is d with the numbers of the copies that are printed.
func (p *printer) fold(d ir.Dim) ir.Dim {
	if len(p.turns) == 0 {
		return d
	}
	return d.Subst(func(s string) (ir.Dim, bool) {
		n, ok := p.turns[s]
		return n, ok
	})
}

// streams are what an innermost loop reads and writes element after element: for
// each a slice of as many elements as the loop has iterations, so that Go checks
// bounds once.
type streams struct {
	loop  *kernel.Loop
	inner map[string]bool // names that are defined in the loop
	names map[string]string
	decls []string
}

// streamed returns empty streams for l if it may have some: no loop inside, and
// nothing in it that keeps what follows from being done.
func (p *printer) streamed(l *kernel.Loop) *streams {
	if n, ok := p.fold(l.Extent).Int(); l.Bind != kernel.Serial || ok && n < 2 {
		return nil
	}
	s := &streams{loop: l, inner: map[string]bool{l.Var: true}, names: map[string]string{}}
	plain := true
	kernel.WalkStmts(l.Body, func(st kernel.Stmt) {
		switch st := st.(type) {
		case *kernel.Loop:
			plain = plain && st.Bind == kernel.Unroll
		case *kernel.Let:
			s.inner[st.Var] = true
		case *kernel.Alloc, *kernel.Fail:
			plain = false
		}
	})
	if !plain {
		return nil
	}
	return s
}

// passing prints the loop of s with what it declares ahead, where it runs at all.
func (p *printer) passing(l *kernel.Loop, s *streams) error {
	n := p.dim(l.Extent)
	_, static := p.fold(l.Extent).Int()
	outer := p.out
	p.out, p.streams = strings.Builder{}, s
	p.indent++
	err := p.counted(l, n)
	p.indent--
	body := p.out.String()
	p.out, p.streams = outer, nil
	if static {
		p.printf("{")
	} else {
		p.printf("if %s > 0 {", n)
	}
	p.indent++
	for _, d := range s.decls {
		p.printf("%s", d)
	}
	p.indent--
	p.out.WriteString(body)
	p.printf("}")
	return err
}

// element prints element d of the buffer named buf, which is always touched when
// this is reached.
func (p *printer) element(buf string, d ir.Dim) string {
	name, s := p.use(buf), p.streams
	if s == nil {
		return name + "[" + p.at(d) + "]"
	}
	step, first, ok := s.steps(p.fold(d))
	switch {
	case ok && step.IsConst(1):
		return s.declare(p, name+"["+p.dim(first)+":][:"+p.dim(s.loop.Extent)+"]") +
			"[" + p.use(s.loop.Var) + "]"
	case ok && !first.Static():
		return name + "[" + s.declare(p, p.dim(first)) + " + " + p.dim(step) + "*" +
			p.use(s.loop.Var) + "]"
	}
	return name + "[" + p.at(d) + "]"
}

// steps takes apart an index that is first in the first iteration and grows by step, both
// known ahead of the loop.
func (s *streams) steps(d ir.Dim) (step, first ir.Dim, ok bool) {
	step, first, ok = d.Linear(s.loop.Var)
	if n, static := first.Int(); !ok || step.IsConst(0) || static && n < 0 {
		return step, first, false
	}
	names := append(step.SymNames(), first.SymNames()...)
	return step, first, !slices.ContainsFunc(names, func(v string) bool { return s.inner[v] })
}

// declare returns a name for the value of text ahead of the loop.
func (s *streams) declare(p *printer, text string) string {
	name, ok := s.names[text]
	if !ok {
		name = p.temp()
		s.names[text] = name
		s.decls = append(s.decls, name+" := "+text)
	}
	return name
}
