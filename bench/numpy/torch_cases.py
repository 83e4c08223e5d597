#!/usr/bin/env python3
"""Writes random cases of PyTorch's semantics, from a seed, for the tests of
frontend/tensor. README.md describes the form of the file. Needs PyTorch and
NumPy; everything is computed in float64 or in integers."""

import argparse
import gzip
import json

import numpy as np
import torch
import torch.nn.functional as F

from form import Gen, case, opt, scalar, want


def near(r, tol=1e-10):
    r = r.detach().numpy() if isinstance(r, torch.Tensor) else np.asarray(r)
    if r.dtype.kind != "f":
        return r
    return want(r, None, 2, tol * (1 + np.abs(r[np.isfinite(r)]).max(initial=0)))


def floats(g, *shape):
    return torch.from_numpy(np.asarray(np.round(g.rng.normal(size=shape) * 32) / 32))


def ints(g, lo, hi, *shape):
    return torch.from_numpy(np.asarray(g.rng.integers(lo, hi, size=shape)))


def emit(op, args, results, call=(), **more):
    results = results if isinstance(results, (list, tuple)) else [results]
    return case(op, [a.numpy() for a in args], [near(r) for r in results], call, **more)


ACTIVATIONS = {
    "Relu": (F.relu, []), "Relu6": (F.relu6, []), "LeakyRelu": (F.leaky_relu, [0.2]),
    "Elu": (F.elu, [1.5]), "Celu": (F.celu, [1.5]), "Selu": (F.selu, []), "Gelu": (F.gelu, []),
    "GeluTanh": (lambda x: F.gelu(x, approximate="tanh"), []), "Silu": (F.silu, []),
    "Mish": (F.mish, []), "Softplus": (F.softplus, [2.0]), "LogSigmoid": (F.logsigmoid, []),
    "Softsign": (F.softsign, []), "Hardsigmoid": (F.hardsigmoid, []),
    "Hardswish": (F.hardswish, []), "Hardtanh": (F.hardtanh, [-0.5, 1.0]),
    "Tanhshrink": (F.tanhshrink, []), "Softshrink": (F.softshrink, [0.5]),
    "Hardshrink": (F.hardshrink, [0.5]), "Threshold": (F.threshold, [0.1, 2.0]),
    "Sigmoid": (torch.sigmoid, []), "Tanh": (torch.tanh, []), "Erf": (torch.erf, []),
    "Rsqrt": (torch.rsqrt, []), "Frac": (torch.frac, []), "Softmax": (F.softmax, [-1]),
    "LogSoftmax": (F.log_softmax, [0]), "Softmin": (F.softmin, [1]),
    "Glu": (F.glu, [-1]), "Logit": (torch.logit, []), "LogSumExp": (torch.logsumexp, [1])}


def activation(g):
    name = g.turn("activation", list(ACTIVATIONS))
    f, args = ACTIVATIONS[name]
    x = floats(g, g.int(1, 4), 2 * g.int(1, 4)) * 3
    if name in ("Rsqrt", "Logit"):
        x = torch.sigmoid(x)
    return emit(name, [x], f(x, *args), args)


def window(g, n, pool):
    """Options of convolutions and pooling, for PyTorch and for Go."""
    kw, opts = {}, []

    def add(name, key, values):
        kw[key] = values if len(values) > 1 else values[0]
        opts.append(opt(name, *values))

    many = lambda lo, hi: [g.int(lo, hi) for _ in range(n if g.chance(0.5) else 1)]
    if g.chance(0.6):
        add("Stride", "stride", many(1, 4))
    if g.chance(0.6):
        add("Padding", "padding", many(0, 2))
    if g.chance(0.4) and pool != "avg":
        add("Dilation", "dilation", many(1, 3))
    return kw, opts


