package schedule

import (
	"fmt"

	"github.com/tensorcc/tcc/codegen/kernel"
)

// stepsOf returns the loop over steps that k is, nil if it is none.
func stepsOf(k *kernel.Kernel) *kernel.Loop {
	if len(k.Body) != 1 {
		return nil
	}
	if l, ok := k.Body[0].(*kernel.Loop); ok && l.Bind == kernel.Steps {
		return l
	}
	return nil
}

// steps schedules each of the kernels in loop l over steps, which is k, as if it were alone: they
// run again and again, and have what they need in near caches.
func steps(k *kernel.Kernel, l *kernel.Loop, t Target) (*kernel.Kernel, string, error) {
	out, why := k.Clone(), "steps:"
	bufs := map[string]*kernel.Buffer{}
	for _, b := range k.Params {
		bufs[b.Name] = b
	}
	for _, s := range l.Body {
		if a, ok := s.(*kernel.Alloc); ok {
			bufs[a.Buf.Name] = a.Buf
			continue
		}
		part := s.(*kernel.Loop).Var
		text, err := within(out, part, bufs, t)
		if err != nil {
			return nil, "", err
		}
		why += " " + text
	}
	if err := kernel.Verify(out); err != nil {
		return nil, "", fmt.Errorf("BUG: schedule of steps of %v:\n%w\n%v", t.Name, err, out)
	}
	return out, why, nil
}
