// Package cache keeps what was compiled, in files named by the hash of all that it was made from.
//
// A Store is a folder that many processes use at once: an entry appears under its name when it is
// whole, carries a sum of its name and contents, and what is damaged, or lies under another name,
// counts as not there. It has a bound, as each entry has;
// the entries that were not used for the longest go first. Nothing depends on an entry being
// there, and an entry can only be what making it again would give.
package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The environment variables that say where the store is and how large it may be.
const (
	DirEnv  = "TCC_CACHE"      // a folder, or off
	SizeEnv = "TCC_CACHE_SIZE" // bytes, or with K, M or G behind the number
)

// defaultLimit is the bound where SizeEnv says none: some tens of thousands of kernels.
const defaultLimit = 512 << 20

// Store is a folder of entries. A nil Store has none and keeps none. Its methods may be called
// from many goroutines.
type Store struct {
	Dir   string
	Limit int64 // bytes of disk

	added atomic.Int64 // bytes of disk since the last Trim
	trim  sync.Mutex
}

// Default is the store that the environment says, in the user's cache folder where it says
// nothing; nil where it says off. It is the same one for the whole process.
var Default = sync.OnceValues(func() (*Store, error) {
	return open(os.Getenv(DirEnv), os.Getenv(SizeEnv))
})

func open(dir, size string) (*Store, error) {
	if dir == "off" {
		return nil, nil
	}
	s := &Store{Dir: dir, Limit: defaultLimit}
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, nil // as in a container without a home: there is no place to keep things
		}
		s.Dir = filepath.Join(user, "tcc")
	}
	if size != "" {
		n, err := parseSize(size)
		if err != nil {
			return nil, fmt.Errorf("cache: %s=%s: wanted a number of bytes, such as 200M", SizeEnv, size)
		}
		s.Limit = n
	}
	const often = 10 * time.Minute // reading a full folder takes a second
	if info, err := os.Stat(s.Dir); err != nil || time.Since(info.ModTime()) > often {
		s.added.Store(1 << 60) // so that the first entry that is added trims
	}
	return s, nil
}

// parseSize reads a number of bytes.
func parseSize(text string) (int64, error) {
	shift := 0
	if i := strings.IndexByte("KMG", text[len(text)-1]); i >= 0 {
		shift, text = 10*(i+1), text[:len(text)-1]
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n<<shift>>shift != n {
		return 0, errors.New("no size")
	}
	return n << shift, nil
}

// Key is the name of an entry.
type Key [sha256.Size]byte

// KeyOf hashes parts, which are told apart by their lengths.
func KeyOf(parts ...string) Key {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return Key(h.Sum(nil))
}

func (s *Store) path(k Key) string {
	name := hex.EncodeToString(k[:])
	return filepath.Join(s.Dir, name[:2], name[2:])
}

// maxEntry bounds an entry with its sum; the largest kernels have some 100 KB.
const maxEntry = 64 << 20

// Get returns the entry of a key and whether it is there, and notes that it was used.
func (s *Store) Get(k Key) ([]byte, bool) {
	if s == nil {
		return nil, false
	}
	path := s.path(k)
	data, used, err := readEntry(path)
	if err != nil {
		return nil, false
	}
	body := data[sha256.Size:]
	if sum := sumOf(k, body); !bytes.Equal(sum, data[:sha256.Size]) {
		return nil, false
	}
	const often = time.Hour // times of use need not be exact, and reading should not write
	if time.Since(used) > often {
		now := time.Now()
		_ = os.Chtimes(path, now, now) // where that fails the entry goes early
	}
	return body, true
}

// readEntry reads a file that may be an entry, and when it was last used.
func readEntry(path string) (data []byte, used time.Time, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, used, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, used, err
	}
	if n := info.Size(); !info.Mode().IsRegular() || n < sha256.Size || n > maxEntry {
		return nil, used, fmt.Errorf("%s: no entry", path)
	}
	data = make([]byte, info.Size())
	_, err = io.ReadFull(f, data)
	return data, info.ModTime(), err
}

// sumOf is what stands before an entry's contents.
func sumOf(k Key, body []byte) []byte {
	h := sha256.New()
	h.Write(k[:])
	h.Write(body)
	return h.Sum(nil)
}

// Put keeps an entry. An error says that it could not, which costs time alone.
func (s *Store) Put(k Key, body []byte) error {
	if s == nil {
		return nil
	}
	if len(body) > maxEntry-sha256.Size {
		return fmt.Errorf("cache: %d bytes: an entry has at most %d", len(body), maxEntry-sha256.Size)
	}
	path := s.path(k)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), newPrefix+"*")
	if err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	_, err = f.Write(append(sumOf(k, body), body...))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("cache: %w", errors.Join(err, os.Remove(f.Name())))
	}
	if s.added.Add(onDisk(sha256.Size+int64(len(body)))) > s.Limit/16 {
		return s.Trim()
	}
	return nil
}

// onDisk is what a file of n bytes takes: most entries are smaller than a block.
func onDisk(n int64) int64 {
	const block = 4096
	return (n + block - 1) / block * block
}

// newPrefix begins the names of files that are being written.
const newPrefix = "new-"

// entry is a file of the store.
type entry struct {
	path string
	size int64 // on disk
	used time.Time
}

// entries lists the files: entries, and what a process that ended left half-written, which is old.
func (s *Store) entries() (all []entry, size int64, err error) {
	err = filepath.WalkDir(s.Dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // another process has removed it
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		const writing = time.Hour
		if err != nil || strings.HasPrefix(d.Name(), newPrefix) && time.Since(info.ModTime()) < writing {
			return nil
		}
		e := entry{path, onDisk(info.Size()), info.ModTime()}
		all = append(all, e)
		size += e.size
		return nil
	})
	return all, size, err
}

// Size returns how many entries there are and the bytes of disk that they take.
func (s *Store) Size() (n int, bytes int64, err error) {
	if s == nil {
		return 0, 0, nil
	}
	all, bytes, err := s.entries()
	return len(all), bytes, err
}

// Trim removes the entries that were not used for the longest until seven eighths of the bound
// are left. The time of the folder says to other processes when that was.
func (s *Store) Trim() error {
	s.trim.Lock()
	defer s.trim.Unlock()
	s.added.Store(0)
	now := time.Now()
	_ = os.Chtimes(s.Dir, now, now) // where that fails others trim, too
	return s.shrink(s.Limit, s.Limit-s.Limit/8)
}

// Clear removes all entries.
func (s *Store) Clear() error {
	if s == nil {
		return nil
	}
	return s.shrink(-1, 0)
}

// shrink removes entries until at most target bytes are left, if there are more than limit.
func (s *Store) shrink(limit, target int64) error {
	all, size, err := s.entries()
	if err != nil || size <= limit {
		return err
	}
	slices.SortFunc(all, func(a, b entry) int { return a.used.Compare(b.used) })
	for _, e := range all {
		if size <= target && limit >= 0 {
			break
		}
		if err := os.Remove(e.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cache: %w", err)
		}
		size -= e.size
	}
	return nil
}
