package gopkg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Build compiles the files of package main into an executable at out, for the
// GOOS and GOARCH of the environment. The executable is static, holds no paths
// and is the same each time; it appears at out when it is complete.
func (f Files) Build(ctx context.Context, module, out string) error {
	return f.build(ctx, module, out, "0")
}

// build is go build with cgo or without, and more arguments.
func (f Files) build(ctx context.Context, module, out, cgo string, args ...string) (err error) {
	dir, err := os.MkdirTemp("", "tcc-build-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	f.AddModule(module)
	if err := f.Write(dir); err != nil {
		return err
	}
	temp, err := filepath.Abs(out + ".tcc-tmp")
	if err != nil {
		return err
	}
	defer func() {
		cgoHeader := strings.TrimSuffix(temp, filepath.Ext(temp)) + ".h" // of a library; ours replaces it
		for _, name := range []string{temp, cgoHeader} {
			if e := os.Remove(name); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}()
	args = append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=",
		"-o", temp}, args...)
	cmd := exec.CommandContext(ctx, "go", append(args, ".")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo, "GOFLAGS=-mod=mod", "GOWORK=off",
		"GO111MODULE=on")
	var msg bytes.Buffer
	cmd.Stdout, cmd.Stderr = &msg, &msg
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return errors.New("go build: no Go toolchain on PATH: executables need one: " +
				"install Go from https://go.dev/dl")
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("go build: %w\n%s", err, strings.TrimSpace(msg.String()))
	}
	return os.Rename(temp, out)
}

// GoTarget returns the GOOS and GOARCH that Build compiles for.
func GoTarget(ctx context.Context) (goos, goarch string, err error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOOS", "GOARCH").Output()
	if err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			err = errors.New("no Go toolchain on PATH: install Go from https://go.dev/dl")
		}
		return "", "", fmt.Errorf("go env: %w", err)
	}
	words := strings.Fields(string(out))
	if len(words) != 2 {
		return "", "", fmt.Errorf("go env: %q, wanted GOOS and GOARCH", out)
	}
	return words[0], words[1], nil
}

// WriteWeights writes the weights of an executable beside it, where they are
// not in it.
func (f Files) WriteWeights(exe string, o Options) error {
	w, ok := f[weightsFile]
	if !ok || !o.WeightsBeside {
		return nil
	}
	return Files{o.WeightsName(): w}.Write(filepath.Dir(exe))
}
