//go:build purego || (!amd64 && !arm64)

package runtime

func nativeLevels() []string { return nil }
