package autodiff

import (
	"iter"
	"os"
	"strconv"
)

// seeds are those of a test's random graphs: n from 0 on, unless the variable
// TCC_AUTODIFF_GRAPHS says how many and TCC_AUTODIFF_SEED the first.
func seeds(n uint64) iter.Seq[uint64] {
	first := number("TCC_AUTODIFF_SEED", 0)
	n = number("TCC_AUTODIFF_GRAPHS", n)
	return func(yield func(uint64) bool) {
		for seed := first; seed < first+n && yield(seed); seed++ {
		}
	}
}

func number(variable string, otherwise uint64) uint64 {
	if k, err := strconv.ParseUint(os.Getenv(variable), 10, 64); err == nil {
		return k
	}
	return otherwise
}
