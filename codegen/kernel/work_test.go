package kernel

import "testing"

// TestCount counts by hand what naive trees do.
func TestCount(t *testing.T) {
	const n, m, k = 5, 7, 11
	for _, test := range []struct {
		name, text string
		dims       []int64
		want       Work
	}{
		{"product with a prologue counted once", `
kernel dot(a f32[M*K] in, b f32[K*N] in, c f32[M*N] out) dims(M, N, K)
	serial i < M
		serial j < N
			alloc s f32[1] local
			s[0] = 0.0f32
			serial p < K
				s[0] = fma(neg(a[K*i+p]), b[N*p+j], s[0])
			c[N*i+j] = add(s[0], 1.0f32)
`, []int64{m, n, k}, Work{Float32: 2*m*n*k + m*k + m*n, Read: 4 * (m*k + k*n), Written: 4 * m * n}},
		{"windows overlap", `
kernel conv(x f64[1000] in, y f64[N] out) dims(N)
	serial i < N
		alloc s f64[1] local
		s[0] = 0.0f64
		serial r < 3
			s[0] = add(s[0], x[2*i+r])
		y[i] = s[0]
`, []int64{10}, Work{Float64: 30, Read: 8 * 21, Written: 80}},
		{"a slice and an index from data", `
kernel gather(x i32[100] in, at i64[N] in, y i32[N] out) dims(N)
	serial i < N
		let a = at[i]
		y[i] = mul(add(x[a], x[2*i]), 3)
`, []int64{20}, Work{Int: 40, Read: 8*20 + 4*40, Written: 80}},
		{"no iterations", `
kernel none(x f32[N*M] in, y f32[N*M] out) dims(N, M)
	serial i < N
		serial j < M
			y[M*i+j] = neg(x[M*i+j])
`, []int64{0, 9}, Work{}},
	} {
		k, err := Parse(test.text)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		got, err := Count(k, test.dims)
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
}
