package codegen

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

func TestTuningText(t *testing.T) {
	u := &Tuning{Members: 24, Kernels: map[KernelID]schedule.Choice{
		{"x86-64-v3", "b"}: {"cols": 4, "rows": 7}, {"x86-64-v3", "a"}: {"l2": 1 << 20}, {"amx", "c"}: {"fold": 1}}}
	var text bytes.Buffer
	if err := u.Write(&text, map[KernelID]string{{"x86-64-v3", "b"}: "k1_dot"}); err != nil {
		t.Fatal(err)
	}
	want := `tcc tuning 1
members 24
kernel amx c fold=1
kernel x86-64-v3 a l2=1048576
kernel x86-64-v3 b rows=7 cols=4 # k1_dot
`
	if text.String() != want {
		t.Errorf("wrote %s\nwant %s", text.String(), want)
	}
	got, err := ReadTuning(&text)
	if err != nil || !cmp.Equal(got, u) {
		t.Errorf("read back %v: %s", err, cmp.Diff(u, got))
	}
	for _, bad := range []string{"tcc tuning 2\n", "", "tcc tuning 1\nmembers x", "tcc tuning 1\nkernel a b",
		"tcc tuning 1\nkernel a b rows", "tcc tuning 1\nkernel a b rows=0", "tcc tuning 1\nkernel a b spin=1",
		"tcc tuning 1\nthis is it"} {
		if u, err := ReadTuning(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read as %v", bad, u)
		}
	}
}

const tunedText = `graph dot
	v0 = param <f32[40,30]> {x}
	v1 = param <f32[30,50]> {y}
	v2 = dot <f32[40,50]> v0 v1 {lcontract=[1] rcontract=[0]}
	return v2
`

// TestTunables compiles one product with each value of each tunable: all agree, some have other
// code, and an entry for another kernel is stale.
func TestTunables(t *testing.T) {
	g := dotGraph(t)
	level := runtime.LevelGeneric
	for _, l := range runtime.Levels() {
		if l != runtime.LevelGeneric {
			level = l
			break
		}
	}
	plain, err := prepare(g, Options{Levels: []string{level}})
	if err != nil {
		t.Fatal(err)
	}
	id := plain.ID(level, 0)
	changed := 0
	for _, p := range schedule.Tunables {
		for _, v := range p.Values {
			u := &Tuning{Kernels: map[KernelID]schedule.Choice{id: {p.Name: v}, {level, "0"}: {p.Name: v}}}
			a, err := prepare(g, Options{Levels: []string{level}, Tuning: u})
			if err != nil {
				t.Fatalf("%s=%d: %v", p.Name, v, err)
			}
			if a.Stats.Tuned != 1 || a.Stats.Stale != 1 {
				t.Errorf("%s=%d: %d tuned, %d stale", p.Name, v, a.Stats.Tuned, a.Stats.Stale)
			}
			if a.Levels[0].Kernels[0].Tree.String() != plain.Levels[0].Kernels[0].Tree.String() {
				changed++
			}
		}
	}
	if level != runtime.LevelGeneric && changed < 5 {
		t.Errorf("only %d choices change the schedule", changed)
	}
}

func dotGraph(t *testing.T) *ir.Graph {
	t.Helper()
	g, err := ir.Parse("dot.tir", tunedText)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
