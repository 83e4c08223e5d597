package kernel

import (
	"fmt"
	"strings"
)

// Products of bf16 pairs that sum up in f32. What they do to the last bit is
// their meaning: subnormal numbers count as zero, and the order of sums is
// theirs. A schedule uses them for a plain sum of products, which is the same
// in real numbers, where nothing is subnormal.

// flushed is the text of lets that bind name to value with subnormals as zero.
func flushed(indent, name, value string) string {
	return fmt.Sprintf("%[1]slet %[2]s.v = %[3]s\n"+
		"%[1]slet %[2]s = select(lt(abs(%[2]s.v), 1.1754944e-38f32), mul(%[2]s.v, 0.0f32), %[2]s.v)\n",
		indent, name, value)
}

func bf16Instrs() {
	var b strings.Builder
	b.WriteString("kernel vdpbf16ps.512(a bf16[2] in, b bf16[32] in, c f32[16] in out)\n" +
		"\tvector i < 16\n")
	const in = "\t\t"
	b.WriteString(flushed(in, "s", "c[i]"))
	for _, q := range []string{"1", "0"} {
		b.WriteString(flushed(in, "x"+q, "f32(a["+q+"])"))
		b.WriteString(flushed(in, "y"+q, "f32(b[2*i+"+q+"])"))
		b.WriteString(flushed(in, "s"+q, fmt.Sprintf("fma(x%[1]s, y%[1]s, %[2]s)", q,
			map[string]string{"1": "s", "0": "s1"}[q])))
	}
	b.WriteString(in + "c[i] = s0\n")
	instrTable = append(instrTable, instrRow{levels: "avx512-bf16 amx",
		shapes: [][]int64{{2}, {16, 2}, {16}}, text: b.String(), sum: `
kernel sum(a bf16[2] in, b bf16[32] in, c f32[16] in out)
	serial i < 16
		serial q < 2
			c[i] = fma(f32(a[q]), f32(b[2*i+q]), c[i])`})
	b.Reset()
	b.WriteString("kernel tdpbf16ps(a bf16[512] registers in, b bf16[512] registers in, " +
		"c f32[256] registers in out)\n\tserial i < 16\n\t\talloc even f32[16] local\n" +
		"\t\talloc odd f32[16] local\n\t\tvector z < 16\n\t\t\teven[z] = 0.0f32\n" +
		"\t\t\todd[z] = 0.0f32\n" +
		"\t\tserial k < 16\n\t\t\tvector j < 16\n")
	for q, part := range []string{"even", "odd"} {
		const in = "\t\t\t\t"
		b.WriteString(flushed(in, "x"+part, fmt.Sprintf("f32(a[32*i+2*k+%d])", q)))
		b.WriteString(flushed(in, "y"+part, fmt.Sprintf("f32(b[32*k+2*j+%d])", q)))
		b.WriteString(flushed(in, "s"+part, fmt.Sprintf("fma(x%[1]s, y%[1]s, %[1]s[j])", part)))
		b.WriteString(in + part + "[j] = s" + part + "\n")
	}
	b.WriteString("\t\tvector m < 16\n")
	b.WriteString(flushed("\t\t\t", "s", "c[16*i+m]"))
	b.WriteString(flushed("\t\t\t", "t", "add(even[m], odd[m])"))
	b.WriteString(flushed("\t\t\t", "u", "add(s, t)"))
	b.WriteString("\t\t\tc[16*i+m] = u\n")
	instrTable = append(instrTable, instrRow{levels: "amx",
		shapes: [][]int64{{16, 32}, {16, 32}, {16, 16}}, text: b.String(), sum: `
kernel sum(a bf16[512] in, b bf16[512] in, c f32[256] in out)
	serial i < 16
		serial k < 16
			serial j < 16
				serial q < 2
					c[16*i+j] = fma(f32(a[32*i+2*k+q]), f32(b[32*k+2*j+q]), c[16*i+j])`})
}
