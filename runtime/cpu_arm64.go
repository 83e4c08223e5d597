//go:build arm64 && !purego

package runtime

func nativeLevels() []string { return []string{LevelARM64} }
