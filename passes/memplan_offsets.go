package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// assignOffsets places buffers whose times overlap in disjoint ranges and
// returns the size of the arena.
//
// Buffers of known size are packed first. What has a symbolic size comes
// behind: multiples of one unit, as a dynamic batch makes them, are packed as
// well, in units. Otherwise it is in general not decided before the run
// whether one size exceeds another, so these buffers share lanes, each as
// large as its largest buffer.
func assignOffsets(buffers []*buffer) ir.Dim {
	var static, symbolic []*buffer
	for _, b := range buffers {
		if b.size.Static() {
			static = append(static, b)
		} else {
			symbolic = append(symbolic, b)
		}
	}
	at, end := pack(static, func(b *buffer) int64 { n, _ := b.size.Int(); return n })
	for i, b := range static {
		b.offset = ir.Const(at[i])
	}
	base := ir.Const(end)
	unit, counts, ok := commonUnit(symbolic)
	if !ok {
		return assignLanes(symbolic, base)
	}
	at, end = pack(symbolic, func(b *buffer) int64 { return counts[b] })
	for i, b := range symbolic {
		b.offset = base.Add(unit.MulConst(at[i]))
	}
	return base.Add(unit.MulConst(end))
}

// monomial is a number times a product of symbols and other atoms.
type monomial struct {
	coef int64
	key  string
	ok   bool
}

func monomialOf(d ir.Dim) monomial {
	return ir.Walk(d, func(k int64) monomial { return monomial{k, "", true} },
		func(name string) monomial { return monomial{1, name + " ", true} },
		func(op byte, x, y monomial) monomial {
			if op == '*' {
				return monomial{x.coef * y.coef, x.key + y.key, x.ok && y.ok}
			}
			return monomial{}
		})
}

// commonUnit writes the sizes as multiples of one unit, a multiple of the
// alignment, if they are multiples of one product of symbols.
func commonUnit(buffers []*buffer) (ir.Dim, map[*buffer]int64, bool) {
	counts := map[*buffer]int64{}
	var sum, units int64
	var unit ir.Dim
	key := ""
	for _, b := range buffers {
		m := monomialOf(b.bytes)
		if !m.ok || m.coef <= 0 || key != "" && m.key != key {
			return unit, nil, false
		}
		if key == "" {
			key, unit = m.key, b.bytes.FloorDiv(ir.Const(m.coef)).MulConst(arenaAlign)
		}
		counts[b] = (m.coef + arenaAlign - 1) / arenaAlign
		sum, units = sum+m.coef, units+counts[b]
	}
	const waste = 8 // units may be larger than the sizes by an eighth
	return unit, counts, key != "" && units*arenaAlign <= sum+sum/waste
}

func (b *buffer) overlaps(c *buffer) bool { return b.birth <= c.death && c.birth <= b.death }

// pack places the largest buffers first, each in the tightest gap between
// those that live at the same time. It returns the places and the end.
func pack(buffers []*buffer, size func(*buffer) int64) (at []int64, end int64) {
	order := make([]int, len(buffers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		if d := size(buffers[j]) - size(buffers[i]); d != 0 {
			return int(max(-1, min(1, d)))
		}
		return buffers[i].birth - buffers[j].birth
	})
	type placed struct {
		b      *buffer
		lo, hi int64
	}
	var done []placed // sorted by lo
	at = make([]int64, len(buffers))
	for _, i := range order {
		b, n := buffers[i], size(buffers[i])
		low, best, gap := int64(0), int64(-1), int64(0)
		for _, p := range done {
			if !p.b.overlaps(b) {
				continue
			}
			if g := p.lo - low; g >= n && (best < 0 || g < gap) {
				best, gap = low, g
			}
			low = max(low, p.hi)
		}
		if best < 0 {
			best = low
		}
		at[i], end = best, max(end, best+n)
		k, _ := slices.BinarySearchFunc(done, best, func(p placed, lo int64) int {
			return int(max(-1, min(1, p.lo-lo)))
		})
		done = slices.Insert(done, k, placed{b, best, best + n})
	}
	return at, end
}

// lane is a range of the arena that buffers use one after the other.
type lane struct {
	buffers []*buffer
	size    ir.Dim
	guess   int64
}

// typical is the value of every symbol when sizes are compared that no proof
// orders: it affects how well lanes are filled, not whether they are right.
const typical = 96

func assignLanes(buffers []*buffer, base ir.Dim) ir.Dim {
	order := slices.Clone(buffers)
	guess := map[*buffer]int64{}
	for _, b := range order {
		guess[b] = guessSize(b.size)
	}
	slices.SortStableFunc(order, func(a, b *buffer) int {
		switch {
		case guess[a] > guess[b]:
			return -1
		case guess[a] < guess[b]:
			return 1
		}
		return a.birth - b.birth
	})
	var lanes []*lane
	for _, b := range order {
		if l := bestLane(lanes, b); l != nil {
			l.buffers = append(l.buffers, b)
			if !notNegative(l.size.Sub(b.size)) {
				l.size = l.size.Max(b.size)
			}
			continue
		}
		lanes = append(lanes, &lane{buffers: []*buffer{b}, size: b.size, guess: guess[b]})
	}
	for _, l := range lanes {
		for _, b := range l.buffers {
			b.offset = base
		}
		base = base.Add(l.size)
	}
	return base
}

// bestLane picks a free lane: one that is large enough for certain, the
// smallest of these, else any, whose size becomes a maximum.
func bestLane(lanes []*lane, b *buffer) *lane {
	var best *lane
	sure := false
	for _, l := range lanes {
		if slices.ContainsFunc(l.buffers, b.overlaps) {
			continue
		}
		fits := notNegative(l.size.Sub(b.size))
		if best == nil || fits && !sure || fits == sure && l.guess < best.guess {
			best, sure = l, fits
		}
	}
	return best
}

func guessSize(d ir.Dim) int64 {
	env := map[string]int64{}
	for _, s := range d.SymNames() {
		env[s] = typical
	}
	n, err := d.Eval(env)
	if err != nil {
		return 0
	}
	return n
}
