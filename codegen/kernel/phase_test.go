package kernel

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// phaseText squares a column block for each of several tasks.
const phaseText = `
	kernel k(x f32[24] in, w f32[6] in, y f32[4*24] out)
		parallel m < 4
			parallel n < 2
				alloc own f32[4] scratch
				serial b < 3
					serial t < 2
						alloc sq f32[2] scratch
						alloc most f32[1] local
						most[0] = 0.0f32
						serial i < 2
							sq[i] = mul(x[12*n+4*b+2*t+i], x[12*n+4*b+2*t+i])
							most[0] = max(most[0], x[12*n+4*b+2*t+i])
						serial j < 2
							y[24*m+12*n+4*b+2*t+j] = add(mul(sq[j], w[m]), most[0])
`

func TestPhase(t *testing.T) {
	k := parse(t, phaseText)
	s := apply(t, k, func(k *Kernel) error { return k.Phase("t", 4) })
	want := parse(t, `
		kernel k(x f32[24] in, w f32[6] in, y f32[96] out)
			alloc sq f32[24] common
			alloc most f32[12] common
			parallel n.a < 2
				parallel b.a < 3
					parallel t.a < 2
						most[6*n.a+2*b.a+t.a] = 0.0f32
						serial i < 2
							sq[12*n.a+4*b.a+2*t.a+i] = mul(x[12*n.a+4*b.a+2*t.a+i], x[12*n.a+4*b.a+2*t.a+i])
							most[6*n.a+2*b.a+t.a] = max(most[6*n.a+2*b.a+t.a], x[12*n.a+4*b.a+2*t.a+i])
			parallel m < 4
				parallel n < 2
					alloc own f32[4] scratch
					serial b < 3
						serial t < 2
							serial j < 2
								y[24*m+12*n+4*b+2*t+j] = add(mul(sq[12*n+4*b+2*t+j], w[m]), most[6*n+2*b+t])
	`).String()
	if diff := cmp.Diff(want, strings.ReplaceAll(s.String(), " indep", "")); diff != "" {
		t.Error(diff)
	}
	for k, want := range map[*Kernel]string{s: "20 12 192", k: "8 0 0"} {
		if got := fmt.Sprint(Tasks(k), " ", TasksAhead(k), " ", CommonSize(k)); got != want {
			t.Errorf("tasks, tasks ahead, bytes: %s, want %s", got, want)
		}
	}
	same(t, k, s)
	if again, err := Parse(s.String()); err != nil || again.String() != s.String() {
		t.Errorf("read back: %v\n%v", err, again)
	}
}

// TestPhaseUneven: extents that depend on other loops are kept, in serial loops.
func TestPhaseUneven(t *testing.T) {
	k := parse(t, `
		kernel k(x f32[N] in, y f32[3*N] out) dims(N)
			parallel m < 3
				parallel n < (N+3)/4
					serial t < min(4,N-4*n)
						alloc sq f32[1] scratch
						sq[0] = mul(x[4*n+t], x[4*n+t])
						y[N*m+4*n+t] = sq[0]
	`)
	s := apply(t, k, func(k *Kernel) error { return k.Phase("t", 2) })
	const nest = "\tparallel n.a < ((N+3)/4)\n\t\tserial t.a < min(4,N-4*n.a)"
	if !strings.Contains(s.String(), nest) {
		t.Errorf("got\n%v", s)
	}
	for _, n := range []int64{0, 1, 4, 11} {
		same(t, k, s, n)
	}
}

func TestPhaseRefuses(t *testing.T) {
	for _, tc := range []struct {
		old, new string
		n        int
		want     string
	}{
		{"", "", 0, "0 of its 5 statements"},
		{"", "", 5, "5 of its 5 statements"},
		{"", "", 2, "most is written behind it"},
		{"add(mul(sq[j], w[m]), most[0])", "w[m]", 4, "nothing that it computes is used"},
		{"parallel m < 4", "parallel m < N", 4, "m may have no iteration"},
		{"parallel m < 4\n\t\t\tparallel n", "serial m < 4\n\t\t\tserial n", 4, "not in tasks"},
		{"mul(x[12*n+4*b+2*t+i],", "mul(own[0],", 4, "touches own, which is not an input"},
		{"mul(x[12*n+4*b+2*t+i],", "mul(y[0],", 4, "touches y, which is not an input"},
		{"y[24*m+12*n+4*b+2*t+j] =", "sq[j] =", 4, "sq is written behind it"},
		{"serial t < 2\n", "let v = w[0]\n\t\t\t\t\tserial t < 2\n", 4, "v, which is bound outside"},
		{"sq[i] =", "fail 1 lt(x[0], 0.0f32)\n\t\t\t\t\t\t\tsq[i] =", 4, "may end the kernel"},
	} {
		text := strings.Replace(phaseText, tc.old, tc.new, 1)
		if tc.old != "" && text == phaseText {
			t.Errorf("no %s", tc.old)
		}
		text = strings.Replace(text, "out)", "out) dims(N)", 1)
		if strings.Contains(tc.new, "let v") {
			text = strings.Replace(text, "mul(x[12*n+4*b+2*t+i],", "mul(v,", 1)
		}
		k := parse(t, text)
		before := k.String()
		err := k.Phase("t", tc.n)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %s", err, tc.want)
		}
		if k.String() != before {
			t.Errorf("changed:\n%v", k)
		}
	}
}

// TestVerifyPhases: rule k15.
func TestVerifyPhases(t *testing.T) {
	s := apply(t, parse(t, phaseText), func(k *Kernel) error { return k.Phase("t", 4) }).String()
	for _, tc := range []struct{ old, new, want string }{
		{"parallel m < 4", "serial m < 4", "k15"},
		{"\tparallel m", "\tserial z < 1\n\t\ty[z] = 0.0f32\n\tparallel m", "k15"},
		{"alloc own f32[4] scratch", "alloc own f32[4] common", "k15: common buffer own"},
		{"y[4*b", "most[n] = 0.0f32\n\t\t\t\t\t\ty[4*b", "k15: common buffer most is written"},
	} {
		k := parse(t, strings.Replace(s, tc.old, tc.new, 1))
		if err := Verify(k); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.new, err, tc.want)
		}
	}
}
