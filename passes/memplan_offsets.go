package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// assignOffsets places buffers whose times overlap in disjoint ranges and
// returns the size of the arena.
//
// Buffers of known size are packed first, the largest first, each at the
// lowest place where it fits between those that live at the same time. What
// has a symbolic size comes behind: whether one such size exceeds another is
// in general not decided before the run, so these buffers share lanes, each as
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
	return assignLanes(symbolic, ir.Const(packStatic(static)))
}

func (b *buffer) overlaps(c *buffer) bool { return b.birth <= c.death && c.birth <= b.death }

// packStatic returns the end of the packed range.
func packStatic(buffers []*buffer) int64 {
	order := slices.Clone(buffers)
	slices.SortStableFunc(order, func(a, b *buffer) int {
		x, _ := a.size.Int()
		y, _ := b.size.Int()
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return a.birth - b.birth
	})
	type placed struct {
		b      *buffer
		lo, hi int64
	}
	var done []placed // sorted by lo
	var total int64
	for _, b := range order {
		size, _ := b.size.Int()
		at, best, waste := int64(0), int64(-1), int64(0)
		for _, p := range done {
			if !p.b.overlaps(b) {
				continue
			}
			if gap := p.lo - at; gap >= size && (best < 0 || gap < waste) {
				best, waste = at, gap
			}
			at = max(at, p.hi)
		}
		if best < 0 {
			best = at
		}
		b.offset = ir.Const(best)
		i, _ := slices.BinarySearchFunc(done, best, func(p placed, lo int64) int {
			switch {
			case p.lo < lo:
				return -1
			case p.lo > lo:
				return 1
			}
			return 0
		})
		done = slices.Insert(done, i, placed{b, best, best + size})
		total = max(total, best+size)
	}
	return total
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
