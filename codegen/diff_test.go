package codegen

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
	"github.com/tensorcc/tcc/passes"
)

// The differential fuzzer: random graphs, interpreter against native code at
// each level of this machine. TCC_FUZZ_GRAPHS says how many, TCC_FUZZ_FROM the
// first seed. A failing graph is shrunk and written to a file, which
// TestDiffCases runs once it is put into testdata/e2e.

// config is the generator's configuration for a seed. Types that are storage
// alone are left out of most graphs: a graph with one is refused.
func config(seed uint64) irtest.Config {
	c := irtest.Config{Seed: seed, Size: 3 + int(seed%14)}
	if seed%16 != 5 {
		c.Allow = func(_ ir.Op, d ir.DType) bool {
			return d != ir.I4 && d != ir.U4 && d != ir.F8E4M3 && d != ir.F8E5M2
		}
	}
	if seed%5 == 4 { // concats whose parts kernels write
		c.Size += 20
		c.Allow = func(o ir.Op, d ir.DType) bool {
			return aroundConcat[o] && (d == ir.F32 || d == ir.BF16)
		}
	}
	return c
}

// aroundConcat has operations that make what a concat joins, or read it.
var aroundConcat = map[ir.Op]bool{
	ir.OpParam: true, ir.OpConcat: true, ir.OpMul: true, ir.OpSum: true, ir.OpReduceMax: true,
	ir.OpDot: true, ir.OpReshape: true, ir.OpTanh: true, ir.OpTranspose: true,
}

// report is what a run over seeds found.
type report struct {
	Cases, Values int
	InPlace       int            // results in the memory of parameters
	Parts         int            // values in the memory of a concat
	Covered       map[string]int // "op dtype"
	Skipped       map[string]int // by reason
	Failures      []failure
}

type failure struct {
	Seed  uint64
	Level string
	Text  string
}

func (r *report) add(o *report) {
	r.Cases += o.Cases
	r.Values += o.Values
	r.InPlace += o.InPlace
	r.Parts += o.Parts
	for k, n := range o.Covered {
		r.Covered[k] += n
	}
	for k, n := range o.Skipped {
		r.Skipped[k] += n
	}
	r.Failures = append(r.Failures, o.Failures...)
}

// parts counts the results of kernels of g that lie in the memory of a concat.
func parts(m *passes.MemoryPlan, g *ir.Graph) int {
	n := 0
	for _, v := range g.Values {
		for i := range v.ResultTypes() {
			if whole, _, _, _ := m.Within(v, i); whole != nil {
				n++
			}
		}
		for _, body := range v.Regions() {
			n += parts(m, body)
		}
	}
	return n
}

func newReport() *report { return &report{Covered: map[string]int{}, Skipped: map[string]int{}} }

func (r *report) cover(g *ir.Graph) {
	for _, v := range g.Values {
		r.Values++
		r.Covered[v.Op.String()+" "+v.Type.DType.String()]++
		for _, body := range v.Regions() {
			r.cover(body)
		}
	}
}

// notNative is how the compiler says that it lacks an element type.
var notNative = regexp.MustCompile(`element type \w+ is not supported natively`)

// checkSeeds checks the cases of the seeds [from, to), which share modules.
// progress is told of each seed before its code runs.
func checkSeeds(from, to uint64, levels []string,
	progress func(seed uint64, level string)) (*report, error) {
	r := newReport()
	var subjects []*subject
	for seed := from; seed < to; seed++ {
		subjects = append(subjects, newSubject(irtest.Generate(config(seed)), levels))
	}
	if err := compileAll(subjects, levels); err != nil {
		return nil, err
	}
	for _, s := range subjects {
		if s.err != nil {
			if why := notNative.FindString(s.err.Error()); why != "" {
				r.Skipped[why]++
				continue
			}
			r.Failures = append(r.Failures, failure{s.c.Seed, levels[0], s.err.Error()})
			continue
		}
		want, err := wanted(s.c)
		if err != nil {
			return nil, fmt.Errorf("seed %d: %w", s.c.Seed, err)
		}
		r.Cases++
		r.cover(s.c.Graph)
		for _, p := range s.a.Plan.Program.Outputs {
			r.InPlace += min(p.InPlace, 1)
		}
		r.Parts += parts(passes.PlanMemory(s.a.Graph), s.a.Graph)
		for _, level := range levels {
			progress(s.c.Seed, level)
			err := guard(func() error { return s.run(level, want) })
			if err == nil {
				err = guard(func() error { return s.attack(level) })
			}
			if err != nil {
				r.Failures = append(r.Failures, failure{s.c.Seed, level, err.Error()})
			}
		}
	}
	return r, nil
}

func env(name string, or int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return or
}

// TestDiff checks generated graphs, some hundreds at a time in a process of
// their own.
func TestDiff(t *testing.T) {
	levels := nativeLevels(t)
	n := 200
	if testing.Short() {
		n = 60
	}
	n = env("TCC_FUZZ_GRAPHS", n)
	from := uint64(env("TCC_FUZZ_FROM", 1))
	const batch = 250
	total := newReport()
	for at, end := from, from+uint64(n); at < end; {
		r, next := checkChild(t, at, min(at+batch, end))
		total.add(r)
		for _, f := range r.Failures {
			t.Errorf("seed %d: level %s: %s", f.Seed, f.Level, f.Text)
		}
		at = next
		if n > batch {
			t.Logf("%d of %d graphs, %d failures", at-from, n, len(total.Failures))
		}
	}
	logCoverage(t, total, levels)
	if os.Getenv("TCC_FUZZ_SHRINK") == "" && len(total.Failures) > 3 {
		total.Failures = total.Failures[:3]
	}
	last := uint64(0)
	for _, f := range total.Failures {
		if f.Seed != last { // it often fails at each level
			shrinkFailure(t, f)
		}
		last = f.Seed
	}
}

