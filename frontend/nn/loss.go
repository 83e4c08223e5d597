package nn

import (
	"github.com/tensorcc/tcc/frontend/tensor"
)

// Losses are means over all elements, or examples, with PyTorch's definitions.

// CrossEntropy returns the mean over the batch of -log softmax(logits)[label]:
// logits of shape (batch..., classes), label of integers of shape (batch...).
func CrossEntropy(logits, label tensor.Tensor) tensor.Tensor {
	return NLL(logits.LogSoftmax(-1), label)
}

// CrossEntropySmooth is [CrossEntropy] with a part of the probability, such as
// 0.1, spread over all classes.
func CrossEntropySmooth(logits, label tensor.Tensor, part float64) tensor.Tensor {
	logs := logits.LogSoftmax(-1)
	return NLL(logs, label).Mul(1 - part).Sub(logs.Mean().Mul(part))
}

// NLL returns the mean of -logs[label], of log-probabilities of shape
// (batch..., classes).
func NLL(logs, label tensor.Tensor) tensor.Tensor {
	return logs.Gather(-1, label.Unsqueeze(-1)).Mean().Neg()
}

// MSE returns the mean square difference of x and y.
func MSE(x, y tensor.Tensor) tensor.Tensor { return x.Sub(y).Square().Mean() }

// L1 returns the mean absolute difference of x and y.
func L1(x, y tensor.Tensor) tensor.Tensor { return x.Sub(y).Abs().Mean() }

// Huber is half the square of differences below delta, and delta times the
// difference less delta/2 above.
func Huber(x, y tensor.Tensor, delta float64) tensor.Tensor {
	d := x.Sub(y).Abs()
	return tensor.Where(d.Lt(delta), d.Square().Mul(0.5), d.Sub(delta/2).Mul(delta)).Mean()
}

// BCEWithLogits is the cross-entropy of probabilities sigmoid(x) with y, which
// are numbers from 0 to 1.
func BCEWithLogits(x, y tensor.Tensor) tensor.Tensor {
	return x.Maximum(0).Sub(x.Mul(y)).Add(x.Abs().Neg().Exp().Log1p()).Mean()
}

// KLDiv is the mean over the batch, axis 0, of the divergence of
// log-probabilities x from probabilities y.
func KLDiv(x, y tensor.Tensor) tensor.Tensor {
	terms := y.Mul(tensor.Where(y.Gt(0), y, 1).Log().Sub(x))
	for terms.Rank() > 1 {
		terms = terms.Sum(-1)
	}
	return terms.Mean()
}

// Accuracy is the share of examples whose largest logit is that of the label.
func Accuracy(logits, label tensor.Tensor) tensor.Tensor {
	return logits.ArgMax(-1).Eq(label).Cast(tensor.F32).Mean()
}
