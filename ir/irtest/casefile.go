package irtest

import (
	"fmt"
	"strings"

	"github.com/tensorcc/tcc/ir"
	"golang.org/x/tools/txtar"
)

// Format returns c as an archive: the graph, and for each input set a graph
// of constants. [ParseCase] reads it back.
func (c *Case) Format() []byte {
	a := &txtar.Archive{Comment: fmt.Appendf(nil, "seed: %d\n", c.Seed)}
	a.Files = append(a.Files, txtar.File{Name: "graph.tir", Data: []byte(ir.Print(c.Graph))})
	for i, in := range c.Inputs {
		g := ir.NewGraph("inputs")
		rs := make([]*ir.Value, len(in))
		names := make([]string, len(in))
		for j, l := range in {
			rs[j] = g.Must(ir.Pos{}, ir.OpConst, &ir.ConstAttr{Value: l})
			names[j] = c.Graph.Params[j].ParamName()
		}
		g.SetResults(names, rs...)
		a.Files = append(a.Files, txtar.File{Name: fmt.Sprintf("inputs%d.tir", i),
			Data: []byte(ir.Print(g))})
	}
	var bounds strings.Builder
	for _, r := range c.Graph.Results {
		fmt.Fprintln(&bounds, c.Bounds[r.ID].Abs, c.Bounds[r.ID].Rel)
	}
	a.Files = append(a.Files, txtar.File{Name: "bounds", Data: []byte(bounds.String())})
	return txtar.Format(a)
}

// ParseCase reads what [Case.Format] prints.
func ParseCase(data []byte) (*Case, error) {
	a := txtar.Parse(data)
	c := &Case{}
	fmt.Sscanf(string(a.Comment), "seed: %d", &c.Seed)
	for _, f := range a.Files {
		if f.Name == "bounds" {
			if err := c.parseBounds(string(f.Data)); err != nil {
				return nil, err
			}
			continue
		}
		g, err := ir.Parse(f.Name, string(f.Data))
		if err != nil {
			return nil, err
		}
		if f.Name == "graph.tir" {
			c.Graph, c.Bounds = g, make([]Bound, len(g.Values))
			continue
		}
		var in []*ir.Literal
		for _, r := range g.Results {
			a, ok := r.Attr.(*ir.ConstAttr)
			if !ok {
				return nil, fmt.Errorf("%s: %s: want a constant", f.Name, r.Line())
			}
			in = append(in, a.Value)
		}
		c.Inputs = append(c.Inputs, in)
	}
	if c.Graph == nil {
		return nil, fmt.Errorf("no section graph.tir")
	}
	return c, nil
}

func (c *Case) parseBounds(text string) error {
	if c.Graph == nil {
		return fmt.Errorf("section bounds before graph.tir")
	}
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		var b Bound
		if _, err := fmt.Sscan(line, &b.Abs, &b.Rel); err != nil || i >= len(c.Graph.Results) {
			return fmt.Errorf("bounds: line %d: want an absolute and a relative error for each result",
				i+1)
		}
		c.Bounds[c.Graph.Results[i].ID] = b
	}
	return nil
}
