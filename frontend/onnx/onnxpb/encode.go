package onnxpb

import (
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// rope is an encoded message: pieces in order, then small. Long byte strings
// are pieces of their own and not copied.
type rope struct {
	pieces [][]byte
	size   int // bytes in pieces
	small  []byte
}

// minPiece is the size from which on a byte string is not copied.
const minPiece = 4 << 10

func (o *rope) len() int { return o.size + len(o.small) }

func (o *rope) flush() {
	if len(o.small) > 0 {
		o.pieces = append(o.pieces, o.small)
		o.size += len(o.small)
		o.small = nil
	}
}

func (o *rope) varintField(num protowire.Number, v uint64) {
	o.small = protowire.AppendTag(o.small, num, protowire.VarintType)
	o.small = protowire.AppendVarint(o.small, v)
}

func (o *rope) bytesField(num protowire.Number, data []byte) {
	o.small = protowire.AppendTag(o.small, num, protowire.BytesType)
	o.small = protowire.AppendVarint(o.small, uint64(len(data)))
	if len(data) < minPiece {
		o.small = append(o.small, data...)
		return
	}
	o.flush()
	o.pieces = append(o.pieces, data)
	o.size += len(data)
}

func (o *rope) messageField(num protowire.Number, m message) {
	sub := encode(m)
	o.small = protowire.AppendTag(o.small, num, protowire.BytesType)
	o.small = protowire.AppendVarint(o.small, uint64(sub.len()))
	if len(sub.pieces) == 0 && len(sub.small) < minPiece {
		o.small = append(o.small, sub.small...)
		return
	}
	o.flush()
	o.pieces = append(o.pieces, sub.pieces...)
	o.size += sub.size
	o.small = sub.small
}

func encode(m message) *rope {
	o := &rope{}
	m.fields(&codec{out: o})
	return o
}

// Message is a message that can be a file of its own.
type Message interface {
	*ModelProto | *TensorProto | *SequenceProto | *OptionalProto
	message
}

// Encode returns m in the wire format. Equal messages give equal bytes.
func Encode[M Message](m M) []byte {
	o := encode(m)
	out := make([]byte, 0, o.len())
	for _, p := range o.pieces {
		out = append(out, p...)
	}
	return append(out, o.small...)
}

// Write writes m to w in the wire format, without copying the weights.
func Write[M Message](w io.Writer, m M) error {
	o := encode(m)
	o.flush()
	for _, p := range o.pieces {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	return nil
}
