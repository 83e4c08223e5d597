package train

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/frontend/tensor/interop"
	"github.com/tensorcc/tcc/frontend/tensor/interop/safetensors"
	"github.com/tensorcc/tcc/runtime"
)

// Checkpoints are files in the safetensors format, which PyTorch and others
// read.

// stepKey is the metadata that has the number of steps.
const stepKey = "step"

// Save writes the tensors of *state by their names, and the number of steps
// done, to file: to another name first, so that a file of that name is whole.
func Save(file string, state any, step int) error {
	fields, err := tensor.Fields(state)
	if err != nil {
		return err
	}
	ts := map[string]*runtime.Tensor{}
	for _, f := range fields {
		if ts[f.Name], err = interop.Runtime(*f.T); err != nil {
			return fmt.Errorf("%s: %s: %w", file, f.Name, err)
		}
	}
	out, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	err = safetensors.Write(out, ts, map[string]string{stepKey: strconv.Itoa(step)})
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), file)
}

// Load sets the tensors of *state, which have their types, to those of the
// names in file, and returns the number of steps done.
func Load(file string, state any) (step int, err error) {
	f, err := safetensors.Open(file, false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	fields, err := tensor.Fields(state)
	if err != nil {
		return 0, err
	}
	for _, x := range fields {
		if err := loadField(f, x); err != nil {
			return 0, fmt.Errorf("%s: %s: %w", file, x.Name, err)
		}
	}
	if step, err = strconv.Atoi(f.Metadata[stepKey]); err != nil {
		return 0, fmt.Errorf("%s: metadata: step %q is no number", file, f.Metadata[stepKey])
	}
	return step, nil
}

func loadField(f *safetensors.File, x tensor.Field) error {
	t, _, err := f.Tensor(x.Name)
	if err != nil {
		return err
	}
	want, err := interop.Runtime(*x.T)
	if err != nil {
		return err
	}
	if t.DType() != want.DType() || !slices.Equal(t.Shape(), want.Shape()) {
		return fmt.Errorf("is %v, want %v", t, want)
	}
	// A copy, as the file will be closed.
	*x.T, _, err = interop.Tensor(t.Clone())
	return err
}
