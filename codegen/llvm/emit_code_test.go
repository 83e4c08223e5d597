package llvm_test

import "fmt"

// block is the inner kernel of a matrix product: rows*vecs accumulators over
// packed panels.
func block(rows, vecs, lanes int) string {
	n := vecs * lanes
	return fmt.Sprintf(`
kernel k(a f32[%[1]d*K] in, b f32[%[2]d*K] in, c f32[%[1]d*%[2]d] out) dims(K)
	alloc t f32[%[1]d*%[2]d] local
	unroll i0 < %[1]d
		unroll j0 < %[3]d
			vector l0 < %[4]d
				t[%[2]d*i0+%[4]d*j0+l0] = 0.0f32
	serial p < K
		unroll i < %[1]d
			unroll j < %[3]d
				vector l < %[4]d
					t[%[2]d*i+%[4]d*j+l] = fma(a[%[1]d*p+i], b[%[2]d*p+%[4]d*j+l], t[%[2]d*i+%[4]d*j+l])
	unroll i1 < %[1]d
		unroll j1 < %[3]d
			vector l1 < %[4]d
				c[%[2]d*i1+%[4]d*j1+l1] = t[%[2]d*i1+%[4]d*j1+l1]
`, rows, n, vecs, lanes)
}

const pointwise = `
kernel k(x f32[64*N] in, y f32[64*N] out) dims(N)
	serial i < N
		unroll j < 4
			vector l < 16
				y[64*i+16*j+l] = add(x[64*i+16*j+l], 1.0f32)
`

const sumRows = `
kernel k(x f32[64*N] in, y f32[16] out) dims(N)
	alloc t f32[64] local
	unroll j0 < 4
		vector l0 < 16
			t[16*j0+l0] = 0.0f32
	serial i < N
		unroll j < 4
			vector l < 16
				t[16*j+l] = add(t[16*j+l], x[64*i+16*j+l])
	vector l1 < 16
		y[l1] = add(add(t[l1], t[16+l1]), add(t[32+l1], t[48+l1]))
`

const toSpace = `
kernel k(x f32[16*N] in, y f32[9*N] out) dims(N)
	serial i < N
		vector l < 16
			if lt(l, 9)
				y[3*(l/3)*N+(l%3)+3*i] = x[16*i+l]
`

const passOver = `
kernel k(x f32[64*N] in stream, y f32[64*N] out stream) dims(N)
	serial i < N indep
		unroll j < 4
			vector l < 16
				y[64*i+16*j+l] = add(x[64*i+16*j+l], 1.0f32)
`

// addsRow adds one row of n floats to all rows.
func addsRow(n int) string {
	return fmt.Sprintf(`
kernel k(x f32[%[1]d*N] in stream, a f32[%[1]d] in, y f32[%[1]d*N] out stream) dims(N)
	parallel i < N
		serial j < %[2]d indep
			vector l < 16
				y[%[1]d*i+16*j+l] = add(x[%[1]d*i+16*j+l], a[16*j+l])
`, n, n/16)
}

const crookedRows = `
kernel k(x f32[1024*N] in stream, y f32[1001*N] out stream) dims(N)
	parallel i < N
		serial j < 62 indep
			vector l < 16
				y[1001*i+16*j+l] = x[1024*i+16*j+l]
`

const crookedTwice = `
kernel k(x f32[1024*N] in stream, y f32[1001*N] out stream) dims(N)
	parallel i < N
		serial j < 62 indep
			vector l < 16
				y[1001*i+16*j+l] = x[1024*i+16*j+l]
			y[1001*i+16*j] = 0.0f32
`

// The last pass over rows, which computes for long.
const longRows = `
kernel k(x f32[1024*N] in stream, y f32[1024*N] out stream) dims(N)
	parallel i < N
		alloc t f32[16] local
		vector l0 < 16
			t[l0] = 0.0f32
		serial j < 64
			vector l < 16
				t[l] = add(t[l], x[1024*i+16*j+l])
		serial j1 < 64 indep
			vector l1 < 16
				y[1024*i+16*j1+l1] = div(exp(mul(sub(x[1024*i+16*j1+l1], t[l1]), t[l1])), add(t[l1], 1.0f32))
`

// The same beside a pass over the row after, which the other one asks for.
const rowsAhead = `
kernel k(x f32[9216*N] in stream, y f32[8192*N] out stream) dims(N)
	parallel p < N
		alloc t f32[16] local
		vector l0 < 16
			t[l0] = 0.0f32
		serial i < 8
			serial j < 64
				vector l < 16
					t[l] = add(t[l], x[9216*p+1024*i+16*j+l+1024])
				vector l1 < 16
					y[8192*p+1024*i+16*j+l1] = exp(x[9216*p+1024*i+16*j+l1])
`

const overRows = `
kernel k(x f32[1024*N] in stream, y f32[1024*N] out stream) dims(N)
	parallel i < N
		alloc t f32[16] local
		vector l0 < 16
			t[l0] = 0.0f32
		serial j < 64
			vector l < 16
				t[l] = add(t[l], x[1024*i+16*j+l])
		serial j1 < 64 indep
			vector l1 < 16
				y[1024*i+16*j1+l1] = sub(x[1024*i+16*j1+l1], t[l1])
`

const crossOver = `
kernel k(x f32[4194304] in stream ahead[32768], y f32[256] out)
	call transpose16.f32(y[0; 16, 1], x[0; 2048, 1])
`

const picksRows = `
kernel k(x f32[64*M] in stream, p i64[N] in, y f32[64*N] out stream) dims(M, N)
	parallel i < N
		let at = p[i]
		fail 1 or(lt(index(at), 0), ge(index(at), M))
		unroll j < 4
			vector l < 16
				y[64*i+16*j+l] = x[64*at+16*j+l]
`

const picksPlaces = `
kernel k(x f32[1024*N] in, p i64[1024] in, y f32[1024*N] out) dims(N)
	parallel i < N
		serial j < 64
			vector l < 16
				let from = p[16*j+l]
				let at = p[from]
				y[1024*i+16*j+l] = x[1024*i+at]
`

const picksColumns = `
kernel k(x f32[1024*N] in stream, p i64[1024] in, y f32[1024*N] out stream) dims(N)
	parallel i < N
		serial j < 64
			vector l < 16
				let at = p[16*j+l]
				y[1024*i+16*j+l] = x[1024*i+at]
`

// sharedPanels reads each panel of x for eight rows of the result.
const sharedPanels = `
kernel k(a f32[8192] in, x f32[65536] in stream, y f32[512] out stream)
	serial t < 4 indep
		serial m < 8 indep
			alloc acc f32[16] local
			vector l0 < 16
				acc[l0] = 0.0f32
			serial k < 1024
				vector l < 16
					acc[l] = fma(a[1024*m+k], x[16384*t+16*k+l], acc[l])
			vector l1 < 16
				y[128*t+16*m+l1] = acc[l1]
`
