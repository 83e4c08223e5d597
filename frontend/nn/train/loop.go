package train

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/term"
)

// Metric is a number that a step reports.
type Metric struct {
	Name  string
	Value float64
}

// Loop runs steps and says how they go.
type Loop struct {
	Steps    int
	Examples int       // of a step, for the progress line
	Every    int       // steps between reports, 1 if 0
	Out      io.Writer // progress; on a terminal a line that changes; nil: none
	CSV      string    // file of metrics, a row a report
	JSON     string    // file of metrics, an object a line
	Save     func(step int) error
	// SaveEvery, if not 0, saves so often; Save is called at the end, too, and
	// when the run is stopped.
	SaveEvery int

	Curve []Point // what was reported, for package curve

	began  time.Time
	first  int
	csv    *csv.Writer
	json   *json.Encoder
	files  []*os.File
	header bool
}

// Point is the metrics reported at a step.
type Point struct {
	Step    int
	Metrics []Metric
}

// ErrStopped is returned by Run when the run was stopped before its end.
var ErrStopped = errors.New("train: stopped")

// Run calls step for the steps from first on; report tells it that metrics are
// asked for. It ends by itself, with the error of a step, or, saved, when ctx is
// done or the user presses Ctrl-C.
func (l *Loop) Run(ctx context.Context, first int,
	step func(i int, report bool) ([]Metric, error)) (err error) {
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt)
	defer cancel()
	if err := l.open(first); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	every := max(l.Every, 1)
	for i := first; i < l.Steps; i++ {
		if ctx.Err() != nil {
			return errors.Join(ErrStopped, l.save(i))
		}
		report := (i+1)%every == 0 || i+1 == l.Steps
		ms, err := step(i, report)
		if err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
		if report {
			if err := l.report(i+1, ms); err != nil {
				return err
			}
		}
		if l.SaveEvery > 0 && (i+1)%l.SaveEvery == 0 && i+1 < l.Steps {
			if err := l.save(i + 1); err != nil {
				return err
			}
		}
	}
	return l.save(l.Steps)
}

func (l *Loop) save(step int) error {
	if l.Save == nil {
		return nil
	}
	return l.Save(step)
}

// open opens the files, behind what a run before has written if this resumes it.
func (l *Loop) open(first int) error {
	l.began, l.first = time.Now(), first
	mode := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if first > 0 {
		mode = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	for _, name := range []string{l.CSV, l.JSON} {
		if name == "" {
			continue
		}
		f, err := os.OpenFile(name, mode, 0o644)
		if err != nil {
			return err
		}
		l.files = append(l.files, f)
		if name == l.CSV {
			info, err := f.Stat()
			if err != nil {
				return err
			}
			l.csv, l.header = csv.NewWriter(f), info.Size() == 0
		} else {
			l.json = json.NewEncoder(f)
		}
	}
	return nil
}

func (l *Loop) close() error {
	var all error
	for _, f := range l.files {
		all = errors.Join(all, f.Close())
	}
	l.files = nil
	return all
}

func (l *Loop) report(step int, ms []Metric) error {
	l.Curve = append(l.Curve, Point{step, ms})
	l.progress(step, ms)
	if l.csv != nil {
		head, row := []string{"step"}, []string{fmt.Sprint(step)}
		for _, m := range ms {
			head, row = append(head, m.Name), append(row, fmt.Sprint(m.Value))
		}
		if l.header {
			l.csv.Write(head)
		}
		l.header = false
		l.csv.Write(row)
		if l.csv.Flush(); l.csv.Error() != nil {
			return l.csv.Error()
		}
	}
	if l.json != nil {
		object := map[string]any{"step": step}
		for _, m := range ms {
			object[m.Name] = m.Value
		}
		return l.json.Encode(object)
	}
	return nil
}

// progress prints step, metrics, examples a second and the time that is left.
func (l *Loop) progress(step int, ms []Metric) {
	if l.Out == nil {
		return
	}
	took := time.Since(l.began)
	each := took / time.Duration(max(step-l.first, 1))
	line := fmt.Sprintf("step %d/%d", step, l.Steps)
	for _, m := range ms {
		line += fmt.Sprintf("  %s %.4f", m.Name, m.Value)
	}
	if l.Examples > 0 && each > 0 {
		line += fmt.Sprintf("  %.0f examples/s", float64(l.Examples)/each.Seconds())
	}
	left := (each * time.Duration(l.Steps-step)).Round(time.Second)
	line += fmt.Sprintf("  %v left", left)
	f, ok := l.Out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		fmt.Fprintln(l.Out, line)
		return
	}
	end := ""
	if step == l.Steps {
		end = "\n"
	}
	if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 1 && len(line) < w {
		line += strings.Repeat(" ", w-1-len(line))
	}
	fmt.Fprint(l.Out, "\r", line, end)
}