def convolution(g):
    n = g.turn("conv axes", [1, 2, 3])
    transposed = g.chance(0.5)
    groups = g.pick([1, 1, 2])
    kw, opts = window(g, n, None)
    cin, cout = 2 * groups, 3 * groups
    spatial = [g.int(5, 8) for _ in range(n)]
    batch = [] if g.chance(0.2) else [g.int(1, 3)]
    x = floats(g, *batch, cin, *spatial)
    size = [g.int(1, 4) for _ in range(n)]
    w = floats(g, cin, cout // groups, *size) if transposed else floats(g, cout, cin // groups, *size)
    b = floats(g, cout) if g.chance(0.7) else None
    if groups > 1:
        kw["groups"] = groups
        opts.append(opt("Groups", groups))
    if transposed and "stride" in kw and np.min(kw["stride"]) > 1 and g.chance(0.5):
        kw["output_padding"] = 1
        opts.append(opt("OutputPadding", 1))
    if not transposed and "stride" not in kw and g.chance(0.3):
        kw["padding"] = "same"
        opts = [o for o in opts if o["opt"] != "Padding"] + [opt("PaddingSame")]
    name = ("ConvTranspose" if transposed else "Conv") + f"{n}d"
    f = getattr(F, f"conv_transpose{n}d" if transposed else f"conv{n}d")
    return emit(name, [x, w] + ([b] if b is not None else []), f(x, w, b, **kw),
                ["@1", "@2" if b is not None else None] + opts)


def pooling(g):
    n, kind = g.turn("pool axes", [1, 2, 3]), g.turn("pool", ["max", "avg"])
    kw, opts = window(g, n, kind)
    size = [g.int(2, 4) for _ in range(n)]
    x = floats(g, g.int(1, 3), 2, *[g.int(6, 10) for _ in range(n)])
    if g.chance(0.5):
        kw["ceil_mode"] = True
        opts.append(opt("CeilMode"))
    if kind == "avg" and g.chance(0.5):
        kw["count_include_pad"] = False
        opts.append(opt("CountIncludePad", False))
    f = getattr(F, f"{kind}_pool{n}d")
    return emit(f"{kind.capitalize()}Pool{n}d", [x], f(x, size, **kw),
                [size[0] if n == 1 else size] + opts)


def indexed_pooling(g):
    """Maxima with their places, and back. Which of equal elements it is is left
    open: there are none."""
    n, back = g.turn("indexed axes", [1, 2, 3]), g.chance(0.4)
    kw, opts = window(g, n, "avg" if back else "max")
    size = [g.int(2, 4) for _ in range(n)]
    batch = [] if g.chance(0.2) else [g.int(1, 3)]
    shape = batch + [2] + [g.int(5, 8) for _ in range(n)]
    x = torch.from_numpy(g.rng.permutation(int(np.prod(shape))).reshape(shape) / 8.0)
    if not back and g.chance(0.5):
        kw["ceil_mode"] = True
        opts.append(opt("CeilMode"))
    call = [size[0] if n == 1 else size]
    values, places = getattr(F, f"max_pool{n}d")(x, size, return_indices=True, **kw)
    if not back:
        return emit(f"MaxPool{n}dWithIndices", [x], [values, places], call + opts)
    r = getattr(F, f"max_unpool{n}d")(values, places, size, **kw)
    return emit(f"MaxUnpool{n}d", [values, places], r, ["@1"] + call + opts)


def running(g):
    kind = g.turn("running", ["CumMax", "CumMin", "LogCumSumExp"])
    s = [g.int(0 if g.chance(0.1) else 1, 6) for _ in range(g.int(1, 4))]
    axis = g.int(-len(s), len(s))
    if kind == "LogCumSumExp":
        x = floats(g, *s) * g.pick([1, 300])
        x[floats(g, *s) > 1.5] = -np.inf
        return emit(kind, [x], torch.logcumsumexp(x, axis), [axis])
    x = ints(g, -3, 4, *s) if g.chance(0.5) else floats(g, *s)
    if x.dtype == torch.float64:
        x[floats(g, *s) > 1] = np.nan
    elif g.chance(0.3):
        x = x.to(torch.uint8)
    r = (torch.cummax if kind == "CumMax" else torch.cummin)(x, axis)
    return emit(kind, [x], [r.values, r.indices], [axis])


def adaptive(g):
    n, kind = g.turn("adaptive axes", [1, 2]), g.turn("adaptive", ["max", "avg"])
    x = floats(g, 2, 3, *[g.int(1, 9) for _ in range(n)])
    size = [g.int(1, 6) for _ in range(n)]
    f = getattr(F, f"adaptive_{kind}_pool{n}d")
    return emit(f"Adaptive{kind.capitalize()}Pool{n}d", [x], f(x, size), [size[0] if n == 1 else size])


def norm(g):
    kind = g.turn("norm", ["Layer", "RMS", "Group", "Instance", "Batch", "LocalResponse",
                           "Normalize", "Cosine"])
    x = floats(g, g.int(2, 4), 6, g.int(2, 5), 3)
    w, b = floats(g, 6), floats(g, 6)
    if kind == "Layer":
        s = list(x.shape[2:])
        w, b = floats(g, *s), floats(g, *s)
        return emit("LayerNorm", [x, w, b], F.layer_norm(x, s, w, b, 1e-5), [s, "@1", "@2", 1e-5])
    if kind == "RMS":
        w = floats(g, 3)
        return emit("RMSNorm", [x, w], F.rms_norm(x, [3], w, 1e-6), [[3], "@1", 1e-6])
    if kind == "Group":
        return emit("GroupNorm", [x, w, b], F.group_norm(x, 3, w, b), [3, "@1", "@2", 1e-5])
    if kind == "Instance":
        return emit("InstanceNorm", [x, w, b], F.instance_norm(x, None, None, w, b),
                    ["@1", "@2", 1e-5])
    if kind == "LocalResponse":
        n = g.int(1, 5)
        return emit("LocalResponseNorm", [x], F.local_response_norm(x, n, 0.1, 0.75, 1.5),
                    [n, 0.1, 0.75, 1.5])
    if kind == "Normalize":
        p = g.pick([1.0, 2.0, 3.0])
        return emit("Normalize", [x], F.normalize(x, p, 1), [p, 1, 1e-12])
    if kind == "Cosine":
        y = floats(g, *x.shape)
        return emit("CosineSimilarity", [x, y], F.cosine_similarity(x, y, 1), ["@1", 1, 1e-8])
    m, v = floats(g, 6), floats(g, 6)**2
    training = bool(g.chance(0.5))
    r = F.batch_norm(x, m.clone(), v.clone(), w, b, training, 0.1, 1e-5)
    return emit("BatchNorm", [x, m, v, w, b], r,
                ["@1", "@2", "@3", "@4", training, 0.1, 1e-5])


def padding(g):
    mode = g.turn("pad", ["constant", "reflect", "replicate", "circular"])
    n = g.int(1, 3)
    x = floats(g, 2, 3, *[g.int(4, 6) for _ in range(n)])
    pads = [g.int(-1 if mode == "constant" else 0, 4) for _ in range(2 * n)]
    if mode == "constant":
        return emit("Pad", [x], F.pad(x, pads, mode, 1.5), [pads, mode, 1.5])
    return emit("Pad", [x], F.pad(x, pads, mode), [pads, mode, None])


def interpolate(g):
    mode, n, ours = g.turn("interpolate", [
        ("nearest", 1, "nearest"), ("nearest", 2, "nearest"), ("nearest-exact", 2, "nearest-exact"),
        ("linear", 1, "linear"), ("bilinear", 2, "linear"), ("trilinear", 3, "linear"),
        ("bicubic", 2, "bicubic"), ("area", 2, "area")])
    x = floats(g, 1, 2, *[g.int(1, 7) for _ in range(n)])
    size = [g.int(1, 9) for _ in range(n)]
    kw, opts = {}, []
    if ours in ("linear", "bicubic"):
        kw["align_corners"] = bool(g.chance(0.5))
        if kw["align_corners"]:
            opts.append(opt("AlignCorners"))
    return emit("Interpolate", [x], F.interpolate(x, size, mode=mode, **kw), [size, ours] + opts)


def image(g):
    kind = g.turn("image", ["PixelShuffle", "PixelUnshuffle", "UnfoldBlocks", "Fold", "Unfold"])
    if kind == "PixelShuffle":
        x = floats(g, 2, 8, 2, 3)
        return emit(kind, [x], F.pixel_shuffle(x, 2), [2])
    if kind == "PixelUnshuffle":
        x = floats(g, 2, 2, 4, 6)
        return emit(kind, [x], F.pixel_unshuffle(x, 2), [2])
    if kind == "Unfold":
        x = floats(g, 3, g.int(4, 9))
        axis, size, step = g.pick([0, 1, -1]), g.int(1, 4), g.int(1, 4)
        return emit(kind, [x], x.unfold(axis, size, step), [axis, size, step])
    kw, opts = window(g, 2, None)
    size, hw = [g.int(1, 4), g.int(1, 4)], [g.int(6, 9), g.int(6, 9)]
    x = floats(g, 2, 3, *hw)
    y = F.unfold(x, size, **kw)
    if kind == "Fold":
        return emit(kind, [y], F.fold(y, hw, size, **kw), ["@0", hw, size] + opts)
    return emit(kind, [x], y, ["@0", size] + opts)


def scatter(g):
    kind = g.turn("scatter", ["Gather", "Scatter", "Reduce", "ScatterAdd", "IndexSelect",
                              "IndexAdd", "IndexFill", "IndexCopy", "MaskedFill", "MaskedSelect",
                              "OneHot", "TopK"])
    x = floats(g, g.int(2, 5), g.int(2, 5), 3)
    axis = g.int(-3, 3)
    s = [g.int(1, d + 1) for d in x.shape]
    s[axis] = g.int(1, 7)
    i = ints(g, 0, x.shape[axis], *s)
    if kind == "Gather":
        return emit(kind, [x, i], torch.gather(x, axis, i), [axis, "@1"])
    if kind == "Reduce":
        src = floats(g, *[d + g.int(0, 2) for d in s])
        by, self_ = g.pick(["sum", "prod", "mean", "amax", "amin"]), bool(g.chance(0.5))
        r = x.scatter_reduce(axis, i, src, by, include_self=self_)
        return emit("Scatter", [x, i, src], r,
                    [axis, "@1", "@2", opt("ScatterReduce", by), opt("IncludeSelf", self_)])
    if kind == "Scatter":  # one value: which of several stays is left open
        return emit(kind, [x, i], x.scatter(axis, i, 2.5), [axis, "@1", 2.5])
    if kind == "ScatterAdd":
        src = floats(g, *s)
        return emit(kind, [x, i, src], x.scatter_add(axis, i, src), [axis, "@1", "@2"])
    if kind == "MaskedFill":
        m = x > 0.3
        return emit(kind, [x, m], x.masked_fill(m, -1.5), ["@1", -1.5])
    if kind == "MaskedSelect":
        m = x[0] > 0
        return emit(kind, [x, m], x.masked_select(m), ["@1"])
    if kind == "OneHot":
        i = ints(g, 0, 5, 2, 3)
        return emit(kind, [i], F.one_hot(i, 6), [6, "dtype:i64"])
    if kind == "TopK":  # which of equal elements come first is left open
        x = torch.from_numpy(g.rng.permutation(x.numel()).reshape(x.shape) / 8)
        k, largest = g.int(1, x.shape[axis] + 1), bool(g.chance(0.5))
        r = torch.topk(x, k, axis, largest)
        return emit(kind, [x], [r.values, r.indices], [k, axis, largest])
    n = x.shape[axis]
    i = torch.from_numpy(g.rng.permutation(n)[:g.int(1, n + 1)].astype(np.int64))
    t = list(x.shape)
    t[axis] = len(i)
    src = floats(g, *t)
    if kind == "IndexSelect":
        return emit(kind, [x, i], x.index_select(axis, i), [axis, "@1"])
    if kind == "IndexAdd":
        return emit(kind, [x, i, src], x.index_add(axis, i, src, alpha=0.5), [axis, "@1", "@2", 0.5])
    if kind == "IndexFill":
        return emit(kind, [x, i], x.index_fill(axis, i, 7.0), [axis, "@1", 7.0])
    return emit(kind, [x, i, src], x.index_copy(axis, i, src), [axis, "@1", "@2"])


def attention(g):
    b, h, l, s, e = g.int(1, 3), 2, g.int(1, 5), g.int(1, 5), 4
    q, k, v = floats(g, b, h, l, e), floats(g, b, h, s, e), floats(g, b, h, s, 3)
    kind = g.turn("attention", ["plain", "causal", "bool", "float", "scale"])
    args, kw, opts = [q, k, v], {}, []
    if kind == "causal":
        kw, opts = {"is_causal": True}, [opt("Causal")]
    elif kind == "scale":
        kw, opts = {"scale": 0.3}, [opt("Scale", 0.3)]
    elif kind != "plain":
        m = floats(g, l, s)
        m = m > -0.5 if kind == "bool" else m
        if kind == "bool":
            m[:, 0] = True
        args.append(m)
        kw, opts = {"attn_mask": m}, [opt("AttentionMask", "@3")]
    r = F.scaled_dot_product_attention(q, k, v, **kw)
    return emit("Attention", args, r, ["@0", "@1", "@2"] + opts)


FAMILIES = [activation, activation, convolution, convolution, pooling, indexed_pooling, adaptive, running, norm, padding,
            interpolate, image, scatter, scatter, attention]


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("-seed", type=int, default=1)
    p.add_argument("-n", type=int, default=600)
    p.add_argument("-o", required=True, help="compressed by gzip")
    o = p.parse_args()
    g, n = Gen(o.seed), 0
    torch.manual_seed(o.seed)
    with gzip.GzipFile(o.o, "wb", mtime=0) as f:
        while n < o.n:
            try:
                c = g.turn("family", FAMILIES)(g)
            except RuntimeError:
                continue  # PyTorch refuses the arguments
            f.write((json.dumps(c) + "\n").encode("ascii"))
            n += 1


main()
