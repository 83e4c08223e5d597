package llvm

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/tensorcc/tcc/codegen/cache"
	"github.com/tensorcc/tcc/codegen/kernel"
)

// someKernels use constants of 1 byte to 64, some of them the same ones, and an endless choice of
// names.
func someKernels(t *testing.T, n int) []*kernel.Kernel {
	t.Helper()
	var out []*kernel.Kernel
	for i := range n {
		k, err := kernel.Parse(fmt.Sprintf(`
kernel k%d(x f32[64*N] in, b u8[64*N] in, y f32[64*N] out, z u8[64*N] out) dims(N)
	parallel i < N
		vector l < 16
			y[64*i+l] = fma(x[64*i+l], %d.5f32, f32(%d*l*l))
		vector m < 8
			y[64*i+m+32] = select(lt(x[64*i+m], 3.0f32), %d.25f32, x[64*i+2*m])
		vector n < 64
			z[64*i+n] = select(lt(b[64*i+n], %du8), 7u8, mul(b[64*i+n], b[64*i+n]))
`, i, i/2, 1+i/2, i%3, 3+i))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, k)
	}
	return out
}

// TestKernelsAlone compiles kernels one by one, together, in another order, and from a store that
// has some of them: the code is the same, or builds would depend on what the cache has.
func TestKernelsAlone(t *testing.T) {
	tc := find(t)
	ks := someKernels(t, 6)
	for _, target := range Targets {
		want := make([]Func, len(ks))
		for i, k := range ks {
			f, hits, err := tc.Kernels(t.Context(), []*kernel.Kernel{k}, target, KernelOptions{})
			if err != nil || hits != 0 {
				t.Fatalf("%s: %v, %d hits", target.Level, err, hits)
			}
			want[i] = f[0]
		}
		store := &cache.Store{Dir: t.TempDir(), Limit: 1 << 20}
		check := func(what string, at []int, wantHits int) {
			t.Helper()
			var some []*kernel.Kernel
			for _, i := range at {
				some = append(some, ks[i])
			}
			got, hits, err := tc.Kernels(t.Context(), some, target, KernelOptions{Store: store})
			if err != nil || hits != wantHits {
				t.Fatalf("%s: %s: %v, %d hits, want %d", target.Level, what, err, hits, wantHits)
			}
			for j, i := range at {
				if got[j].Name != ks[i].Name || got[j].Stack != want[i].Stack ||
					!bytes.Equal(got[j].Code, want[i].Code) {
					t.Errorf("%s: %s: code of kernel %d differs from that of the kernel alone",
						target.Level, what, i)
				}
			}
		}
		check("two", []int{4, 1}, 0)
		check("all, two of them stored", []int{0, 1, 2, 3, 4, 5}, 2)
		order := []int{5, 3, 1, 0, 2, 4}
		check("all stored", order, 6)
		if err := store.Clear(); err != nil {
			t.Fatal(err)
		}
		slices.Reverse(order)
		check("in another order", order, 0)
	}
}

// TestKernelsSame has kernels that differ in their name alone: one entry serves them.
func TestKernelsSame(t *testing.T) {
	tc := find(t)
	store := &cache.Store{Dir: t.TempDir(), Limit: 1 << 20}
	k := someKernels(t, 1)[0]
	for i, name := range []string{"a", "b"} {
		c := *k
		c.Name = name
		f, hits, err := tc.Kernels(t.Context(), []*kernel.Kernel{&c}, Targets[0], KernelOptions{Store: store})
		if err != nil || hits != i || f[0].Name != name {
			t.Errorf("kernel %s: %v, %d hits, named %s", name, err, hits, f[0].Name)
		}
	}
}

// TestEqualKernels: kernels that differ in their names alone have the same code, as they have in the
// store.
func TestEqualKernels(t *testing.T) {
	tc := find(t)
	ks := someKernels(t, 3)
	for i, k := range someKernels(t, 3) {
		k.Name = fmt.Sprintf("twin%d", i)
		ks = append(ks, k)
	}
	for _, target := range Targets {
		got, _, err := tc.Kernels(t.Context(), ks, target, KernelOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i, k := range ks {
			twin := got[(i+3)%6]
			if got[i].Name != k.Name || !bytes.Equal(got[i].Code, twin.Code) {
				t.Errorf("%s: %s has other code than %s", target.Level, got[i].Name, twin.Name)
			}
		}
	}
}
