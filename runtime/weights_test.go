package runtime

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNewFromFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	weights := make([]byte, 4096)
	for i := range weights {
		weights[i] = byte(i)
	}
	sum := WeightsSum(weights)
	text := hex.EncodeToString(sum[:])
	write := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("good.weights", append(weights, sum[:]...))
	write("short.weights", append(weights[:100:100], sum[:]...))
	write("other.weights", append(append([]byte{1}, weights[1:]...), make([]byte, len(sum))...))
	write("empty.weights", nil)
	p := &Program{Name: "p", WeightBytes: int64(len(weights)), WeightAlign: 8}
	for _, c := range []struct {
		path, want string
	}{
		{"", ""},
		{filepath.Join(dir, "good.weights"), ""},
		{"short.weights", "belongs to another build"},
		{"other.weights", "belongs to another build"},
		{"empty.weights", "empty.weights"},
		{"none.weights", "none.weights"},
	} {
		m, err := NewFromFile(p, text, []string{"missing.weights", "good.weights"}, WithWeights(c.path))
		if c.want == "" {
			if err != nil {
				t.Errorf("%q: %v", c.path, err)
				continue
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, wanted %q", c.path, err, c.want)
		}
	}
	_, err := NewFromFile(p, text, []string{"missing.weights"})
	if err == nil || !strings.Contains(err.Error(), "missing.weights") {
		t.Errorf("no file: %v", err)
	}
}
