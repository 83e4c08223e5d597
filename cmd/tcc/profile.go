package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/codegen/peak"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// This file is tcc bench -profile.

// kernelCost is one kernel's part of a run.
type kernelCost struct {
	Kernel         string   `json:"kernel"`
	Nodes          []string `json:"nodes"`
	Launches       float64  `json:"launches"` // this and what follows are of one run
	Seconds        float64  `json:"seconds"`
	Share          float64  `json:"share"` // of the time of all kernels
	FLOP           float64  `json:"flop"`
	IntOps         float64  `json:"int_ops"`
	BytesRead      float64  `json:"bytes_read"`
	BytesWritten   float64  `json:"bytes_written"`
	PeakShare      float64  `json:"peak_share"`
	BandwidthShare float64  `json:"bandwidth_share"`
}

// rate is the operations a second.
func (k *kernelCost) rate() float64 { return (k.FLOP + k.IntOps) / k.Seconds }

// bandwidth is the bytes a second.
func (k *kernelCost) bandwidth() float64 { return (k.BytesRead + k.BytesWritten) / k.Seconds }

// kernels fills in the costs of the kernels of model, which has made the given number of runs.
func (r *benchResult) kernels(ctx context.Context, a *codegen.Artifact, model *runtime.Model,
	runs float64) error {
	peaks := &peak.Peaks{}
	if r.Level != runtime.LevelGeneric {
		var err error
		peaks, err = peak.Measure(ctx, peak.Options{Levels: []string{r.Level}, Threads: []int{r.Threads},
			Time: time.Second / 10})
		if err != nil {
			return err
		}
	}
	all, err := a.Profile(model)
	if err != nil {
		return err
	}
	f32, f64 := peaks.FLOPS(r.Level, ir.F32, r.Threads), peaks.FLOPS(r.Level, ir.F64, r.Threads)
	r.PeakFLOPS, r.Bandwidth, r.Handover = f32, peaks.Bandwidth(r.Threads), peaks.Handover
	total := 0.0
	for _, k := range all {
		w := k.Work
		c := kernelCost{Kernel: k.Kernel, Nodes: k.Nodes, Launches: float64(k.Launches) / runs,
			Seconds: k.Time.Seconds() / runs, FLOP: (w.Float32 + w.Float64) / runs, IntOps: w.Int / runs,
			BytesRead: w.Read / runs, BytesWritten: w.Written / runs}
		if r.Bandwidth > 0 {
			c.PeakShare = ((w.Float32+w.Int)/f32 + w.Float64/f64) / k.Time.Seconds()
			c.BandwidthShare = c.bandwidth() / r.Bandwidth
		}
		total += c.Seconds
		r.Kernels = append(r.Kernels, c)
	}
	for i := range r.Kernels {
		r.Kernels[i].Share = r.Kernels[i].Seconds / total
	}
	slices.SortStableFunc(r.Kernels, func(a, b kernelCost) int {
		return cmp.Compare(b.Seconds, a.Seconds)
	})
	return nil
}

// printKernels prints the table of the kernels, and a line of their sums.
func printKernels(r *benchResult) {
	if len(r.Kernels) == 0 {
		return
	}
	fmt.Printf("peak %.1f GFLOP/s, bandwidth %.1f GB/s", r.PeakFLOPS/1e9, r.Bandwidth/1e9)
	if r.Handover > 0 {
		fmt.Printf(", from core to core %.0f ns", 1e9*r.Handover)
	}
	fmt.Println()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "µs\tshare\tlaunches\tGFLOP/s\tof peak\tGB/s\tof bandwidth\t  kernel: nodes")
	sum := kernelCost{Kernel: "all"}
	row := func(k *kernelCost) {
		fmt.Fprintf(w, "%.2f\t%.1f %%\t%g\t%.1f\t%.0f %%\t%.2f\t%.0f %%\t  %s\n",
			1e6*k.Seconds, 100*k.Share, k.Launches, k.rate()/1e9, 100*k.PeakShare,
			k.bandwidth()/1e9, 100*k.BandwidthShare, k.Kernel+nodeList(k.Nodes))
	}
	for i := range r.Kernels {
		k := &r.Kernels[i]
		row(k)
		sum.Seconds += k.Seconds
		sum.Share += k.Share
		sum.Launches += k.Launches
		sum.FLOP += k.FLOP
		sum.IntOps += k.IntOps
		sum.BytesRead += k.BytesRead
		sum.BytesWritten += k.BytesWritten
		sum.PeakShare += k.PeakShare * k.Share
		sum.BandwidthShare += k.BandwidthShare * k.Share
	}
	row(&sum)
	if err := w.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "tcc:", err)
	}
}

// nodeList is what follows a kernel's name. It shortens long lists; -json has all.
func nodeList(nodes []string) string {
	const most = 4
	switch n := len(nodes); {
	case n == 0:
		return ""
	case n > most:
		return ": " + strings.Join(nodes[:most], ", ") + fmt.Sprintf(" and %d more", n-most)
	}
	return ": " + strings.Join(nodes, ", ")
}
