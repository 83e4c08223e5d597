package onnxpb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// externalFiles are the files of external data of one model, each opened
// once. root confines them to the model's folder: it follows no link that
// leads out.
type externalFiles struct {
	file *File
	root *os.Root
	data map[string][]byte
}

// openExternal maps the external data of all tensors of the model, whose
// folder is dir.
func (f *File) openExternal(dir string) (err error) {
	var tensors []*TensorProto
	WalkTensors(f.Model, func(t *TensorProto) {
		if t.DataLocation == LocationExternal {
			tensors = append(tensors, t)
		}
	})
	if len(tensors) == 0 {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	x := &externalFiles{file: f, root: root, data: map[string][]byte{}}
	for _, t := range tensors {
		if err := x.resolve(t); err != nil {
			return fmt.Errorf("tensor %q: external data: %w", t.Name, err)
		}
	}
	return nil
}

// resolve sets t.external.
func (x *externalFiles) resolve(t *TensorProto) error {
	if len(t.RawData) > 0 || t.hasTyped() {
		return errors.New("the tensor has data in the model file too")
	}
	var location string
	offset, length := int64(0), int64(-1)
	for _, e := range t.ExternalData {
		var err error
		switch e.Key {
		case "location":
			location = e.Value
		case "offset":
			offset, err = parseSize(e)
		case "length":
			length, err = parseSize(e)
		}
		if err != nil {
			return err
		}
	}
	data, err := x.open(location)
	if err != nil {
		return fmt.Errorf("file %q: %w", location, err)
	}
	if length < 0 {
		if length, err = t.rawLength(); err != nil {
			return err
		}
	}
	if size := int64(len(data)); offset > size || length > size-offset {
		return fmt.Errorf("file %q: %d bytes from %d on are wanted, the file has %d",
			location, length, offset, size)
	}
	t.external = data[offset : offset+length : offset+length]
	if t.external == nil { // an empty file
		t.external = []byte{}
	}
	return nil
}

// rawLength returns the bytes that the elements of t take.
func (t *TensorProto) rawLength() (int64, error) {
	if !t.DataType.known() {
		return 0, fmt.Errorf("element type %d is unknown", t.DataType)
	}
	n, err := NumElems(t.Dims)
	return rawSize(&dataTypes[t.DataType], n), err
}

func parseSize(e *StringStringEntryProto) (int64, error) {
	v, err := strconv.ParseInt(e.Value, 10, 64)
	if err != nil || v < 0 {
		return 0, fmt.Errorf("%s is %q, want a number of bytes", e.Key, e.Value)
	}
	return v, nil
}

var errOutside = errors.New("outside the model's folder; move the data beside the model")

func (x *externalFiles) open(location string) ([]byte, error) {
	if location == "" {
		return nil, errors.New("no location is given")
	}
	name := filepath.FromSlash(location)
	if !filepath.IsLocal(name) || strings.ContainsRune(location, 0) {
		return nil, errOutside
	}
	if data, ok := x.data[name]; ok {
		return data, nil
	}
	// Stat before Open: opening a pipe would wait for its writer.
	info, err := x.root.Stat(name)
	if err != nil {
		return nil, rootError(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	file, err := x.root.Open(name)
	if err != nil {
		return nil, rootError(err)
	}
	data, err := x.file.add(file)
	if err == nil {
		x.data[name] = data
	}
	return data, err
}

// rootError is what an error of os.Root says to who made the model.
func rootError(err error) error {
	if strings.Contains(err.Error(), "escapes") {
		return errOutside
	}
	return plainError(err)
}

// WalkTensors calls f for all tensors of m: initializers and attributes, of
// the main graph, subgraphs and functions.
func WalkTensors(m *ModelProto, f func(*TensorProto)) {
	walkGraph(m.Graph, f)
	for _, t := range m.TrainingInfo {
		walkGraph(t.Initialization, f)
		walkGraph(t.Algorithm, f)
	}
	for _, fn := range m.Functions {
		walkNodes(fn.Node, f)
		walkAttributes(fn.AttributeProto, f)
	}
}

func walkGraph(g *GraphProto, f func(*TensorProto)) {
	if g == nil {
		return
	}
	for _, t := range g.Initializer {
		f(t)
	}
	for _, s := range g.SparseInitializer {
		walkSparse(s, f)
	}
	walkNodes(g.Node, f)
}

func walkSparse(s *SparseTensorProto, f func(*TensorProto)) {
	if s == nil {
		return
	}
	for _, t := range []*TensorProto{s.Values, s.Indices} {
		if t != nil {
			f(t)
		}
	}
}

func walkNodes(nodes []*NodeProto, f func(*TensorProto)) {
	for _, n := range nodes {
		walkAttributes(n.Attribute, f)
	}
}

func walkAttributes(attrs []*AttributeProto, f func(*TensorProto)) {
	for _, a := range attrs {
		if a.T != nil {
			f(a.T)
		}
		for _, t := range a.Tensors {
			f(t)
		}
		walkGraph(a.G, f)
		for _, g := range a.Graphs {
			walkGraph(g, f)
		}
		walkSparse(a.SparseTensor, f)
		for _, s := range a.SparseTensors {
			walkSparse(s, f)
		}
	}
}
