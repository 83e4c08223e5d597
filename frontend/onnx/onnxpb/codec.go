package onnxpb

import (
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a struct that lists its fields to a codec.
type message interface{ fields(c *codec) }

// codec reads or writes the fields of one message. A message's fields method
// calls one codec method a field, with the field's number. When writing, each
// call appends the field. When reading, fields is called once for each field
// in the file, and the call with its number takes the value.
type codec struct {
	out *rope // not nil: writing

	// Reading: the field at hand.
	num   protowire.Number
	typ   protowire.Type
	u     uint64 // the value of a varint or fixed field
	data  []byte // the content of a length-delimited field
	off   int    // where the value starts in the file
	taken bool
	err   error
	r     *reader

	must bool // writing: zero values too
}

// reader is the state of decoding a file.
type reader struct {
	depth  int
	budget int64 // bytes that may still be allocated
}

// maxDepth bounds the nesting of messages, as protobuf's own decoders do.
const maxDepth = 100

// Decoding a file of n bytes allocates at most memoryBase + memoryFactor*n
// bytes. The smallest useful message, a Dimension, takes 4 bytes in a file and
// 64 in memory; an attribute at least 13 and about 350.
const (
	memoryFactor = 40
	memoryBase   = 1 << 20
)

func (r *reader) charge(n int) error {
	r.budget -= int64(n)
	if r.budget < 0 {
		return fmt.Errorf("the file asks for over %d times its size in memory", memoryFactor)
	}
	return nil
}

// present reports whether a field whose presence the file records is to be
// read or written: have is whether the message has it.
func (c *codec) present(num protowire.Number, have bool) bool {
	return c.out != nil && have || c.out == nil && c.num == num
}

// take reports whether the field at hand has the number num, and checks its
// wire type.
func (c *codec) take(num protowire.Number, name string, typ protowire.Type) bool {
	if c.num != num || c.taken {
		return false
	}
	c.taken = true
	if c.typ != typ {
		c.fail(name, fmt.Errorf("wire type %d, want %d", c.typ, typ))
		return false
	}
	return true
}

// fail records err for the field called name.
func (c *codec) fail(name string, err error) {
	if c.err != nil || err == nil {
		return
	}
	if e, ok := err.(*Error); ok {
		e.Path = strings.TrimSuffix(name+"."+e.Path, ".")
		c.err = e
		return
	}
	c.err = &Error{Offset: c.off, Path: name, Err: err}
}

// Error is bad data at a place in a file.
type Error struct {
	Offset int    // bytes from the start of the file
	Path   string // the field, as "graph.node[3].name"
	Err    error
}

// Error returns "byte 12: graph.name: ...".
func (e *Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("byte %d: %v", e.Offset, e.Err)
	}
	return fmt.Sprintf("byte %d: %s: %v", e.Offset, e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func (c *codec) str(num protowire.Number, name string, p *string) {
	if c.out != nil {
		if *p != "" {
			c.out.bytesField(num, []byte(*p))
		}
	} else if c.take(num, name, protowire.BytesType) {
		c.fail(name, c.r.charge(len(c.data)))
		*p = string(c.data)
	}
}

func (c *codec) strs(num protowire.Number, name string, p *[]string) {
	if c.out != nil {
		for _, s := range *p {
			c.out.bytesField(num, []byte(s))
		}
	} else if c.take(num, name, protowire.BytesType) {
		c.fail(name, c.r.charge(len(c.data)+16))
		*p = append(*p, string(c.data))
	}
}

// bytes is a small byte string; it is copied.
func (c *codec) bytes(num protowire.Number, name string, p *[]byte) {
	if c.out != nil {
		if len(*p) > 0 {
			c.out.bytesField(num, *p)
		}
	} else if c.take(num, name, protowire.BytesType) {
		c.fail(name, c.r.charge(len(c.data)))
		*p = append([]byte(nil), c.data...)
	}
}

func (c *codec) byteses(num protowire.Number, name string, p *[][]byte) {
	if c.out != nil {
		for _, s := range *p {
			c.out.bytesField(num, s)
		}
	} else if c.take(num, name, protowire.BytesType) {
		c.fail(name, c.r.charge(len(c.data)+24))
		*p = append(*p, append([]byte(nil), c.data...))
	}
}

// mapped is a byte string that stays a slice of the file. Present and empty
// is a slice that is not nil.
func (c *codec) mapped(num protowire.Number, name string, p *[]byte) {
	if c.out != nil {
		if *p != nil {
			c.out.bytesField(num, *p)
		}
	} else if c.take(num, name, protowire.BytesType) {
		*p = c.data[:len(c.data):len(c.data)]
	}
}

func (c *codec) varint(num protowire.Number, name string, p *int64) {
	if c.out != nil {
		if *p != 0 || c.must {
			c.out.varintField(num, uint64(*p))
		}
	} else if c.take(num, name, protowire.VarintType) {
		*p = int64(c.u)
	}
}

func (c *codec) int64(num protowire.Number, name string, p *int64) { c.varint(num, name, p) }

func enum[T ~int32](c *codec, num protowire.Number, name string, p *T) {
	v := int64(*p)
	c.varint(num, name, &v)
	*p = T(v)
}

func (c *codec) float(num protowire.Number, name string, p *float32) {
	if c.out != nil {
		if math.Float32bits(*p) != 0 {
			c.out.small = protowire.AppendTag(c.out.small, num, protowire.Fixed32Type)
			c.out.small = protowire.AppendFixed32(c.out.small, math.Float32bits(*p))
		}
	} else if c.take(num, name, protowire.Fixed32Type) {
		*p = math.Float32frombits(uint32(c.u))
	}
}

// floats is packed in the file or, as ONNX's proto2 file has it, not packed.
func (c *codec) floats(num protowire.Number, name string, p *[]float32) {
	if c.out != nil {
		for _, f := range *p {
			c.out.small = protowire.AppendTag(c.out.small, num, protowire.Fixed32Type)
			c.out.small = protowire.AppendFixed32(c.out.small, math.Float32bits(f))
		}
		return
	}
	data := c.fixedData(num, name, 4)
	for ; len(data) > 0 && c.err == nil; data = data[4:] {
		v, _ := protowire.ConsumeFixed32(data)
		c.fail(name, c.r.charge(4))
		*p = append(*p, math.Float32frombits(v))
	}
}

func (c *codec) int64s(num protowire.Number, name string, p *[]int64) {
	if c.out != nil {
		for _, v := range *p {
			c.out.varintField(num, uint64(v))
		}
		return
	}
	data := c.varintData(num, name)
	for len(data) > 0 && c.err == nil {
		v, n := protowire.ConsumeVarint(data)
		data = data[n:]
		c.fail(name, c.r.charge(8))
		*p = append(*p, int64(v))
	}
}

// packedFixed is a list of numbers of size bytes that stays a slice of the
// file, unless it comes in several pieces.
func (c *codec) packedFixed(num protowire.Number, name string, size int, p *[]byte) {
	if c.out != nil {
		if len(*p) > 0 {
			c.out.bytesField(num, *p)
		}
		return
	}
	c.appendData(name, p, c.fixedData(num, name, size))
}

// packedVarint is a list of varints that stays a slice of the file, unless it
// comes in several pieces.
func (c *codec) packedVarint(num protowire.Number, name string, p *[]byte) {
	if c.out != nil {
		if len(*p) > 0 {
			c.out.bytesField(num, *p)
		}
		return
	}
	c.appendData(name, p, c.varintData(num, name))
}

func (c *codec) appendData(name string, p *[]byte, data []byte) {
	if len(*p) == 0 {
		*p = data[:len(data):len(data)]
	} else if len(data) > 0 {
		c.fail(name, c.r.charge(len(data)))
		*p = append(*p, data...)
	}
}

// fixedData returns the numbers of a list field at hand, packed or single.
func (c *codec) fixedData(num protowire.Number, name string, size int) []byte {
	if c.num != num {
		return nil
	}
	if c.typ != protowire.BytesType {
		if size == 8 {
			if c.take(num, name, protowire.Fixed64Type) {
				return protowire.AppendFixed64(nil, c.u)
			}
		} else if c.take(num, name, protowire.Fixed32Type) {
			return protowire.AppendFixed32(nil, uint32(c.u))
		}
		return nil
	}
	c.taken = true
	if len(c.data)%size != 0 {
		c.fail(name, fmt.Errorf("%d bytes, want a multiple of %d", len(c.data), size))
		return nil
	}
	return c.data
}

// varintData returns the varints of a list field at hand, packed or single,
// each of which is known to be well formed.
func (c *codec) varintData(num protowire.Number, name string) []byte {
	if c.num != num {
		return nil
	}
	if c.typ != protowire.BytesType {
		if c.take(num, name, protowire.VarintType) {
			return protowire.AppendVarint(nil, c.u)
		}
		return nil
	}
	c.taken = true
	for i := 0; i < len(c.data); {
		_, n := protowire.ConsumeVarint(c.data[i:])
		if n < 0 {
			c.fail(name, fmt.Errorf("bad varint %d bytes on: %w", i, protowire.ParseError(n)))
			return nil
		}
		i += n
	}
	return c.data
}
