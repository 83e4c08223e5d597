package runtime

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestLargePages: the system knows that a large block is to have large pages.
func TestLargePages(t *testing.T) {
	const size = 8 << 20
	p := alignedBytes(size)
	inside := uintptr(p) + size/2
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skip(err)
	}
	found := false
	for s := bufio.NewScanner(f); s.Scan(); {
		var lo, hi uintptr
		if n, _ := fmt.Sscanf(s.Text(), "%x-%x ", &lo, &hi); n == 2 {
			found = lo <= inside && inside < hi
		}
		if flags, ok := strings.CutPrefix(s.Text(), "VmFlags:"); ok && found {
			if !slices.Contains(strings.Fields(flags), "hg") {
				t.Errorf("the memory at %x has the flags%s, wanted hg among them", inside, flags)
			}
			return
		}
	}
	t.Skip("the system does not tell flags of memory")
}
