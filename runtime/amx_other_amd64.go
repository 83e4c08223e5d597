//go:build !linux && !purego

package runtime

// amxPermitted: how other systems hand out tile registers is not known here.
func amxPermitted() bool { return false }
