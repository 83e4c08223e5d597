package kernel

import (
	"hash/fnv"

	"github.com/tensorcc/tcc/ir"
)

// Most inequalities that are asked for and do not hold fail for simple values
// of the symbols. So facts carry sample values that satisfy them: what is false
// for a sample needs no search for a proof.

// numSamples is how many samples facts start with.
const numSamples = 16

// sample gives values to symbols. A symbol without one is an extent.
type sample struct {
	seed   int
	name   string // value is that of name; empty at the end of the chain
	value  int64
	parent *sample
}

func newSamples() []*sample {
	out := make([]*sample, numSamples)
	for i := range out {
		out[i] = &sample{seed: i}
	}
	return out
}

// with returns the sample with a value for name.
func (s *sample) with(name string, value int64) *sample {
	return &sample{seed: s.seed, name: name, value: value, parent: s}
}

// extents are values that samples give to extents.
var sampleExtents = [...]int64{1, 2, 3, 5, 8, 16, 17, 31, 64, 100, 127, 260}

func (s *sample) hash(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte{byte(s.seed)})
	h.Write([]byte(name))
	return h.Sum32() >> 4
}

func (s *sample) lookup(f *Facts, name string) (int64, bool) {
	for c := s; c.name != ""; c = c.parent {
		if c.name == name {
			return c.value, true
		}
	}
	if d, ok := f.defs[name]; ok {
		a, okA := s.eval(f, d.a)
		b, okB := s.eval(f, d.b)
		if !okA || !okB || b == 0 && (d.op == '/' || d.op == '%') {
			return 0, false
		}
		switch d.op {
		case '/':
			return floorDivInt(ir.I64, a, b), true
		case '%':
			return a - b*floorDivInt(ir.I64, a, b), true
		case '<':
			return min(a, b), true
		}
		return max(a, b), true
	}
	v := sampleExtents[s.hash(name)%uint32(len(sampleExtents))]
	if f.sign[name] {
		v -= 16
	}
	return v, true
}

// eval is the value of a flat d; false where it divides by zero.
func (s *sample) eval(f *Facts, d ir.Dim) (int64, bool) {
	ok := true
	v := ir.Walk(d, func(k int64) int64 { return k }, func(name string) int64 {
		x, found := s.lookup(f, name)
		ok = ok && found && x < 1<<24 && x > -1<<24
		return x
	}, func(op byte, a, b int64) int64 {
		if op == '*' {
			return a * b
		}
		return a + b
	})
	return v, ok
}

// loopSamples gives v a value below extent in each sample; those without an
// iteration are dropped.
func (f *Facts) loopSamples(v string, extent ir.Dim) {
	old := f.samples
	f.samples = make([]*sample, 0, len(old))
	for _, s := range old {
		n, ok := s.eval(f, extent)
		if !ok || n <= 0 {
			continue
		}
		value := int64(s.hash(v)) % n
		switch s.seed % 4 {
		case 0:
			value = 0
		case 1:
			value = n - 1
		}
		f.samples = append(f.samples, s.with(v, value))
	}
}

// keepSamples drops the samples for which the flat d is negative.
func (f *Facts) keepSamples(d ir.Dim) {
	old := f.samples
	f.samples = make([]*sample, 0, len(old))
	for _, s := range old {
		if n, ok := s.eval(f, d); ok && n >= 0 {
			f.samples = append(f.samples, s)
		}
	}
}

// refuted reports whether a sample makes the flat d negative.
func (f *Facts) refuted(d ir.Dim) bool {
	for _, s := range f.samples {
		if n, ok := s.eval(f, d); ok && n < 0 {
			return true
		}
	}
	return false
}
