package ptx

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// This file executes the text of an entry, as far as this package writes it, to
// prove in tests that it means what the tree means. Threads of a block run one
// after the other from barrier to barrier.

// program is a parsed entry.
type program struct {
	params []string
	code   []instruction
	labels map[string]int
	vars   map[string]int // bytes of shared and local memory, by name
}

type instruction struct {
	guard string // predicate register, with ! before it if negated
	op    []string
	args  []string
}

func parseEntry(text string) *program {
	p := &program{labels: map[string]int{}, vars: map[string]int{}}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(strings.TrimSpace(line), ";,")
		switch f := strings.Fields(line); {
		case strings.HasPrefix(line, ".param"):
			p.params = append(p.params, f[2])
		case strings.HasPrefix(line, ".shared"), strings.HasPrefix(line, ".local"):
			name, size, _ := strings.Cut(strings.TrimSuffix(f[4], "]"), "[")
			p.vars[name], _ = strconv.Atoi(size)
		case strings.HasPrefix(line, "$") && strings.HasSuffix(line, ":"):
			p.labels[strings.TrimSuffix(line, ":")] = len(p.code)
		case line == "" || strings.ContainsAny(line[:1], ".{}/)"):
		default:
			var in instruction
			if line[0] == '@' {
				in.guard, line, _ = strings.Cut(line[1:], " ")
			}
			op, rest, _ := strings.Cut(line, " ")
			in.op = strings.Split(op, ".")
			if rest != "" {
				in.args = strings.Split(rest, ", ")
			}
			p.code = append(p.code, in)
		}
	}
	return p
}

// block is the state that the threads of a block share. Addresses have the
// number of a memory in their upper bits.
type block struct {
	p    *program
	mem  [][]byte
	vars map[string]uint64
	args map[string]uint64
}

const memShift = 40

type thread struct {
	b    *block
	regs map[string]uint64
	pc   int
	done bool
}

// execute runs all blocks: the memory of buffers, the values of dims and the
// memory of the status, if there is one, are the parameters.
func (p *program) execute(bufs [][]byte, dims []int64, grid, size [3]int64) {
	for n := range grid[0] * grid[1] * grid[2] {
		b := &block{p: p, vars: map[string]uint64{}, args: map[string]uint64{}, mem: [][]byte{nil}}
		for i, name := range p.params {
			if i < len(bufs) {
				b.args[name] = b.add(bufs[i])
			} else {
				b.args[name] = uint64(dims[i-len(bufs)])
			}
		}
		shared := map[string]uint64{}
		for name, bytes := range p.vars {
			shared[name] = b.add(make([]byte, bytes))
		}
		var threads []*thread
		for t := range size[0] * size[1] * size[2] {
			th := &thread{b: b, regs: map[string]uint64{}}
			th.place("tid", t, size)
			th.place("ctaid", n, grid)
			for name, at := range shared {
				if strings.HasPrefix(name, "local") {
					at = b.add(make([]byte, p.vars[name]))
				}
				th.regs[name] = at
			}
			threads = append(threads, th)
		}
		for running := true; running; {
			running = false
			for _, th := range threads {
				th.run()
				running = running || !th.done
			}
		}
	}
}

func (b *block) add(data []byte) uint64 {
	b.mem = append(b.mem, data)
	return uint64(len(b.mem)-1) << memShift
}

func (t *thread) place(name string, n int64, size [3]int64) {
	for axis, s := range size {
		t.regs[fmt.Sprintf("%%%s.%c", name, "xyz"[axis])] = uint64(n % s)
		n /= s
	}
}

