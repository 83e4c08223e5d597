package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/tensorcc/tcc/runtime"
)

// The model takes 512 new samples a step, with the 64 before them.
const (
	rate    = 16000
	frame   = 512
	context = 64
)

// findSpeech runs the detector over a recording, frame by frame, carrying its
// state: half a second of silence, then two frames of a voice, silence again.
func (d *demo) findSpeech() error {
	dir := filepath.Join(corpora, "silero-vad-v5")
	exe, err := d.build(filepath.Join(dir, "model.onnx"), "vad")
	if err != nil {
		return err
	}
	recording := make([]float32, 16*frame)
	for _, ref := range []string{"ref_0", "ref_1"} {
		voice, err := readPB(filepath.Join(dir, ref, "input_0.pb"))
		if err != nil {
			return err
		}
		samples, err := runtime.Slice[float32](voice)
		if err != nil {
			return err
		}
		recording = append(recording, samples[context:]...)
	}
	recording = append(recording, make([]float32, 6*frame)...)
	state, err := runtime.NewTensor(runtime.F32, 2, 1, 128)
	if err != nil {
		return err
	}
	padded := append(make([]float32, context), recording...)
	fmt.Println("\n./vad, probability of speech in each 32 ms of a recording:")
	for i := 0; i*frame < len(recording); i++ {
		in := map[string]*runtime.Tensor{"state": state, "sr": runtime.Scalar(int64(rate)),
			"input": runtime.MustFrom(padded[i*frame:][:context+frame], 1, context+frame)}
		p, err := d.call(exe, in, "output", i == 0)
		if err != nil {
			return err
		}
		if state, err = runtime.ReadNPYFile(filepath.Join(d.dir, "stateN.npy")); err != nil {
			return err
		}
		v := runtime.At[float32](p, 0, 0)
		mark := ""
		if v > 0.45 {
			mark = "  speech"
		}
		fmt.Printf("%5.2f s %5.3f %s%s\n", float64(i*frame)/rate, v, strings.Repeat("|", int(v*40)), mark)
	}
	return nil
}
