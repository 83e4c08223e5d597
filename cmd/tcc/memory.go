package main

import (
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes"
)

// This file is tcc inspect -memory.

// memoryInfo is what inspect -memory -json prints: the working memory of a run,
// and what lies in it at the step of the plan that needs most.
type memoryInfo struct {
	Arena   int64        `json:"arena_bytes"`
	Needed  int64        `json:"needed_bytes"` // at the peak, without the gaps of the plan
	Step    int          `json:"step"`
	Buffers []bufferInfo `json:"buffers"` // the largest first
}

type bufferInfo struct {
	Bytes int64  `json:"bytes"`
	From  int    `json:"from"` // the steps of the plan that it is held for
	To    int    `json:"to"`
	Type  string `json:"type"`
	Kind  string `json:"kind"` // of the region that writes it
	Node  string `json:"node,omitempty"`
}

func inspectMemory(g *ir.Graph, dims map[string]int64, asJSON bool) error {
	fused, err := passes.Run(g, passes.Options{})
	if err != nil {
		return err
	}
	plan, env := passes.PlanMemory(fused), map[string]int64{}
	for _, s := range plan.Total().SymNames() {
		env[s] = 1
	}
	for name, n := range dims {
		env[name] = n
	}
	var info memoryInfo
	if info.Arena, info.Needed, err = plan.Peak(env); err != nil {
		return err
	}
	step, held, err := plan.AtPeak(env)
	if err != nil {
		return err
	}
	info.Step = step
	for _, h := range held {
		info.Buffers = append(info.Buffers, describe(h))
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(info)
	}
	return info.print()
}

func describe(h passes.Held) bufferInfo {
	b := bufferInfo{Bytes: h.Bytes, From: h.Birth, To: h.Death, Kind: h.Value.Op.String(),
		Type: h.Value.ResultTypes()[h.Result].String(), Node: h.Value.Pos.String()}
	if a, ok := h.Value.Attr.(*ir.FuseAttr); ok {
		b.Kind = a.Kind
		if r := a.Body.Results; h.Result < len(r) {
			b.Node = r[h.Result].Pos.String()
		}
	}
	return b
}

func (m *memoryInfo) print() error {
	fmt.Printf("working memory %d bytes, %d of them needed at step %d\n", m.Arena, m.Needed, m.Step)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "bytes\tsteps\ttype\tkind\t  node")
	for _, b := range m.Buffers {
		fmt.Fprintf(w, "%d\t%d..%d\t%s\t%s\t  %s\n", b.Bytes, b.From, b.To, b.Type, b.Kind, b.Node)
	}
	return w.Flush()
}
