package llvm

import (
	"fmt"

	"github.com/tensorcc/tcc/codegen/cache"
)

// This file is for machines without LLVM: kernels that were compiled before run there, too.

// versionKey is the entry of a store that has the version of the LLVM that filled it last.
var versionKey = cache.KeyOf("filled by")

// Available is what Find returns or, where there is no LLVM, a Toolchain that has the kernels of a
// store alone, of the version that filled it last. Kernels then fails where one is missing, by an
// error that is ErrNotFound, as Available does where no LLVM has filled the store.
func Available(s *cache.Store) (*Toolchain, error) {
	tc, err := Find()
	if err == nil {
		return tc, nil
	}
	if v, ok := s.Get(versionKey); ok {
		return &Toolchain{Version: string(v), absent: err}, nil
	}
	return nil, err
}

// Cached reports whether the tools are absent, so that there are cached kernels alone.
func (tc *Toolchain) Cached() bool { return tc.absent != nil }

// remember notes that tc fills s.
func (tc *Toolchain) remember(s *cache.Store) {
	if v, ok := s.Get(versionKey); ok && string(v) == tc.Version {
		return
	}
	_ = s.Put(versionKey, []byte(tc.Version)) // else Available says that there is none
}

// lacks is the error for kernels that the store does not have.
func (tc *Toolchain) lacks(kernel string, n int) error {
	return fmt.Errorf("kernel %s, one of %d, is not in the compile cache of LLVM %s: %w", kernel, n,
		tc.Version, tc.absent)
}
