package gopkg

import (
	"fmt"
	"slices"
	"strconv"
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
		at := map[*codegen.Kernel]int{}
		for _, l := range levels {
			suffix := "_" + strings.NewReplacer("x86-64-", "", "-", "_").Replace(l.Name)
			for i := range l.Kernels {
				k := &l.Kernels[i]
				if k.Same {
					continue
				}
				f := *k.Code
				f.Name += suffix
				at[k] = len(funcs)
				funcs = append(funcs, f)
			}
		}
		asm, decl, err := llvm.GoAsm(g.o.Package, arch, "kernelTable", funcs)
		if err != nil {
			return err
		}
		g.files["kernels_"+arch+".s"] = asm
		g.files["kernels_"+arch+".go"] = decl
		err = g.variants("variants_"+arch+".go", "!purego", levels, func(k *codegen.Kernel) string {
			return fmt.Sprintf("Code: at(%d)", at[k])
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
	code func(k *codegen.Kernel) string) error {
	var rows, names []string
	for _, l := range levels {
		names = append(names, strconv.Quote(l.Name))
	}
	for i := range g.a.Plan.Program.Kernels {
		var forms []string
		for _, l := range levels {
			k := &l.Kernels[i]
			if k.Same {
				continue
			}
			form := fmt.Sprintf("{Level: %q, %s, Tasks: %s", l.Name, code(k), literal(k.Tasks))
			if k.Scratch != 0 {
				form += ", Scratch: " + literal(k.Scratch)
			}
			if k.Common != 0 {
				form += ", Common: " + literal(k.Common) + ", Ahead: " + literal(k.Ahead)
			}
			forms = append(forms, form+"}")
		}
		rows = append(rows, strings.Join(forms, ", "))
	}
	native := Arch(levels[0].Name) != "" && len(rows) > 0
	return g.expand(file, "variants", map[string]any{"Package": g.o.Package, "Runtime": g.rtImport(),
		"Tag": tag, "Rows": rows, "Levels": strings.Join(names, ", "), "Native": native,
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
	err := g.variants("variants_generic.go", tag, []*codegen.Level{l}, func(k *codegen.Kernel) string {
		return "Go: " + k.Tree.Name
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
