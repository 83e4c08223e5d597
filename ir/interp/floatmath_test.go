package interp

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
)

// ulps counts the float64 numbers from x to y.
func ulps(x, y float64) float64 {
	if x == y || x != x && y != y {
		return 0
	}
	if x != x || y != y {
		return math.Inf(1)
	}
	ord := func(v float64) int64 {
		b := int64(math.Float64bits(v))
		if b < 0 {
			b = math.MinInt64 - b
		}
		return b
	}
	return math.Abs(float64(ord(x) - ord(y)))
}

// mathTolerance is in ulp of float64, 1 where an op is not listed; what
// rounds to float32 is far below half an ulp there.
var mathTolerance = map[string]float64{
	"tan": 2, "sinh": 2, "cosh": 2, "tanh": 2, "asinh": 2, "acosh": 2, "atanh": 2, "sigmoid": 2,
	"atan2": 2, "asin": 2, "acos": 3,
}

// TestMath compares the float64 functions with recorded values.
func TestMath(t *testing.T) {
	f, err := os.Open("testdata/math.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	worst := map[string]float64{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		if strings.HasPrefix(fields[0], "#") {
			continue
		}
		op, ok := ir.ParseOp(fields[0])
		if !ok {
			t.Fatalf("no op %s", fields[0])
		}
		args := []*Tensor{hexScalar(t, fields[1])}
		if fields[2] != "-" {
			args = append(args, hexScalar(t, fields[2]))
		}
		want := hexScalar(t, fields[3]).Float64s()[0]
		got, err := runOp(op, nil, args...)
		if err != nil {
			t.Fatal(err)
		}
		off := ulps(got[0].Float64s()[0], want)
		worst[fields[0]] = max(worst[fields[0]], off)
		if off > max(mathTolerance[fields[0]], 1) {
			t.Errorf("%s(%s, %s) = %x, want %x: %v ulp", fields[0], fields[1], fields[2],
				got[0].Float64s()[0], want, off)
		}
	}
	t.Log(fmt.Sprint(worst))
}

func hexScalar(t *testing.T, s string) *Tensor {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return scalar(ir.F64, v)
}
