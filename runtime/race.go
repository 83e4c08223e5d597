//go:build race

package runtime

import (
	goruntime "runtime"
	"unsafe"
)

// raceEnabled reports whether launches tell the race detector what they read and write, which it
// cannot see in machine code.
const raceEnabled = true

func raceRead(p unsafe.Pointer, n int64) {
	if n > 0 {
		goruntime.RaceReadRange(p, int(n))
	}
}

func raceWrite(p unsafe.Pointer, n int64) {
	if n > 0 {
		goruntime.RaceWriteRange(p, int(n))
	}
}
