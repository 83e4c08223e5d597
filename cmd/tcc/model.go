package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/frontend/onnx"
	"github.com/tensorcc/tcc/ir"
)

// model is a loaded MODEL argument.
type model struct {
	name  string // base name without extension
	path  string
	graph *ir.Graph
	close func() error
	// inputs has the names of all inputs of the file where some of them were
	// made constants and are no parameters of the graph; else nil.
	inputs []string
	// dims are -dim flags that come with the model.
	dims []string
	// inPlace has results that take the memory of parameters, zeros parameters
	// that are zero in recorded cases.
	inPlace [][2]int
	zeros   []int
}

// loadModel reads the model file at path; its extension says what it is.
func loadModel(path string) (*model, error) { return loadFixed(path, nil) }

// loadFixed is loadModel with the named inputs of an ONNX model as constants.
func loadFixed(path string, fixed map[string]*ir.Literal) (*model, error) {
	ext := filepath.Ext(path)
	m := &model{path: path, name: strings.TrimSuffix(filepath.Base(path), ext),
		close: func() error { return nil }}
	switch ext {
	case ".onnx":
		f, err := onnx.Load(path, onnx.Options{Fixed: fixed})
		if err != nil {
			return nil, usageError{err}
		}
		m.graph, m.close = f.Graph, f.Close
	case ".tir":
		text, err := readBounded(path)
		if err != nil {
			return nil, usageError{err}
		}
		g, err := ir.Parse(path, string(text))
		if err != nil {
			return nil, usageError{err}
		}
		m.graph = nameResults(g)
	default:
		return nil, usage("%s: a model is an .onnx or a .tir file", path)
	}
	return m, nil
}

// nameResults gives the results of a graph whose text does not name them the
// names of their numbers.
func nameResults(g *ir.Graph) *ir.Graph {
	if len(g.ResultNames) == 0 {
		names := make([]string, len(g.Results))
		for i := range names {
			names[i] = strconv.Itoa(i)
		}
		g.SetResults(names, g.Results...)
	}
	return g
}

// maxText bounds the text forms that are read.
const maxText = 1 << 30

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err == nil && len(b) > maxText {
		err = fmt.Errorf("%s: larger than %d bytes", path, maxText)
	}
	return b, err
}

// parseDims reads -dim NAME=N flags, names of extents of g's parameters.
func parseDims(flags []string, g *ir.Graph) (map[string]int64, error) {
	dims := map[string]int64{}
	for _, f := range flags {
		name, value, ok := strings.Cut(f, "=")
		n, err := strconv.ParseInt(value, 10, 64)
		if !ok || err != nil || n < 0 {
			return nil, usage("-dim %s: wanted NAME=N", f)
		}
		sym := onnx.SymName(name)
		if err := isExtent(sym, g); err != nil {
			return nil, err
		}
		dims[sym] = n
	}
	return dims, nil
}

// isExtent reports that no parameter of g has the dynamic extent sym.
func isExtent(sym string, g *ir.Graph) error {
	var names []string
	for _, p := range g.Params {
		for _, d := range p.Type.Shape {
			names = append(names, d.SymNames()...)
		}
	}
	slices.Sort(names)
	switch {
	case slices.Contains(names, sym):
		return nil
	case names == nil:
		return usage("-dim %s: the inputs have no dynamic extents", sym)
	}
	return usage("-dim %s: the inputs have no such dynamic extent, wanted one of %s", sym,
		strings.Join(slices.Compact(names), ", "))
}
