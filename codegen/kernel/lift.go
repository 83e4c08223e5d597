package kernel

import "slices"

// Lift moves the lets and fails at the start of the body of loop v that do not
// depend on it, and loops of nothing else, in front of the loop. It is legal where the loop runs at least
// once and does not write what they read.
func (k *Kernel) Lift(v string) error {
	p, err := k.find("lift", v)
	if err != nil {
		return err
	}
	l := p.loop
	if parallel(l.Bind) || l.Bind == Vector {
		return refuse("lift", v, "it is %v", l.Bind)
	}
	if !p.facts().NonNeg(l.Extent.AddConst(-1)) {
		return refuse("lift", v, "it may run no time at all: its extent is %v", l.Extent)
	}
	writes := collect(l.Body).writes()
	inner := []string{v} // what varies in the loop
	var ahead, rest []Stmt
	for i, s := range l.Body {
		let, isLet := s.(*Let)
		if !isLet && !checks(s) {
			rest = append(rest, l.Body[i:]...)
			break
		}
		varies := slices.ContainsFunc(inner, func(n string) bool { return mentions([]Stmt{s}, n) })
		WalkExprs([]Stmt{s}, func(e *Expr) { varies = varies || reads(e, writes) })
		switch {
		case !varies:
			ahead = append(ahead, s)
			continue
		case isLet:
			inner = append(inner, let.Var)
		}
		rest = append(rest, s)
	}
	if ahead == nil {
		return refuse("lift", v, "nothing in it is the same in all iterations")
	}
	l.Body = rest
	p.replace(append(ahead, l)...)
	return nil
}

// checks reports whether s is a fail, or a loop of lets and fails.
func checks(s Stmt) bool {
	l, ok := s.(*Loop)
	if !ok {
		_, ok = s.(*Fail)
		return ok
	}
	return !slices.ContainsFunc(l.Body, func(s Stmt) bool {
		_, isLet := s.(*Let)
		return !isLet && !checks(s)
	})
}
