package tensor

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/tensorcc/tcc/ir"
)

// The source position of a call: the first frame outside the DSL's packages.

// dslPackages are the packages whose frames are not the user's: they serve a
// call, as packages that print do.
var dslPackages = []string{
	"github.com/tensorcc/tcc/frontend/tensor.",
	"github.com/tensorcc/tcc/frontend/tensor/linalg.",
	"github.com/tensorcc/tcc/frontend/nn.",
	"fmt.",
	"log.",
	"log/slog.",
	"reflect.",
	"runtime.",
}

// site is what is known of a program counter.
type site struct {
	pos  ir.Pos
	user bool
}

var sites sync.Map // uintptr -> site

// callerPos returns the position of the user's call that is being served.
func callerPos() ir.Pos {
	var pcs [24]uintptr
	for skip := 2; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs[:])
		for _, pc := range pcs[:n] {
			if s := lookup(pc); s.user {
				return s.pos
			}
		}
		if n < len(pcs) {
			return ir.Pos{}
		}
	}
}

func lookup(pc uintptr) site {
	if s, ok := sites.Load(pc); ok {
		return s.(site)
	}
	var s site
	frames := runtime.CallersFrames([]uintptr{pc})
	for more := true; more && !s.user; {
		var f runtime.Frame
		f, more = frames.Next()
		s.user = isUser(f)
		s.pos = ir.Pos{File: shortFile(f.File), Line: f.Line}
	}
	sites.Store(pc, s)
	return s
}

func isUser(f runtime.Frame) bool {
	if strings.HasSuffix(f.File, "_test.go") {
		return true
	}
	for _, p := range dslPackages {
		if strings.HasPrefix(f.Function, p) {
			return false
		}
	}
	return f.Function != ""
}

var workDir = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	return dir
})

// shortFile is relative to the working directory where the file is below it,
// else the last folder and the name: the same on every machine.
func shortFile(file string) string {
	if dir := workDir(); dir != "" {
		if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
}
