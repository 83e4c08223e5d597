package irtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
)

const opsDir = "../../testdata/ops"

func TestOps(t *testing.T) { irtest.RunOps(t, opsDir, interpret) }

// TestOpTable checks the rows themselves.
func TestOpTable(t *testing.T) {
	seen := map[string]bool{}
	for _, op := range ir.Ops() {
		info := op.Info()
		if info.Name == "" || seen[info.Name] || info.Name != strings.ToLower(info.Name) {
			t.Errorf("op %d: name %q is empty, not new or not lower-case", op, info.Name)
		}
		seen[info.Name] = true
		if !strings.HasSuffix(info.Doc, ".") {
			t.Errorf("%v: doc %q is not a sentence", op, info.Doc)
		}
		if info.Infer == nil && op != ir.OpParam {
			t.Errorf("%v: no type rule", op)
		}
		if back, ok := ir.ParseOp(info.Name); !ok || back != op {
			t.Errorf("ParseOp(%q) = %v", info.Name, back)
		}
		if op.Is(ir.Commutes) && info.Args != 2 {
			t.Errorf("%v commutes with %d arguments", op, info.Args)
		}
	}
	files, err := os.ReadDir(opsDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name, _ := strings.CutSuffix(f.Name(), ".txtar")
		if _, ok := ir.ParseOp(name); !ok {
			t.Errorf("%s is the file of no operation", filepath.Join(opsDir, f.Name()))
		}
	}
}
