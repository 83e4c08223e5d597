package codegen

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// cell is a loop over rows of x that carries h and d, which it passes on, and stacks two results;
// one needs the gate of h that the step before made.
func cell(d string, batch, width int, more string) string {
	return fmt.Sprintf(`graph f
	v0 = param <%[4]s[%[1]d,%[2]d]> {h}
	v1 = param <%[4]s[9,%[1]d,%[2]d]> {x}
	v2 = param <%[4]s[%[2]d,%[2]d]> {w}
	v3 = param <%[4]s[%[1]d,%[2]d]> {d}
	v4 = scan <(%[4]s[%[1]d,%[2]d], %[4]s[%[1]d,%[2]d], %[4]s[9,%[1]d,%[2]d], %[4]s[9,%[1]d])> v0 v3 v1 v2 {carry=2 xs=1 length=9%[3]s}
		body graph step
			v0 = param <%[4]s[%[1]d,%[2]d]> {h}
			v1 = param <%[4]s[%[1]d,%[2]d]> {d}
			v2 = param <%[4]s[%[1]d,%[2]d]> {x}
			v3 = param <%[4]s[%[2]d,%[2]d]> {w}
			v4 = dot <%[4]s[%[1]d,%[2]d]> v0 v3 {lcontract=[1] rcontract=[0]}
			v5 = add <%[4]s[%[1]d,%[2]d]> v4 v2
			v6 = max <%[4]s[%[1]d,%[2]d]> v5 v1
			v7 = reducemax <%[4]s[%[1]d]> v6 {[1]}
			return v6 v1 v6 v7
	v5 = get <%[4]s[%[1]d,%[2]d]> v4 {0}
	v6 = get <%[4]s[%[1]d,%[2]d]> v4 {1}
	v7 = get <%[4]s[9,%[1]d,%[2]d]> v4 {2}
	v8 = get <%[4]s[9,%[1]d]> v4 {3}
	return v5 v6 v7 v8
`, batch, width, more, d)
}

// TestSteps compares loops that are one kernel with the interpreter.
func TestSteps(t *testing.T) {
	for _, more := range []string{"", " reverse=true"} {
		exactly(t, cell("i64", 1, 5, more))
		exactly(t, cell("i64", 3, 16, more))
		exactly(t, cell("i64", 0, 16, more))
	}
}

// TestStepsWhereShort says which loops are one kernel: no step of which is worth threads.
func TestStepsWhereShort(t *testing.T) {
	for _, c := range []struct {
		batch, width int
		one          bool
	}{{1, 16, true}, {1, 128, true}, {16, 512, false}} {
		g, err := ir.Parse("test.tir", cell("f32", c.batch, c.width, ""))
		if err != nil {
			t.Fatal(err)
		}
		a, err := prepare(g, Options{Levels: []string{runtime.LevelGeneric}})
		if err != nil {
			t.Fatal(err)
		}
		loops, ordered := 0, 0
		for _, s := range a.Plan.Program.Steps {
			switch s := s.(type) {
			case *runtime.Loop:
				loops++
			case *runtime.Launch:
				if s.Ordered {
					ordered++
				}
			}
		}
		if one := ordered == 1 && loops == 0; one != c.one || ordered+loops != 1 {
			t.Errorf("%d x %d: %d loops, %d kernels of steps, wanted one kernel: %v", c.batch, c.width,
				loops, ordered, c.one)
		}
		for _, k := range a.Plan.Trees {
			if s := k.String(); c.one && !strings.Contains(s, "steps") {
				t.Errorf("%d x %d: a kernel beside that of the steps:\n%s", c.batch, c.width, s)
			}
		}
	}
}
