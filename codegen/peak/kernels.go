package peak

import (
	"fmt"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
)

// This file has the kernels: text of codegen/kernel, so that they go the way of every other.

// trial is a kernel whose time says what the machine can do.
type trial struct {
	kernel *kernel.Kernel
	dims   []int64 // values of its integer parameters
	work   float64 // operations, or bytes, of a run
}

// chain is how many multiply-adds an accumulator is given in one task: tens of microseconds.
const chain = 10_000

// fmaTrial multiplies and adds in registers: as many accumulators as a matrix product has, which
// hide the latency of the units. They start with different values, or they would be one.
func fmaTrial(t schedule.Target, d ir.DType, tasks int64) (*trial, error) {
	lanes := int64(t.Vector / d.Size())
	accs := int64(t.Accs)
	k, err := kernel.Parse(fmt.Sprintf(`
kernel fma(x %[1]s[%[2]d] in, m %[1]s[%[3]d] in, b %[1]s[%[3]d] in, y %[1]s[%[2]d*T] out) dims(T, N)
	parallel t < T
		alloc a %[1]s[%[2]d] local
		unroll j0 < %[4]d
			vector l0 < %[3]d
				a[%[3]d*j0+l0] = x[%[3]d*j0+l0]
		serial i < N
			unroll j < %[4]d
				vector l < %[3]d
					a[%[3]d*j+l] = fma(a[%[3]d*j+l], m[l], b[l])
		unroll j1 < %[4]d
			vector l1 < %[3]d
				y[%[2]d*t+%[3]d*j1+l1] = a[%[3]d*j1+l1]
`, d, accs*lanes, lanes, accs))
	return &trial{kernel: k, dims: []int64{tasks, chain},
		work: 2 * float64(accs*lanes*chain*tasks)}, err
}

// A memory trial has tasks of this many elements, which are 64 KiB.
const chunk = 16 << 10

// memoryKinds are the kernels that move memory, in the order of the report: how many arrays each
// has, and its body for vectors of %[1]d lanes.
var memoryKinds = []struct {
	name   string
	arrays int64
	text   string
}{
	{"read", 1, `
kernel read(x f32[16384*T] in, y f32[8*%[1]d*T] out) dims(T)
	parallel t < T
		alloc a f32[8*%[1]d] local
		unroll j0 < 8
			vector l0 < %[1]d
				a[%[1]d*j0+l0] = 0.0f32
		serial i < 16384/(8*%[1]d)
			unroll j < 8
				vector l < %[1]d
					a[%[1]d*j+l] = add(a[%[1]d*j+l], x[16384*t+8*%[1]d*i+%[1]d*j+l])
		unroll j1 < 8
			vector l1 < %[1]d
				y[8*%[1]d*t+%[1]d*j1+l1] = a[%[1]d*j1+l1]
`},
	{"copy", 2, `
kernel copy(x f32[16384*T] in, y f32[16384*T] out) dims(T)
	parallel t < T
		serial i < 16384/(4*%[1]d)
			unroll j < 4
				vector l < %[1]d
					y[16384*t+4*%[1]d*i+%[1]d*j+l] = x[16384*t+4*%[1]d*i+%[1]d*j+l]
`},
	{"triad", 3, `
kernel triad(b f32[16384*T] in, c f32[16384*T] in, y f32[16384*T] out) dims(T)
	parallel t < T
		serial i < 16384/(4*%[1]d)
			unroll j < 4
				vector l < %[1]d
					y[16384*t+4*%[1]d*i+%[1]d*j+l] = fma(c[16384*t+4*%[1]d*i+%[1]d*j+l], 0.5f32, b[16384*t+4*%[1]d*i+%[1]d*j+l])
`},
}

// footprint is the bytes that a memory trial touches: several times the caches.
const footprint = 256 << 20

func memoryTrial(t schedule.Target, kind int) (*trial, error) {
	m := memoryKinds[kind]
	k, err := kernel.Parse(fmt.Sprintf(m.text, t.Vector/4))
	tasks := int64(footprint / 4 / chunk / m.arrays)
	return &trial{kernel: k, dims: []int64{tasks}, work: float64(4 * chunk * tasks * m.arrays)}, err
}
