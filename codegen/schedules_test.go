package codegen

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/cache"
	"github.com/tensorcc/tcc/codegen/purego"
	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/irtest"
	"github.com/tensorcc/tcc/runtime"
)

// made is all that an artifact has of its kernels.
func made(t *testing.T, a *Artifact) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintln(&b, a.Plan.Program.Exprs)
	for _, l := range a.Levels {
		for i := range l.Kernels {
			k := &l.Kernels[i]
			fmt.Fprintln(&b, l.Name, i, k.Same, k.Tasks, k.Scratch, k.Tree)
			if k.Code != nil {
				fmt.Fprintf(&b, "%s %d %x\n", k.Code.Name, k.Code.Stack, k.Code.Code)
			}
			if l.Name == runtime.LevelGeneric {
				src, err := purego.Func(k.Tree, "f")
				if err != nil {
					t.Fatal(err)
				}
				b.WriteString(src)
			}
		}
	}
	return b.String()
}

// firstDiff has the first lines that differ.
func firstDiff(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d:\n%.300s\nwanted\n%.300s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, wanted %d", len(g), len(w))
}

// TestKept compiles without a store, with an empty one, with one that has everything, and with one
// that has the schedules alone: the results are the same to the byte, or builds would depend on what
// was compiled before.
func TestKept(t *testing.T) {
	levels := append(baseLevels(t), runtime.LevelAMX, runtime.LevelGeneric)
	graphs := []*ir.Graph{dotGraph(t)}
	seeds := uint64(9)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		if seed%16 != 5 { // see config
			graphs = append(graphs, irtest.Generate(config(seed)).Graph)
		}
	}
	full := &cache.Store{Dir: t.TempDir(), Limit: 1 << 30}
	trees := &cache.Store{Dir: t.TempDir(), Limit: 1 << 30}
	for _, g := range graphs {
		compile := func(s *cache.Store) *Artifact {
			o := Options{Levels: levels, store: func() (*cache.Store, error) { return s, nil }}
			a, err := Compile(t.Context(), g, o)
			if err != nil {
				if notNative.MatchString(err.Error()) {
					return nil
				}
				t.Fatalf("%v\n%v", err, g)
			}
			return a
		}
		plain := compile(nil)
		if plain == nil {
			continue
		}
		want := made(t, plain)
		compile(full)
		hit := compile(full)
		if hit.Stats.Cached != hit.Stats.Kernels {
			t.Errorf("%d of %d kernels are cached", hit.Stats.Cached, hit.Stats.Kernels)
		}
		for _, l := range hit.Levels {
			for i := range l.Kernels {
				k := &l.Kernels[i]
				if k.sched.kept == nil || k.Code != nil && *k.sched.kept == (cache.Key{}) {
					t.Errorf("%s: kernel %d was not kept:\n%v", l.Name, i, k.Tree)
				}
				k.sched.kept = nil
				k.sched.keep(trees)
			}
		}
		for what, a := range map[string]*Artifact{"an empty store": compile(full), "a full store": hit,
			"schedules alone": compile(trees)} {
			if got := made(t, a); got != want {
				t.Errorf("%s: the result is another: %s", what, firstDiff(got, want))
			}
		}
	}
}

// TestKeptApart: what decides about a schedule or the IR is in its key.
func TestKeptApart(t *testing.T) {
	a, err := prepare(dotGraph(t), Options{Levels: []string{"x86-64-v4"}})
	if err != nil {
		t.Fatal(err)
	}
	store := &cache.Store{Dir: t.TempDir(), Limit: 1 << 20}
	seen := map[cache.Key]string{}
	for _, o := range []struct {
		what string
		Options
	}{
		{what: "plain"},
		{"precision", Options{Precision: 1}},
		{"emulated", Options{Emulate: true}},
		{"tuned", Options{Tuning: &Tuning{Kernels: map[KernelID]schedule.Choice{a.ID("amx", 0): {"rows": 3}}}}},
	} {
		o.Levels, o.store = []string{"amx"}, func() (*cache.Store, error) { return store, nil }
		a, err := prepare(dotGraph(t), o.Options)
		if err != nil {
			t.Fatal(err)
		}
		key := a.Levels[0].Kernels[0].sched.key
		if other, ok := seen[key]; ok {
			t.Errorf("%s has the key of %s", o.what, other)
		}
		seen[key] = o.what
	}
}