// run goes on to the next barrier or the end.
func (t *thread) run() {
	for !t.done {
		in := t.b.p.code[t.pc]
		t.pc++
		if g, negated := strings.CutPrefix(in.guard, "!"); in.guard != "" && (t.get(g, "pred") != 0) == negated {
			continue
		}
		switch in.op[0] {
		case "ret":
			t.done = true
		case "bar":
			return
		case "bra":
			t.pc = t.b.p.labels[in.args[0]]
		case "st":
			t.access(in.args[0], in.op[len(in.op)-1], func(m []byte) { put(m, t.get(in.args[1], in.op[2])) })
		case "red":
			t.access(in.args[0], "s32", func(m []byte) {
				put(m, max(t.get(in.args[1], "s32"), uint64(binary.LittleEndian.Uint32(m))))
			})
		case "ld":
			t.load(in)
		default:
			t.regs[in.args[0]] = t.compute(in)
		}
	}
}

func put(m []byte, v uint64) {
	for i := range m {
		m[i] = byte(v >> (8 * i))
	}
}

func (t *thread) load(in instruction) {
	typ := in.op[len(in.op)-1]
	if in.op[1] == "param" {
		t.regs[in.args[0]] = t.b.args[strings.Trim(in.args[1], "[]")]
		return
	}
	t.access(in.args[1], typ, func(m []byte) {
		v := uint64(0)
		for i := range m {
			v |= uint64(m[i]) << (8 * i)
		}
		if n := 64 - 8*len(m); typ[0] == 's' {
			v = uint64(int64(v<<n) >> n)
		}
		t.regs[in.args[0]] = v
	})
}

func (t *thread) access(operand, typ string, f func(m []byte)) {
	base, off, _ := strings.Cut(strings.Trim(operand, "[]"), "+")
	at := t.get(base, "u64")
	if off != "" {
		k, _ := strconv.ParseInt(off, 10, 64)
		at += uint64(k)
	}
	n := width(typ) / 8
	i := at & (1<<memShift - 1)
	f(t.b.mem[at>>memShift][i : i+uint64(n)])
}

// width is the bits of a type.
func width(typ string) int {
	switch typ[1:] {
	case "8":
		return 8
	case "16", "f16":
		return 16
	case "32":
		return 32
	case "64":
		return 64
	}
	return 1 // pred
}

// get is the operand as a number of the given type: its bits, extended.
func (t *thread) get(operand, typ string) uint64 {
	v, ok := t.regs[operand]
	if !ok {
		v = immediate(operand)
	}
	n := 64 - width(typ)
	if typ[0] == 's' {
		return uint64(int64(v<<n) >> n)
	}
	return v << n >> n
}

func immediate(s string) uint64 {
	if len(s) > 2 && (s[:2] == "0f" || s[:2] == "0d" || s[:2] == "0x") {
		v, err := strconv.ParseUint(s[2:], 16, 64)
		if err != nil {
			panic("no operand: " + s)
		}
		return v
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic("no operand: " + s)
	}
	return uint64(v)
}

// compute is the result of an instruction without effects.
func (t *thread) compute(in instruction) uint64 {
	typ := in.op[len(in.op)-1]
	a := make([]uint64, len(in.args)-1)
	for i, x := range in.args[1:] {
		a[i] = t.get(x, typ)
	}
	switch in.op[0] {
	case "cvta", "mov":
		return a[0]
	case "cvt":
		return convert(in.op[1:], a[0])
	case "setp":
		return truth(compare(in.op[1], typ, a[0], a[1]))
	case "testp":
		return truth(math.IsInf(float(typ, a[0]), 0))
	case "selp":
		if t.get(in.args[3], "pred") != 0 {
			return a[0]
		}
		return a[1]
	case "popc":
		return uint64(bits.OnesCount64(a[0]))
	}
	if typ[0] == 'f' {
		return floatBitsOf(typ, floatOps(in.op, floats(typ, a)))
	}
	return intOps(in.op[0], typ, a)
}

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func float(typ string, v uint64) float64 {
	switch typ {
	case "f32":
		return float64(math.Float32frombits(uint32(v)))
	case "f16":
		return float64(halfToFloat(uint16(v)))
	}
	return math.Float64frombits(v)
}

func floats(typ string, a []uint64) []float64 {
	out := make([]float64, len(a))
	for i, v := range a {
		out[i] = float(typ, v)
	}
	return out
}

