package kernel

import (
	"fmt"
	"strings"
	"testing"
)

// TestBlock blocks a product along its sum, the block's loop outside of tiles of
// rows and columns, with extents that fit, that do not, and that are 0.
func TestBlock(t *testing.T) {
	k := parse(t, matmulText)
	c := apply(t, k, func(k *Kernel) error {
		var m0, n0 string
		return steps(
			func() (err error) { m0, err = k.Split("m", "m0", 3, Clip); return },
			func() (err error) { n0, err = k.Split("n", "n0", 4, Clip); return },
			func() error { _, err := k.Split("k", "k0", 5, Clip); return err },
			func() error { return k.Reorder("m", "n", n0, m0) },
			func() error { _, _, err := k.Block([]string{m0, n0}, []string{"k"}, "part"); return err },
			func() error { return k.Reorder(n0, m0) },
		)
	})
	for _, d := range append(sizes, []int64{7, 9, 21}, []int64{3, 4, 10}) {
		same(t, k, c, d...)
	}
}

// TestBlockInside keeps the start and the end of the sums in the nest: of one block
// and of several.
func TestBlockInside(t *testing.T) {
	for _, depth := range []int64{1, 5, 6} {
		k := parse(t, strings.ReplaceAll(matmulText, "< K", fmt.Sprintf("< %d", 30)))
		c := apply(t, k, func(k *Kernel) error {
			var m0, n0 string
			return steps(
				func() (err error) { m0, err = k.Split("m", "m0", 3, Clip); return },
				func() (err error) { n0, err = k.Split("n", "n0", 4, Clip); return },
				func() error { _, err := k.Split("k", "k0", 30/depth, Clip); return err },
				func() error { return k.Reorder("m", "n", n0, m0) },
				func() error { return k.BlockInside([]string{m0, n0}, []string{"k"}, "part") },
				func() error { return k.Reorder(n0, m0) },
			)
		})
		for _, d := range append(sizes, []int64{7, 9, 30}, []int64{3, 4, 30}) {
			same(t, k, c, d[0], d[1], 30)
		}
	}
	k := parse(t, matmulText)
	MarkIndep(k)
	if _, err := k.Split("n", "n0", 4, Clip); err != nil {
		t.Fatal(err)
	}
	err := k.BlockInside([]string{"n0"}, []string{"k"}, "part")
	if err == nil || !strings.Contains(err.Error(), "may have no iteration") {
		t.Errorf("%v, want that there may be no iteration", err)
	}
}

// TestBlockSeveral moves two loops of three, whose extents may be 0.
func TestBlockSeveral(t *testing.T) {
	k := parse(t, `
		kernel k(x f32[N*A*B*C] in, y f32[N] out) dims(N, A, B, C)
			serial n < N
				alloc acc f32[1] local
				acc[0] = 2.0f32
				serial a < A
					serial b < B
						serial c < C
							acc[0] = add(acc[0], x[((n*A+a)*B+b)*C+c])
				y[n] = acc[0]
	`)
	c := apply(t, k, func(k *Kernel) error {
		n0, err := k.Split("n", "n0", 4, Clip)
		if err != nil {
			return err
		}
		_, _, err = k.Block([]string{n0}, []string{"a", "b"}, "part")
		return err
	})
	for _, d := range [][]int64{{7, 2, 3, 4}, {4, 1, 1, 1}, {5, 0, 3, 2}, {5, 3, 0, 2}, {5, 2, 2, 0}} {
		same(t, k, c, d...)
	}
}

func TestBlockRefuses(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{matmulText, "not bounded by a number"},
		{`
		kernel k(x f32[A*B] in, y f32[A] out) dims(A, B)
			serial m < 2
				serial n < 3
					y[m] = 1.0f32
					alloc acc f32[1] local
					acc[0] = 0.0f32
					serial k < B
						acc[0] = add(acc[0], x[k])
					y[m*3+n] = acc[0]
		`, "independent"},
		{`
		kernel k(x f32[6*B] in, y f32[6] out, z f32[B*6] out) dims(B)
			serial m < 2
				serial n < 3
					alloc acc f32[1] local
					acc[0] = 0.0f32
					serial k < B
						acc[0] = add(acc[0], x[k])
						z[(m*3+n)*B+k] = acc[0]
					y[m*3+n] = acc[0]
		`, "writes z beside"},
	} {
		k := parse(t, tc.text)
		MarkIndep(k)
		before := k.String()
		_, _, err := k.Block([]string{"m", "n"}, []string{"k"}, "part")
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %s", err, tc.want)
		}
		if k.String() != before {
			t.Errorf("changed:\n%v", k)
		}
	}
}
