package gopkg

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/purego"
	"github.com/tensorcc/tcc/runtime"
)

// Arch is the architecture, as GOARCH has it, that a level belongs to; empty
// for the generic one.
func Arch(level string) string {
	t, ok := llvm.TargetOf(level)
	switch {
	case !ok:
		return ""
	case strings.HasPrefix(t.Triple, "x86_64-"):
		return "amd64"
	}
	return "arm64"
}

// Archs are the architectures that have machine code.
var Archs = []string{"amd64", "arm64"}

// levelsOf returns the levels of an architecture, the best first.
func (g *generator) levelsOf(arch string) []*codegen.Level {
	var out []*codegen.Level
	for _, t := range llvm.Targets {
		for _, l := range g.a.Levels {
			if l.Name == t.Level && Arch(t.Level) == arch {
				out = append(out, l)
			}
		}
	}
	return out
}

// native writes the machine code of each architecture and the table of its
// variants.
func (g *generator) native() error {
	for _, arch := range Archs {
		levels := g.levelsOf(arch)
		if len(levels) == 0 {
			continue
		}
		var funcs []llvm.Func
		for _, l := range levels {
			suffix := "_" + strings.NewReplacer("x86-64-", "", "-", "_").Replace(l.Name)
			for _, k := range l.Kernels {
				f := *k.Code
				f.Name += suffix
				funcs = append(funcs, f)
			}
		}
		asm, decl, err := llvm.GoAsm(g.o.Package, arch, "kernelTable", funcs)
		if err != nil {
			return err
		}
		g.files["kernels_"+arch+".s"] = asm
		g.files["kernels_"+arch+".go"] = decl
		n := len(g.a.Plan.Program.Kernels)
		err = g.variants("variants_"+arch+".go", "!purego", levels, func(level, k int) string {
			return fmt.Sprintf("Code: at(%d)", level*n+k)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// variants writes the function that lists the forms of each kernel; code is
// the field that has a form.
func (g *generator) variants(file, tag string, levels []*codegen.Level,
	code func(level, k int) string) error {
	var rows []string
	for k := range g.a.Plan.Program.Kernels {
		var b strings.Builder
		for i, l := range levels {
			if i > 0 {
				b.WriteString(", ")
			}
			v := l.Kernels[k]
			fmt.Fprintf(&b, "{Level: %q, %s, Tasks: %s", l.Name, code(i, k), literal(v.Tasks))
			if v.Scratch != 0 {
				b.WriteString(", Scratch: " + literal(v.Scratch))
			}
			b.WriteString("}")
		}
		rows = append(rows, b.String())
	}
	return g.expand(file, "variants", map[string]any{"Package": g.o.Package, "Runtime": g.rtImport(),
		"Tag": tag, "Rows": rows, "Native": Arch(levels[0].Name) != "" && len(rows) > 0,
		"Align": llvm.CodeAlign})
}

// generic writes the kernels as Go source, for every other architecture.
func (g *generator) generic() error {
	i := slices.IndexFunc(g.a.Levels, func(l *codegen.Level) bool {
		return l.Name == runtime.LevelGeneric
	})
	if i < 0 {
		if g.o.Package == "main" && len(g.a.Levels) > 0 {
			return nil // an executable of one architecture
		}
		return fmt.Errorf("BUG: gopkg: artifact without the generic level")
	}
	l := g.a.Levels[i]
	tag := "purego"
	for _, arch := range Archs {
		if g.files["kernels_"+arch+".s"] == nil {
			tag += " || " + arch
		}
	}
	tag += " || (!amd64 && !arm64)"
	err := g.variants("variants_generic.go", tag, []*codegen.Level{l}, func(_, k int) string {
		return "Go: " + l.Kernels[k].Tree.Name
	})
	if err != nil {
		return err
	}
	var body strings.Builder
	for _, k := range l.Kernels {
		src, err := purego.Func(k.Tree, k.Tree.Name)
		if err != nil {
			return err
		}
		fmt.Fprintf(&body, "\n// %s\n%s", comment(k.Tree), src)
	}
	var imports []string
	for _, pkg := range []string{"math", "unsafe"} {
		if strings.Contains(body.String(), pkg+".") {
			imports = append(imports, fmt.Sprintf("%q", pkg))
		}
	}
	if strings.Contains(body.String(), "rt.") {
		imports = append(imports, "", g.rtImport())
	}
	return g.expand("kernels_generic.go", "generic", map[string]any{"Package": g.o.Package,
		"Tag": tag, "Imports": imports, "Body": body.String()})
}

// comment says where a kernel comes from.
func comment(k *kernel.Kernel) string {
	s := k.Name + " is a kernel of the plan"
	var names []string
	for _, p := range k.Pos {
		n := oneLine(p.Node)
		if n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	const most = 3
	if len(names) > most {
		names = append(names[:most], "…")
	}
	if len(names) > 0 {
		s += ": " + strings.Join(names, ", ")
	}
	return s + "."
}

// oneLine makes text from a model fit for a line comment: white space and
// control characters become single spaces.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return r <= ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xfeff
	}), " ")
}
