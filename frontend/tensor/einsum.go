package tensor

import (
	"slices"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// Einsum returns the sum of products that an equation names, as NumPy's einsum:
// "ij,jk->ik" is the matrix product. Letters are axes, equal ones run together;
// those not named after the arrow are summed over; one twice in an operand is
// its diagonal; "..." stands for axes that broadcast. Without an arrow the
// result has the letters that occur once, in alphabetical order, after "...".
func Einsum(equation string, ts ...Tensor) Tensor {
	c := start("Einsum")
	e := &einsum{call: c, equation: equation}
	in, out := e.parse(ts)
	if c.err != nil {
		return c.bad()
	}
	os := make([]operand, len(ts))
	for i, t := range ts {
		os[i] = operand{n: &node{typ: t.typ()}}
	}
	d := c.meet(os...)
	acc := e.operand(ts[0], in[0], d)
	for i := 1; i < len(ts) && c.err == nil; i++ {
		// A letter that nobody needs later is summed over.
		later := out + strings.Join(in[i+1:], "")
		acc = e.product(acc, e.operand(ts[i], in[i], d), later)
	}
	return c.out(e.arranged(acc, out))
}

// einsum is one call of Einsum. Ellipsis axes become the letters 0 to 9 and
// on, of which the last axis is the last.
type einsum struct {
	*call
	equation string
	extents  map[rune]ir.Dim
}

// term is a value whose axes have letters.
type term struct {
	n       *node
	letters string
}

// dots are the letters of n ellipsis axes, of the longest of which has most.
func dots(n, most int) string {
	all := make([]rune, most)
	for i := range all {
		all[i] = rune('\u0100' + i)
	}
	return string(all[most-n:])
}

func (e *einsum) parse(ts []Tensor) (in []string, out string) {
	equation := strings.ReplaceAll(e.equation, " ", "")
	left, out, arrow := strings.Cut(equation, "->")
	in = strings.Split(left, ",")
	if len(in) != len(ts) {
		e.fail("%q has %d operands, %d were given", e.equation, len(in), len(ts))
	}
	if !e.checks(ts...) {
		return nil, ""
	}
	extra := make([]int, len(in))
	for i, s := range in {
		named := strings.Replace(s, "...", "", 1)
		extra[i] = ts[i].Rank() - len(named)
		bad := strings.IndexFunc(named, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
		})
		if bad >= 0 || extra[i] < 0 || extra[i] > 0 && s == named {
			e.fail("%q: operand %d is %q for shape %s", e.equation, i, s, shapeString(ts[i].Dims()))
			return nil, ""
		}
	}
	most := max(0, slices.Max(extra))
	for i, s := range in {
		in[i] = strings.Replace(s, "...", dots(extra[i], most), 1)
	}
	all := strings.Join(in, "")
	if arrow {
		out = strings.Replace(out, "...", dots(most, most), 1)
	} else {
		out = dots(most, most) + implicit(all)
	}
	for i, r := range out {
		if !strings.ContainsRune(all, r) || strings.ContainsRune(out[:i], r) {
			e.fail("%q: %q in the result, want each letter once, and in an operand", e.equation, r)
		}
	}
	e.measure(ts, in)
	return in, out
}

// implicit is the result that an equation without an arrow has.
func implicit(all string) string {
	var once []rune
	for _, r := range all {
		if r < '\u0100' && strings.Count(all, string(r)) == 1 {
			once = append(once, r)
		}
	}
	slices.Sort(once)
	return string(once)
}

// measure finds the extent of each letter; ellipsis axes broadcast, and so do,
// as in NumPy, others of extent 1.
func (e *einsum) measure(ts []Tensor, in []string) {
	e.extents = map[rune]ir.Dim{}
	for i, s := range in {
		for k, r := range []rune(s) {
			d := ts[i].typ().Shape[k]
			have, ok := e.extents[r]
			switch {
			case !ok || have.IsConst(1):
				e.extents[r] = d
			case !have.Equal(d) && !d.IsConst(1):
				e.fail("%q: operand %d has shape %s, where axis %d is %v, and another %v", e.equation, i,
					shapeString(ts[i].Dims()), k, d, have)
				return
			}
		}
	}
}

// operand is a tensor, in type d, with each letter once: repeated ones become
// diagonals.
func (e *einsum) operand(t Tensor, letters string, d DType) term {
	rs := []rune(letters)
	for i := 0; i < len(rs); i++ {
		for {
			j := i + 1 + slices.Index(rs[i+1:], rs[i])
			if j == i {
				break
			}
			t = t.Moveaxis([]int{i, j}, []int{-2, -1}).Diagonal(0).Moveaxis([]int{-1}, []int{i})
			rs = slices.Delete(rs, j, j+1)
		}
	}
	n := e.in(t)
	if e.err != nil {
		return term{}
	}
	n = e.cast(n, d)
	s := n.typ.Shape.Clone()
	for i, r := range rs {
		s[i] = e.extents[r]
	}
	return term{e.stretch(n, s), string(rs)}
}

// product multiplies two terms and sums over the letters of both that later
// does not name; those of one alone are summed over before.
func (e *einsum) product(a, b term, later string) term {
	if e.err != nil {
		return term{}
	}
	a = e.summed(a, later+b.letters)
	b = e.summed(b, later+a.letters)
	attr := &ir.DotAttr{}
	var batch, rest string
	at := func(s string, r rune) int { return slices.Index([]rune(s), r) }
	for i, r := range []rune(a.letters) {
		j := at(b.letters, r)
		switch {
		case j < 0:
			rest += string(r)
		case strings.ContainsRune(later, r):
			attr.LBatch, attr.RBatch = append(attr.LBatch, i), append(attr.RBatch, j)
			batch += string(r)
		default:
			attr.LContract, attr.RContract = append(attr.LContract, i), append(attr.RContract, j)
		}
	}
	for _, r := range b.letters {
		if !strings.ContainsRune(a.letters, r) {
			rest += string(r)
		}
	}
	return term{e.dot(a.n, b.n, attr), batch + rest}
}

// summed sums a term over the letters that are not kept.
func (e *einsum) summed(t term, keep string) term {
	var axes []int
	var left []rune
	for i, r := range []rune(t.letters) {
		if strings.ContainsRune(keep, r) {
			left = append(left, r)
		} else {
			axes = append(axes, i)
		}
	}
	if len(axes) == 0 || e.err != nil {
		return t
	}
	x, op := t.n, ir.OpSum
	if x.typ.DType == Bool {
		op = ir.OpReduceMax
	}
	return term{e.op(op, &ir.AxesAttr{Axes: axes}, x), string(left)}
}

// arranged sums what is left over and puts axes in the order of the result.
func (e *einsum) arranged(t term, out string) *node {
	t = e.summed(t, out)
	if e.err != nil {
		return nil
	}
	var perm []int
	for _, r := range out {
		perm = append(perm, slices.Index([]rune(t.letters), r))
	}
	return e.transpose(t.n, perm)
}
