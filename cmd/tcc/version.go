package main

import (
	"context"
	"fmt"
	goruntime "runtime"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tensorcc/tcc/codegen/cache"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/runtime"
)

func versionCommand() *cli.Command {
	return command(&cli.Command{
		Name:        "version",
		Usage:       "print the version and what was found on this machine",
		Description: "Example: tcc version",
	}, 0, 0, func(context.Context, *cli.Command) error {
		fmt.Printf("tcc %s %s %s/%s\n", version(), goruntime.Version(), goruntime.GOOS, goruntime.GOARCH)
		if tc, err := llvm.Find(); err != nil {
			fmt.Println("llvm: none:", err)
		} else {
			fmt.Println("llvm:", tc)
		}
		fmt.Println("cache:", cacheLine())
		fmt.Println("tensors:", tensorsLine())
		fmt.Println("cpu levels:", strings.Join(runtime.Levels(), " "))
		fmt.Println("cuda: this build has no CUDA support")
		return nil
	})
}

// tensorsLine says what evaluates lazy tensors of programs that import
// frontend/tensor/native.
func tensorsLine() string {
	store, err := cache.Default()
	if err != nil {
		return "interp: " + err.Error()
	}
	tc, err := llvm.Available(store)
	switch {
	case err != nil:
		return "interp"
	case tc.Cached():
		return fmt.Sprintf("native for %v, interp for others", tc)
	}
	return "native"
}

// version is the module's version as the Go toolchain recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "devel"
}
