package train

import (
	"fmt"
	"image"
	"image/color"
	_ "image/gif"  // formats that are read
	_ "image/jpeg" // likewise
	_ "image/png"  // likewise
	"os"
	"path/filepath"
)

// Folder is a directory with a directory of images for each class.
type Folder struct {
	Classes []string
	files   []string
	labels  []int64
}

// ReadFolder lists the images; they are read when they are asked for.
func ReadFolder(dir string) (*Folder, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	f := &Folder{}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		files, err := os.ReadDir(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			f.files = append(f.files, filepath.Join(dir, e.Name(), file.Name()))
			f.labels = append(f.labels, int64(len(f.Classes)))
		}
		f.Classes = append(f.Classes, e.Name())
	}
	if len(f.files) == 0 {
		return nil, fmt.Errorf("%s: no images: want a directory a class, with images inside", dir)
	}
	return f, nil
}

// Len is the number of images.
func (f *Folder) Len() int { return len(f.files) }

// Label is the number of the class of image i.
func (f *Folder) Label(i int) int64 { return f.labels[i] }

// Gray writes image i, scaled to w by h pixels of 0 to 1, to out.
func (f *Folder) Gray(i, w, h int, out []float32) error {
	img, err := f.image(i)
	if err != nil {
		return err
	}
	sample(img, w, h, func(p int, c color.Color) {
		out[p] = float32(color.Gray16Model.Convert(c).(color.Gray16).Y) / 0xffff
	})
	return nil
}

// RGB writes image i, scaled to w by h pixels of 0 to 1, to out: red, green and
// blue one after the other.
func (f *Folder) RGB(i, w, h int, out []float32) error {
	img, err := f.image(i)
	if err != nil {
		return err
	}
	sample(img, w, h, func(p int, c color.Color) {
		r, g, b, _ := c.RGBA()
		for k, v := range []uint32{r, g, b} {
			out[k*w*h+p] = float32(v) / 0xffff
		}
	})
	return nil
}

func (f *Folder) image(i int) (image.Image, error) {
	r, err := os.Open(f.files[i])
	if err != nil {
		return nil, err
	}
	defer r.Close()
	c, _, err := image.DecodeConfig(r)
	if err == nil && (c.Width < 1 || c.Height < 1 || c.Width > maxElements/c.Height) {
		err = fmt.Errorf("%d by %d pixels", c.Width, c.Height)
	}
	if err == nil {
		_, err = r.Seek(0, 0)
	}
	var img image.Image
	if err == nil {
		img, _, err = image.Decode(r)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.files[i], err)
	}
	return img, nil
}

// sample visits the pixels of img that are nearest to those of one of w by h.
func sample(img image.Image, w, h int, set func(p int, c color.Color)) {
	b := img.Bounds()
	for y := range h {
		for x := range w {
			set(y*w+x, img.At(b.Min.X+(2*x+1)*b.Dx()/(2*w), b.Min.Y+(2*y+1)*b.Dy()/(2*h)))
		}
	}
}
