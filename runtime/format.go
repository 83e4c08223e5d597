package runtime

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// String returns the dtype and shape, such as f32[2,3]. Use Format to see elements.
func (t *Tensor) String() string {
	if t == nil {
		return "nil"
	}
	return t.dtype.String() + shapeString(t.shape)
}

func shapeString(shape []int) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, s := range shape {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(s))
	}
	b.WriteByte(']')
	return b.String()
}

// summary is how many elements at each end of an axis Text shows of an axis of more than twice
// as many.
const summary = 3

// Text returns the dtype, the shape and the elements in nested brackets, long axes shortened.
func (t *Tensor) Text() string {
	var b strings.Builder
	b.WriteString(t.String())
	if t.dtype != NoDType {
		b.WriteByte(' ')
		t.text(&b, make([]int, 0, len(t.shape)))
	}
	return b.String()
}

func (t *Tensor) text(b *strings.Builder, index []int) {
	a := len(index)
	if a == len(t.shape) {
		b.WriteString(t.elemText(index))
		return
	}
	b.WriteByte('[')
	n := t.shape[a]
	for i := 0; i < n; i++ {
		if i > 0 {
			b.WriteByte(' ')
		}
		if i == summary && n > 2*summary {
			b.WriteString("... ")
			i = n - summary
		}
		t.text(b, append(index, i))
	}
	b.WriteByte(']')
}

func (t *Tensor) elemText(index []int) string {
	p := t.elem(index)
	switch t.dtype {
	case Bool:
		return strconv.FormatBool(*(*bool)(p))
	case I8:
		return strconv.FormatInt(int64(*(*int8)(p)), 10)
	case I16:
		return strconv.FormatInt(int64(*(*int16)(p)), 10)
	case I32:
		return strconv.FormatInt(int64(*(*int32)(p)), 10)
	case I64:
		return strconv.FormatInt(*(*int64)(p), 10)
	case U8:
		return strconv.FormatUint(uint64(*(*uint8)(p)), 10)
	case U16:
		return strconv.FormatUint(uint64(*(*uint16)(p)), 10)
	case U32:
		return strconv.FormatUint(uint64(*(*uint32)(p)), 10)
	case U64:
		return strconv.FormatUint(*(*uint64)(p), 10)
	case F16:
		return fmt.Sprintf("%.4g", (*(*Float16)(p)).Float32())
	case BF16:
		return fmt.Sprintf("%.3g", (*(*BFloat16)(p)).Float32())
	case F32:
		return fmt.Sprintf("%.6g", *(*float32)(p))
	case F64:
		return fmt.Sprintf("%.6g", *(*float64)(p))
	}
	return strconv.Quote(*(*string)(p))
}

// FileName makes a file name of a tensor's name: separators and what file systems refuse become
// underscores.
func FileName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
	if clean == "" || clean == "." || clean == ".." {
		return "_" + clean
	}
	return clean
}

// Describe prints the inputs and outputs of p, a line each.
func (p *Program) Describe(w io.Writer) error {
	for _, list := range []struct {
		what  string
		ports []Port
	}{{"input", p.Inputs}, {"output", p.Outputs}} {
		for i := range list.ports {
			port := &list.ports[i]
			_, err := fmt.Fprintf(w, "%s\t%s\t%s\n", list.what, port.Name, p.PortString(port))
			if err != nil {
				return err
			}
		}
	}
	return nil
}
