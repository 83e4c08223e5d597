// Package images moves pictures between package image and tensors of bytes,
// without copying where it can.
package images

import (
	"fmt"
	"image"
	"image/color"

	"github.com/tensorcc/tcc/runtime"
)

// Layout is the order of axes.
type Layout int

// The layouts, of a batch of one.
const (
	NHWC Layout = iota // [1, height, width, channels]
	NCHW               // [1, channels, height, width]
)

// FromImage returns the picture as a tensor of u8. An image.NRGBA or image.RGBA,
// with its 4 channels, and an image.Gray, with 1, are viewed where they are, parts
// of pictures too: both see each other's writes, and shared is true. Note that
// image.RGBA has its colors multiplied by alpha. Any other picture is converted to
// 3 channels, red, green and blue, as a copy. In NCHW the tensor is a view with
// strides.
func FromImage(img image.Image, layout Layout) (t *runtime.Tensor, shared bool, err error) {
	b := img.Bounds()
	h, w := b.Dy(), b.Dx()
	switch m := img.(type) {
	case *image.NRGBA:
		t, err = view(m.Pix, m.PixOffset(b.Min.X, b.Min.Y), h, w, 4, m.Stride)
	case *image.RGBA:
		t, err = view(m.Pix, m.PixOffset(b.Min.X, b.Min.Y), h, w, 4, m.Stride)
	case *image.Gray:
		t, err = view(m.Pix, m.PixOffset(b.Min.X, b.Min.Y), h, w, 1, m.Stride)
	default:
		t, err = converted(img)
		t, _, err = arranged(t, layout, err)
		return t, false, err
	}
	return arranged(t, layout, err)
}

func view(pix []uint8, offset, h, w, c, stride int) (*runtime.Tensor, error) {
	return runtime.FromStrided(pix, offset, []int{1, h, w, c}, []int{h * stride, stride, c, 1})
}

func arranged(t *runtime.Tensor, layout Layout, err error) (*runtime.Tensor, bool, error) {
	if err == nil && layout == NCHW {
		t, err = t.Transpose(0, 3, 1, 2)
	}
	return t, err == nil, err
}

// converted is a copy of a picture in three channels.
func converted(img image.Image) (*runtime.Tensor, error) {
	b := img.Bounds()
	pix := make([]uint8, 0, 3*b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			pix = append(pix, c.R, c.G, c.B)
		}
	}
	return runtime.From(pix, 1, b.Dy(), b.Dx(), 3)
}

// ToImage returns a tensor of u8 with axes as layout says, or without the batch,
// as a picture: an image.Gray of 1 channel, an image.NRGBA of 3 or 4. It is over
// the tensor's memory, and shared is true, where that is channels last and
// contiguous with 1 or 4 channels; else it is a copy.
func ToImage(t *runtime.Tensor, layout Layout) (img image.Image, shared bool, err error) {
	if t.DType() != runtime.U8 || t.Rank() < 3 || t.Rank() > 4 || t.Rank() == 4 && t.Shape()[0] != 1 {
		return nil, false, fmt.Errorf("images: %v: want u8 with axes of height, width and channels, "+
			"and perhaps a batch of 1", t)
	}
	if layout == NCHW {
		perm := []int{1, 2, 0}
		if t.Rank() == 4 {
			perm = []int{0, 2, 3, 1}
		}
		if t, err = t.Transpose(perm...); err != nil {
			return nil, false, err
		}
	}
	shared = t.IsContiguous()
	pix, err := runtime.Slice[uint8](t.Contiguous())
	if err != nil {
		return nil, false, err
	}
	dims := t.Shape()[t.Rank()-3:]
	h, w, c := dims[0], dims[1], dims[2]
	r := image.Rect(0, 0, w, h)
	switch c {
	case 1:
		return &image.Gray{Pix: pix, Stride: w, Rect: r}, shared, nil
	case 4:
		return &image.NRGBA{Pix: pix, Stride: 4 * w, Rect: r}, shared, nil
	case 3:
		out := image.NewNRGBA(r)
		for i := range h * w {
			copy(out.Pix[4*i:], pix[3*i:3*i+3])
			out.Pix[4*i+3] = 0xff
		}
		return out, false, nil
	}
	return nil, false, fmt.Errorf("images: %v: %d channels, want 1, 3 or 4", t, c)
}
