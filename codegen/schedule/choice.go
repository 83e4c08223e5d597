package schedule

import (
	"fmt"
	"strconv"
	"strings"
)

// This file has what tuning may set: the parameters of a Target that one kernel may have otherwise
// than its level.

// Tunable is such a parameter with the values that a search tries.
type Tunable struct {
	Name   string
	Doc    string
	Values []int
	field  func(*Target) *int
}

// Tunables are in the order in which a search does best to try them.
var Tunables = []Tunable{
	{"rows", "rows of a product's register block", []int{1, 2, 3, 4, 6, 8, 10, 12, 14, 20, 28},
		func(t *Target) *int { return &t.BlockRows }},
	{"cols", "its vectors of columns", []int{1, 2, 3, 4, 6, 8},
		func(t *Target) *int { return &t.BlockCols }},
	{"task", "multiply-adds of a product's task", []int{16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20},
		func(t *Target) *int { return &t.Task }},
	{"chunk", "elements of a task that computes element by element", []int{1 << 10, 4 << 10, 16 << 10, 64 << 10},
		func(t *Target) *int { return &t.Chunk }},
	{"fold", "vectors of partial results of a reduction", []int{1, 2, 8},
		func(t *Target) *int { return &t.Fold }},
	{"deep", "bytes of the columns of a block of a long accumulation", []int{8 << 10, 16 << 10, 32 << 10, 128 << 10},
		func(t *Target) *int { return &t.Deep }},
	{"l2", "bytes of cache that blocks are made for", []int{256 << 10, 512 << 10, 1 << 20, 2 << 20},
		func(t *Target) *int { return &t.L2 }},
}

// Choice sets tunables by name. The zero Choice is what the cost model chooses. A value that a
// kernel cannot have counts as not set.
type Choice map[string]int

// With returns t with a choice applied.
func (t Target) With(c Choice) Target {
	for _, p := range Tunables {
		if v, ok := c[p.Name]; ok {
			*p.field(&t) = v
		}
	}
	return t
}

// String prints a choice as ParseChoice reads it: rows=7 cols=4.
func (c Choice) String() string {
	var words []string
	for _, p := range Tunables {
		if v, ok := c[p.Name]; ok {
			words = append(words, p.Name+"="+strconv.Itoa(v))
		}
	}
	return strings.Join(words, " ")
}

// ParseChoice reads settings NAME=VALUE.
func ParseChoice(words []string) (Choice, error) {
	const most = 1 << 30
	c := Choice{}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		known := false
		for _, p := range Tunables {
			known = known || p.Name == name
		}
		n, err := strconv.Atoi(value)
		if !known || err != nil || n < 1 || n > most {
			return nil, fmt.Errorf("%q: wanted NAME=NUMBER with one of the names of schedule.Tunables", w)
		}
		c[name] = n
	}
	return c, nil
}
