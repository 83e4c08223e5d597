package kernel

import (
	"reflect"
	"testing"

	"github.com/tensorcc/tcc/ir"
)

// TestBufferText: the text says all of a buffer, since compilation goes by the text of kernels.
func TestBufferText(t *testing.T) {
	for i := range reflect.TypeFor[Buffer]().NumField() {
		b := &Buffer{Name: "b", DType: ir.F32, Size: ir.Const(3)}
		switch f := reflect.ValueOf(b).Elem().Field(i); f.Kind() {
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Uint8:
			f.SetUint(1)
		}
		k, err := Parse((&Kernel{Name: "k", Params: []*Buffer{b}}).String())
		if err != nil {
			t.Fatal(err)
		}
		if got := k.Params[0]; !reflect.DeepEqual(got, b) {
			t.Errorf("%+v is read as %+v", b, got)
		}
	}
}

// TestSharedLoads: loads of one element are one in a statement, and not beyond it.
func TestSharedLoads(t *testing.T) {
	k, err := Parse("kernel k(a f32[4] in out) dims(N)\n\ta[0] = add(a[N+1], a[N+1])\n\ta[1] = a[N+1]\n")
	if err != nil {
		t.Fatal(err)
	}
	sum, other := k.Body[0].(*Store).Value, k.Body[1].(*Store).Value
	if sum.Args[0] != sum.Args[1] || sum.Args[0] == other {
		t.Errorf("%v", k)
	}
}
