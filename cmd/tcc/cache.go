package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/tensorcc/tcc/codegen/cache"
)

const cacheDescription = "" +
	`Machine code of kernels is kept by what it is made of, so that what was compiled once is
not compiled again, by any command or program that uses tcc, and needs no LLVM. What it has
changes no result.
` + cache.DirEnv + ` names its folder, or is off; ` + cache.SizeEnv + ` bounds it, as 200M or 2G:
what was not used for the longest goes. Code in it is executed: let nobody else write there.

Examples: tcc cache
          tcc cache -clear
          ` + cache.DirEnv + `=off tcc build vad.onnx`

func cacheCommand() *cli.Command {
	return command(&cli.Command{
		Name:        "cache",
		Usage:       "show or clear the compile cache",
		Description: cacheDescription,
		Flags:       []cli.Flag{&cli.BoolFlag{Name: "clear", Usage: "remove all entries"}},
	}, 0, 0, func(_ context.Context, c *cli.Command) error {
		s, err := cache.Default()
		if err != nil {
			return usageError{err}
		}
		if c.Bool("clear") {
			if err := s.Clear(); err != nil {
				return err
			}
		}
		fmt.Println(cacheLine())
		return nil
	})
}

// cacheLine says where the cache is and how large.
func cacheLine() string {
	const mb = 1 << 20
	s, err := cache.Default()
	switch {
	case err != nil:
		return "none: " + err.Error()
	case s == nil:
		return "off"
	}
	n, size, err := s.Size()
	if err != nil {
		return fmt.Sprintf("%s: %v", s.Dir, err)
	}
	return fmt.Sprintf("%s: %d entries, %.1f of at most %.0f MB",
		s.Dir, n, float64(size)/mb, float64(s.Limit)/mb)
}
