package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/runtime"
)

// readText recognizes the text in two images of different widths with one
// executable: the width is a dynamic extent.
func (d *demo) readText() error {
	dir := filepath.Join(corpora, "ocr-rec-v4")
	exe, err := d.build(filepath.Join(dir, "model.onnx"), "ocr")
	if err != nil {
		return err
	}
	keys, err := readLines(filepath.Join(dir, "ppocr_keys_v1.txt"))
	if err != nil {
		return err
	}
	for _, ref := range []string{"ref_0", "ref_1"} {
		image, err := readPB(filepath.Join(dir, ref, "input_0.pb"))
		if err != nil {
			return err
		}
		fmt.Printf("\n%s\n", picture(image))
		probs, err := d.call(exe, map[string]*runtime.Tensor{"x": image}, "softmax_11.tmp_0", true)
		if err != nil {
			return err
		}
		fmt.Printf("./ocr reads: %q\n\n", decode(probs, keys))
	}
	return nil
}

// decode is greedy CTC decoding of [1,T,classes]: the best class of each step,
// repeats joined, class 0 (blank) dropped; the class after the keys is a space.
func decode(probs *runtime.Tensor, keys []string) string {
	var b strings.Builder
	steps, classes := probs.Shape()[1], probs.Shape()[2]
	last := 0
	for t := range steps {
		best := 0
		for c := range classes {
			if runtime.At[float32](probs, 0, t, c) > runtime.At[float32](probs, 0, t, best) {
				best = c
			}
		}
		if best != last && best > 0 {
			if best-1 < len(keys) {
				b.WriteString(keys[best-1])
			} else {
				b.WriteByte(' ')
			}
		}
		last = best
	}
	return b.String()
}

// picture draws the first channel of an image [1,C,H,W] with characters.
func picture(x *runtime.Tensor) string {
	const down, across = 6, 4
	shades := []rune("@#*+-. ")
	h, w := x.Shape()[2], x.Shape()[3]
	lo, hi := extremes(x)
	var b strings.Builder
	for i := 0; i+down <= h; i += down {
		for j := 0; j+across <= w; j += across {
			sum := float32(0)
			for k := range down * across {
				sum += runtime.At[float32](x, 0, 0, i+k/across, j+k%across)
			}
			v := (sum/(down*across) - lo) / max(hi-lo, 1e-6)
			b.WriteRune(shades[min(int(v*float32(len(shades))), len(shades)-1)])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func extremes(x *runtime.Tensor) (lo, hi float32) {
	h, w := x.Shape()[2], x.Shape()[3]
	lo, hi = runtime.At[float32](x, 0, 0, 0, 0), runtime.At[float32](x, 0, 0, 0, 0)
	for i := range h * w {
		v := runtime.At[float32](x, 0, 0, i/w, i%w)
		lo, hi = min(lo, v), max(hi, v)
	}
	return lo, hi
}

func readLines(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []string
	for s := bufio.NewScanner(f); ; {
		if !s.Scan() {
			return lines, s.Err()
		}
		lines = append(lines, s.Text())
	}
}

// readPB reads a float32 TensorProto file.
func readPB(path string) (*runtime.Tensor, error) {
	p, err := onnxpb.ReadTensorFile(path)
	if err != nil {
		return nil, err
	}
	dims := make([]int, len(p.Dims))
	for i, d := range p.Dims {
		dims[i] = int(d)
	}
	t, err := runtime.NewTensor(runtime.F32, dims...)
	if err != nil {
		return nil, err
	}
	data, err := t.Bytes()
	if err != nil || p.Type != onnxpb.Float {
		return nil, fmt.Errorf("%s: want float32 elements: %w", path, err)
	}
	copy(data, p.Data)
	return t, nil
}
