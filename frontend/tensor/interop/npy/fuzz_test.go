package npy

import (
	"bytes"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor/interop"
	"github.com/tensorcc/tcc/runtime"
)

func FuzzNPZ(f *testing.F) {
	var b bytes.Buffer
	if err := WriteNPZ(&b, []string{"a"}, []*runtime.Tensor{runtime.Scalar(1.5)}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		z, err := directory(&interop.Mapping{Data: data}, "fuzz.npz")
		if err != nil {
			return
		}
		for _, name := range z.Names() {
			if x, _, err := z.Tensor(name); err == nil {
				_ = x.Clone() // reads every element
			}
		}
	})
}
