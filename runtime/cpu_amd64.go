//go:build amd64 && !purego

package runtime

import "golang.org/x/sys/cpu"

// nativeLevels asks for the features that x/sys/cpu reports; every CPU with AVX2, FMA and BMI2 has
// the rest of x86-64-v3 (F16C, LZCNT, MOVBE) as well.
func nativeLevels() []string {
	x := &cpu.X86
	if !x.HasAVX2 || !x.HasFMA || !x.HasBMI1 || !x.HasBMI2 || !x.HasOSXSAVE {
		return nil
	}
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512CD && x.HasAVX512DQ && x.HasAVX512VL {
		return []string{LevelV4, LevelV3}
	}
	return []string{LevelV3}
}
