package train

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// Text is a text as numbers of its characters.
type Text struct {
	Alphabet []rune // in order
	IDs      []int64
	number   map[rune]int64
}

// ReadText reads a file of UTF-8 text.
func ReadText(file string) (*Text, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	t := &Text{number: map[rune]int64{}}
	for _, r := range string(b) {
		if _, ok := t.number[r]; !ok {
			t.number[r] = 0
			t.Alphabet = append(t.Alphabet, r)
		}
	}
	slices.Sort(t.Alphabet)
	for i, r := range t.Alphabet {
		t.number[r] = int64(i)
	}
	t.IDs, err = t.Encode(string(b))
	return t, err
}

// Encode returns the numbers of the characters of s.
func (t *Text) Encode(s string) ([]int64, error) {
	var ids []int64
	for _, r := range s {
		id, ok := t.number[r]
		if !ok {
			return nil, fmt.Errorf("train: character %q is not in the text", r)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// Decode returns the characters of numbers.
func (t *Text) Decode(ids []int64) string {
	var b strings.Builder
	for _, id := range ids {
		b.WriteRune(t.Alphabet[id])
	}
	return b.String()
}
