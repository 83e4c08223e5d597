// Command tcc compiles tensor programs ahead of time: model files and Go
// functions to native executables and Go packages. See tcc help.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/urfave/cli/v3"
	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/tensorcc/tcc/frontend/gosrc/analyzer"
)

// Exit statuses, part of the command line's contract.
const (
	exitOK    = 0
	exitFail  = 1 // the thing asked for failed
	exitUsage = 2 // wrong usage or unreadable input
)

// usageError marks errors of usage or of unreadable input.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// usage makes a usageError.
func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errReported is returned by commands that have already said what failed.
var errReported = errors.New("reported")

func main() {
	if asVetTool(os.Args[1:]) {
		if vetNothing(os.Args[len(os.Args)-1]) {
			os.Exit(exitOK)
		}
		unitchecker.Main(analyzer.Analyzer)
	}
	if os.Getenv("GOGC") == "" {
		const percent = 400 // a compiler makes much garbage, and ends soon
		debug.SetGCPercent(percent)
	}
	os.Exit(run(os.Args))
}

// asVetTool reports whether go vet -vettool has started this program: its
// protocol has an argument for the version, one for the flags, and the file
// that describes a package.
func asVetTool(args []string) bool {
	if len(args) == 0 {
		return false
	}
	return args[0] == "-V=full" || args[0] == "-flags" || strings.HasSuffix(args[len(args)-1], ".cfg")
}

// run executes a command line and returns the exit status. It is the one
// place where a fault of the compiler is caught.
func run(args []string) (status int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends what does not heed the first
	defer stop()
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(os.Stderr, "tcc: internal fault, please report it with the model: %v\n%s",
				r, debug.Stack())
			status = exitFail
		}
	}()
	err := app().Run(ctx, args)
	var u usageError
	var e cli.ExitCoder
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitFail
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "tcc: interrupted")
		return exitFail
	case errors.As(err, &u), errors.As(err, &e): // the library's are those of its help command
		fmt.Fprintln(os.Stderr, "tcc:", err)
		return exitUsage
	}
	fmt.Fprintln(os.Stderr, "tcc:", err)
	return exitFail
}

// Help writes flags as the Go toolchain does, with one dash.
func init() {
	text := cli.FlagStringer
	cli.FlagStringer = func(f cli.Flag) string { return strings.ReplaceAll(text(f), "--", "-") }
}

// app declares the commands, one file each.
func app() *cli.Command {
	return &cli.Command{
		Name:                      "tcc",
		Usage:                     "ahead-of-time compiler for tensor programs",
		Description:               description,
		DisableSliceFlagSeparator: true,
		HideVersion:               true,
		ExitErrHandler:            func(context.Context, *cli.Command, error) {},
		OnUsageError:              onUsage,
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return usage("no command %q: tcc help lists them", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		Commands: []*cli.Command{
			buildCommand(), genCommand(), runCommand(), benchCommand(), diffCommand(), conformCommand(),
			inspectCommand(), cacheCommand(), versionCommand(), debugCommand(),
		},
	}
}

const description = "" +
	`MODEL is an .onnx file or a .tir file, tcc's own text form.
tcc help COMMAND shows its flags and an example; tcc help debug has more, for work on tcc.
go vet -vettool=$(which tcc) ./... finds errors of shape and type in Go functions.`

func onUsage(_ context.Context, c *cli.Command, err error, _ bool) error {
	return usageError{flagError(c, err)}
}

// flagError says what is wrong with a flag of c, and what was wanted of a value that cannot be
// read, in place of the words of the function that could not.
func flagError(c *cli.Command, err error) error {
	text := err.Error()
	if flag, ok := strings.CutPrefix(text, "flag provided but not defined: "); ok {
		return fmt.Errorf("there is no flag %s: see %s -help", flag, c.FullName())
	}
	if !strings.HasPrefix(text, "invalid value ") {
		return err
	}
	for _, r := range []struct{ says, wanted string }{
		{"strconv.ParseInt: ", "an integer"},
		{"strconv.ParseUint: ", "an integer of 0 or more"},
		{"strconv.ParseFloat: ", "a number"},
		{"time: ", "a time such as 500ms or 2s"},
		{"parse error", "true or false"},
	} {
		if what, _, ok := strings.Cut(text, ": "+r.says); ok {
			return fmt.Errorf("%s: wanted %s", what, r.wanted)
		}
	}
	return err
}

// command completes the declaration of a command that takes exactly the named
// arguments.
func command(c *cli.Command, min, max int,
	action func(context.Context, *cli.Command) error) *cli.Command {
	c.DisableSliceFlagSeparator = true
	c.OnUsageError = onUsage
	c.Action = func(ctx context.Context, c *cli.Command) error {
		if n := c.Args().Len(); n < min || max >= 0 && n > max {
			wanted := c.ArgsUsage
			if wanted == "" {
				wanted = "none"
			}
			return usage("%s: %d arguments, wanted %s: see tcc help %s", c.Name, n, wanted, c.Name)
		}
		return action(ctx, c)
	}
	return c
}
