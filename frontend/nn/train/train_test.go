package train_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tensorcc/tcc/frontend/nn/train"
	"github.com/tensorcc/tcc/frontend/nn/train/curve"
	"github.com/tensorcc/tcc/frontend/tensor"
)

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestIDX(t *testing.T) {
	good := []byte{0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	w.Write(good)
	w.Close()
	for _, file := range []string{write(t, "a", good), write(t, "a.gz", zipped.Bytes())} {
		dims, data, err := train.ReadIDX(file)
		if err != nil || !slices.Equal(dims, []int{2, 3}) || !slices.Equal(data, good[12:]) {
			t.Errorf("%v %v %v", dims, data, err)
		}
	}
	huge := slices.Clone(good)
	huge[4], huge[8] = 0xff, 0xff
	for _, bad := range [][]byte{nil, good[:10], good[:15], append(slices.Clone(good), 7), huge} {
		if _, _, err := train.ReadIDX(write(t, "b", bad)); err == nil {
			t.Errorf("% x: no error", bad)
		}
	}
}

func TestTable(t *testing.T) {
	file := write(t, "t.csv", []byte("kind,a,b\nx,1,10\ny,3,\nz,5,30\nx,3,20\n"))
	tab, err := train.ReadCSV(file, train.Complete)
	if err != nil {
		t.Fatal(err)
	}
	xs, err := tab.Numbers(false, "b", "a")
	if err != nil || !slices.Equal(xs, []float32{10, 1, 30, 5, 20, 3}) {
		t.Errorf("%v %v", xs, err)
	}
	labels, classes, err := tab.Classes("kind")
	if err != nil || !slices.Equal(labels, []int64{0, 1, 0}) ||
		!slices.Equal(classes, []string{"x", "z"}) {
		t.Errorf("%v %v %v", labels, classes, err)
	}
	_, err = tab.Numbers(true, "kind")
	if err == nil || !strings.Contains(err.Error(), "row 1: kind") {
		t.Errorf("words as numbers: %v", err)
	}
	if _, err := tab.Numbers(true, "c"); err == nil {
		t.Error("a column that is not there: no error")
	}
}

func TestText(t *testing.T) {
	text, err := train.ReadText(write(t, "t", []byte("abcäa")))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(text.IDs, []int64{0, 1, 2, 3, 0}) || text.Decode(text.IDs) != "abcäa" {
		t.Errorf("%v %q", text.IDs, text.Decode(text.IDs))
	}
	if _, err := text.Encode("x"); err == nil {
		t.Error("a character that is not there: no error")
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	for i, class := range []string{"dark", "light"} {
		img := image.NewRGBA(image.Rect(0, 0, 4, 2))
		for p := range 8 {
			img.Set(p%4, p/4, color.RGBA{uint8(255 * i), 0, 0, 255})
		}
		if err := os.Mkdir(filepath.Join(dir, class), 0o755); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, class, "i.png"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := train.ReadFolder(dir)
	if err != nil || f.Len() != 2 || f.Label(1) != 1 ||
		!slices.Equal(f.Classes, []string{"dark", "light"}) {
		t.Fatalf("%v %v", f, err)
	}
	out := make([]float32, 12)
	err = f.RGB(1, 2, 2, out)
	if err != nil || !slices.Equal(out, []float32{1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}) {
		t.Errorf("%v %v", out, err)
	}
}

// TestSampler sees each example once an epoch, in another order each time.
func TestSampler(t *testing.T) {
	s := &train.Sampler{N: 6, Batch: 2, Seed: 1}
	var epochs [2][]int
	for i := range 6 {
		epochs[i/3] = append(epochs[i/3], s.Pick(i)...)
	}
	if slices.Equal(epochs[0], epochs[1]) {
		t.Error("two epochs in one order")
	}
	again := (&train.Sampler{N: 6, Batch: 2, Seed: 1}).Pick(4)
	if !slices.Equal(again, epochs[1][2:4]) {
		t.Errorf("%v, want %v: the batch of a step depends on it alone", again, epochs[1][2:4])
	}
	slices.Sort(epochs[0])
	if !slices.Equal(epochs[0], []int{0, 1, 2, 3, 4, 5}) {
		t.Errorf("%v", epochs[0])
	}
}

func TestPrefetch(t *testing.T) {
	broken := errors.New("broken")
	p := train.Prefetch(3, []*int{new(int), new(int)}, func(step int, b *int) error {
		if *b = step; step == 6 {
			return broken
		}
		return nil
	})
	defer p.Close()
	for step := 3; step < 7; step++ {
		b, err := p.Next()
		if *b != step || (err != nil) != (step == 6) {
			t.Errorf("step %d: %d, %v", step, *b, err)
		}
	}
}

type state struct {
	W tensor.Tensor
	M [2]tensor.Tensor
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCheckpoint saves and loads, and refuses what does not fit.
func TestCheckpoint(t *testing.T) {
	s := state{tensor.Of([]float32{1, 2}),
		[2]tensor.Tensor{tensor.Of(int64(7)), tensor.Ones(tensor.BF16, 2, 2)}}
	file := filepath.Join(t.TempDir(), "s.safetensors")
	if err := train.Save(file, &s, 42); err != nil {
		t.Fatal(err)
	}
	got := state{tensor.Zeros(tensor.F32, 2),
		[2]tensor.Tensor{tensor.Of(int64(0)), tensor.Zeros(tensor.BF16, 2, 2)}}
	step, err := train.Load(file, &got)
	if err != nil || step != 42 {
		t.Fatalf("step %d, %v", step, err)
	}
	if w := tensor.MustData[float32](got.W); !slices.Equal(w, []float32{1, 2}) {
		t.Errorf("%v", w)
	}
	if n := tensor.MustItem[int64](got.M[0]); n != 7 {
		t.Errorf("%d", n)
	}
	again := file + ".again"
	if err := train.Save(again, &got, 42); err != nil {
		t.Fatal(err)
	}
	if a, b := read(t, file), read(t, again); !bytes.Equal(a, b) {
		t.Errorf("what was loaded is saved as\n%s\nand was\n%s", b, a)
	}
	other := state{tensor.Zeros(tensor.F32, 3), got.M}
	_, err = train.Load(file, &other)
	if err == nil || !strings.Contains(err.Error(), "W: is f32[2], want f32[3]") {
		t.Errorf("another shape: %v", err)
	}
	data := read(t, file)
	for n := range data {
		if _, err := train.Load(write(t, "cut", data[:n]), &got); err == nil {
			t.Fatalf("the first %d of %d bytes: no error", n, len(data))
		}
	}
}

func TestLoop(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	saved := []int{}
	l := &train.Loop{Steps: 10, Every: 4, Examples: 8, Out: &out, CSV: filepath.Join(dir, "m.csv"),
		JSON: filepath.Join(dir, "m.jsonl"), SaveEvery: 5,
		Save: func(step int) error { saved = append(saved, step); return nil }}
	run := func(first int) error {
		return l.Run(context.Background(), first, func(i int, report bool) ([]train.Metric, error) {
			return []train.Metric{{Name: "loss", Value: 1 / float64(i+1)}}, nil
		})
	}
	if err := run(0); err != nil {
		t.Fatal(err)
	}
	l.Steps = 12
	if err := run(10); err != nil { // resumed
		t.Fatal(err)
	}
	if !slices.Equal(saved, []int{5, 10, 12}) {
		t.Errorf("saved at %v", saved)
	}
	csv, _ := os.ReadFile(l.CSV)
	if want := "step,loss\n4,0.25\n8,0.125\n10,0.1\n12,0.08333333333333333\n"; string(csv) != want {
		t.Errorf("%q", csv)
	}
	lines, _ := os.ReadFile(l.JSON)
	if !strings.HasPrefix(string(lines), `{"loss":0.25,"step":4}`) {
		t.Errorf("%q", lines)
	}
	if !strings.Contains(out.String(), "step 8/10  loss 0.1250") {
		t.Errorf("%q", out.String())
	}
	for _, name := range []string{"c.svg", "c.png"} {
		if err := curve.Plot(filepath.Join(dir, name), "loss", l.Curve); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	saved = nil
	err := l.Run(ctx, 0, func(i int, _ bool) ([]train.Metric, error) {
		if i == 2 {
			cancel()
		}
		return nil, nil
	})
	if !errors.Is(err, train.ErrStopped) || !slices.Equal(saved, []int{3}) {
		t.Errorf("stopped: %v, saved at %v", err, saved)
	}
}

// TestInterrupt has Ctrl-C save and stop, and run the step at hand to its end.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot interrupt itself on Windows")
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	done, saved := 0, 0
	l := &train.Loop{Steps: 10000, Save: func(step int) error { saved = step; return nil }}
	err = l.Run(context.Background(), 0, func(i int, _ bool) ([]train.Metric, error) {
		if i == 2 {
			if err := self.Signal(os.Interrupt); err != nil {
				return nil, err
			}
		}
		time.Sleep(time.Millisecond)
		done = i + 1
		return nil, nil
	})
	if !errors.Is(err, train.ErrStopped) || done == 10000 || saved != done {
		t.Errorf("%v after %d steps, saved %d", err, done, saved)
	}
}
