package llvm

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tensorcc/tcc/codegen/cache"
)

// This file finds LLVM's tools.

// minVersion is the oldest LLVM that is used: llc 14 cannot select llvm.minimum, and Debian
// bookworm has nothing between 16 and 19.
const minVersion = 19

// dirEnv is the environment variable that names LLVM's folder, or its bin.
const dirEnv = "TCC_LLVM"

// Toolchain is an LLVM that was found, or one that has filled the cache: see Available. Its methods
// may be called from many goroutines.
type Toolchain struct {
	Version string // such as 19.1.7, stamped into what it makes
	Opt     string // paths of the tools
	LLC     string

	absent error // why the tools are not there, nil if they are
}

// ErrNotFound is in the errors of what needs LLVM where it is not there.
var ErrNotFound = errors.New("no opt and llc of version " + strconv.Itoa(minVersion) + " or newer")

// found has the toolchains of the process by what Find depends on: looking takes as long as compiling
// several kernels from the cache.
var found sync.Map

// Find returns the newest LLVM of the supported versions: that in TCC_LLVM if it is set, else of
// those on PATH and where Debian and Homebrew put them. One that was found stays; one that was not
// is looked for again.
func Find() (*Toolchain, error) {
	where := [2]string{os.Getenv(dirEnv), os.Getenv("PATH")}
	if tc, ok := found.Load(where); ok {
		return tc.(*Toolchain), nil
	}
	tc, err := look()
	if err == nil {
		found.Store(where, tc)
	}
	return tc, err
}

func look() (*Toolchain, error) {
	if dir := os.Getenv(dirEnv); dir != "" {
		all := append(inDir(dir), inDir(filepath.Join(dir, "bin"))...)
		if tc := newest(all); tc != nil {
			return tc, nil
		}
		return nil, fmt.Errorf("llvm: %s=%s has %w: name the folder of one, or unset it", dirEnv, dir,
			ErrNotFound)
	}
	var all []*Toolchain
	for _, dir := range searchDirs() {
		all = append(all, inDir(dir)...)
	}
	if tc := newest(all); tc != nil {
		return tc, nil
	}
	return nil, fmt.Errorf("llvm: %w found: install them (Debian, Ubuntu: apt-get install llvm-19; "+
		"macOS: brew install llvm), or set %s to their folder", ErrNotFound, dirEnv)
}

// searchDirs lists the folders that may have the tools.
func searchDirs() []string {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	for _, pattern := range []string{
		"/usr/lib/llvm-*/bin",
		"/opt/homebrew/opt/llvm*/bin", "/usr/local/opt/llvm*/bin",
		"/home/linuxbrew/.linuxbrew/opt/llvm*/bin",
	} {
		found, _ := filepath.Glob(pattern)
		slices.Reverse(found)
		dirs = append(dirs, found...)
	}
	return slices.DeleteFunc(dirs, func(d string) bool { return d == "" })
}

var toolName = regexp.MustCompile(`^llc(-[0-9]+)?(\.exe)?$`)

// inDir returns the toolchains in one folder: llc with an opt of the same suffix beside it.
func inDir(dir string) []*Toolchain {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, "llc") })
	slices.Sort(names)
	var all []*Toolchain
	for _, name := range names {
		m := toolName.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimPrefix(m[1], "-")); err == nil && n < minVersion {
			continue
		}
		opt := filepath.Join(dir, "opt"+m[1]+m[2])
		if _, err := os.Stat(opt); err == nil {
			all = append(all, &Toolchain{Opt: opt, LLC: filepath.Join(dir, name)})
		}
	}
	return all
}

// newest asks each toolchain for its version; links to the same tool are asked once. Of equal
// versions the first counts, so that PATH decides.
func newest(all []*Toolchain) *Toolchain {
	seen := map[string]bool{}
	var usable []*Toolchain
	for _, tc := range all {
		real, err := filepath.EvalSymlinks(tc.LLC)
		if err != nil || seen[real] {
			continue
		}
		seen[real] = true
		if tc.Version = version(real); major(tc.Version) >= minVersion {
			usable = append(usable, tc)
		}
	}
	slices.SortStableFunc(usable, func(a, b *Toolchain) int {
		return cmp.Compare(major(b.Version), major(a.Version))
	})
	if len(usable) == 0 {
		return nil
	}
	return usable[0]
}

var versionLine = regexp.MustCompile(`LLVM version ([0-9]+\.[0-9]+\.[0-9]+)`)

// version returns what `tool --version` says, or "". The cache remembers it, since starting the
// tool takes longer than compiling from the cache; a tool that is replaced is asked again.
func version(tool string) string {
	store, err := cache.Default()
	if err != nil {
		return askVersion(tool)
	}
	info, err := os.Stat(tool)
	if err != nil {
		return ""
	}
	key := cache.KeyOf("version", tool, strconv.FormatInt(info.Size(), 10),
		info.ModTime().Format(time.RFC3339Nano))
	if v, ok := store.Get(key); ok {
		return string(v)
	}
	v := askVersion(tool)
	if v != "" {
		_ = store.Put(key, []byte(v)) // else it is asked again
	}
	return v
}

func askVersion(tool string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, tool, "--version").Output()
	if err != nil {
		return ""
	}
	if m := versionLine.FindSubmatch(out); m != nil {
		return string(m[1])
	}
	return ""
}

func major(version string) int {
	head, _, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(head)
	return n
}

// String says which LLVM this is, for tcc version.
func (tc *Toolchain) String() string {
	if tc.absent != nil {
		return fmt.Sprintf("kernels cached by LLVM %s, which is not here", tc.Version)
	}
	return fmt.Sprintf("LLVM %s (%s)", tc.Version, filepath.Dir(tc.LLC))
}

// runTool runs a tool of LLVM and returns its standard output.
func runTool(ctx context.Context, tool string, in []byte, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Stdin = bytes.NewReader(in)
	var out, msg bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &msg
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		const most = 2000
		text := strings.TrimSpace(msg.String())
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(tool), err, text[:min(len(text), most)])
	}
	return out.Bytes(), nil
}
