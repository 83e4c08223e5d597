package images_test

import (
	"image"
	"image/color"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor/interop/images"
	"github.com/tensorcc/tcc/runtime"
)

func TestShared(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 5, 4))
	part := m.SubImage(image.Rect(1, 2, 4, 4))
	for _, layout := range []images.Layout{images.NHWC, images.NCHW} {
		x, shared, err := images.FromImage(part, layout)
		if err != nil || !shared {
			t.Fatalf("shared %v, %v", shared, err)
		}
		at, want := []int{0, 1, 2, 3}, "u8[1,2,3,4]"
		if layout == images.NCHW {
			at, want = []int{0, 3, 1, 2}, "u8[1,4,2,3]"
		}
		if x.String() != want {
			t.Errorf("tensor %v, want %s", x, want)
		}
		runtime.Set(x, uint8(7+layout), at...)
		if got := m.NRGBAAt(3, 3).A; got != uint8(7+layout) {
			t.Errorf("layout %d: the picture has alpha %d", layout, got)
		}
	}
}

func TestToImage(t *testing.T) {
	pix := make([]uint8, 2*3*4)
	x := runtime.MustFrom(pix, 2, 3, 4)
	img, shared, err := images.ToImage(x, images.NHWC)
	if err != nil || !shared {
		t.Fatalf("shared %v, %v", shared, err)
	}
	img.(*image.NRGBA).SetNRGBA(2, 1, color.NRGBA{1, 2, 3, 4})
	if runtime.At[uint8](x, 1, 2, 3) != 4 {
		t.Errorf("tensor %v after a write to the picture", x.Text())
	}
	back, shared, err := images.FromImage(img, images.NCHW)
	if err != nil || !shared {
		t.Fatal(err)
	}
	if again, shared, err := images.ToImage(back, images.NCHW); err != nil || !shared ||
		&again.(*image.NRGBA).Pix[0] != &pix[0] {
		t.Errorf("there and back: shared %v, %v", shared, err)
	}
	rgb, shared, err := images.ToImage(runtime.MustFrom([]uint8{9, 8, 7}, 1, 1, 3), images.NHWC)
	if got := rgb.At(0, 0); err != nil || shared || got != (color.NRGBA{9, 8, 7, 255}) {
		t.Errorf("three channels: %v, shared %v, %v", got, shared, err)
	}
	if _, _, err := images.ToImage(runtime.MustFrom([]uint8{1, 2}, 1, 1, 2), images.NHWC); err == nil {
		t.Error("two channels: no error")
	}
}

func TestConverted(t *testing.T) {
	m := image.NewYCbCr(image.Rect(0, 0, 2, 2), image.YCbCrSubsampleRatio420)
	x, shared, err := images.FromImage(m, images.NHWC)
	if err != nil || shared || x.String() != "u8[1,2,2,3]" {
		t.Errorf("YCbCr: %v, shared %v, %v", x, shared, err)
	}
}
