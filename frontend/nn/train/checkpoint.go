package train

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
)

// Checkpoints are files in the safetensors format, which PyTorch and others
// read: a JSON header of names, types and places, then the elements.

// names of element types in the format.
var safeTypes = map[tensor.DType]string{
	tensor.Bool: "BOOL", tensor.I8: "I8", tensor.I16: "I16", tensor.I32: "I32", tensor.I64: "I64",
	tensor.U8: "U8", tensor.U16: "U16", tensor.U32: "U32", tensor.U64: "U64", tensor.F16: "F16",
	tensor.BF16: "BF16", tensor.F32: "F32", tensor.F64: "F64",
}

type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// Save writes the tensors of *state by their names, and the number of steps
// done, to file: to another name first, so that a file of that name is whole.
func Save(file string, state any, step int) (err error) {
	fields, err := tensor.Fields(state)
	if err != nil {
		return err
	}
	header := map[string]any{"__metadata__": map[string]string{"step": strconv.Itoa(step)}}
	var blocks [][]byte
	at := int64(0)
	for _, f := range fields {
		l, err := tensor.Literal(*f.T)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", file, f.Name, err)
		}
		n := int64(len(l.Data))
		header[f.Name] = entry{safeTypes[l.DType], append([]int64{}, l.Shape...), [2]int64{at, at + n}}
		blocks = append(blocks, l.Data)
		at += n
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	out, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	for _, b := range append([][]byte{head, text}, blocks...) {
		if _, err := out.Write(b); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Rename(out.Name(), file)
}

// maxHeader bounds the header of a file that is read.
const maxHeader = 100 << 20

// Load sets the tensors of *state, which have their types, to those of the
// names in file, and returns the number of steps done.
func Load(file string, state any) (step int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if step, err = load(f, state); err != nil {
		err = fmt.Errorf("%s: %w", file, err)
	}
	return step, err
}

func load(f *os.File, state any) (int, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	var size uint64
	if err := binary.Read(f, binary.LittleEndian, &size); err != nil {
		return 0, err
	}
	if size > maxHeader || int64(size) > info.Size()-8 {
		return 0, fmt.Errorf("safetensors: a header of %d bytes in a file of %d", size, info.Size())
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(f, text); err != nil {
		return 0, err
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(text, &header); err != nil {
		return 0, fmt.Errorf("safetensors: header: %w", err)
	}
	var meta map[string]string
	if raw, ok := header["__metadata__"]; ok {
		if err := json.Unmarshal(raw, &meta); err != nil {
			return 0, fmt.Errorf("safetensors: metadata: %w", err)
		}
	}
	fields, err := tensor.Fields(state)
	if err != nil {
		return 0, err
	}
	for _, x := range fields {
		if err := loadField(f, x, header[x.Name], int64(8+size), info.Size()); err != nil {
			return 0, fmt.Errorf("safetensors: %s: %w", x.Name, err)
		}
	}
	step, err := strconv.Atoi(meta["step"])
	if err != nil {
		return 0, fmt.Errorf("safetensors: metadata: step %q is no number", meta["step"])
	}
	return step, nil
}

func loadField(f io.ReaderAt, x tensor.Field, raw json.RawMessage, base, size int64) error {
	if raw == nil {
		return fmt.Errorf("is not in the file")
	}
	var e entry
	if err := json.Unmarshal(raw, &e); err != nil {
		return err
	}
	old, err := tensor.Literal(*x.T)
	if err != nil {
		return err
	}
	if safeTypes[old.DType] != e.DType || !slices.Equal(old.Shape, e.Shape) {
		return fmt.Errorf("is %s%v, want %v%v", e.DType, e.Shape, strings.ToUpper(old.DType.String()),
			old.Shape)
	}
	n := old.Size() * int64(old.DType.Size())
	if e.Offsets[0] < 0 || e.Offsets[1]-e.Offsets[0] != n || e.Offsets[0] > size-base-n {
		return fmt.Errorf("bytes %v of a file of %d, want %d", e.Offsets, size, n)
	}
	l := &ir.Literal{DType: old.DType, Shape: old.Shape, Data: make([]byte, n)}
	if _, err := f.ReadAt(l.Data, base+e.Offsets[0]); err != nil {
		return err
	}
	*x.T = tensor.FromLiteral(l)
	return nil
}