func logCoverage(t *testing.T, r *report, levels []string) {
	ops, types := map[string]bool{}, map[string]bool{}
	for k := range r.Covered {
		op, d, _ := strings.Cut(k, " ")
		ops[op], types[d] = true, true
	}
	t.Logf("%d graphs of %d values at levels %s: %d ops, %d result types, %d pairs of them; "+
		"%d results in place, %d parts of concats", r.Cases, r.Values, strings.Join(levels, ", "), len(ops),
		len(types), len(r.Covered), r.InPlace, r.Parts)
	for _, why := range slices.Sorted(maps.Keys(r.Skipped)) {
		t.Logf("%d graphs refused: %s", r.Skipped[why], why)
	}
}

// checkChild runs checkSeeds in a child process. A fault in a kernel ends the
// child and is a failure; next is the seed to go on with.
func checkChild(t *testing.T, from, to uint64) (r *report, next uint64) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestDiffChild$", "-test.timeout=30m")
	cmd.Env = append(os.Environ(), fmt.Sprintf("TCC_DIFF_SEEDS=%d:%d", from, to), "TCC_DIFF_DIR="+dir)
	out, err := cmd.CombinedOutput()
	r = newReport()
	if data, rerr := os.ReadFile(filepath.Join(dir, "report")); rerr == nil {
		if err := json.Unmarshal(data, r); err != nil {
			t.Fatal(err)
		}
		return r, to
	}
	var f failure
	data, rerr := os.ReadFile(filepath.Join(dir, "progress"))
	if _, serr := fmt.Sscan(string(data), &f.Seed, &f.Level); rerr != nil || serr != nil {
		t.Fatalf("seeds %d to %d: child: %v\n%s", from, to, err, out)
	}
	lines := strings.SplitAfter(string(out), "\n")
	lines = lines[:min(len(lines), 30)]
	f.Text = fmt.Sprintf("the process ends: %v\n%s", err, strings.Join(lines, ""))
	r.Failures = append(r.Failures, f)
	return r, f.Seed + 1
}

// TestDiffChild is what checkChild and checkApart run in a child process.
func TestDiffChild(t *testing.T) {
	if file := os.Getenv(childCase); file != "" {
		if err := checkCase(readCase(t, file), os.Getenv("TCC_DIFF_LEVEL")); err != nil {
			t.Fatal(err)
		}
		return
	}
	var from, to uint64
	if _, err := fmt.Sscanf(os.Getenv("TCC_DIFF_SEEDS"), "%d:%d", &from, &to); err != nil {
		t.Skip("part of TestDiff")
	}
	dir := os.Getenv("TCC_DIFF_DIR")
	r, err := checkSeeds(from, to, nativeLevels(t), func(seed uint64, level string) {
		text := fmt.Append(nil, seed, " ", level)
		if err := os.WriteFile(filepath.Join(dir, "progress"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "report"), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func readCase(t testing.TB, file string) *irtest.Case {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := irtest.ParseCase(data)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return c
}

// shrinkFailure makes a failing case small and keeps it in a file.
func shrinkFailure(t *testing.T, f failure) {
	t.Helper()
	c := irtest.Generate(config(f.Seed))
	fails := checkCase
	if strings.HasPrefix(f.Text, "the process ends") {
		fails = checkApart
	}
	if fails(c, f.Level) == nil {
		t.Logf("seed %d: does not fail alone", f.Seed)
		return
	}
	const budget = 150
	still := func(c *irtest.Case) bool { return fails(c, f.Level) != nil }
	small := irtest.Shrink(c, reference, still, budget)
	err := fails(small, f.Level)
	dir := cmp.Or(os.Getenv("TCC_FUZZ_DIR"), filepath.Join(os.TempDir(), "tcc-diff"))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, fmt.Sprintf("seed%d.txtar", f.Seed))
	if err := os.WriteFile(file, small.Format(), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(err)
	t.Logf("shrunk to %s\nat fault: %s\n%s\n%v", file, locate(small, f.Level),
		text[:min(len(text), 2000)], small.Graph)
}

// TestDiffCases runs the cases that once failed.
func TestDiffCases(t *testing.T) {
	levels := nativeLevels(t)
	files, err := filepath.Glob("../testdata/e2e/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in testdata/e2e: %v", err)
	}
	for _, file := range files {
		c := readCase(t, file)
		for _, level := range levels {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+level, func(t *testing.T) {
				if err := checkCase(c, level); err != nil {
					t.Errorf("%v\n%v", err, c.Graph)
				}
			})
		}
	}
}

// FuzzDiff checks the graph of a seed at each level.
func FuzzDiff(f *testing.F) {
	levels := nativeLevels(f)
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		r, err := checkSeeds(seed, seed+1, levels, func(uint64, string) {})
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range r.Failures {
			t.Errorf("seed %d: level %s: %s", bad.Seed, bad.Level, bad.Text)
			shrinkFailure(t, bad)
		}
	})
}
