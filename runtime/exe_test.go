package runtime

import "testing"

// TestExeInputs says first what is not an input: a name mistyped is no input that is missing.
func TestExeInputs(t *testing.T) {
	p := &Program{Inputs: []Port{{Name: "x", DType: F32}, {Name: "y", DType: F32}}}
	for _, c := range []struct {
		inputs map[string]string
		want   string
	}{
		{map[string]string{"x": "1", "y": "2"}, ""},
		{map[string]string{"X": "1", "y": "2"}, "there is no input X: -describe lists them"},
		{map[string]string{"x": "1", "y": "2", "z": "3", "a": "4"}, "there is no input a: -describe lists them"},
		{map[string]string{"y": "2"}, "input x is missing: -input x=FILE of type f32[]"},
	} {
		got := ""
		in, err := (&exe{inputs: c.inputs}).read(p)
		if err != nil {
			got = err.Error()
		}
		if got != c.want || err == nil && len(in) != len(p.Inputs) {
			t.Errorf("%v: %d inputs, error %q, want %q", c.inputs, len(in), got, c.want)
		}
	}
}
