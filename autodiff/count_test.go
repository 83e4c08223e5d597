package autodiff

import (
	"os"
	"strconv"
)

// count64 is the number of random graphs of a test: n, or what the variable
// says.
func count64(variable string, n int64) int64 {
	if k, err := strconv.ParseInt(os.Getenv(variable), 10, 64); err == nil {
		return k
	}
	return n
}
