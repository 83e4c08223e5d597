package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tensorcc/tcc/frontend/onnx"
	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

const conformDescription = "" +
	`Every directory in or below DIR that has a model.onnx and folders with input_I.pb and
output_I.pb is run: a line for each that does not pass, then the counts.

Example: tcc conform -rtol 1e-3 -atol 1e-4 models`

func conformCommand() *cli.Command {
	return command(&cli.Command{
		Name:        "conform",
		Usage:       "run directories of models with reference inputs and outputs",
		ArgsUsage:   "DIR…",
		Description: conformDescription,
		Flags: append(append(toleranceFlags(), backendFlag("native"), threadsFlag(), precisionFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object"},
			&cli.BoolFlag{Name: "v", Usage: "print a line for those that pass, too"}), compileFlags()...),
	}, 1, -1, conform)
}

// conformCase is the outcome of one directory.
type conformCase struct {
	Dir     string `json:"dir"`
	Outcome string `json:"outcome"` // passed, failed or unsupported
	Reason  string `json:"reason,omitempty"`
	Sets    int    `json:"sets"`
	// Fixed lists inputs that were made constants.
	Fixed []string `json:"fixed,omitempty"`
	Worst float64  `json:"worst"` // largest error of a float element, of the largest
}

// line says the outcome, with the reason where there is one.
func (c *conformCase) line() string {
	if c.Reason == "" {
		return c.Outcome + ": " + c.Dir
	}
	return c.Outcome + ": " + c.Dir + ": " + strings.ReplaceAll(c.Reason, "\n", "; ")
}

func conform(ctx context.Context, c *cli.Command) error {
	newRunner, err := parseBackend(c.String("backend"))
	if err != nil {
		return err
	}
	o, err := backendOpts(c, "")
	if err != nil {
		return err
	}
	dirs, err := conformDirs(c.Args().Slice())
	if err != nil {
		return usageError{err}
	}
	if len(dirs) == 0 {
		return usage("no directory with a model.onnx and test data in %s",
			strings.Join(c.Args().Slice(), ", "))
	}
	tol := tolerance{c.Float("rtol"), c.Float("atol")}
	counts := map[string]int{}
	var cases []conformCase
	for _, dir := range dirs {
		res := conformCase{Dir: dir, Outcome: "passed"}
		run := func(g *ir.Graph) (runner, error) { return newRunner(ctx, g, o) }
		err := conformDir(ctx, run, dir, tol, &res)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			res.Outcome, res.Reason = outcome(err), err.Error()
		}
		counts[res.Outcome]++
		cases = append(cases, res)
		if !c.Bool("json") && (res.Outcome != "passed" || c.Bool("v")) {
			fmt.Println(res.line())
		}
	}
	if c.Bool("json") {
		err := json.NewEncoder(os.Stdout).Encode(map[string]any{"cases": cases,
			"passed": counts["passed"], "failed": counts["failed"],
			"unsupported": counts["unsupported"]})
		if err != nil {
			return err
		}
	} else {
		fmt.Printf("%d passed, %d failed, %d unsupported\n",
			counts["passed"], counts["failed"], counts["unsupported"])
	}
	if counts["passed"] < len(cases) {
		return errReported
	}
	return nil
}

// outcome tells what tcc does not have from what it does wrong.
func outcome(err error) string {
	var u *onnx.UnsupportedError
	if errors.As(err, &u) || strings.Contains(err.Error(), "not supported") {
		return "unsupported"
	}
	return "failed"
}

// conformDirs finds the directories to run, sorted.
func conformDirs(roots []string) ([]string, error) {
	var dirs []string
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && d.Name() == "model.onnx" &&
				len(testSets(filepath.Dir(path))) > 0 {
				dirs = append(dirs, filepath.Dir(path))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs), nil
}

// testSets lists the folders of test data beside a model.
func testSets(dir string) []string {
	sets, err := filepath.Glob(filepath.Join(dir, "*", "output_0.pb"))
	if err != nil {
		return nil
	}
	for i := range sets {
		sets[i] = filepath.Dir(sets[i])
	}
	return sets
}

// conformDir compiles a model once and runs all its test sets.
func conformDir(ctx context.Context, newRunner func(*ir.Graph) (runner, error), dir string,
	tol tolerance, res *conformCase) error {
	sets := testSets(dir)
	m, err := loadConform(dir, sets[0], res)
	if err != nil {
		return err
	}
	defer m.close()
	r, err := newRunner(m.graph)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, set := range sets {
		if err := conformSet(ctx, r, m, set, tol, res); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(set), err)
		}
		res.Sets++
	}
	return nil
}

// loadConform loads the model of a directory. Where an operator needs an
// number at compile time that the model takes as an input, such as the axes of
// a reduction or the scales of a resize, small inputs are fixed to their values
// in the first test set; the case says so.
func loadConform(dir, set string, res *conformCase) (*model, error) {
	path := filepath.Join(dir, "model.onnx")
	m, err := loadModel(path)
	if err == nil || !errors.Is(err, onnx.ErrNotConstant) {
		return m, err
	}
	fixed := map[string]*ir.Literal{}
	names, nerr := inputNames(path)
	if nerr != nil {
		return nil, err
	}
	const most, mostFloats = 64, 8 // axes, repeats, split sizes; scales
	for i, name := range names {
		p, perr := onnxpb.ReadTensorFile(filepath.Join(set, fmt.Sprintf("input_%d.pb", i)))
		if perr != nil {
			continue
		}
		l, lerr := onnx.Literal(p)
		if lerr == nil && (l.DType.IsInt() && l.Size() <= most ||
			l.DType.IsFloat() && l.Size() <= mostFloats) {
			fixed[name] = l
			res.Fixed = append(res.Fixed, name)
		}
	}
	again, aerr := loadFixed(path, fixed)
	if aerr != nil {
		return nil, aerr
	}
	again.inputs = names
	return again, nil
}

// inputNames lists the inputs of a model file that no initializer gives.
func inputNames(path string) ([]string, error) {
	f, err := onnxpb.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var names []string
	for _, in := range f.Model.Graph.Input {
		named := func(t *onnxpb.TensorProto) bool { return t.Name == in.Name }
		if !slices.ContainsFunc(f.Model.Graph.Initializer, named) {
			names = append(names, in.Name)
		}
	}
	return names, nil
}

func conformSet(ctx context.Context, r runner, m *model, set string, tol tolerance,
	res *conformCase) error {
	in := make([]*runtime.Tensor, len(m.graph.Params))
	for i, p := range m.graph.Params {
		at := i
		if m.inputs != nil { // some are fixed
			at = slices.Index(m.inputs, p.ParamName())
		}
		t, _, err := readPB(filepath.Join(set, fmt.Sprintf("input_%d.pb", at)))
		if err != nil {
			return err
		}
		in[i] = t
	}
	out, err := r.Run(ctx, in)
	if err != nil {
		return err
	}
	for i, got := range out {
		want, _, err := readPB(filepath.Join(set, fmt.Sprintf("output_%d.pb", i)))
		if err != nil {
			return err
		}
		d := tol.compare(got, want)
		res.Worst = max(res.Worst, d.worst)
		if !d.ok() {
			return fmt.Errorf("output %s: %v", m.graph.ResultNames[i], &d)
		}
	}
	return nil
}
