package llvm

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

const asmMain = `package main

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"
)

//go:noescape
func invoke(code uintptr, bufs, dims unsafe.Pointer, lo, hi int64, scratch unsafe.Pointer) int32

func main() {
	go func() {
		for {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
	}()
	k := codeTable()
	at := func(i int) uintptr { return (k[i] + 63) &^ 63 }
	for range 20 {
		const n = 1000
		x, y := make([]float32, n), make([]float32, n)
		for i := range x {
			x[i] = float32(i)
		}
		bufs := []unsafe.Pointer{unsafe.Pointer(&x[0]), unsafe.Pointer(&y[0])}
		dims := []int64{n}
		s := invoke(at(0), unsafe.Pointer(&bufs[0]), unsafe.Pointer(&dims[0]), 0, n, nil)
		bad := 0
		for i := range y {
			if y[i] != float32(i&15+1)*float32(i) {
				bad++
			}
		}
		var sum int64
		out := []unsafe.Pointer{unsafe.Pointer(&sum)}
		invoke(at(1), unsafe.Pointer(&out[0]), nil, 7, 0, nil)
		j := invoke(at(2), unsafe.Pointer(&out[0]), nil, 2, 0, nil)
		if s != 0 || bad != 0 || j != 40 {
			fmt.Println("wrong:", s, bad, j)
		}
		_ = sum
	}
	fmt.Println("done")
}
`

// TestGoAsm builds a program without cgo from the assembly, in each link mode that there is, and
// runs it; for arm64 under qemu.
func TestGoAsm(t *testing.T) {
	tc := find(t)
	for _, c := range []struct{ arch, level, mode string }{
		{"amd64", "x86-64-v3", "exe"}, {"amd64", "x86-64-v3", "pie"}, {"arm64", "arm64", "exe"},
	} {
		t.Run(c.arch+" "+c.mode, func(t *testing.T) {
			target, _ := TargetOf(c.level)
			funcs, _, err := tc.Compile(t.Context(), []Module{saxpyModule}, target, "")
			if err != nil {
				t.Fatal(err)
			}
			asm, decl, err := GoAsm("main", c.arch, "codeTable", funcs)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			tramp, err := os.ReadFile("../../runtime/invoke_" + c.arch + ".s")
			if err != nil {
				t.Fatal(err)
			}
			files := map[string][]byte{"go.mod": []byte("module m\ngo 1.26\n"),
				"main.go": []byte(asmMain), "code_" + c.arch + ".s": asm,
				"code_" + c.arch + ".go": decl, "invoke_" + c.arch + ".s": tramp}
			if c.arch == "arm64" {
				files["flush.go"] = []byte("package main\n\nfunc flushLines(base, end uintptr)\n")
			}
			for name, data := range files {
				if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			run := func(name string, args ...string) []byte {
				cmd := exec.Command(name, args...)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+c.arch, "GOOS=linux",
					"GOFLAGS=-buildvcs=false")
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%s %v: %v\n%s", name, args, err, out)
				}
				return out
			}
			run("go", "vet", ".")
			run("go", "build", "-buildmode="+c.mode, "-o", "prog", ".")
			prog := []string{filepath.Join(dir, "prog")}
			if c.arch != runtime.GOARCH {
				qemu := map[string]string{"arm64": "qemu-aarch64", "amd64": "qemu-x86_64"}[c.arch]
				if _, err := exec.LookPath(qemu); err != nil {
					t.Skipf("built; running it wants %s (Debian: apt-get install qemu-user)", qemu)
				}
				prog = append([]string{qemu}, prog...)
			}
			if out := run(prog[0], prog[1:]...); !bytes.Equal(out, []byte("done\n")) {
				t.Errorf("got %q", out)
			}
		})
	}
}
