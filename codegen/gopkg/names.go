package gopkg

import (
	"fmt"
	"go/token"
	"strings"
	"unicode"
)

// initialisms are written in capitals as a whole.
var initialisms = map[string]bool{
	"id": true, "ids": true, "sr": true, "url": true, "cpu": true, "api": true,
}

// Identifier makes an exported Go identifier of a name from a model: its runs
// of letters and digits, each with a capital first letter, joined; an X in
// front where it would begin with a digit or be empty. "input:0" becomes
// Input0, "onnx::Gemm_8" OnnxGemm8, "0" X0, "sr" SR.
func Identifier(name string) string {
	var b strings.Builder
	words := strings.FieldsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	for _, w := range words {
		if initialisms[strings.ToLower(w)] {
			b.WriteString(strings.ToUpper(w))
			continue
		}
		r := []rune(w)
		b.WriteRune(unicode.ToUpper(r[0]))
		b.WriteString(string(r[1:]))
	}
	id := b.String()
	if !token.IsIdentifier(id) || !token.IsExported(id) {
		id = "X" + id
	}
	return id
}

// Fields names the fields of Inputs or Outputs after inputs or outputs.
func Fields(names []string) []string { return identifiers(names) }

// identifiers names a list; collisions get _2, _3, … in order.
func identifiers(names []string) []string {
	seen := map[string]bool{}
	out := make([]string, len(names))
	for i, n := range names {
		id := Identifier(n)
		for k := 2; seen[id]; k++ {
			id = fmt.Sprintf("%s_%d", Identifier(n), k)
		}
		seen[id] = true
		out[i] = id
	}
	return out
}

// PackageName makes a package name of a file name.
func PackageName(file string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(file) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) && b.Len() > 0 {
			b.WriteRune(r)
		}
	}
	if name := b.String(); ValidPackage(name) {
		return name
	}
	return "model" + b.String()
}

// locals names local variables after exported identifiers: leading capitals
// become small, all but the last where small letters follow. Names that the
// functions around them need, and collisions, get underscores.
func locals(ids []string, pkg string) []string {
	seen := map[string]bool{pkg: true}
	for _, name := range strings.Fields("m in out err fmt log make nil " +
		"bool string int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64") {
		seen[name] = true
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		r := []rune(id)
		for k := range r {
			if !unicode.IsUpper(r[k]) || k > 0 && k+1 < len(r) && unicode.IsLower(r[k+1]) {
				break
			}
			r[k] = unicode.ToLower(r[k])
		}
		name := string(r)
		for !token.IsIdentifier(name) || seen[name] {
			name += "_"
		}
		seen[name], out[i] = true, name
	}
	return out
}

// ValidPackage reports whether a generated package may have that name: that of
// a command or of the packages that its example imports it may not.
func ValidPackage(name string) bool {
	taken := name == "main" || name == "_" || name == "fmt" || name == "log"
	return token.IsIdentifier(name) && !taken
}
