package schedule

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/kernel"
)

// depthwiseText is a depthwise convolution of h x w pixels of c channels, 3 x 3 with
// the given stride and dilation, and as much padding as that.
func depthwiseText(h, w, c, stride, dilation int) string {
	oh, ow := (h-1)/stride+1, (w-1)/stride+1
	at := func(i, k string) string { return fmt.Sprintf("%d*%s+%d*%s-%d", stride, i, dilation, k, dilation) }
	r := strings.NewReplacer("YY", at("i", "k"), "XX", at("j", "l"), "HWC", fmt.Sprint(h*w*c),
		"RESULT", fmt.Sprint(oh*ow*c), "LINE", fmt.Sprint(ow*c), "OH", fmt.Sprint(oh), "OW", fmt.Sprint(ow),
		"KC", fmt.Sprint(9*c), "WC", fmt.Sprint(w*c), "H", fmt.Sprint(h), "W", fmt.Sprint(w),
		"C", fmt.Sprint(c))
	return r.Replace(strings.ReplaceAll(`
		kernel depthwise(x f32[HWC] in, a f32[KC] in, y f32[RESULT] out)
			serial i < OH
				serial j < OW
					serial c < C
						alloc acc f32[1] local
						acc[0] = 0.0f32
						serial k < 3
							serial l < 3
								acc[0] = fma(x[WC*(YY)+C*(XX)+c | INSIDE : 0.0f32], a[3*C*k+C*l+c], acc[0])
						y[LINE*i+C*j+c] = acc[0]
	`, "INSIDE", "and(and(ge(YY, 0), lt(YY, H)), and(ge(XX, 0), lt(XX, W)))"))
}

// TestPeel: most tiles of large images are inside of the padding, and nothing is
// packed; few of small ones are.
func TestPeel(t *testing.T) {
	for _, s := range []struct {
		h, w, c, stride, dilation int
		packs                     bool
	}{
		{12, 260, 5, 1, 1, false}, {23, 401, 5, 2, 1, false}, {13, 300, 8, 1, 2, false},
		{7, 7, 24, 1, 1, true}, {20, 20, 17, 2, 1, true},
	} {
		text := depthwiseText(s.h, s.w, s.c, s.stride, s.dilation)
		check(t, text, "product")
		k, err := kernel.Parse(dedent(text))
		if err != nil {
			t.Fatal(err)
		}
		out, err := Schedule(k, Targets["x86-64-v4"])
		if err != nil {
			t.Fatal(err)
		}
		if packs := strings.Contains(out.String(), "alloc pack"); packs != s.packs {
			t.Errorf("%+v: packs: %v\n%v", s, packs, out)
		}
	}
}

// TestPeelExclusive packs windows of a padded concat, of whose conditions some cannot
// hold together.
func TestPeelExclusive(t *testing.T) {
	check(t, `
		kernel windows(x i64[7*N] in, y i64[1] in, z i64[9*E+18] out) dims(N, E)
			serial i < E+2
				serial j < 9
					alloc acc i64[1] local
					acc[0] = -9223372036854775808i64
					serial k < 2
						%1 = and(ge(2*i+k-1, 0), lt(2*i+k-1, N+2))
						%2 = and(ge(2*i+k-3, 0), ge(j-3, 0))
						acc[0] = max(acc[0], select(%1, select(%2, x[14*i+j+7*k-24 | and(%1, %2) : 0i64], y[0 | and(%1, not(%2)) : 0i64]), -9223372036854775808i64))
					z[9*i+j] = acc[0]
	`, "product", []int64{4, 2}, []int64{40, 20}, []int64{0, 0})
}
