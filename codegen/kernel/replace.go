package kernel

import "strconv"

// Replace puts a call of the instruction in place of loop v: tiles say where
// its operands begin. It is legal where the meaning of the call, the
// instruction's body with the tiles' addresses, is the loop nest but for the
// names of its variables.
func (k *Kernel) Replace(v string, in *Instr, tiles []Tile) error {
	p, err := k.find("replace", v)
	if err != nil {
		return err
	}
	call := &Call{Instr: in, Tiles: tiles}
	meaning, err := call.inline()
	if err != nil {
		return refuse("replace", v, "%v", err)
	}
	f := p.facts(k)
	have, want := canonical([]Stmt{p.loop}, f), canonical(meaning, f)
	if have != want {
		return refuse("replace", v, "the loop is not what %s does:\n%swant:\n%s", in.Name, have, want)
	}
	p.replace(call)
	return nil
}

// canonical is the text of body with its variables named by order.
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
	p := &printer{lets: map[string]bool{}}
	p.body(body, 0)
	return p.b.String()
}
