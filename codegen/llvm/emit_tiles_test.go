package llvm

import (
	"strings"
	"testing"

	llvm "github.com/llir/llvm/ir"
	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/types"
)

// TestEarly moves loads of tiles up to the last use of their register, with their
// addresses, but not past stores nor other loads.
func TestEarly(t *testing.T) {
	m := llvm.NewModule()
	reg := func(n int64) constant.Constant { return constant.NewInt(types.I8, n) }
	r, p, s := llvm.NewParam("r", types.I8), llvm.NewParam("p", i8p), llvm.NewParam("s", types.I64)
	product := m.NewFunc("llvm.x86.tdpbf16ps", types.Void, r, r, r)
	load := m.NewFunc("llvm.x86.tileloadd64", types.Void, r, p, s)
	f := m.NewFunc("f", types.Void, p)
	b := f.NewBlock("b")
	at := func(n int64) constant.Constant { return constant.NewInt(types.I64, n) }
	for i := range int64(4) {
		b.NewCall(product, reg(i), reg(6+i/2), reg(4+i%2))
	}
	for _, n := range []int64{6, 7, 5} {
		b.NewCall(load, reg(n), b.NewGetElementPtr(types.I8, f.Params[0], at(n)), at(64))
	}
	b.NewStore(constant.NewInt(types.I8, 0), f.Params[0])
	b.NewCall(load, reg(4), f.Params[0], at(64))
	b.NewRet(nil)
	early(b)
	var got []string
	for _, x := range b.Insts {
		switch x := x.(type) {
		case *llvm.InstStore:
			got = append(got, "store")
		case *llvm.InstGetElementPtr:
			got = append(got, "at "+x.Indices[0].Ident())
		case *llvm.InstCall:
			word := strings.TrimPrefix(x.Callee.(*llvm.Func).Name(), "llvm.x86.")
			got = append(got, word+" "+x.Args[0].Ident())
		}
	}
	want := "tdpbf16ps 0, tdpbf16ps 1, at 6, tileloadd64 6, tdpbf16ps 2, tdpbf16ps 3, at 7, " +
		"tileloadd64 7, at 5, tileloadd64 5, store, tileloadd64 4"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}
