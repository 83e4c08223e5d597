// Command ulp measures the error of tcc's elementary functions as native code.
//
//	ulp -all exp tanh      f32, all 2**32 inputs
//	ulp -n 1e8 -64 exp     f64, random inputs
//	ulp -n 1e8 pow         f32, random pairs
//	ulp -speed exp         time for an element in cache, beside Go's math
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/tensorcc/tcc/runtime"
)

func main() {
	all := flag.Bool("all", false, "every f32 input")
	n := flag.Float64("n", 1e6, "random inputs")
	wide := flag.Bool("64", false, "f64 instead of f32")
	speed := flag.Bool("speed", false, "measure time, not error")
	level := flag.String("level", runtime.Levels()[0], "CPU level")
	share := flag.Uint64("share", 1, "with -all, only one of so many inputs")
	flag.Parse()
	for _, name := range flag.Args() {
		start := time.Now()
		line, err := "", error(nil)
		switch {
		case *speed:
			line, err = timeOf(name, *level)
		case *all:
			line, err = every(name, *level, *share)
		case *wide:
			line, err = random64(name, *level, int(*n))
		default:
			line, err = random32(name, *level, int(*n))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, name+":", err)
			os.Exit(1)
		}
		fmt.Printf("%-8s %s %s  (%v)\n", name, *level, line, time.Since(start).Round(time.Second/10))
	}
}
