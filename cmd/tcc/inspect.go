package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes"
)

const inspectDescription = "" +
	`Prints inputs, outputs and operations; with -pass, the graph after that pass (start: as
imported); with -memory, what lies in working memory when most does (dynamic extents are 1 unless
-dim says otherwise).

Examples: tcc inspect vad.onnx -pass fuse
          tcc inspect vad.onnx -memory -dim N=8`

func inspectCommand() *cli.Command {
	return command(&cli.Command{
		Name:        "inspect",
		Usage:       "show a model's graph",
		ArgsUsage:   "MODEL",
		Description: inspectDescription,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "pass", Usage: "print the graph after pass `NAME`; start is before all"},
			&cli.BoolFlag{Name: "memory", Usage: "print what working memory holds at its peak"},
			dimFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object"},
		},
	}, 1, 1, inspect)
}

// inspection is what inspect -json prints.
type inspection struct {
	Inputs  []portInfo     `json:"inputs"`
	Outputs []portInfo     `json:"outputs"`
	Ops     map[string]int `json:"ops"`     // as imported
	Kernels map[string]int `json:"kernels"` // fused regions by kind
}

type portInfo struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

func inspect(_ context.Context, c *cli.Command) error {
	memory := c.Bool("memory")
	switch {
	case c.IsSet("pass") && (memory || c.Bool("json")):
		return usage("inspect: -pass prints a graph: leave out -memory and -json")
	case c.IsSet("dim") && !memory:
		return usage("inspect: -dim is for -memory")
	}
	m, err := loadModel(c.Args().First())
	if err != nil {
		return err
	}
	defer m.close()
	if name := c.String("pass"); name != "" {
		return inspectPass(m.graph, name)
	}
	if memory {
		dims, err := parseDims(c.StringSlice("dim"), m.graph)
		if err != nil {
			return err
		}
		return inspectMemory(m.graph, dims, c.Bool("json"))
	}
	info := inspection{Ops: map[string]int{}, Kernels: map[string]int{}}
	for _, p := range m.graph.Params {
		info.Inputs = append(info.Inputs, portInfo{p.ParamName(), p.Type.String()})
	}
	for i, r := range m.graph.Results {
		info.Outputs = append(info.Outputs, portInfo{m.graph.ResultNames[i], r.Type.String()})
	}
	countOps(m.graph, info.Ops, func(v *ir.Value) string { return v.Op.String() })
	fused, err := passes.Run(m.graph, passes.Options{})
	if err != nil {
		return err
	}
	countOps(fused, info.Kernels, func(v *ir.Value) string {
		if a, ok := v.Attr.(*ir.FuseAttr); ok {
			return a.Kind
		}
		return ""
	})
	delete(info.Kernels, "")
	if c.Bool("json") {
		return json.NewEncoder(os.Stdout).Encode(info)
	}
	info.print()
	return nil
}

// start is the name of the graph before all passes.
const start = "start"

// countOps counts the values of g and of its branches and loops.
func countOps(g *ir.Graph, counts map[string]int, key func(*ir.Value) string) {
	for _, v := range g.Values {
		counts[key(v)]++
		if v.Op != ir.OpFuse {
			for _, r := range v.Regions() {
				countOps(r, counts, key)
			}
		}
	}
}

func (i *inspection) print() {
	for _, p := range i.Inputs {
		fmt.Printf("input\t%s\t%s\n", p.Name, p.Type)
	}
	for _, p := range i.Outputs {
		fmt.Printf("output\t%s\t%s\n", p.Name, p.Type)
	}
	fmt.Println("operations:", counted(i.Ops))
	fmt.Println("kernels:", counted(i.Kernels))
}

// counted lists how many there are of what.
func counted(counts map[string]int) string {
	var all []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%d %s", counts[what], what))
	}
	return strings.Join(all, ", ")
}

func inspectPass(g *ir.Graph, name string) error {
	o := passes.Options{Dump: func(pass string, g *ir.Graph) {
		if pass == name {
			fmt.Print(g)
		}
	}}
	if name != start {
		if !slices.Contains(passes.Names(), name) {
			return usage("-pass %s: wanted %s or one of %s", name, start, strings.Join(passes.Names(), ", "))
		}
		o.StopAfter = name
	}
	_, err := passes.Run(g, o)
	return err
}
