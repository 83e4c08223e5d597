package kernel

import (
	"encoding/binary"
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Run executes k: bufs are the memory of the parameters, little-endian, dims
// the values of k.Dims. It returns the status of the first Fail whose
// condition holds, else 0. Every access is checked; one out of bounds, an
// unbound symbol and a read of memory of the kernel that was not written are
// errors. Loops run in order, whatever they are bound to.
func Run(k *Kernel, bufs [][]byte, dims []int64) (status int, err error) {
	m := &machine{vars: map[string]int{}, bufs: map[*Buffer]*memory{}}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case fault:
			err = fmt.Errorf("kernel %s: %w", k.Name, r.error)
		case failed:
			status = int(r)
		default:
			panic(r)
		}
	}()
	if len(bufs) != len(k.Params) || len(dims) != len(k.Dims) {
		return 0, fmt.Errorf("kernel %s: %d buffers and %d dims, want %d and %d", k.Name,
			len(bufs), len(dims), len(k.Params), len(k.Dims))
	}
	for i, d := range k.Dims {
		m.env = append(m.env, dims[i])
		m.vars[d] = i
	}
	m.names = append(m.names, k.Dims...)
	for i, b := range k.Params {
		if want := m.dim(b.Size)() * int64(b.DType.Size()); int64(len(bufs[i])) < want {
			return 0, fmt.Errorf("kernel %s: buffer %s has %d bytes, want %d", k.Name, b.Name,
				len(bufs[i]), want)
		}
		m.bufs[b] = &memory{data: bufs[i], size: b.DType.Size()}
	}
	m.block(k.Body)()
	return 0, nil
}

type fault struct{ error }

type failed int

// memory is the contents of a buffer; written is nil for parameters.
type memory struct {
	data    []byte
	size    int
	written []bool
}

// machine turns statements into closures over its environment.
type machine struct {
	env   []int64 // integers; the bits of scalar variables
	names []string
	vars  map[string]int
	bufs  map[*Buffer]*memory

	// An expression may share subexpressions, and is evaluated in turns:
	// within one nothing is stored, so that what is shared is computed once.
	code map[*Expr]func() uint64 // of the root being translated
	turn int
}

func stop(format string, args ...any) { panic(fault{fmt.Errorf(format, args...)}) }

func (m *machine) bind(name string) int {
	i, ok := m.vars[name]
	if !ok {
		i = len(m.env)
		m.env, m.names = append(m.env, 0), append(m.names, name)
		m.vars[name] = i
	}
	return i
}

func (m *machine) dim(d ir.Dim) func() int64 {
	return ir.Walk(d, func(k int64) func() int64 { return func() int64 { return k } },
		func(s string) func() int64 {
			i, ok := m.vars[s]
			if !ok {
				stop("%v: symbol %s has no value", d, s)
			}
			return func() int64 { return m.env[i] }
		},
		func(op byte, a, b func() int64) func() int64 { return dimOps[op](d, a, b) })
}

var dimOps = map[byte]func(d ir.Dim, a, b func() int64) func() int64{
	'+': func(_ ir.Dim, a, b func() int64) func() int64 { return func() int64 { return a() + b() } },
	'*': func(_ ir.Dim, a, b func() int64) func() int64 { return func() int64 { return a() * b() } },
	'<': func(_ ir.Dim, a, b func() int64) func() int64 {
		return func() int64 { return min(a(), b()) }
	},
	'>': func(_ ir.Dim, a, b func() int64) func() int64 {
		return func() int64 { return max(a(), b()) }
	},
	'/': func(d ir.Dim, a, b func() int64) func() int64 {
		return func() int64 {
			y := b()
			if y == 0 {
				stop("%v: division by zero", d)
			}
			return floorDivInt(ir.I64, a(), y)
		}
	},
	'%': func(d ir.Dim, a, b func() int64) func() int64 {
		return func() int64 {
			x, y := a(), b()
			if y == 0 {
				stop("%v: division by zero", d)
			}
			return x - y*floorDivInt(ir.I64, x, y)
		}
	},
}

func (m *machine) block(body []Stmt) func() {
	code := make([]func(), len(body))
	for i, s := range body {
		code[i] = m.stmt(s)
	}
	return func() {
		for _, f := range code {
			f()
		}
	}
}

func (m *machine) stmt(s Stmt) func() {
	switch s := s.(type) {
	case *Loop:
		extent, v := m.dim(s.Extent), m.bind(s.Var)
		body := m.block(s.Body)
		return func() {
			n := extent()
			for i := range max(n, 0) {
				m.env[v] = i
				body()
			}
		}
	case *Store:
		return m.store(s)
	case *Let:
		e := m.root(s.Value)
		v := m.bind(s.Var)
		return func() { m.env[v] = int64(e()) }
	case *If:
		c, then, els := m.root(s.Cond), m.block(s.Then), m.block(s.Else)
		return func() {
			if c() != 0 {
				then()
			} else {
				els()
			}
		}
	case *Alloc:
		return m.alloc(s.Buf)
	case *Fail:
		c := m.root(s.Cond)
		return func() {
			if c() != 0 {
				panic(failed(s.Status))
			}
		}
	case *Call:
		return m.call(s)
	}
	panic("BUG: kernel: unknown statement")
}

