package irtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"golang.org/x/tools/txtar"
)

// RunOps runs the files OP.txtar of a folder, one for each operation:
//
//	in      a graph without parameters that uses the operation
//	eval    a graph of constants: the results of in
//	bad-cN  a graph that the type rules refuse with the label cN
//
// A line "ulp: N" in the head grants float results N units in the last place;
// otherwise they agree to the bit. With TCC_UPDATE=1 the text of in and eval
// is printed anew, its values unchanged; an empty eval is filled by eval, to
// be checked by hand.
func RunOps(t *testing.T, dir string, eval Evaluator) {
	for _, op := range ir.Ops() {
		if op == ir.OpParam {
			continue // it computes nothing: what it is bound to is the caller's
		}
		t.Run(op.String(), func(t *testing.T) {
			runOp(t, op, filepath.Join(dir, op.String()+".txtar"), eval)
		})
	}
}

func runOp(t *testing.T, op ir.Op, file string, eval Evaluator) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ulp := 0
	for line := range strings.Lines(string(a.Comment)) {
		fmt.Sscanf(line, "ulp: %d", &ulp)
	}
	bad := map[string]bool{}
	var in *ir.Graph
	for i := range a.Files {
		f := &a.Files[i]
		text := string(f.Data)
		switch label, isBad := strings.CutPrefix(f.Name, "bad-"); {
		case isBad:
			bad[label] = true
			_, err := ir.Parse("", text)
			if want := op.String() + ": " + label + ": "; err == nil || !strings.Contains(err.Error(),
				want) {
				t.Errorf("%s: error %v, want one with %q", f.Name, err, want)
			}
		case f.Name == "in":
			in = parseSection(t, f)
			if !uses(in, op) {
				t.Errorf("in: no %v", op)
			}
		case f.Name == "eval" && in != nil:
			f.Data = evalSection(t, in, f, eval, ulp)
		default:
			t.Errorf("section %s, want in, eval after in, bad-cN", f.Name)
		}
	}
	if in == nil {
		t.Error("no section in")
	}
	for _, label := range Labels(op) {
		if !bad[label] {
			t.Errorf("no section bad-%s", label)
		}
	}
	if os.Getenv("TCC_UPDATE") == "1" && !t.Failed() {
		if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// parseSection parses a graph and puts its canonical text in place.
func parseSection(t *testing.T, f *txtar.File) *ir.Graph {
	g, err := ir.Parse("", string(f.Data))
	if err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	canonical := ir.Print(g)
	if string(f.Data) != canonical && os.Getenv("TCC_UPDATE") != "1" {
		t.Errorf("%s: TCC_UPDATE=1 would print it as\n%s", f.Name, canonical)
	}
	f.Data = []byte(canonical)
	return g
}

// evalSection compares what in computes with the constants of the section,
// whose text it returns.
func evalSection(t *testing.T, in *ir.Graph, f *txtar.File, eval Evaluator, ulp int) []byte {
	got, err := eval(in, nil)
	if err != nil {
		t.Fatalf("eval: %v", err)
	}
	if strings.TrimSpace(string(f.Data)) == "" {
		g := ir.NewGraph("want")
		var rs []*ir.Value
		for _, l := range got {
			rs = append(rs, g.Must(ir.Pos{}, ir.OpConst, &ir.ConstAttr{Value: l}))
		}
		g.SetResults(nil, rs...)
		f.Data = []byte(ir.Print(g))
	}
	want := parseSection(t, f)
	if len(got) != len(want.Results) {
		t.Fatalf("eval: %d results, want %d", len(got), len(want.Results))
	}
	for i, r := range want.Results {
		l := r.Attr.(*ir.ConstAttr).Value
		b := Bound{Rel: float64(ulp) * unit(l.DType)}
		if err := CompareLiterals(got[i], l, b); err != nil {
			t.Errorf("eval: result %d: %v", i, err)
		}
	}
	return f.Data
}

// uses reports whether g or a region of it has op.
func uses(g *ir.Graph, op ir.Op) bool {
	for _, v := range g.Values {
		if v.Op == op {
			return true
		}
		for _, r := range v.Regions() {
			if uses(r, op) {
				return true
			}
		}
	}
	return false
}

var labelRange = regexp.MustCompile(`\(c([0-9])\)(?:-\(c([0-9])\))?`)

// Labels returns the labels of the conditions in the Doc of op: "c1", "c2".
func Labels(op ir.Op) []string {
	var out []string
	for _, m := range labelRange.FindAllStringSubmatch(op.Info().Doc, -1) {
		last := m[2]
		if last == "" {
			last = m[1]
		}
		for c := m[1][0]; c <= last[0]; c++ {
			out = append(out, "c"+string(c))
		}
	}
	return out
}
