package ptx

import (
	"maps"
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Target is what PTX is written for.
type Target struct {
	Name    string // as .target has it
	Version string // of PTX
}

var targets = map[string]Target{
	"sm_80": {Name: "sm_80", Version: "7.8"},
	"sm_90": {Name: "sm_90", Version: "7.8"},
}

// TargetOf returns the target of the given name, such as sm_80.
func TargetOf(name string) (Target, bool) {
	t, ok := targets[name]
	return t, ok
}

// Targets lists the names of the targets.
func Targets() []string { return slices.Sorted(maps.Keys(targets)) }

// Launch is how many blocks of how many threads a kernel runs with, by the
// axes x, y, z.
type Launch struct {
	Grid   [3]ir.Dim // in terms of the kernel's dims; 0: there is nothing to do
	Block  [3]int64
	Shared int64 // bytes of shared memory of a block; part of the entry
}

// LaunchOf returns the launch of a scheduled kernel.
func LaunchOf(k *kernel.Kernel) Launch {
	l := Launch{Grid: [3]ir.Dim{ir.Const(1), ir.Const(1), ir.Const(1)}, Block: [3]int64{1, 1, 1}}
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		switch s := s.(type) {
		case *kernel.Loop:
			if axis, ok := gridAxis(s.Bind); ok {
				l.Grid[axis] = s.Extent
			}
			if axis, ok := blockAxis(s.Bind); ok {
				n, _ := s.Extent.Int()
				l.Block[axis] = max(l.Block[axis], n)
			}
		case *kernel.Alloc:
			if s.Buf.Space == kernel.Shared {
				n, _ := s.Buf.Size.Int()
				l.Shared += (n*int64(s.Buf.DType.Size()) + sharedAlign - 1) / sharedAlign * sharedAlign
			}
		}
	})
	return l
}

// sharedAlign is what buffers in shared and local memory are aligned to, in
// bytes.
const sharedAlign = 16

func gridAxis(b kernel.Bind) (axis int, ok bool) {
	return int(b) - int(kernel.GridX), b >= kernel.GridX && b <= kernel.GridZ
}

func blockAxis(b kernel.Bind) (axis int, ok bool) {
	return int(b) - int(kernel.BlockX), b >= kernel.BlockX && b <= kernel.BlockZ
}
