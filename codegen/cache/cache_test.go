package cache

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func testStore(t *testing.T, size string) *Store {
	t.Helper()
	s, err := open(filepath.Join(t.TempDir(), "c"), size)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	s := testStore(t, "")
	a, b := KeyOf("ab", "c"), KeyOf("a", "bc")
	if a == b {
		t.Error("parts are not told apart")
	}
	if _, ok := s.Get(a); ok {
		t.Error("an entry that nobody put")
	}
	for _, text := range []string{"", "something"} {
		if err := s.Put(a, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, ok := s.Get(a); !ok || string(got) != text {
			t.Errorf("got %q, %v, put %q", got, ok, text)
		}
	}
	if n, size, err := s.Size(); n != 1 || size != 4096 || err != nil {
		t.Errorf("%d entries of %d bytes, %v", n, size, err)
	}
	if err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	if n, _, err := s.Size(); n != 0 || err != nil {
		t.Errorf("%d entries after Clear, %v", n, err)
	}
}

// TestDamaged cuts an entry and changes each byte of it: it is then not there.
func TestDamaged(t *testing.T) {
	s := testStore(t, "")
	k := KeyOf("k")
	if err := s.Put(k, []byte("code")); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(s.path(k))
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		bad := append([]byte(nil), whole...)
		bad[i] ^= 1
		for _, data := range [][]byte{bad, whole[:i]} {
			if err := os.WriteFile(s.path(k), data, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, ok := s.Get(k); ok {
				t.Fatalf("damaged at byte %d: got %q", i, got)
			}
		}
	}
}

// TestForeign has an entry under the name of another, and what is no entry.
func TestForeign(t *testing.T) {
	s := testStore(t, "")
	a, b := KeyOf("a"), KeyOf("b")
	for _, k := range []Key{a, b} {
		if err := s.Put(k, k[:4]); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(s.path(a), s.path(b)); err != nil {
		t.Fatal(err)
	}
	if got, ok := s.Get(b); ok {
		t.Errorf("the entry of another key, %q", got)
	}
	if err := os.Mkdir(s.path(a), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, ok := s.Get(a); ok {
		t.Errorf("a folder as entry %q", got)
	}
	if err := os.Truncate(s.path(b), maxEntry+1); err != nil { // a hole: it takes no space
		t.Fatal(err)
	}
	if _, ok := s.Get(b); ok {
		t.Error("an entry beyond the bound")
	}
	if err := s.Put(b, make([]byte, maxEntry)); err == nil {
		t.Error("an entry beyond the bound was kept")
	}
}

// TestBound puts more than fits: the oldest go, those used since stay.
func TestBound(t *testing.T) {
	s := testStore(t, "64K")
	old := time.Now().Add(-24 * time.Hour)
	const n = 100
	for i := range n {
		k := KeyOf(fmt.Sprint(i))
		if err := s.Put(k, make([]byte, 4000)); err != nil {
			t.Fatal(err)
		}
		at := old.Add(time.Duration(i) * time.Minute)
		if err := os.Chtimes(s.path(k), at, at); err != nil {
			t.Fatal(err)
		}
		if _, ok := s.Get(KeyOf("0")); !ok { // used between all others
			t.Fatalf("the entry in use went after %d", i)
		}
		if _, size, err := s.Size(); size > 80<<10 || err != nil {
			t.Fatalf("%d bytes after %d entries, %v", size, i+1, err)
		}
	}
	if _, ok := s.Get(KeyOf("1")); ok {
		t.Error("the oldest entry stayed")
	}
}

// TestTrimSeldom opens a store that has just been trimmed, and one that has not.
func TestTrimSeldom(t *testing.T) {
	s := testStore(t, "64K")
	for _, ago := range []time.Duration{0, 24 * time.Hour} {
		if err := s.Put(KeyOf("a"), nil); err != nil {
			t.Fatal(err)
		}
		if ago > 0 {
			at := time.Now().Add(-ago)
			if err := os.Chtimes(s.Dir, at, at); err != nil {
				t.Fatal(err)
			}
		}
		other, err := open(s.Dir, "64K")
		if err != nil {
			t.Fatal(err)
		}
		if trims := other.added.Load() > other.Limit; trims != (ago > 0) {
			t.Errorf("trimmed %v ago: the first entry trims: %v", ago, trims)
		}
	}
}

// TestManyAtOnce has writers and readers of the same entries: each sees nothing or the whole.
func TestManyAtOnce(t *testing.T) {
	s := testStore(t, "20K")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				k := KeyOf(fmt.Sprint(i % 10))
				want := fmt.Sprintf("%3000d", i%10)
				if err := s.Put(k, []byte(want)); err != nil {
					t.Error(err)
				}
				if got, ok := s.Get(k); ok && string(got) != want {
					t.Errorf("entry %d is %q", i%10, got)
				}
			}
		})
	}
	wg.Wait()
}

func TestOff(t *testing.T) {
	s, err := open("off", "")
	if s != nil || err != nil {
		t.Fatalf("%v, %v", s, err)
	}
	if err := s.Put(Key{}, nil); err != nil {
		t.Error(err)
	}
	if _, ok := s.Get(Key{}); ok {
		t.Error("an entry although off")
	}
	if _, err := open("", "12 apples"); err == nil {
		t.Error("a size that is none was taken")
	}
}
