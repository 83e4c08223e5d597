package train

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
)

// Table is a file of comma-separated values with a header.
type Table struct {
	Names []string
	rows  [][]string
	file  string
}

// ReadCSV reads a table. Rows for which keep, if not nil, does not hold are left
// out, such as those with empty fields.
func ReadCSV(file string, keep func(row []string) bool) (*Table, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(rows) < 2 {
		return nil, fmt.Errorf("%s: %d rows, want a header and data", file, len(rows))
	}
	t := &Table{Names: rows[0], file: file}
	for _, row := range rows[1:] {
		if keep == nil || keep(row) {
			t.rows = append(t.rows, row)
		}
	}
	return t, nil
}

// Complete holds for rows without empty fields.
func Complete(row []string) bool { return !slices.Contains(row, "") }

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) }

func (t *Table) column(name string) (int, error) {
	i := slices.Index(t.Names, name)
	if i < 0 {
		return 0, fmt.Errorf("%s: no column %q, there are %q", t.file, name, t.Names)
	}
	return i, nil
}

// Numbers returns the named columns, row by row; with standardize each is scaled
// to mean 0 and standard deviation 1.
func (t *Table) Numbers(standardize bool, names ...string) ([]float32, error) {
	out := make([]float32, len(t.rows)*len(names))
	for j, name := range names {
		k, err := t.column(name)
		if err != nil {
			return nil, err
		}
		sum, squares := 0.0, 0.0
		xs := make([]float64, len(t.rows))
		for i, row := range t.rows {
			if xs[i], err = strconv.ParseFloat(row[k], 64); err != nil {
				return nil, fmt.Errorf("%s: row %d: %s: %w", t.file, i+1, name, err)
			}
			sum, squares = sum+xs[i], squares+xs[i]*xs[i]
		}
		mean, dev := 0.0, 1.0
		if n := float64(len(xs)); standardize && n > 0 {
			mean = sum / n
			if dev = math.Sqrt(squares/n - mean*mean); dev == 0 {
				dev = 1
			}
		}
		for i, x := range xs {
			out[i*len(names)+j] = float32((x - mean) / dev)
		}
	}
	return out, nil
}

// Classes numbers the values of the named column in alphabetical order.
func (t *Table) Classes(name string) (labels []int64, classes []string, err error) {
	k, err := t.column(name)
	if err != nil {
		return nil, nil, err
	}
	for _, row := range t.rows {
		classes = append(classes, row[k])
	}
	slices.Sort(classes)
	classes = slices.Compact(classes)
	for _, row := range t.rows {
		labels = append(labels, int64(slices.Index(classes, row[k])))
	}
	return labels, classes, nil
}
