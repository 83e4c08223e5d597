package runtime

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// This file has weights that lie in a file beside the program: the constants, then WeightsSum.

// WeightsSum is the checksum of weights, by which a program knows its own.
func WeightsSum(weights []byte) [sha256.Size]byte { return sha256.Sum256(weights) }

// WithWeights names the file of the weights, for models that do not carry them.
func WithWeights(path string) Option { return func(s *settings) { s.weights = path } }

// NewFromFile is New with weights from a file, which is mapped where the system can, and released
// by Close: that of WithWeights, else one of the names, first in the folder of the executable,
// then in the working directory. The file ends in the checksum sum, in hexadecimal here; the
// weights themselves are not read.
func NewFromFile(p *Program, sum string, names []string, opts ...Option) (*Model, error) {
	var s settings
	for _, o := range opts {
		o(&s)
	}
	path := s.weights
	if path == "" {
		var err error
		if path, err = findWeights(names); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	data, release, err := mapFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: weights: %w", p.Name, err)
	}
	n := int64(len(data)) - sha256.Size
	if n != p.WeightBytes || hex.EncodeToString(data[n:]) != sum {
		release()
		return nil, fmt.Errorf("%s: weights: %s belongs to another build: use the file that was "+
			"made with this program", p.Name, path)
	}
	m, err := New(p, data[:n:n], append(opts[:len(opts):len(opts)], WithCleanup(release))...)
	if err != nil {
		release()
	}
	return m, err
}

func findWeights(names []string) (string, error) {
	dirs := []string{"."}
	if exe, err := os.Executable(); err == nil {
		dirs = []string{filepath.Dir(exe), "."}
	}
	for _, dir := range dirs {
		for _, name := range names {
			path := filepath.Join(dir, name)
			if _, err := os.Stat(path); err == nil {
				return path, nil
			} else if !errors.Is(err, fs.ErrNotExist) {
				return "", fmt.Errorf("weights: %w", err)
			}
		}
	}
	return "", fmt.Errorf("weights: no file %v in %v: put it there, or say where it is", names, dirs)
}
