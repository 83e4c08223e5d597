package kernel

import (
	"strconv"

	"github.com/tensorcc/tcc/ir"
)

// Replace puts a call of the instruction in place of loop v: tiles say where
// its operands begin. It is legal where what the instruction does, with the
// tiles' addresses, is the loop nest but for the names of its variables: to the
// bit, or in real numbers where the instruction is for sums of products.
func (k *Kernel) Replace(v string, in *Instr, tiles []Tile) error {
	p, err := k.find("replace", v)
	if err != nil {
		return err
	}
	call := &Call{Instr: in, Tiles: tiles}
	meaning, err := call.inline(in.Sum)
	if err != nil {
		return refuse("replace", v, "%v", err)
	}
	f := p.facts()
	have, want := canonical([]Stmt{p.loop}, f), canonical(meaning, f)
	if have != want {
		return refuse("replace", v, "the loop is not what %s does:\n%swant:\n%s", in.Name, have, want)
	}
	p.replace(call)
	return nil
}

// canonical is the text of body with its variables named by order, and the
// operands of commutative operations in the order of their texts.
func canonical(body []Stmt, f *Facts) string {
	names := map[string]string{}
	WalkStmts(body, func(s Stmt) {
		switch s := s.(type) {
		case *Loop:
			names[s.Var] = "v." + strconv.Itoa(len(names))
		case *Let:
			names[s.Var] = "v." + strconv.Itoa(len(names))
		}
	})
	body = simplifyBody((&subst{names: names}).body(body), f)
	WalkStmts(body, func(s Stmt) {
		if l, ok := s.(*Loop); ok { // copies: how it is executed does not matter
			l.Bind, l.Indep = Serial, false
		}
	})
	body = (&subst{expr: func(e *Expr) *Expr {
		if e.Kind != KOp || !e.Op.Is(ir.Commutes) && e.Op != ir.OpFMA || exprText(e.Args[0]) <= exprText(e.Args[1]) {
			return e
		}
		c := *e
		c.Args = append([]*Expr{e.Args[1], e.Args[0]}, e.Args[2:]...)
		return &c
	}}).body(body)
	p := &printer{lets: map[string]bool{}, whole: true}
	p.body(body, 0)
	return p.b.String()
}

func exprText(e *Expr) string { return (&printer{lets: map[string]bool{}}).text(e) }
