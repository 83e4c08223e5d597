package schedule

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tensorcc/tcc/codegen/kernel"
)

// TestGPU schedules kernels for a GPU and executes the trees before and after.
func TestGPU(t *testing.T) {
	for _, tc := range []struct {
		strategy, text string
		dims           []int64
		want           string // in the scheduled tree
	}{
		{"rows", `kernel sum(x f32[C*R] in, y f32[R] out) dims(R, C)
	serial i < R
		alloc acc f32[1] local
		acc[0] = 0.0f32
		serial j < C
			acc[0] = add(acc[0], x[C*i+j])
		y[i] = acc[0]
`, []int64{3, 700}, "block.x jl < 256"},
		{"rows", `kernel sum(x f32[60*R] in, y f32[R] out) dims(R)
	serial i < R
		alloc acc f32[1] local
		acc[0] = 0.0f32
		serial j < 6
			serial l < 10
				acc[0] = add(acc[0], x[60*i+10*j+l])
		y[i] = acc[0]
`, []int64{3}, "block.x jl < 64"},
		{"elements", `kernel columns(x f32[C*R] in, y f32[C] out) dims(R, C)
	serial i < C
		alloc acc f32[1] local
		acc[0] = 0.0f32
		serial j < R
			acc[0] = add(acc[0], x[C*j+i])
		y[i] = acc[0]
`, []int64{5, 300}, "block.x il < 256"},
		{"elements", `kernel short(x f32[3*N] in, y f32[3*N] out) dims(N)
	serial i < N
		serial j < 3
			y[3*i+j] = neg(x[N*j+i])
`, []int64{300}, "grid.x i < ((3*N+255)/256)"},
		{"single", "kernel one(x f32[1] in, y f32[1] out)\n\ty[0] = neg(x[0])\n", nil, "y[0]"},
	} {
		k, err := kernel.Parse(tc.text)
		if err != nil {
			t.Fatal(err)
		}
		c, how, err := ExplainGPU(k, GPUTargets["sm_80"])
		if err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		if how, _, _ := strings.Cut(how, ";"); how != tc.strategy || !strings.Contains(c.String(), tc.want) {
			t.Errorf("%s is scheduled by %s, want %s with %s\n%v", k.Name, how, tc.strategy, tc.want, c)
		}
		want, got := inputs(t, k, tc.dims), inputs(t, k, tc.dims)
		if _, err := kernel.Run(k, want, tc.dims); err != nil {
			t.Fatal(err)
		}
		if status, err := kernel.Run(c, got, tc.dims); err != nil || status != 0 {
			t.Errorf("%s: status %d, %v\n%v", k.Name, status, err, c)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", k.Name, diff)
		}
	}
}

// TestGPURefuses has kernels that no strategy takes, and why.
func TestGPURefuses(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{`kernel argmax(x f32[N] in, y i64[1] out) dims(N)
	alloc best f32[1] local
	best[0] = x[0]
	alloc at i64[1] local
	at[0] = 0i64
	serial i < N
		if gt(x[i], best[0])
			best[0] = x[i]
			at[0] = i
	y[0] = at[0]
`, "not rows: splitreduction i: "},
		{`kernel fails(x f32[N] in, y f32[1] out) dims(N)
	alloc acc f32[1] local
	acc[0] = 0.0f32
	serial i < N
		fail 1 isnan(x[i])
		acc[0] = add(acc[0], x[i])
	y[0] = acc[0]
`, "not rows: a statement may end the kernel"},
		{`kernel two(x f32[N] in, y f32[N] out, z f32[N] out) dims(N)
	serial i < N
		y[i] = x[i]
	serial j < N
		z[j] = x[j]
`, "not elements: no independent outer loop"},
		{`kernel scratch(x f32[N*N] in, y f32[N*N] out) dims(N)
	serial i < N
		alloc row f32[N] scratch
		serial j < N
			row[j] = x[N*i+j]
		serial l < N
			y[N*i+l] = row[-l+N-1]
`, "not elements: recompute row: loop j does nothing else"},
	} {
		k, err := kernel.Parse(tc.text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := GPU(k, GPUTargets["sm_80"]); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", k.Name, err, tc.want)
		}
	}
}
