package llvm

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tensorcc/tcc/codegen/cache"
	"github.com/tensorcc/tcc/codegen/kernel"
)

// This file compiles kernels, each of them once: machine code is kept in the cache by what it is
// made of, which is the LLVM IR, the version of LLVM with its flags, and what cuts objects.

//go:embed blob.go
var blobSource string

//go:embed blob_reloc.go
var relocSource string

//go:embed blob_pools.go
var poolsSource string

// cutterSum stands for this package's part in the code after LLVM's, so that a change of it makes
// other entries.
var cutterSum = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(blobSource + relocSource + poolsSource))
	return string(sum[:])
})

// KernelOptions say how Kernels works.
type KernelOptions struct {
	Store *cache.Store // nil: everything is compiled
	// Sums, if not nil, has of each kernel what the Sums of an earlier call had afterwards, for the
	// same tree and target, or zero. With it no IR is emitted of what the store has.
	Sums     []cache.Key
	Progress func(done int)
}

// Kernels makes machine code of kernels, which have different names, with their transcendental
// operations expanded. The code of a kernel does not depend on the others, on their order, or on
// what the store has. The second result is how many came from the store.
func (tc *Toolchain) Kernels(ctx context.Context, ks []*kernel.Kernel, t Target, o KernelOptions) (
	[]Func, int, error) {

	out := make([]Func, len(ks))
	sums := o.Sums
	if sums == nil {
		sums = make([]cache.Key, len(ks))
	}
	keys, err := tc.lookup(ks, t, o.Store, sums, out)
	if err != nil {
		return nil, 0, err
	}
	var missing []int
	first := map[cache.Key]int{} // of equal kernels, which are compiled once
	for i := range out {
		if _, ok := first[keys[i]]; !ok && out[i].Code == nil {
			first[keys[i]] = i
			missing = append(missing, i)
		}
	}
	missing = grouped(missing, func(i int) bool { return hoists(ks[i], t) })
	if tc.absent != nil && len(missing) > 0 {
		return nil, 0, tc.lacks(ks[missing[0]].Name, len(missing))
	}
	if tc.absent == nil {
		tc.remember(o.Store)
	}
	hits := len(ks) - len(missing)
	if o.Progress != nil {
		o.Progress(hits)
	}
	funcs, err := tc.fresh(ctx, ks, missing, t, func(done int) {
		if o.Progress != nil {
			o.Progress(hits + done)
		}
	})
	if err != nil {
		return nil, 0, err
	}
	for j, i := range missing {
		out[i] = funcs[j]
		// What the store does not take is compiled again next time.
		_ = o.Store.Put(keys[i], encodeFunc(&out[i]))
	}
	for i := range out {
		if out[i].Code == nil {
			name := ks[i].Name
			out[i] = out[first[keys[i]]]
			out[i].Name = name
		}
	}
	return out, hits, nil
}

// fresh compiles the kernels at the given places: those whose constants were among others' once
// more, alone.
func (tc *Toolchain) fresh(ctx context.Context, ks []*kernel.Kernel, at []int, t Target,
	progress func(done int)) ([]Func, error) {

	mods, err := modules(ks, at, t)
	if err != nil {
		return nil, err
	}
	funcs, _, err := tc.compileAll(ctx, mods, t, "", progress)
	if err != nil {
		return nil, err
	}
	var again []Module
	var places []int
	for j, i := range at {
		if !funcs[j].crowded {
			continue
		}
		mod, err := modules(ks, []int{i}, t)
		if err != nil {
			return nil, err
		}
		again, places = append(again, mod...), append(places, j)
	}
	alone, _, err := tc.compileAll(ctx, again, t, "", func(int) {})
	for n, j := range places {
		if err == nil {
			funcs[j] = alone[n]
		}
	}
	return funcs, err
}

// lookup fills in what the store has, and the sums, and returns the keys.
func (tc *Toolchain) lookup(ks []*kernel.Kernel, t Target, s *cache.Store, sums []cache.Key,
	out []Func) ([]cache.Key, error) {

	keys, errs := make([]cache.Key, len(ks)), make([]error, len(ks))
	how := func(k *kernel.Kernel) string {
		return strings.Join(append(append(targetFlags(t), llcFlags(t, hoists(k, t))...),
			defaultPasses), "\x00")
	}
	each(len(ks), func(i int) {
		if sums[i] == (cache.Key{}) {
			k := *ks[i]
			k.Name = "kernel" // equal kernels have one entry whatever their names
			text, err := Emit(&k, t)
			if err != nil {
				// Said again with the kernel's own name.
				_, errs[i] = Emit(ks[i], t)
				return
			}
			sums[i] = cache.KeyOf(text)
		}
		keys[i] = cache.KeyOf("kernel", tc.Version, how(ks[i]), cutterSum(), string(sums[i][:]))
		if data, ok := s.Get(keys[i]); ok {
			if f, ok := decodeFunc(data); ok {
				out[i], out[i].Name = f, ks[i].Name
			}
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// each calls f for 0 to n-1, several at once.
func each(n int, f func(int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				f(int(i))
			}
		})
	}
	wg.Wait()
}

// grouped is list with what has the property behind the others: modules have
// kernels of one kind.
func grouped(list []int, has func(int) bool) []int {
	without := slices.DeleteFunc(slices.Clone(list), has)
	return append(without, slices.DeleteFunc(list, func(i int) bool { return !has(i) })...)
}

// modules emits the kernels at the given places as modules of a size that starting LLVM for each
// costs little and that many are compiled at once.
func modules(ks []*kernel.Kernel, at []int, t Target) ([]Module, error) {
	const most = 4000 // instructions
	var mods []Module
	b := NewBatch(t)
	for j, i := range at {
		if err := b.Add(ks[i]); err != nil {
			return nil, err
		}
		if b.Len() > most || j == len(at)-1 || hoists(ks[i], t) != hoists(ks[at[j+1]], t) {
			mods = append(mods, b.Module(ks[i].Name))
			b = NewBatch(t)
		}
	}
	return mods, nil
}

// encodeFunc is an entry of the store: the use of stack, then the code.
func encodeFunc(f *Func) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(f.Stack)), f.Code...)
}

func decodeFunc(data []byte) (Func, bool) {
	if len(data) <= 4 {
		return Func{}, false
	}
	stack := int(binary.LittleEndian.Uint32(data))
	return Func{Stack: stack, Code: bytes.Clone(data[4:])}, stack <= maxStack
}
