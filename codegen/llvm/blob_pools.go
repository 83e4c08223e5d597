package llvm

import (
	"cmp"
	"debug/elf"
	"regexp"
	"slices"
	"strconv"
)

// This file tells apart the constants of functions in a section that they share and that LLVM does
// not merge, as it has for constants of 1, 2 and more than 32 bytes: each function's lie together,
// in the order of the functions, behind labels that llc keeps for this (-save-temp-labels). Where
// they begin at a multiple of blobAlign they lie as they do in a module of the function alone.

// pool names the constants of a function in a section; fn is the number that LLVM gives it.
type pool struct{ section, fn int }

var poolLabel = regexp.MustCompile(`^\.LCPI([0-9]+)_[0-9]+$`)

// readPools fills in funcs and pools. Constants that lie otherwise than they do alone are in none:
// the section is then taken as a whole.
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
	if labels[0].Value != 0 || len(o.relocs[section]) > 0 {
		return // there is something else in it
	}
	end := o.file.Sections[section].Size
	for i := len(labels) - 1; i >= 0; i-- {
		fn := poolOwner(labels[i])
		if i > 0 && poolOwner(labels[i-1]) == fn {
			continue
		}
		at := labels[i].Value
		if at%blobAlign == 0 {
			o.pools[pool{section, fn}] = piece{section, at, end - at, true}
		}
		end = at
	}
}

func poolOwner(label elf.Symbol) int {
	n, err := strconv.Atoi(poolLabel.FindStringSubmatch(label.Name)[1])
	if err != nil {
		return -1 // no function's
	}
	return n
}
