package onnxpb

import (
	"errors"
	"fmt"
	"io"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
)

// pointer is the type *T of a message struct T.
type pointer[T any] interface {
	*T
	message
}

// single is a message field; a message that comes in pieces is merged.
func single[T any, P pointer[T]](c *codec, num protowire.Number, name string, p *P) {
	if c.out != nil {
		if *p != nil {
			c.out.messageField(num, *p)
		}
		return
	}
	if !c.take(num, name, protowire.BytesType) {
		return
	}
	if *p == nil {
		*p = new(T)
		c.fail(name, c.r.charge(int(unsafe.Sizeof(**p))))
	}
	c.fail(name, c.r.message(*p, c.data, c.off))
}

// repeated is a list of messages.
func repeated[T any, P pointer[T]](c *codec, num protowire.Number, name string, p *[]P) {
	if c.out != nil {
		for _, m := range *p {
			c.out.messageField(num, m)
		}
		return
	}
	if !c.take(num, name, protowire.BytesType) {
		return
	}
	m := P(new(T))
	err := c.r.charge(int(unsafe.Sizeof(*m)) + 8)
	if err == nil {
		err = c.r.message(m, c.data, c.off)
	}
	if err != nil {
		c.fail(fmt.Sprintf("%s[%d]", name, len(*p)), err)
		return
	}
	*p = append(*p, m)
}

var errDepth = fmt.Errorf("messages nest deeper than %d", maxDepth)

// message decodes data, which starts at byte off of the file, into m.
func (r *reader) message(m message, data []byte, off int) error {
	if r.depth++; r.depth > maxDepth {
		return &Error{Offset: off, Err: errDepth}
	}
	defer func() { r.depth-- }()
	c := codec{r: r}
	for i := 0; i < len(data); {
		n, err := c.next(data[i:], off+i)
		if err != nil {
			return &Error{Offset: off + i, Err: err}
		}
		m.fields(&c)
		if c.err != nil {
			return c.err
		}
		i += n
	}
	return nil
}

// next reads the tag and the value of the field at the start of data and
// returns their length.
func (c *codec) next(data []byte, off int) (int, error) {
	num, typ, n := protowire.ConsumeTag(data)
	if n < 0 {
		return 0, fmt.Errorf("bad field tag: %w", cause(n))
	}
	c.num, c.typ, c.taken, c.off, c.u, c.data = num, typ, false, off+n, 0, nil
	v := data[n:]
	var size int
	switch typ {
	case protowire.VarintType:
		c.u, size = protowire.ConsumeVarint(v)
	case protowire.Fixed32Type:
		var u uint32
		u, size = protowire.ConsumeFixed32(v)
		c.u = uint64(u)
	case protowire.Fixed64Type:
		c.u, size = protowire.ConsumeFixed64(v)
	case protowire.BytesType:
		c.data, size = protowire.ConsumeBytes(v)
		c.off += size - len(c.data)
	default:
		size = protowire.ConsumeFieldValue(num, typ, v)
	}
	if size < 0 {
		return 0, fmt.Errorf("bad value of field %d: %w", num, cause(size))
	}
	return n + size, nil
}

var errTruncated = errors.New("the file ends inside it, or a length is wrong")

func cause(n int) error {
	if err := protowire.ParseError(n); !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return errTruncated
}

func decode(m message, data []byte) error {
	r := &reader{budget: memoryBase + memoryFactor*int64(len(data))}
	return r.message(m, data, 0)
}

// DecodeModel reads a model from the content of a file. The weights of the
// result are slices of data. External data is not looked up; see [Open].
func DecodeModel(data []byte) (*ModelProto, error) { return decodeAs[ModelProto](data) }

// DecodeTensor reads a TensorProto from the content of a file, of which the
// elements are slices.
func DecodeTensor(data []byte) (*TensorProto, error) { return decodeAs[TensorProto](data) }

// DecodeSequence reads a SequenceProto as DecodeTensor reads a tensor.
func DecodeSequence(data []byte) (*SequenceProto, error) { return decodeAs[SequenceProto](data) }

// DecodeOptional reads an OptionalProto as DecodeTensor reads a tensor.
func DecodeOptional(data []byte) (*OptionalProto, error) { return decodeAs[OptionalProto](data) }

func decodeAs[T any, P pointer[T]](data []byte) (P, error) {
	m := P(new(T))
	if err := decode(m, data); err != nil {
		return nil, err
	}
	return m, nil
}
