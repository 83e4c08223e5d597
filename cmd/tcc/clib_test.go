package main

import (
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
)

// user is a C program that runs the model sums with strided input, takes what the
// library makes, has it write where the program says, and sees its errors.
const user = `
#include <stdio.h>
#include <string.h>
#include "libsums.h"

static int failed(const char *what, char *err) {
	printf("%s: %s\n", what, err ? err : "");
	free(err);
	return 1;
}

static DLManagedTensor tensor(void *data, int ndim, int64_t *shape, int64_t *strides) {
	DLManagedTensor t;
	memset(&t, 0, sizeof t);
	t.dl_tensor.data = data;
	t.dl_tensor.device.device_type = kDLCPU;
	t.dl_tensor.ndim = ndim;
	t.dl_tensor.dtype.code = kDLFloat;
	t.dl_tensor.dtype.bits = 32;
	t.dl_tensor.dtype.lanes = 1;
	t.dl_tensor.shape = shape;
	t.dl_tensor.strides = strides;
	return t;
}

int main(void) {
	char *err = NULL;
	sums_model m = 0;
	if (sums_new(&m, 1, &err))
		return failed("new", err);

	/* x is a transposed view, backwards along axis 0. */
	float data[6] = {1, 2, 3, 4, 5, 6}, s = 0.5f, place[6];
	int64_t shape[2] = {3, 2}, strides[2] = {-1, 3};
	DLManagedTensor x = tensor(data, 2, shape, strides), scalar = tensor(&s, 0, NULL, NULL);
	x.dl_tensor.byte_offset = 2 * sizeof(float);
	DLManagedTensor *in[sums_inputs] = {&x, &scalar}, *out[sums_outputs] = {NULL};
	if (sums_run(m, in, out, &err))
		return failed("run", err);
	DLTensor *z = &out[0]->dl_tensor;
	printf("%d dims %d,%d:", z->ndim, (int)z->shape[0], (int)z->shape[1]);
	for (int i = 0; i < 6; i++)
		printf(" %g", ((float *)z->data)[i]);
	printf("\n");

	/* The same result at a place of ours; then the library's tensor goes. */
	DLManagedTensor mine = tensor(place, 2, shape, NULL), *there[1] = {&mine};
	if (sums_run(m, in, there, &err))
		return failed("run", err);
	printf("same %d, kept %d\n", memcmp(place, z->data, sizeof place) == 0, there[0] == &mine);
	out[0]->deleter(out[0]);

	int64_t wrong[2] = {2, 3};
	x = tensor(data, 2, wrong, NULL);
	out[0] = NULL;
	if (!sums_run(m, in, out, &err))
		return failed("no error", NULL);
	printf("%s\n", err);
	free(err);
	char *text = sums_describe();
	printf("%s", text);
	free(text);
	return sums_close(m, NULL);
}
`

// TestLibraries compiles a C program against an archive and a shared library.
func TestLibraries(t *testing.T) {
	if testing.Short() {
		t.Skip("long: cgo is built")
	}
	needLLVM(t)
	cc, err := exec.LookPath("cc")
	if err != nil || goruntime.GOOS == "windows" {
		t.Skipf("no cc on PATH: C libraries are not tried: %v", err)
	}
	modes := map[string]string{"c-archive": "libsums.a", "c-shared": "libsums.so"}
	for mode, file := range modes {
		dir := t.TempDir()
		lib := filepath.Join(dir, file)
		status, _, stderr := tcc(t, "build", "-buildmode", mode, "-cpu", "native", "-o", lib,
			write(t, "sums.tir", sums))
		if status != exitOK {
			t.Fatalf("build -buildmode %s: %s", mode, stderr)
		}
		source := filepath.Join(dir, "user.c")
		if err := os.WriteFile(source, []byte(user), 0o600); err != nil {
			t.Fatal(err)
		}
		mustTool(t, dir, nil, cc, "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-o", "user", source,
			lib, "-lpthread")
		out := mustTool(t, dir, []string{"LD_LIBRARY_PATH=" + dir}, filepath.Join(dir, "user"))
		// z = (x + 0.5) * 2 for x = [[3,6],[2,5],[1,4]].
		for _, want := range []string{"2 dims 3,2: 7 13 5 11 3 9\n", "same 1, kept 1\n",
			"input x: is f32[2,3], wanted f32[N,2]", "x\tf32[N,2]"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in what the program says:\n%s", mode, want, out)
			}
		}
	}
}
