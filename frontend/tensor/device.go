package tensor

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
)

// Device is where a tensor's memory is and its operations run: [CPU], [CUDA],
// or one of several GPUs, CUDA.At(1). Devices compare with ==.
type Device struct {
	kind  string
	index int
}

// The devices. CUDA is the first GPU.
var (
	CPU  = Device{kind: "cpu"}
	CUDA = Device{kind: "cuda"}
)

// At returns the device of the same kind with the index i, from 0.
func (d Device) At(i int) Device { return Device{d.kind, i} }

// String returns "cpu", "cuda:0".
func (d Device) String() string {
	if d.kind == "" || d == CPU {
		return "cpu"
	}
	return fmt.Sprintf("%s:%d", d.kind, d.index)
}

// Available reports whether tensors can be moved to d; Check says why not.
func (d Device) Available() bool { return d.Check() == nil }

// Check returns nil if tensors can be moved to d, else an error that says what
// is missing.
func (d Device) Check() error {
	switch {
	case d == CPU || d == Device{}:
		return nil
	case d.kind != "cuda":
		return fmt.Errorf("%v: there is only one: use tensor.CPU", d)
	case !cudaDriver():
		return fmt.Errorf("%v: %w", d, errNoDriver)
	}
	return fmt.Errorf("%v: a CUDA driver is there, but this build has no back end for it: "+
		"use tensor.CPU, or tcc build -target cuda:sm_80 for the kernels alone", d)
}

var errNoDriver = errors.New("no CUDA driver (libcuda.so.1) and no GPU were found: use tensor.CPU")

// cudaDriver reports whether the system has NVIDIA's driver.
var cudaDriver = sync.OnceValue(func() bool {
	for _, pattern := range []string{"/dev/nvidia[0-9]*", "/usr/lib*/libcuda.so.1",
		"/usr/lib/*/libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1", `C:\Windows\System32\nvcuda.dll`} {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
})

// Device returns where t is.
func (t Tensor) Device() Device { return CPU }

// To returns t on a device: t itself where it is there, else a copy. A device
// that is not available is an error that says what is missing.
func (t Tensor) To(d Device) Tensor {
	c := start("To")
	if !c.check(t) {
		return c.bad()
	}
	if err := d.Check(); err != nil {
		return c.fail("%v", err)
	}
	return t
}
