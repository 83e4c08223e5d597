package runtime

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file is the command line of compiled executables.

// Main runs a model as a command with the given arguments and returns its exit status: 0 success,
// 1 the run failed, 2 wrong usage or unreadable input. open is called once the arguments are read.
func Main(name string, args []string, open func(...Option) (*Model, error)) int {
	c := &exe{name: name}
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.Func("input", "`NAME=FILE` of an .npy file, or NAME=NUMBER for a scalar; once for each input",
		c.addInput)
	fs.StringVar(&c.outDir, "output-dir", "",
		"write each output to `DIR`/NAME.npy instead of summarizing it")
	fs.BoolVar(&c.describe, "describe", false,
		"print names, element types and dims of inputs and outputs")
	fs.IntVar(&c.threads, "threads", 0, "threads to use; 0 is all")
	fs.BoolVar(&c.timed, "time", false, "print how long loading and running took")
	fs.Usage = func() {
		fmt.Fprintf(fs.Output(), "Usage: %s -input NAME=FILE… [-output-dir DIR]\n"+
			"       %s -describe\n\n", name, name)
		fs.PrintDefaults()
	}
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case fs.NArg() > 0:
		fmt.Fprintf(os.Stderr, "%s: argument %q, wanted flags only: see %s -help\n",
			name, fs.Arg(0), name)
		return 2
	}
	status, err := c.run(open)
	if err != nil {
		text := strings.TrimPrefix(err.Error(), name+": ") // the model may have that name
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, text)
	}
	return status
}

// exe is the state of one run of an executable.
type exe struct {
	name            string
	inputs          map[string]string
	outDir          string
	describe, timed bool
	threads         int
}

func (c *exe) addInput(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return fmt.Errorf("%q, wanted NAME=FILE", s)
	}
	if _, twice := c.inputs[name]; twice {
		return fmt.Errorf("input %s is given twice", name)
	}
	if c.inputs == nil {
		c.inputs = map[string]string{}
	}
	c.inputs[name] = value
	return nil
}

func (c *exe) run(open func(...Option) (*Model, error)) (int, error) {
	start := time.Now()
	m, err := open(WithThreads(c.threads))
	if err != nil {
		return 1, err
	}
	defer m.Close()
	loaded := time.Now()
	p := m.Program()
	if c.describe {
		return 0, p.Describe(os.Stdout)
	}
	in, err := c.read(p)
	if err != nil {
		return 2, err
	}
	begin := time.Now()
	out, err := m.Run(in)
	if err != nil {
		return 1, err
	}
	if c.timed {
		fmt.Fprintf(os.Stderr, "load %v, run %v, %s, %d threads\n", loaded.Sub(start), time.Since(begin),
			m.Level(), m.Threads())
	}
	return c.write(p, out)
}

// read loads the inputs in the order of the program's.
func (c *exe) read(p *Program) ([]*Tensor, error) {
	for _, name := range slices.Sorted(maps.Keys(c.inputs)) {
		if !slices.ContainsFunc(p.Inputs, func(q Port) bool { return q.Name == name }) {
			return nil, fmt.Errorf("there is no input %s: -describe lists them", name)
		}
	}
	in := make([]*Tensor, len(p.Inputs))
	for i := range p.Inputs {
		port := &p.Inputs[i]
		value, ok := c.inputs[port.Name]
		if !ok {
			return nil, fmt.Errorf("input %s is missing: -input %s=FILE of type %s", port.Name, port.Name,
				p.PortString(port))
		}
		t, err := ReadInput(value, port.DType)
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", port.Name, err)
		}
		in[i] = t
	}
	return in, nil
}

// ReadInput reads an .npy file or, where value is a number, true or false, makes a scalar of d.
func ReadInput(value string, d DType) (*Tensor, error) {
	if f, err := strconv.ParseFloat(value, 64); err == nil {
		return scalarOf(d, value, f)
	}
	if b, err := strconv.ParseBool(value); err == nil && d == Bool {
		return Scalar(b), nil
	}
	return ReadNPYFile(value)
}

// scalarOf returns the number that text denotes as a scalar of d.
func scalarOf(d DType, text string, f float64) (*Tensor, error) {
	switch d {
	case F32:
		return Scalar(float32(f)), nil
	case F64:
		return Scalar(f), nil
	case F16:
		return Scalar(ToFloat16(float32(f))), nil
	case BF16:
		return Scalar(ToBFloat16(float32(f))), nil
	case Bool:
		return Scalar(f != 0), nil
	case String:
		return nil, fmt.Errorf("a scalar string cannot be given as %s", text)
	}
	t, err := NewTensor(d)
	if err != nil {
		return nil, err
	}
	b, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	var bits uint64
	if d >= U8 && d <= U64 {
		bits, err = strconv.ParseUint(text, 0, 8*d.Size())
	} else {
		var k int64
		k, err = strconv.ParseInt(text, 0, 8*d.Size())
		bits = uint64(k)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is no %v", text, d)
	}
	for i := range b {
		b[i] = byte(bits >> (8 * i))
	}
	return t, nil
}

func (c *exe) write(p *Program, out []*Tensor) (int, error) {
	if c.outDir != "" {
		if err := os.MkdirAll(c.outDir, 0o777); err != nil {
			return 1, err
		}
	}
	for i, t := range out {
		name := p.Outputs[i].Name
		if c.outDir == "" {
			fmt.Printf("%s %s\n", name, t.Text())
			continue
		}
		if err := WriteNPYFile(filepath.Join(c.outDir, FileName(name)+".npy"), t); err != nil {
			return 1, err
		}
	}
	return 0, nil
}
