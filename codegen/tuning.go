package codegen

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/schedule"
)

// Tuning is what a search has found for the kernels of one graph on one machine. It is an input of
// Compile like the graph. Its text, one item a line, # beginning a comment:
//
//	tcc tuning 1
//	members 24
//	kernel x86-64-v4 0123456789abcdef rows=7 cols=4
//
// The first line is the version. Members bounds how much fusion puts into one kernel. A kernel is
// named by its level and by a hash of what it computes, so that an entry never meets another
// kernel: what a changed model or another tcc makes otherwise is not tuned.
type Tuning struct {
	Members int // 0: the default
	Kernels map[KernelID]schedule.Choice
}

// KernelID names a kernel at a level.
type KernelID struct{ Level, Hash string }

// tuningHead is the first line of the text.
const tuningHead = "tcc tuning 1"

// kernelHash is the hash of a naive tree, whatever its name.
func kernelHash(k *kernel.Kernel) string {
	sum := sha256.Sum256([]byte(textOf(k)))
	return hex.EncodeToString(sum[:8])
}

// ID returns the name that kernel i of the artifact has in a Tuning.
func (a *Artifact) ID(level string, i int) KernelID {
	return KernelID{level, kernelHash(a.Plan.Trees[i])}
}

// target is t for a kernel, as tuned.
func (u *Tuning) target(k *kernel.Kernel, t schedule.Target) schedule.Target {
	if u == nil || len(u.Kernels) == 0 {
		return t
	}
	return t.With(u.Kernels[KernelID{t.Name, kernelHash(k)}])
}

// countTuned fills in the statistics of a tuning: entries of levels that are not compiled are
// neither tuned nor stale.
func (a *Artifact) countTuned(u *Tuning) {
	if u == nil || len(u.Kernels) == 0 {
		return
	}
	have := map[string]bool{}
	for _, k := range a.Plan.Trees {
		have[kernelHash(k)] = true
	}
	for id := range u.Kernels {
		switch {
		case !slices.ContainsFunc(a.Levels, func(l *Level) bool { return l.Name == id.Level }):
		case have[id.Hash]:
			a.Stats.Tuned++
		default:
			a.Stats.Stale++
		}
	}
}

// Compare orders names.
func (id KernelID) Compare(x KernelID) int {
	return cmp.Or(strings.Compare(id.Level, x.Level), strings.Compare(id.Hash, x.Hash))
}

// Write writes the text of u; notes are comments of kernels.
func (u *Tuning) Write(w io.Writer, notes map[KernelID]string) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, tuningHead)
	if u.Members > 0 {
		fmt.Fprintf(b, "members %d\n", u.Members)
	}
	for _, id := range slices.SortedFunc(maps.Keys(u.Kernels), KernelID.Compare) {
		fmt.Fprintf(b, "kernel %s %s %v", id.Level, id.Hash, u.Kernels[id])
		if n := notes[id]; n != "" {
			fmt.Fprintf(b, " # %s", n)
		}
		fmt.Fprintln(b)
	}
	return b.Flush()
}

// ReadTuning reads the text that Write writes. Errors name the line.
func ReadTuning(r io.Reader) (*Tuning, error) {
	u := &Tuning{Kernels: map[KernelID]schedule.Choice{}}
	s := bufio.NewScanner(r)
	if s.Scan(); s.Text() != tuningHead {
		return nil, fmt.Errorf("line 1: %q, wanted %q: it is of another version of tcc, tune again",
			s.Text(), tuningHead)
	}
	for n := 2; s.Scan(); n++ {
		text, _, _ := strings.Cut(s.Text(), "#")
		if err := u.line(strings.Fields(text)); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return u, s.Err()
}

func (u *Tuning) line(words []string) error {
	switch {
	case len(words) == 0:
		return nil
	case words[0] == "members" && len(words) == 2:
		n, err := strconv.Atoi(words[1])
		if err != nil || n < 1 {
			return fmt.Errorf("members %q: wanted a number from 1 on", words[1])
		}
		u.Members = n
		return nil
	case words[0] == "kernel" && len(words) > 3:
		c, err := schedule.ParseChoice(words[3:])
		u.Kernels[KernelID{words[1], words[2]}] = c
		return err
	}
	return fmt.Errorf("%q: wanted members N, or kernel LEVEL HASH NAME=N…", strings.Join(words, " "))
}
