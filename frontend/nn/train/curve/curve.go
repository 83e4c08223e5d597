// Package curve draws the curves of a training. It is apart from package train,
// so that training does not link a plotting library.
package curve

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/tensorcc/tcc/frontend/nn/train"
)

// Plot draws the metrics of the given names, all if none is given, over the
// steps, into a file whose name ends in .svg or .png.
func Plot(file, title string, points []train.Point, names ...string) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text = title, "step"
	p.Add(plotter.NewGrid())
	if len(names) == 0 {
		seen := map[string]bool{}
		for _, at := range points {
			for _, m := range at.Metrics {
				if !seen[m.Name] {
					names = append(names, m.Name)
				}
				seen[m.Name] = true
			}
		}
	}
	var args []any
	for _, name := range names {
		var xys plotter.XYs
		for _, at := range points {
			for _, m := range at.Metrics {
				if m.Name == name {
					xys = append(xys, plotter.XY{X: float64(at.Step), Y: m.Value})
				}
			}
		}
		args = append(args, name, xys)
	}
	if err := plotutil.AddLines(p, args...); err != nil {
		return err
	}
	return p.Save(16*vg.Centimeter, 10*vg.Centimeter, file)
}
