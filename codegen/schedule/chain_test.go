package schedule

import (
	"fmt"
	"strings"
	"testing"
)

// chainText is a depthwise 3x3 convolution of h x w pixels of c channels and a
// product of each pixel with o columns.
func chainText(h, w, c, o int) string {
	const inside = "and(and(ge(i+k-1, 0), lt(i+k-1, H)), and(ge(j+l-1, 0), lt(j+l-1, W)))"
	r := strings.NewReplacer("HWC", fmt.Sprint(h*w*c), "HWO", fmt.Sprint(h*w*o), "WC", fmt.Sprint(w*c),
		"CO", fmt.Sprint(c*o), "WO", fmt.Sprint(w*o), "KC", fmt.Sprint(9*c), "H", fmt.Sprint(h),
		"W", fmt.Sprint(w), "C", fmt.Sprint(c), "O", fmt.Sprint(o))
	return r.Replace(strings.ReplaceAll(`
		kernel chain(x f32[HWC] in, a f32[KC] in, b f32[CO] in, y f32[HWO] out)
			serial i < H
				alloc line f32[WC] scratch
				serial first < 1
					serial j < W
						serial c < C
							alloc acc f32[1] local
							acc[0] = 0.0f32
							serial k < 3
								serial l < 3
									acc[0] = fma(x[WC*i+WC*k+C*j+C*l+c-WC-C | INSIDE : 0.0f32], a[3*C*k+C*l+c], acc[0])
							line[C*j+c] = max(acc[0], 0.0f32)
				serial second < 1
					serial q < W
						serial o < O
							alloc sum f32[1] local
							sum[0] = 0.0f32
							serial m < C
								sum[0] = fma(line[C*q+m], b[O*m+o], sum[0])
							y[WO*i+O*q+o] = max(sum[0], 0.0f32)
	`, "INSIDE", inside))
}

// TestChain: blocks of one line, of several, and with a rest.
func TestChain(t *testing.T) {
	for _, s := range [][4]int{
		{2, 9, 16, 16}, {6, 11, 24, 5}, {13, 20, 3, 33}, {40, 6, 17, 1}, {53, 7, 8, 8},
	} {
		check(t, chainText(s[0], s[1], s[2], s[3]), "chain")
	}
}
