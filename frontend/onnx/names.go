package onnx

import (
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// SymName returns the ir symbol that stands for a dim called name: characters
// other than letters, digits, '_' and '.' become '_', and '_' is put before a
// digit at the start and after the words min and max.
func SymName(name string) string {
	s := strings.Map(func(r rune) rune {
		if r == '.' || r >= '0' && r <= '9' || ir.IsSymName(string(r)) {
			return r
		}
		return '_'
	}, name)
	if s == "max" || s == "min" {
		return s + "_"
	}
	if !ir.IsSymName(s) {
		s = "_" + s
	}
	return s
}

// symNames gives each name a symbol of its own: where two names are spelled
// the same, the later one gets a number.
type symNames struct {
	byName map[string]string
	taken  map[string]bool
}

func newSymNames() *symNames {
	return &symNames{byName: map[string]string{}, taken: map[string]bool{}}
}

// named returns the symbol of a dim that the model names.
func (s *symNames) named(name string) ir.Dim {
	sym, ok := s.byName[name]
	if !ok {
		sym = s.unique(name)
		s.byName[name] = sym
	}
	return ir.Sym(sym)
}

// unique returns a symbol that is not in use, spelled like name if possible.
func (s *symNames) unique(name string) string {
	base := SymName(name)
	sym := base
	for i := 2; s.taken[sym]; i++ {
		sym = base + "_" + strconv.Itoa(i)
	}
	s.taken[sym] = true
	return sym
}
