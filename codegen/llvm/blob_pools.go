package llvm

import (
	"cmp"
	"debug/elf"
	"regexp"
	"slices"
	"strconv"
)

// This file tells apart the constants of functions in a section that they share and that LLVM does
// not merge, as it has for constants of more than 32 bytes: each function's lie together, in the
// order of the functions, behind labels that llc keeps for this (-save-temp-labels).

// pool names the constants of a function in a section; fn is the number that LLVM gives it.
type pool struct{ section, fn int }

var poolLabel = regexp.MustCompile(`^\.LCPI([0-9]+)_[0-9]+$`)

// readPools fills in funcs and pools. A section whose parts do not all begin and end at a multiple
// of blobAlign has none: it is taken as a whole.
func (o *object) readPools() {
	o.pools = map[pool]piece{}
	starts := map[int][]elf.Symbol{} // labels by section
	for _, s := range o.syms {
		section := int(s.Section)
		switch {
		case elf.ST_TYPE(s.Info) == elf.STT_FUNC:
			o.funcs = append(o.funcs, section)
		case poolLabel.MatchString(s.Name) && o.file.Sections[section].Flags&elf.SHF_MERGE == 0:
			starts[section] = append(starts[section], s)
		}
	}
	slices.Sort(o.funcs) // functions have sections of their own, made in their order
	o.funcs = slices.Compact(o.funcs)
	for section, labels := range starts {
		slices.SortFunc(labels, func(a, b elf.Symbol) int { return cmp.Compare(a.Value, b.Value) })
		o.splitPool(section, labels)
	}
}

// splitPool divides a section at the labels where another function's begin.
func (o *object) splitPool(section int, labels []elf.Symbol) {
	parts := map[pool]piece{}
	end := o.file.Sections[section].Size
	for i := len(labels) - 1; i >= 0; i-- {
		fn, first := poolOwner(labels[i]), i == 0 || poolOwner(labels[i-1]) != poolOwner(labels[i])
		if !first {
			continue
		}
		p, at := pool{section, fn}, labels[i].Value
		if _, twice := parts[p]; twice || end%blobAlign != 0 || len(o.relocs[section]) > 0 {
			return
		}
		parts[p] = piece{section, at, end - at}
		end = at
	}
	if end != 0 {
		return // something lies before the first
	}
	for p, part := range parts {
		o.pools[p] = part
	}
}

func poolOwner(label elf.Symbol) int {
	n, err := strconv.Atoi(poolLabel.FindStringSubmatch(label.Name)[1])
	if err != nil {
		return -1 // no function's
	}
	return n
}
