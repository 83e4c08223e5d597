package passes

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tensorcc/tcc/frontend/onnx"
	"github.com/tensorcc/tcc/ir"
)

// TestModels runs the pipeline in check mode over the models of the corpora.
func TestModels(t *testing.T) {
	files, _ := filepath.Glob("../../shared/corpora/models/*/model.onnx")
	if len(files) == 0 {
		t.Skip("no ../shared/corpora/models beside the module")
	}
	for _, path := range files {
		name := filepath.Base(filepath.Dir(path))
		t.Run(name, func(t *testing.T) {
			m, err := onnx.Load(path, onnx.Options{})
			if err != nil {
				t.Skipf("not imported: %v", err)
			}
			defer m.Close()
			start := time.Now()
			plain, err := Run(m.Graph, Options{})
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			if again, err := Run(m.Graph, Options{}); err != nil || again.String() != plain.String() {
				t.Errorf("a second run gives another graph (error %v)", err)
			}
			if _, err := Run(m.Graph, Options{Check: true}); err != nil {
				t.Fatalf("%.3000v", err)
			}
			mem := PlanMemory(plain)
			env := map[string]int64{}
			for _, s := range mem.Total().SymNames() {
				env[s] = 64
			}
			arena, bound, err := mem.Peak(env)
			if err != nil {
				t.Fatal(err)
			}
			if err := mem.check(env); err != nil {
				t.Error(err)
			}
			t.Logf("%d values, %v, %s; arena %d, bound %d (%.2f)",
				len(m.Graph.Values), took.Round(time.Millisecond), kinds(plain),
				arena, bound, float64(arena)/float64(max(bound, 1)))
		})
	}
}

// kinds counts the regions of g and its bodies by kind, and other values by
// operation.
func kinds(g *ir.Graph) string {
	count := map[string]int{}
	countKinds(g, count)
	var keys []string
	for k := range count {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, "%s:%d ", k, count[k])
	}
	return strings.TrimSpace(b.String())
}

func countKinds(g *ir.Graph, count map[string]int) {
	for _, v := range g.Values {
		if a, ok := v.Attr.(*ir.FuseAttr); ok {
			count[a.Kind]++
			continue
		}
		if v.Op != ir.OpParam && v.Op != ir.OpConst && v.Op != ir.OpGet {
			count["("+v.Op.String()+")"]++
		}
		for _, r := range v.Regions() {
			countKinds(r, count)
		}
	}
}
