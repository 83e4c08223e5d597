package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/urfave/cli/v3"
	"golang.org/x/term"

	"github.com/tensorcc/tcc/codegen/peak"
)

// benchPeaks is tcc bench -peaks.
func benchPeaks(ctx context.Context, c *cli.Command) error {
	if c.Args().Present() {
		return usage("bench -peaks measures the machine: no MODEL goes with it, see bench -profile")
	}
	o := peak.Options{}
	if n := c.Int("threads"); n > 0 {
		o.Threads = slices.Compact([]int{1, n})
	}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		o.Progress = progress("measuring")
	}
	p, err := peak.Measure(ctx, o)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(os.Stdout).Encode(map[string]*peak.Peaks{"peaks": p})
	}
	return printPeaks(os.Stdout, p)
}

func printPeaks(out io.Writer, p *peak.Peaks) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "what\tlevel\tthreads\ta second\t")
	for _, c := range p.Compute {
		fmt.Fprintf(w, "%s FMA\t%s\t%d\t%.1f GFLOP\t\n", c.DType, c.Level, c.Threads, c.FLOPS/1e9)
	}
	for _, m := range p.Memory {
		fmt.Fprintf(w, "%s\tmemory\t%d\t%.1f GB\t\n", m.Kind, m.Threads, m.Bytes/1e9)
	}
	if err := w.Flush(); err != nil || p.Handover == 0 {
		return err
	}
	_, err := fmt.Fprintf(out, "from core to core %.0f ns\n", 1e9*p.Handover)
	return err
}
