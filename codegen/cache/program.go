package cache

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"
)

var started = time.Now()

// Program names the running program by the contents of its file: for what depends on all of its
// code, so that no other build of it may find it. The default store remembers the name of a file
// that has not changed, since reading it takes longer than looking things up.
var Program = sync.OnceValues(func() (Key, error) {
	path, err := os.Executable()
	if err != nil {
		return Key{}, fmt.Errorf("cache: %w", err)
	}
	store, err := Default()
	if err != nil {
		return Key{}, err
	}
	return program(path, store)
})

func program(path string, store *Store) (k Key, err error) {
	f, err := os.Open(path)
	if err != nil {
		return k, fmt.Errorf("cache: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return k, fmt.Errorf("cache: %w", err)
	}
	if !info.ModTime().Before(started) {
		return k, fmt.Errorf("cache: %s: was written after this program has started", path)
	}
	memo := KeyOf("program", path, strconv.FormatInt(info.Size(), 10),
		info.ModTime().Format(time.RFC3339Nano))
	if sum, ok := store.Get(memo); ok && len(sum) == len(k) {
		return Key(sum), nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return k, fmt.Errorf("cache: %w", err)
	}
	k = Key(h.Sum(nil))
	_ = store.Put(memo, k[:]) // else it is read again
	return k, nil
}