func (m *machine) alloc(b *Buffer) func() {
	if b.Of != nil {
		return m.part(b)
	}
	size, mem := m.dim(b.Size), &memory{size: b.DType.Size()}
	m.bufs[b] = mem
	return func() {
		n := size()
		if n < 0 || n > 1<<32 {
			stop("buffer %s has %d elements", b.Name, n)
		}
		mem.data, mem.written = make([]byte, n*int64(mem.size)), make([]bool, n)
	}
}

// part makes a buffer that is a part of another.
func (m *machine) part(b *Buffer) func() {
	of, at, size, mem := m.memory(b.Of), m.dim(b.At), m.dim(b.Size), &memory{size: b.DType.Size()}
	m.bufs[b] = mem
	return func() {
		from, n := at(), size()
		if all := int64(len(of.data) / of.size); from < 0 || n < 0 || from > all || n > all-from {
			stop("%s: elements %d to %d+%d of %s, which has %d", b.Name, from, from, n, b.Of.Name, all)
		}
		mem.data = of.data[from*int64(mem.size) : (from+n)*int64(mem.size)]
		if of.written != nil {
			mem.written = of.written[from : from+n]
		}
	}
}

func (m *machine) memory(b *Buffer) *memory {
	mem := m.bufs[b]
	if mem == nil {
		stop("buffer %s is not declared", b.Name)
	}
	return mem
}

func (m *machine) store(s *Store) func() {
	mem, at, value := m.memory(s.Buf), m.dim(s.Index), m.root(s.Value)
	return func() {
		v := value()
		i := at()
		mem.check(s.Buf, s.Index, i, m)
		if mem.written != nil {
			mem.written[i] = true
		}
		mem.put(i, v)
	}
}

func (mem *memory) check(b *Buffer, index ir.Dim, i int64, m *machine) {
	if i < 0 || i >= int64(len(mem.data)/mem.size) {
		at := ""
		for _, s := range index.SymNames() {
			at += fmt.Sprintf(" %s=%d", s, m.env[m.vars[s]])
		}
		stop("%s[%v]: index %d is not below %d at%s", b.Name, index, i, len(mem.data)/mem.size, at)
	}
}

func (mem *memory) put(i int64, v uint64) {
	p := mem.data[int(i)*mem.size:]
	switch mem.size {
	case 1:
		p[0] = byte(v)
	case 2:
		binary.LittleEndian.PutUint16(p, uint16(v))
	case 4:
		binary.LittleEndian.PutUint32(p, uint32(v))
	default:
		binary.LittleEndian.PutUint64(p, v)
	}
}

func (mem *memory) get(i int64, d ir.DType) uint64 {
	p := mem.data[int(i)*mem.size:]
	var v uint64
	switch mem.size {
	case 1:
		v = uint64(p[0])
	case 2:
		v = uint64(binary.LittleEndian.Uint16(p))
	case 4:
		v = uint64(binary.LittleEndian.Uint32(p))
	default:
		v = binary.LittleEndian.Uint64(p)
	}
	if d.IsSigned() {
		return wrap(d, int64(v))
	}
	return v
}

// root is the code of a statement's expression.
func (m *machine) root(e *Expr) func() uint64 {
	m.code = map[*Expr]func() uint64{}
	f := m.expr(e)
	return func() uint64 {
		m.turn++
		return f()
	}
}

// expr is the code of e within a root.
func (m *machine) expr(e *Expr) func() uint64 {
	f, ok := m.code[e]
	if !ok {
		f = m.once(m.newExpr(e))
		m.code[e] = f
	}
	return f
}

// once is f, but called once a turn.
func (m *machine) once(f func() uint64) func() uint64 {
	turn, v := 0, uint64(0)
	return func() uint64 {
		if turn != m.turn {
			turn, v = m.turn, f()
		}
		return v
	}
}

func (m *machine) newExpr(e *Expr) func() uint64 {
	switch e.Kind {
	case KConst:
		return func() uint64 { return e.Bits }
	case KIndex:
		d := m.dim(e.Index)
		return func() uint64 { return uint64(d()) }
	case KVar:
		i, ok := m.vars[e.Var]
		if !ok {
			stop("variable %s has no value", e.Var)
		}
		return func() uint64 { return uint64(m.env[i]) }
	case KLoad:
		return m.load(e)
	}
	f, err := scalarOp(e)
	if err != nil {
		stop("%w", err)
	}
	args := make([]func() uint64, len(e.Args))
	for i, a := range e.Args {
		args[i] = m.expr(a)
	}
	return func() uint64 {
		var in [4]uint64
		for i, a := range args {
			in[i] = a()
		}
		return f(in[:len(args)])
	}
}

func (m *machine) load(e *Expr) func() uint64 {
	mem, at := m.memory(e.Buf), m.dim(e.Index)
	read := func() uint64 {
		i := at()
		mem.check(e.Buf, e.Index, i, m)
		if mem.written != nil && !mem.written[i] {
			stop("%s[%v]: element %d is read before it is written", e.Buf.Name, e.Index, i)
		}
		return mem.get(i, e.DType)
	}
	if len(e.Args) != 2 {
		return read
	}
	mask, other := m.expr(e.Args[0]), m.expr(e.Args[1])
	return func() uint64 {
		if mask() != 0 {
			return read()
		}
		return other()
	}
}

// call executes the meaning of an instruction with the tiles as its buffers.
func (m *machine) call(c *Call) func() {
	body, err := c.inline(c.Instr.Body)
	if err != nil {
		stop("%w", err)
	}
	return m.block(body)
}
