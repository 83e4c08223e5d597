// Command gomlx times the step of training of bench/torch/step's CNN in GoMLX's
// pure-Go back end beside tcc's: loss, gradient and update of AdamW. GoMLX's
// program, step.txtar, is a module of its own, so that tcc does not depend on it;
// the Go proxy has what it needs.
//
//	go run ./bench/gomlx [-runs 3] [-threads 1,2]
package main

import (
	_ "embed" // for GoMLX's program
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/tools/txtar"
)

//go:embed step.txtar
var program []byte

func main() {
	log.SetFlags(0)
	runs := flag.Int("runs", 3, "steps of GoMLX, after one")
	threads := flag.String("threads", "1,2", "`numbers` of threads")
	flag.Parse()
	if err := compare(*runs, strings.Split(*threads, ",")); err != nil {
		log.Fatal(err)
	}
}

func compare(runs int, threads []string) (err error) {
	dir, err := os.MkdirTemp("", "gomlx-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, f := range txtar.Parse(program).Files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			return err
		}
	}
	gomlx, tcc := filepath.Join(dir, "gomlx.exe"), filepath.Join(dir, "tcc.exe")
	if _, err := run(dir, nil, "go", "build", "-o", gomlx, "."); err != nil {
		return err
	}
	if _, err := run("", nil, "go", "build", "-o", tcc, "./cmd/tcc"); err != nil {
		return err
	}
	step, err := run("", nil, "go", "run", "./bench/torch/step", "-model", "cnn")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "cnn.tir")
	if err := os.WriteFile(file, step, 0o600); err != nil {
		return err
	}
	for _, n := range threads {
		var ours, theirs struct{ Median float64 }
		if err := measure(&theirs, []string{"GOMAXPROCS=" + n}, gomlx, "-runs", fmt.Sprint(runs)); err != nil {
			return err
		}
		if err := measure(&ours, nil, tcc, "bench", file, "-json", "-threads", n); err != nil {
			return err
		}
		fmt.Printf("CNN, batch 64, %s threads: tcc %.2f ms, GoMLX %.0f ms (%.0fx)\n", n, 1e3*ours.Median,
			1e3*theirs.Median, theirs.Median/ours.Median)
	}
	return nil
}

// measure runs a command that prints a JSON object.
func measure(into any, env []string, args ...string) error {
	out, err := run("", env, args...)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, into)
}

func run(dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), env...), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return out, err
}
