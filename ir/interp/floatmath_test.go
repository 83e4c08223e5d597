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

// TestFarAngles: arguments whose reduction needs many bits of pi. The last is
// the float64 nearest to a multiple of pi/2 (Muller et al., Handbook of
// Floating-Point Arithmetic); the values are from 60 digits.
func TestFarAngles(t *testing.T) {
	tests := []struct{ x, sin, cos float64 }{
		{3000000.0, -0.8784900581447479, 0.4777606280773224},
		{1e+18, -0.9929693207404051, 0.11837199021871073},
		{1.2345678901234568e+18, -0.865128705595728, -0.5015499205007017},
		{5.319372648326541e+255, 1.0, -4.687165924254628e-19},
		{5e+22, -0.16425801842020524, 0.9864174082936024},
		{1.7976931348623157e+308, 0.004961954789184062, -0.9999876894265599},
		{1e+18, -0.9929693207404051, 0.11837199021871073},
		{5e+17, -0.6639382538238361, 0.7477873996727649},
	}
	for _, test := range tests {
		for _, sign := range []float64{1, -1} {
			s, c := sin(sign*test.x), cos(sign*test.x)
			if d := ulps(s, sign*test.sin); d > 1 {
				t.Errorf("sin(%v) = %v, want %v: %v ulp", sign*test.x, s, sign*test.sin, d)
			}
			if d := ulps(c, test.cos); d > 1 {
				t.Errorf("cos(%v) = %v, want %v: %v ulp", sign*test.x, c, test.cos, d)
			}
			if d := ulps(tan(sign*test.x), sign*test.sin/test.cos); d > 2 {
				t.Errorf("tan(%v) = %v, want %v", sign*test.x, tan(sign*test.x), test.sin/test.cos)
			}
		}
	}
}

func TestAtan2Signs(t *testing.T) {
	const tiny = 5e-324
	zero := math.Copysign(0, -1)
	tests := []struct{ y, x, want float64 }{
		{-tiny, -1e300, -math.Pi}, {tiny, -1e300, math.Pi}, {-tiny, 1e300, zero},
		{zero, -1, -math.Pi}, {zero, 1, zero}, {-1, math.Inf(-1), -math.Pi},
		{math.NaN(), 1, math.NaN()},
	}
	for _, test := range tests {
		got := atan2(test.y, test.x)
		same := math.Float64bits(got) == math.Float64bits(test.want)
		if !same && !(got != got && test.want != test.want) {
			t.Errorf("atan2(%v, %v) = %v, want %v", test.y, test.x, got, test.want)
		}
	}
}
