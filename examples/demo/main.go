// Command demo compiles models to executables with tcc and runs them on real
// input. Where the test corpora lie beside the checkout (../shared/corpora),
// it reads handwritten digits with a network that tcc has trained, the text of an
// image, and finds the speech in a recording; without them, it writes a small
// network of its own and finds the edges of a drawing.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/tensorcc/tcc/runtime"
)

const corpora = "../shared/corpora/models"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "tcc-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d := &demo{dir: dir, tcc: filepath.Join(dir, "tcc")}
	if err := d.command("go", "build", "-o", d.tcc, "./cmd/tcc"); err != nil {
		return err
	}
	if hasDigits() {
		if err := d.readDigits(); err != nil {
			return err
		}
	}
	if _, err := os.Stat(corpora); err != nil {
		fmt.Printf("%s is not there: using a network that this program writes.\n\n", corpora)
		return d.edges()
	}
	if err := d.readText(); err != nil {
		return err
	}
	return d.findSpeech()
}

// demo is where the programs and tensors of one run lie.
type demo struct{ dir, tcc string }

// command runs a command and shows it.
func (d *demo) command(name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s %v: %w", filepath.Base(name), args, err)
	}
	return nil
}

// build compiles a model to an executable and says how long it took.
func (d *demo) build(model, name string) (string, error) {
	exe := filepath.Join(d.dir, name)
	start := time.Now()
	fmt.Printf("tcc build %s -o %s\n", model, name)
	if err := d.command(d.tcc, "build", model, "-cpu", "native", "-o", exe); err != nil {
		return "", err
	}
	info, err := os.Stat(exe)
	if err != nil {
		return "", err
	}
	fmt.Printf("  %.1f s, %.1f MB, one static file\n",
		time.Since(start).Seconds(), float64(info.Size())/1e6)
	return exe, nil
}

// call runs a compiled model: inputs by name, outputs as NAME.npy files of
// which the named one is returned. With timed, the program says how long it
// took.
func (d *demo) call(exe string, inputs map[string]*runtime.Tensor, output string,
	timed bool) (*runtime.Tensor, error) {
	args := []string{"-output-dir", d.dir, "-time=" + strconv.FormatBool(timed)}
	for name, t := range inputs {
		file := filepath.Join(d.dir, "in_"+runtime.FileName(name)+".npy")
		if err := runtime.WriteNPYFile(file, t); err != nil {
			return nil, err
		}
		args = append(args, "-input", name+"="+file)
	}
	if err := d.command(exe, args...); err != nil {
		return nil, err
	}
	return runtime.ReadNPYFile(filepath.Join(d.dir, runtime.FileName(output)+".npy"))
}
