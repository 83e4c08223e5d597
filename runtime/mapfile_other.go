//go:build !unix

package runtime

import (
	"fmt"
	"os"
)

// mapFile reads the file at path: this system's way of mapping is not used.
func mapFile(path string) (data []byte, release func(), err error) {
	data, err = os.ReadFile(path)
	if err == nil && len(data) == 0 {
		err = fmt.Errorf("%s: is empty", path)
	}
	return data, func() {}, err
}
