package tensor

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// Tags of fields that are structs: values for the names in the types of their
// tensors, so that a layer is declared once for all sizes.

// parseBindings reads "In=784,Out=2*N"; a specification of another kind binds
// nothing.
func parseBindings(spec string) (map[string]ir.Dim, error) {
	if !strings.Contains(spec, "=") {
		return nil, nil
	}
	env := map[string]ir.Dim{}
	for _, word := range strings.Split(spec, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(word), "=")
		if !ok || !ir.IsSymName(name) {
			return nil, fmt.Errorf("tag %q: %q, want values of names, such as In=784,Out=128", spec, word)
		}
		d, err := ir.ParseDim(value)
		if err != nil {
			return nil, fmt.Errorf("tag %q: %w", spec, err)
		}
		env[name] = d
	}
	return env, nil
}

// bindTag puts values for the names in a tag: of a type, of bindings, or of a
// list of either.
func bindTag(tag string, env map[string]ir.Dim) (string, error) {
	if len(env) == 0 || tag == "" {
		return tag, nil
	}
	lookup := func(name string) (ir.Dim, bool) { d, ok := env[name]; return d, ok }
	switch {
	case strings.Contains(tag, ";"):
		parts := strings.Split(tag, ";")
		for i := range parts {
			var err error
			if parts[i], err = bindTag(parts[i], env); err != nil {
				return "", err
			}
		}
		return strings.Join(parts, ";"), nil
	case strings.HasPrefix(tag, "["):
		count, elem, _ := strings.Cut(tag, "]")
		elem, err := bindTag(elem, env)
		return count + "]" + elem, err
	case strings.Contains(tag, "="):
		inner, err := parseBindings(tag)
		if err != nil {
			return "", err
		}
		var words []string
		for _, word := range strings.Split(tag, ",") { // in the order of the tag
			name, _, _ := strings.Cut(strings.TrimSpace(word), "=")
			words = append(words, name+"="+inner[name].Subst(lookup).String())
		}
		return strings.Join(words, ","), nil
	}
	t, err := ParseType(tag)
	if err != nil {
		return "", err
	}
	for i, d := range t.Shape {
		t.Shape[i] = d.Subst(lookup)
	}
	return t.String(), nil
}

// Field is a tensor in a struct of tensors, with what its tags say.
type Field struct {
	Name string // the way to it: "Conv1.W"
	// Type is what the tag tcc says; its DType is ir.Invalid where there is
	// no tag.
	Type ir.Type
	Init string // the tag init
	T    *Tensor
}

// Fields lists the tensors in *v, a Tensor, or a struct, array or slice of such,
// in the order of declaration. Slices that are nil are made as long as their
// tags say.
func Fields(v any) ([]Field, error) {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return nil, fmt.Errorf("tensor: Fields of %T, want a pointer to a struct of tensors", v)
	}
	var all []slot
	if err := slots(p.Elem(), "", "", &all); err != nil {
		return nil, fmt.Errorf("tensor: Fields of %T: %w", v, err)
	}
	out := make([]Field, len(all))
	for i, s := range all {
		out[i] = Field{Name: s.name, Init: s.init, T: s.t}
		if s.spec != "" {
			t, err := ParseType(s.spec)
			if err != nil {
				return nil, fmt.Errorf("tensor: Fields of %T: %s: %w", v, s.name, err)
			}
			out[i].Type = t
		}
	}
	return out, nil
}

// BindSpec puts values for the names in spec, a type or what else a tag says:
// values are those of the tag around it, such as In=784,Out=128. An error names
// what is no tag.
func BindSpec(spec, values string) (string, error) {
	env, err := parseBindings(values)
	if err != nil {
		return "", err
	}
	return bindTag(spec, env)
}
