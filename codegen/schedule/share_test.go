package schedule

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/kernel"
)

// productText is a product of B batches of M rows, K steps and N columns, which reads the
// COLS elements of b at AT.
const productText = `
	kernel mm(a f32[B*M*K] in, b f32[COLS] in, c f32[B*M*N] out) dims(S)
		serial h < B
			serial m < M
				serial n < N
					alloc acc f32[1] local
					acc[0] = 0.0f32
					serial k < K
						acc[0] = fma(a[(h*M+m)*K+k], b[AT], acc[0])
					c[(h*M+m)*N+n] = acc[0]
`

// TestShareColumns: which products by multiply-adds have their columns packed once for
// all tasks, and how many tasks do that.
func TestShareColumns(t *testing.T) {
	const plain, turned = "k*N+n", "n*K+k"
	for _, tc := range []struct {
		name, b, m, k, n, at string
		ahead                string // tasks; those of blocks of the sum and tiles of columns
	}{
		{"two blocks of the sum", "1", "1024", "1024", "1024", plain, "64"},
		{"groups of columns", "1", "2048", "2048", "2048", plain, "256"},
		{"edges", "1", "1001", "1001", "1001", plain, "64"},
		{"few rows", "1", "500", "1024", "500", plain, "0"},
		{"one block of the sum", "1", "1024", "700", "1024", plain, "0"},
		{"columns in memory as rows", "1", "64", "64", "64", turned, "2"},
		{"few rows of them", "1", "60", "64", "64", turned, "0"},
		{"more columns than rows pay for", "1", "64", "256", "4096", turned, "0"},
		{"batches", "3", "1024", "1024", "1024", plain, "0"},
		{"rows not known", "1", "S", "1024", "1024", plain, "0"},
	} {
		s := strings.NewReplacer("COLS", "B*K*N", "AT", "h*K*N+"+tc.at).Replace(productText)
		s = strings.NewReplacer("B", tc.b, "M", tc.m, "K", tc.k, "N", tc.n).Replace(s)
		k, err := kernel.Parse(dedent(s))
		if err != nil {
			t.Fatal(err)
		}
		for _, level := range []string{"x86-64-v4", "arm64"} {
			out, err := Schedule(k, Targets[level])
			if err != nil {
				t.Fatal(err)
			}
			got, asks := fmt.Sprint(kernel.TasksAhead(out)), strings.Contains(out.String(), "call ask.")
			if shares := tc.ahead != "0"; level == "x86-64-v4" && got != tc.ahead ||
				shares != (got != "0") || shares && !asks {
				t.Errorf("%s, %s: %s tasks ahead, want %s; asks for columns: %v", tc.name, level, got,
					tc.ahead, asks)
			}
		}
		inner := Targets["x86-64-v4"]
		inner.Inner = true
		if out, err := Schedule(k, inner); err != nil || !kernel.TasksAhead(out).IsConst(0) {
			t.Errorf("%s: %v, or tasks ahead inside of a kernel", tc.name, err)
		}
	}
}

// TestShareItself: of a matrix that is multiplied with itself the columns alone are packed
// for all tasks.
func TestShareItself(t *testing.T) {
	const text = `
		kernel mm(a f32[M*M] in, c f32[M*M] out)
			serial m < M
				serial n < M
					alloc acc f32[1] local
					acc[0] = 0.0f32
					serial k < M
						acc[0] = fma(a[m*M+k], a[AT], acc[0])
					c[m*M+n] = acc[0]
	`
	for _, at := range []string{"k*M+n", "n*M+k"} {
		s := strings.ReplaceAll(strings.ReplaceAll(text, "AT", at), "M", "1024")
		k, err := kernel.Parse(dedent(s))
		if err != nil {
			t.Fatal(err)
		}
		for _, level := range []string{"x86-64-v4", "x86-64-v3", "arm64"} {
			out, how, err := Explain(k, Targets[level])
			if err != nil || !strings.HasPrefix(how, "product") {
				t.Errorf("%s, %s: %v, %s", at, level, err, how)
				continue
			}
			if s := out.String(); kernel.TasksAhead(out).IsConst(0) || !strings.Contains(s, "pack f32") {
				t.Errorf("%s, %s: columns are not shared, or rows are not packed:\n%s", at, level, s)
			}
		}
	}
}
