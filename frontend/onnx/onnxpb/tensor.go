package onnxpb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"google.golang.org/protobuf/encoding/protowire"
)

// Tensor is the content of a TensorProto in one form, whichever field it came
// from: Data holds the elements in row-major order, little-endian, bool as one
// byte of 0 or 1, types of fewer than 8 bits one to a byte (the signed ones with
// their sign extended).
// Where the file has that form too, Data is a slice of the file. Strings holds
// the elements of a string tensor.
type Tensor struct {
	Name    string
	Type    DataType
	Dims    []int64
	Data    []byte
	Strings []string
}

// maxElems bounds the elements of one tensor, so that sizes in bytes do not
// overflow.
const maxElems = math.MaxInt64 / 16

// NumElems returns the product of dims, or an error where one is negative or
// the product is beyond what can be addressed.
func NumElems(dims []int64) (int64, error) {
	n, zero := uint64(1), false
	for i, d := range dims {
		if d < 0 {
			return 0, fmt.Errorf("dims %v: extent %d is negative", dims, i)
		}
		if d == 0 {
			zero = true
			continue
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > maxElems {
			return 0, fmt.Errorf("dims %v: the number of elements overflows", dims)
		}
		n = lo
	}
	if zero {
		return 0, nil
	}
	return int64(n), nil
}

// Decode returns the elements of m. An error does not name m.
func (m *TensorProto) Decode() (*Tensor, error) {
	if !m.DataType.known() || m.DataType == Undefined {
		return nil, fmt.Errorf("element type %d is unknown", m.DataType)
	}
	if m.Segment != nil {
		return nil, errors.New("tensors stored in segments are not supported")
	}
	n, err := NumElems(m.Dims)
	if err != nil {
		return nil, err
	}
	t := &Tensor{Name: m.Name, Type: m.DataType, Dims: m.Dims}
	info := &dataTypes[m.DataType]
	raw, err := m.raw(info)
	switch {
	case err != nil:
		return nil, err
	case raw != nil:
		t.Data, err = fromRaw(info, m.DataType, n, raw)
	case info.field == stringData:
		t.Strings, err = m.strings(n)
	default:
		t.Data, err = m.typed(info, n)
	}
	if err != nil {
		return nil, fmt.Errorf("%v%v: %w", m.DataType, m.Dims, err)
	}
	return t, nil
}

// raw returns the raw bytes of m, nil if its elements are in a typed field.
func (m *TensorProto) raw(info *dataTypeInfo) ([]byte, error) {
	raw := m.RawData
	if m.DataLocation == LocationExternal {
		if m.external == nil {
			return nil, errors.New("the data is in another file, which was not opened with the model")
		}
		raw = m.external
	}
	if raw == nil {
		return nil, nil
	}
	if info.field == stringData {
		return nil, errors.New("a string tensor with raw data")
	}
	if len(raw) == 0 && m.hasTyped() {
		return nil, nil
	}
	if m.hasTyped() {
		return nil, errors.New("elements both in raw_data and in a typed field")
	}
	return raw, nil
}

func (m *TensorProto) hasTyped() bool {
	return len(m.FloatData)+len(m.Int32Data)+len(m.Int64Data)+len(m.Uint64Data)+
		len(m.DoubleData)+len(m.StringData) > 0
}

// rawSize returns the bytes of n elements in raw_data.
func rawSize(info *dataTypeInfo, n int64) int64 {
	if info.bits < 8 {
		per := int64(8 / info.bits)
		return n/per + (n%per+per-1)/per
	}
	return n * int64(info.bits/8)
}

func fromRaw(info *dataTypeInfo, d DataType, n int64, raw []byte) ([]byte, error) {
	if want := rawSize(info, n); int64(len(raw)) != want {
		return nil, fmt.Errorf("%d bytes of data, want %d", len(raw), want)
	}
	switch {
	case info.bits < 8:
		return unpack(info.bits, d == Int4 || d == Int2, n, raw), nil
	case d == Bool:
		return cleanBools(raw), nil
	}
	return raw, nil
}

// unpack puts elements of 2 or 4 bits, of which a byte holds several, low bits
// first, into a byte each.
func unpack(bits int, signed bool, n int64, packed []byte) []byte {
	out := make([]byte, n)
	per, rest := 8/bits, 8-bits
	for i := range out {
		v := packed[i/per] >> (i % per * bits) << rest
		if signed {
			out[i] = byte(int8(v) >> rest)
		} else {
			out[i] = v >> rest
		}
	}
	return out
}

// cleanBools returns data with 1 for each byte that is not 0.
func cleanBools(data []byte) []byte {
	for _, b := range data {
		if b > 1 {
			out := make([]byte, len(data))
			for i, b := range data {
				if b != 0 {
					out[i] = 1
				}
			}
			return out
		}
	}
	return data
}

func (m *TensorProto) strings(n int64) ([]string, error) {
	if int64(len(m.StringData)) != n {
		return nil, fmt.Errorf("string_data has %d elements, want %d", len(m.StringData), n)
	}
	out := make([]string, n)
	for i, s := range m.StringData {
		out[i] = string(s)
	}
	return out, nil
}

// typed returns the elements that are in a typed field.
func (m *TensorProto) typed(info *dataTypeInfo, n int64) ([]byte, error) {
	want := n * int64(info.perElem)
	switch info.field {
	case floatData:
		return fixedElems("float_data", m.FloatData, 4, want)
	case doubleData:
		return fixedElems("double_data", m.DoubleData, 8, want)
	case int64Data:
		return varintElems("int64_data", m.Int64Data, 8, want)
	case uint64Data:
		return varintElems("uint64_data", m.Uint64Data, info.bits/8, want)
	}
	if info.bits < 8 {
		packed, err := varintElems("int32_data", m.Int32Data, 1, rawSize(info, n))
		if err != nil {
			return nil, err
		}
		d := m.DataType
		return unpack(info.bits, d == Int4 || d == Int2, n, packed), nil
	}
	data, err := varintElems("int32_data", m.Int32Data, info.bits/8, want)
	if m.DataType == Bool {
		data = cleanBools(data)
	}
	return data, err
}

func fixedElems(name string, data []byte, size int, n int64) ([]byte, error) {
	if int64(len(data)/size) != n || len(data)%size != 0 {
		return nil, fmt.Errorf("%s has %d elements, want %d", name, len(data)/size, n)
	}
	return data, nil
}

// varintElems returns n varints, truncated to size bytes each. It allocates
// only after counting them.
func varintElems(name string, data []byte, size int, n int64) ([]byte, error) {
	have := int64(0)
	for _, b := range data {
		if b < 0x80 {
			have++
		}
	}
	if have != n {
		return nil, fmt.Errorf("%s has %d elements, want %d", name, have, n)
	}
	out := make([]byte, 0, n*int64(size))
	for len(data) > 0 {
		v, k := protowire.ConsumeVarint(data)
		if k < 0 {
			return nil, fmt.Errorf("%s: %w", name, protowire.ParseError(k))
		}
		data = data[k:]
		var le [8]byte
		binary.LittleEndian.PutUint64(le[:], v)
		out = append(out, le[:size]...)
	}
	return out, nil
}

// Proto returns t as a message, with its elements in raw_data, which for the
// types of 8 bits and more is t.Data itself.
func (t *Tensor) Proto() *TensorProto {
	m := &TensorProto{Name: t.Name, DataType: t.Type, Dims: t.Dims}
	switch {
	case t.Type == String:
		for _, s := range t.Strings {
			m.StringData = append(m.StringData, []byte(s))
		}
	case t.Type.known() && dataTypes[t.Type].bits < 8:
		bits := dataTypes[t.Type].bits
		per := 8 / bits
		m.RawData = make([]byte, (len(t.Data)+per-1)/per)
		for i, v := range t.Data {
			m.RawData[i/per] |= v & (1<<bits - 1) << (i % per * bits)
		}
	default:
		m.RawData = t.Data
		if m.RawData == nil {
			m.RawData = []byte{}
		}
	}
	return m
}