func floatBitsOf(typ string, v float64) uint64 {
	if typ == "f32" {
		return uint64(math.Float32bits(float32(v)))
	}
	return math.Float64bits(v)
}

func floatOps(op []string, a []float64) float64 {
	switch op[0] {
	case "add":
		return a[0] + a[1]
	case "sub":
		return a[0] - a[1]
	case "mul":
		return a[0] * a[1]
	case "div":
		return a[0] / a[1]
	case "fma":
		if op[2] == "f64" {
			return math.FMA(a[0], a[1], a[2])
		}
		return fmaOdd(a[0], a[1], a[2])
	case "neg":
		return -a[0]
	case "abs":
		return math.Abs(a[0])
	case "sqrt":
		return math.Sqrt(a[0])
	case "max", "min":
		return extremeOf(op[0], op[1] == "NaN", a[0], a[1])
	}
	panic("no instruction: " + strings.Join(op, "."))
}

// extremeOf prefers a number to NaN unless the instruction has .NaN.
func extremeOf(name string, nan bool, x, y float64) float64 {
	switch {
	case !nan && math.IsNaN(x):
		return y
	case !nan && math.IsNaN(y):
		return x
	case name == "max":
		return max(x, y)
	}
	return min(x, y)
}

// fmaOdd is x*y+z of f32 numbers rounded to odd, for a second rounding to f32.
func fmaOdd(x, y, z float64) float64 {
	p := x * y
	s := p + z
	if math.IsInf(s, 0) || math.IsNaN(s) {
		return s
	}
	b := s - p
	if e := (p - (s - b)) + (z - b); e != 0 && math.Float64bits(s)&1 == 0 {
		return math.Nextafter(s, math.Copysign(math.Inf(1), e))
	}
	return s
}

func intOps(op, typ string, a []uint64) uint64 {
	n, isSigned := width(typ), typ[0] == 's'
	x, y := a[0], uint64(0)
	if len(a) > 1 {
		y = a[1]
	}
	less := x < y
	if isSigned {
		less = int64(x) < int64(y)
	}
	switch op {
	case "add":
		return x + y
	case "sub":
		return x - y
	case "mul":
		return x * y
	case "and":
		return x & y
	case "or":
		return x | y
	case "xor":
		return x ^ y
	case "not":
		return ^x
	case "neg":
		return -x
	case "min", "max":
		if less == (op == "min") {
			return x
		}
		return y
	case "shl":
		return x << min(uint64(uint32(y)), uint64(n))
	case "shr":
		if s := min(uint64(uint32(y)), uint64(n)); isSigned {
			return uint64(int64(x) >> s)
		} else {
			return x >> s
		}
	case "bfe": // from bit 0, signed
		return uint64(int64(x<<(64-a[2])) >> (64 - a[2]))
	case "div", "rem":
		return divide(op, isSigned, x, y)
	}
	panic("no instruction: " + op)
}

// divide traps where the instruction has no defined result.
func divide(op string, isSigned bool, x, y uint64) uint64 {
	switch {
	case isSigned && op == "div":
		return uint64(int64(x) / int64(y))
	case isSigned:
		return uint64(int64(x) % int64(y))
	case op == "div":
		return x / y
	}
	return x % y
}

func compare(rel, typ string, x, y uint64) bool {
	if typ[0] == 'f' {
		a, b := float(typ, x), float(typ, y)
		unordered := math.IsNaN(a) || math.IsNaN(b)
		switch rel {
		case "nan":
			return unordered
		case "neu":
			return unordered || a != b
		}
		order := 1
		if a < b {
			order = -1
		} else if a == b {
			order = 0
		}
		return !unordered && ordered(rel, order)
	}
	order := 1
	if x == y {
		order = 0
	} else if typ[0] == 's' && int64(x) < int64(y) || typ[0] != 's' && x < y {
		order = -1
	}
	return ordered(rel, order)
}

func ordered(rel string, order int) bool {
	return map[string]bool{"eq": order == 0, "ne": order != 0, "lt": order < 0, "le": order <= 0,
		"gt": order > 0, "ge": order >= 0}[rel]
}
