//go:build !unix && !windows

package runtime

// MapCode maps machine code on systems that can; this is not one.
func MapCode([]byte) (base uintptr, release func() error, err error) {
	return 0, nil, errNoInvoke
}
