//go:build amd64 && !purego

package runtime

import (
	"slices"

	"golang.org/x/sys/cpu"
)

// nativeLevels asks for the features that x/sys/cpu reports; every CPU with AVX2, FMA and BMI2 has
// the rest of x86-64-v3 (F16C, LZCNT, MOVBE) as well.
func nativeLevels() []string {
	x := &cpu.X86
	if !x.HasAVX2 || !x.HasFMA || !x.HasBMI1 || !x.HasBMI2 || !x.HasOSXSAVE {
		return nil
	}
	levels := []string{LevelV3}
	for _, l := range []struct {
		name string
		has  bool
	}{
		{LevelV4, x.HasAVX512F && x.HasAVX512BW && x.HasAVX512CD && x.HasAVX512DQ && x.HasAVX512VL},
		{LevelVNNI, x.HasAVX512VNNI},
		{LevelBF16, x.HasAVX512BF16},
		{LevelAMX, x.HasAMXTile && x.HasAMXInt8 && x.HasAMXBF16 && amxPermitted()},
	} {
		if !l.has {
			break
		}
		levels = append(levels, l.name)
	}
	slices.Reverse(levels)
	return levels
}
