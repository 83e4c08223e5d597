package nn

import (
	"github.com/tensorcc/tcc/frontend/tensor"
)

// Linear is x·W + B, of In features to Out.
type Linear struct {
	W tensor.Tensor `tcc:"f32[In,Out]" init:"glorot"`
	B tensor.Tensor `tcc:"f32[Out]" init:"zeros"`
}

// Apply maps x of shape (..., In) to (..., Out).
func (l Linear) Apply(x tensor.Tensor) tensor.Tensor { return x.MatMul(l.W).Add(l.B) }

// Projection is [Linear] without a bias.
type Projection struct {
	W tensor.Tensor `tcc:"f32[In,Out]" init:"glorot"`
}

// Apply maps x of shape (..., In) to (..., Out).
func (l Projection) Apply(x tensor.Tensor) tensor.Tensor { return x.MatMul(l.W) }

// Conv1d is a convolution of windows of K elements; In counts the channels of a
// group.
type Conv1d struct {
	W tensor.Tensor `tcc:"f32[Out,In,K]" init:"he"`
	B tensor.Tensor `tcc:"f32[Out]" init:"zeros"`
}

// Apply maps x of shape (N, C, L), see [tensor.Tensor.Conv1d].
func (l Conv1d) Apply(x tensor.Tensor, opts ...tensor.WindowOption) tensor.Tensor {
	return x.Conv1d(l.W, l.B, opts...)
}

// Conv2d is a convolution of windows of K by K elements; In counts the channels
// of a group.
type Conv2d struct {
	W tensor.Tensor `tcc:"f32[Out,In,K,K]" init:"he"`
	B tensor.Tensor `tcc:"f32[Out]" init:"zeros"`
}

// Apply maps x of shape (N, C, H, W), see [tensor.Tensor.Conv2d].
func (l Conv2d) Apply(x tensor.Tensor, opts ...tensor.WindowOption) tensor.Tensor {
	return x.Conv2d(l.W, l.B, opts...)
}

// Conv3d is a convolution of windows of K by K by K elements; In counts the
// channels of a group.
type Conv3d struct {
	W tensor.Tensor `tcc:"f32[Out,In,K,K,K]" init:"he"`
	B tensor.Tensor `tcc:"f32[Out]" init:"zeros"`
}

// Apply maps x of shape (N, C, D, H, W), see [tensor.Tensor.Conv3d].
func (l Conv3d) Apply(x tensor.Tensor, opts ...tensor.WindowOption) tensor.Tensor {
	return x.Conv3d(l.W, l.B, opts...)
}

// ConvTranspose1d is a transposed convolution; Out counts the channels of a
// group.
type ConvTranspose1d struct {
	W tensor.Tensor `tcc:"f32[In,Out,K]" init:"torch"`
	B tensor.Tensor `tcc:"f32[Out]" init:"zeros"`
}

// Apply maps x of shape (N, In, L), see [tensor.Tensor.ConvTranspose1d].
func (l ConvTranspose1d) Apply(x tensor.Tensor, opts ...tensor.WindowOption) tensor.Tensor {
	return x.ConvTranspose1d(l.W, l.B, opts...)
}

// ConvTranspose2d is a transposed convolution of windows of K by K elements.
type ConvTranspose2d struct {
	W tensor.Tensor `tcc:"f32[In,Out,K,K]" init:"torch"`
	B tensor.Tensor `tcc:"f32[Out]" init:"zeros"`
}

// Apply maps x of shape (N, In, H, W), see [tensor.Tensor.ConvTranspose2d].
func (l ConvTranspose2d) Apply(x tensor.Tensor, opts ...tensor.WindowOption) tensor.Tensor {
	return x.ConvTranspose2d(l.W, l.B, opts...)
}

// ConvTranspose3d is a transposed convolution of windows of K by K by K
// elements.
type ConvTranspose3d struct {
	W tensor.Tensor `tcc:"f32[In,Out,K,K,K]" init:"torch"`
	B tensor.Tensor `tcc:"f32[Out]" init:"zeros"`
}

// Apply maps x of shape (N, In, D, H, W), see [tensor.Tensor.ConvTranspose3d].
func (l ConvTranspose3d) Apply(x tensor.Tensor, opts ...tensor.WindowOption) tensor.Tensor {
	return x.ConvTranspose3d(l.W, l.B, opts...)
}

// Embedding has a row of D numbers for each of N integers.
type Embedding struct {
	W tensor.Tensor `tcc:"f32[N,D]" init:"normal=0.02"`
}

// Apply maps integers of shape (...) to (..., D).
func (l Embedding) Apply(ids tensor.Tensor) tensor.Tensor { return l.W.Index(ids) }

// usualEps is what PyTorch's normalizations add to variances.
const usualEps = 1e-5

// LayerNorm normalizes the last axis, of D elements.
type LayerNorm struct {
	W tensor.Tensor `tcc:"f32[D]" init:"ones"`
	B tensor.Tensor `tcc:"f32[D]" init:"zeros"`
}

// Apply maps x of shape (..., D) to the same.
func (l LayerNorm) Apply(x tensor.Tensor) tensor.Tensor {
	return x.LayerNorm(l.W.Shape(), l.W, l.B, usualEps)
}

// RMSNorm divides by the root of the mean square of the last axis, of D
// elements.
type RMSNorm struct {
	W tensor.Tensor `tcc:"f32[D]" init:"ones"`
}

// Apply maps x of shape (..., D) to the same.
func (l RMSNorm) Apply(x tensor.Tensor) tensor.Tensor {
	return x.RMSNorm(l.W.Shape(), l.W, usualEps)
}

// GroupNorm normalizes groups of C channels.
type GroupNorm struct {
	W tensor.Tensor `tcc:"f32[C]" init:"ones"`
	B tensor.Tensor `tcc:"f32[C]" init:"zeros"`
}

// Apply maps x of shape (N, C, ...) to the same.
func (l GroupNorm) Apply(x tensor.Tensor, groups int) tensor.Tensor {
	return x.GroupNorm(groups, l.W, l.B, usualEps)
}

// BatchNorm normalizes each of C channels over the batch.
type BatchNorm struct {
	W tensor.Tensor `tcc:"f32[C]" init:"ones"`
	B tensor.Tensor `tcc:"f32[C]" init:"zeros"`
}

// BatchStats are the running mean and variance of a [BatchNorm]: part of the
// state, not of the parameters.
type BatchStats struct {
	Mean tensor.Tensor `tcc:"f32[C]" init:"zeros"`
	Var  tensor.Tensor `tcc:"f32[C]" init:"ones"`
}

// Train maps x of shape (N, C, ...) to the same by the mean and variance of the
// batch, and moves stats towards them by a tenth.
func (l BatchNorm) Train(x tensor.Tensor, stats *BatchStats) tensor.Tensor {
	mean, variance := stats.Mean.Clone(), stats.Var.Clone()
	y := x.BatchNorm(mean, variance, l.W, l.B, true, 0.1, usualEps)
	stats.Mean, stats.Var = mean, variance
	return y
}

// Apply maps x of shape (N, C, ...) to the same by the running statistics.
func (l BatchNorm) Apply(x tensor.Tensor, stats BatchStats) tensor.Tensor {
	return x.BatchNorm(stats.Mean, stats.Var, l.W, l.B, false, 0.1, usualEps)
}

// Dropout zeroes elements of x with probability p, and divides the others by
// 1-p: only in training, with a key of each step's own.
func Dropout(x tensor.Tensor, key tensor.Key, p float64) tensor.Tensor { return x.Dropout(key, p) }
