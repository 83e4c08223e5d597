package train

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxElements bounds what a data file may declare.
const maxElements = 1 << 31

// ReadIDX reads a file of bytes in the form of the MNIST digits, compressed by
// gzip if its name ends in .gz: its extents and its elements in row-major order.
func ReadIDX(file string) (dims []int, data []byte, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	var r io.Reader = bufio.NewReader(f)
	if strings.HasSuffix(file, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	if dims, data, err = readIDX(r); err != nil {
		err = fmt.Errorf("%s: idx: %w", file, err)
	}
	return dims, data, err
}

func readIDX(r io.Reader) ([]int, []byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, nil, err
	}
	if head[0] != 0 || head[1] != 0 || head[2] != 8 || head[3] == 0 {
		return nil, nil, fmt.Errorf("begins with % x, want 00 00 08 and a number of axes: "+
			"a file of unsigned bytes", head)
	}
	dims := make([]int, head[3])
	n := 1
	for i := range dims {
		var d uint32
		if err := binary.Read(r, binary.BigEndian, &d); err != nil {
			return nil, nil, err
		}
		if dims[i] = int(d); d != 0 && n > maxElements/int(d) {
			return nil, nil, fmt.Errorf("extents %v are too large", dims)
		}
		n *= dims[i]
	}
	// What is read grows with what is there, not with what is declared.
	data, err := io.ReadAll(io.LimitReader(r, int64(n)+1))
	if err == nil && len(data) != n {
		err = fmt.Errorf("%d bytes, want %d for extents %v", len(data), n, dims)
	}
	return dims, data, err
}
