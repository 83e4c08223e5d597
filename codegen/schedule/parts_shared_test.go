package schedule

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/kernel"
)

// TestShared: which products have the parts of their columns made once for all
// tasks, and how many tasks these then have.
func TestShared(t *testing.T) {
	own := strings.NewReplacer("COLS", "B*K*N", "AT", "h*K*N+k*N+n")
	same := strings.NewReplacer("COLS", "K*N", "AT", "k*N+n")
	for _, tc := range []struct {
		name, b, m, k, n string
		own              bool
		want             string // tasks ahead and all tasks
	}{
		{"two blocks of the accumulation", "1", "1024", "1024", "1024", false, "64 72"},
		{"few rows", "1", "512", "512", "512", false, "16 20"},
		{"tasks of half the columns", "1", "2048", "2048", "2048", false, "256 288"},
		{"columns of all batches", "6", "512", "512", "512", false, "16 32"},
		{"columns of each batch", "6", "512", "512", "512", true, "96 120"},
		{"an edge", "1", "1000", "512", "1000", false, "32 40"},
		{"all rows in one task", "1", "200", "512", "4096", false, "0 4"},
		{"more than is kept", "1", "2048", "4096", "4096", false, "0 128"},
		{"little to pack", "1", "256", "128", "128", false, "0 1"},
		{"rows not known", "1", "S", "1024", "1024", false, "0 4*((((S+31)/32)+7)/8)"},
	} {
		dims := strings.NewReplacer("B", tc.b, "M", tc.m, "K", tc.k, "N", tc.n)
		s := same.Replace(productText)
		if tc.own {
			s = own.Replace(productText)
		}
		k, err := kernel.Parse(dedent(dims.Replace(s)))
		if err != nil {
			t.Fatal(err)
		}
		out, how, err := Explain(k, Targets["amx"])
		if err != nil || !strings.HasPrefix(how, "groups") {
			t.Errorf("%s: %v, %s", tc.name, err, how)
			continue
		}
		if got := fmt.Sprint(kernel.TasksAhead(out), " ", kernel.Tasks(out)); got != tc.want {
			t.Errorf("%s: tasks ahead and all tasks: %s, want %s", tc.name, got, tc.want)
		}
		inner := Targets["amx"]
		inner.Inner = true
		if out, err = Schedule(k, inner); err != nil || !kernel.TasksAhead(out).IsConst(0) {
			t.Errorf("%s: %v, and tasks ahead inside of a kernel", tc.name, err)
		}
	}
}
