package runtime

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// CPU levels. A program has kernels for some of them; Generic is pure Go and runs everywhere.
const (
	LevelV3      = "x86-64-v3"   // AVX2, FMA, BMI
	LevelV4      = "x86-64-v4"   // and AVX-512 F, BW, CD, DQ, VL
	LevelVNNI    = "avx512-vnni" // and AVX-512 VNNI
	LevelBF16    = "avx512-bf16" // and AVX-512 BF16
	LevelAMX     = "amx"         // and AMX tiles of i8 and bf16
	LevelARM64   = "arm64"       // ARMv8 with NEON
	LevelGeneric = "generic"
)

// levelEnv is the environment variable that forces a level.
const levelEnv = "TCC_CPU"

// Levels returns the levels that this machine can run in this build, best first. The last is
// always LevelGeneric; with the build tag purego it is the only one.
func Levels() []string { return append(nativeLevels(), LevelGeneric) }

// chooseLevel returns the levels to take kernels from, best first: those of this machine from the
// wanted one on. Generic kernels stand in for native ones only if none is native.
func chooseLevel(p *Program, want string) ([]string, error) {
	machine := Levels()
	have := programLevels(p)
	from := "option"
	if want == "" {
		want, from = os.Getenv(levelEnv), levelEnv
	}
	if want == "" || want == "native" {
		for i, l := range machine {
			if len(have) == 0 || slices.Contains(have, l) {
				return levelsFrom(machine, i), nil
			}
		}
		return nil, fmt.Errorf("%s: has kernels for %s, this machine runs %s: "+
			"compile it for one of these", p.Name, strings.Join(have, ", "),
			strings.Join(machine, ", "))
	}
	i := slices.Index(machine, want)
	if i < 0 {
		return nil, fmt.Errorf("%s: level %q (%s), this machine runs %s",
			p.Name, want, from, strings.Join(machine, ", "))
	}
	if len(have) > 0 && !slices.Contains(have, want) {
		return nil, fmt.Errorf("%s: level %q (%s), the program has kernels for %s",
			p.Name, want, from, strings.Join(have, ", "))
	}
	return levelsFrom(machine, i), nil
}

func levelsFrom(machine []string, i int) []string {
	if machine[i] == LevelGeneric {
		return machine[i:]
	}
	return machine[i : len(machine)-1]
}

// programLevels returns the levels that p is compiled for, sorted.
func programLevels(p *Program) []string {
	have := slices.Clone(p.Levels)
	for _, k := range p.Kernels {
		for _, v := range k.Variants {
			if !slices.Contains(have, v.Level) {
				have = append(have, v.Level)
			}
		}
	}
	slices.Sort(have)
	return have
}
