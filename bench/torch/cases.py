#!/usr/bin/env python3
"""Writes random programs with PyTorch's gradients of first and second order,
from a seed, for TestTorchCases of autodiff. Each line is a JSON object:

  graph   the program in tcc's text form, parameters x0, x1, ... of f64
  in      the parameters, base64 of little-endian float64, as all numbers are
  cot     a cotangent of the result
  grads   what PyTorch's backward makes of it, one a parameter
  dir     directions: cotangents of the gradients
  second  the gradients of <grads, dir> by the parameters; absent where PyTorch
          has no second derivative, or has NaN

Half of the programs have inputs that are multiples of 1/2, so that kinks and
ties are met."""

import argparse
import base64
import json

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


class Program:
    """A program in both forms: lines of text, and what PyTorch computes."""

    def __init__(self, rng):
        self.rng, self.lines, self.params, self.n = rng, [], [], 0
        self.grid = rng.random() < 0.5

    def pick(self, xs):
        return xs[int(self.rng.integers(len(xs)))]

    def int(self, lo, hi):
        return int(self.rng.integers(lo, hi + 1))

    def shape(self, rank=None, lo=1, hi=4):
        rank = self.int(0, 3) if rank is None else rank
        return [self.int(lo, hi) for _ in range(rank)]

    def param(self, shape, lo=-2.0, hi=2.0):
        a = self.rng.uniform(lo, hi, size=shape)
        if self.grid:
            a = np.clip(np.round(a * 2) / 2, lo, hi)
        t = torch.tensor(np.asarray(a), requires_grad=True)
        name = f"v{self.n}"
        self.lines.append(f"\t{name} = param <{typ(shape)}> {{x{self.n}}}")
        self.n += 1
        self.params.append(t)
        return Val(name, t)

    def op(self, text, t):
        name = f"v{self.n}"
        self.lines.append(f"\t{name} = {text}")
        self.n += 1
        return Val(name, t)

    def ints(self, a):
        a = np.asarray(a, dtype=np.int64)
        body = " ".join(str(int(k)) for k in a.reshape(-1))
        dims = ",".join(map(str, a.shape))
        data = f"[{body}]" if a.size > 1 else body
        return self.op(f"const <i64[{dims}]> {{{data}}}", torch.from_numpy(a.copy()))

    def bools(self, a):
        body = " ".join("true" if k else "false" for k in a.reshape(-1))
        dims = ",".join(map(str, a.shape))
        data = f"[{body}]" if a.size > 1 else body
        return self.op(f"const <bool[{dims}]> {{{data}}}", torch.from_numpy(a.copy()))


class Val:
    def __init__(self, name, t):
        self.name, self.t = name, t

    def __str__(self):
        return self.name


def typ(shape):
    return f"f64[{','.join(map(str, shape))}]"


def dims(xs):
    return "[" + ",".join(str(int(x)) for x in xs) + "]"


def nums(xs):
    return "[" + " ".join(str(int(x)) for x in xs) + "]"


UNARY = {
    "neg": (torch.neg, -2, 2), "abs": (torch.abs, -2, 2), "sign": (torch.sign, -2, 2),
    "ceil": (torch.ceil, -2, 2), "floor": (torch.floor, -2, 2), "trunc": (torch.trunc, -2, 2),
    "round": (torch.round, -2, 2), "sqrt": (torch.sqrt, 0, 3), "exp": (torch.exp, -2, 2),
    "expm1": (torch.expm1, -2, 2), "log": (torch.log, 0.25, 3), "log1p": (torch.log1p, -0.5, 2),
    "sin": (torch.sin, -3, 3), "cos": (torch.cos, -3, 3), "tan": (torch.tan, -1, 1),
    "asin": (torch.asin, -0.9, 0.9), "acos": (torch.acos, -0.9, 0.9), "atan": (torch.atan, -2, 2),
    "sinh": (torch.sinh, -2, 2), "cosh": (torch.cosh, -2, 2), "tanh": (torch.tanh, -2, 2),
    "asinh": (torch.asinh, -2, 2), "acosh": (torch.acosh, 1.2, 3),
    "atanh": (torch.atanh, -0.9, 0.9), "erf": (torch.erf, -2, 2),
    "sigmoid": (torch.sigmoid, -3, 3),
}

BINARY = {
    "add": (torch.add, -2, 2), "sub": (torch.sub, -2, 2), "mul": (torch.mul, -2, 2),
    "div": (torch.div, 0.5, 3), "rem": (torch.fmod, 0.5, 3), "mod": (torch.remainder, 0.5, 3),
    "pow": (torch.pow, 0, 3), "atan2": (torch.atan2, 0.25, 2), "max": (torch.maximum, -2, 2),
    "min": (torch.minimum, -2, 2),
}


def unary(p):
    name = p.pick(list(UNARY))
    f, lo, hi = UNARY[name]
    x = p.param(p.shape(), lo, hi)
    return p.op(f"{name} {x}", f(x.t))


def binary(p):
    name = p.pick(list(BINARY))
    f, lo, hi = BINARY[name]
    s = p.shape()
    x, y = p.param(s, lo, hi), p.param(s, lo, hi)
    return p.op(f"{name} {x} {y}", f(x.t, y.t))


def floordiv(p):
    s = p.shape()
    x, y = p.param(s, 0.5, 3), p.param(s, 0.5, 3)
    z = p.op(f"floordiv {x} {y}", torch.floor(x.t.detach() / y.t.detach()))
    return p.op(f"mul {z} {x}", z.t * x.t)


def fma(p):
    s = p.shape()
    x, y, z = p.param(s), p.param(s), p.param(s)
    return p.op(f"fma {x} {y} {z}", torch.addcmul(z.t, x.t, y.t))


def select(p):
    s = p.shape()
    x, y = p.param(s), p.param(s)
    c = p.op(f"gt {x} {y}", x.t > y.t)
    return p.op(f"select {c} {x} {y}", torch.where(c.t, x.t, y.t))


def cast(p):
    x = p.param(p.shape())
    y = p.op(f"cast {x} {{f32}}", x.t.to(torch.float32))
    return p.op(f"cast {y} {{f64}}", y.t.to(torch.float64))


def broadcast(p):
    full = p.shape(p.int(1, 3))
    keep = sorted(p.rng.choice(len(full), size=p.int(0, len(full)), replace=False).tolist())
    s = [1 if p.rng.random() < 0.4 else full[k] for k in keep]
    x = p.param(s)
    view = [1] * len(full)
    for k, d in zip(keep, s):
        view[k] = d
    return p.op(f"broadcast {x} {{shape={dims(full)} axes={nums(keep)}}}",
                x.t.reshape(view).expand(full))


def reshape(p):
    s = p.shape(p.int(1, 3))
    x = p.param(s)
    to = [int(np.prod(s[:1])), int(np.prod(s[1:]))] if p.rng.random() < 0.5 else [int(np.prod(s))]
    return p.op(f"reshape {x} {{{dims(to)}}}", x.t.reshape(to))


def transpose(p):
    s = p.shape(p.int(1, 4), hi=3)
    x = p.param(s)
    perm = p.rng.permutation(len(s)).tolist()
    return p.op(f"transpose {x} {{{nums(perm)}}}", x.t.permute(perm))


def random_slice(p, s):
    start, step, shape, idx = [], [], [], []
    for d in s:
        k = p.pick([-2, -1, 1, 2])
        a = p.int(0, d - 1)
        room = (d - a + k - 1) // k if k > 0 else (a - k) // -k
        n = p.int(1, max(1, room))
        start.append(a), step.append(k), shape.append(n)
        idx.append(torch.tensor([a + i * k for i in range(n)]))
    return f"{{start={dims(start)} step={nums(step)} shape={dims(shape)}}}", idx, shape


def slice_(p):
    x = p.param(p.shape(p.int(1, 3)))
    attr, idx, _ = random_slice(p, list(x.t.shape))
    return p.op(f"slice {x} {attr}", x.t[torch.meshgrid(*idx, indexing="ij")])


def updateslice(p):
    x = p.param(p.shape(p.int(1, 3)))
    attr, idx, shape = random_slice(p, list(x.t.shape))
    y = p.param(shape)
    return p.op(f"updateslice {x} {y} {attr}",
                torch.index_put(x.t, torch.meshgrid(*idx, indexing="ij"), y.t))


def pad(p):
    s = p.shape(p.int(1, 3), lo=2)
    x, v = p.param(s), p.param([])
    lo, hi = [p.int(-1, 2) for _ in s], [p.int(0, 2) for _ in s]
    flat = [q for pair in zip(reversed(lo), reversed(hi)) for q in pair]
    inside = F.pad(torch.ones(s), flat) > 0
    return p.op(f"pad {x} {v} {{lo={dims(lo)} hi={dims(hi)}}}",
                torch.where(inside, F.pad(x.t, flat), v.t))


def concat(p):
    s = p.shape(p.int(1, 3))
    axis = p.int(0, len(s) - 1)
    xs = []
    for _ in range(p.int(1, 3)):
        s = list(s)
        s[axis] = p.int(1, 3)
        xs.append(p.param(s))
    return p.op(f"concat {' '.join(map(str, xs))} {{{axis}}}", torch.cat([x.t for x in xs], axis))


def gather(p):
    s = p.shape(p.int(1, 3))
    axis = p.int(0, len(s) - 1)
    x = p.param(s)
    i = p.ints(p.rng.integers(0, s[axis], size=p.shape(p.int(0, 2))))
    t = x.t.movedim(axis, 0)[i.t]
    k = i.t.dim()
    t = t.movedim(tuple(range(k)), tuple(range(axis, axis + k)))
    return p.op(f"gather {x} {i} {{{axis}}}", t)


def takealong(p):
    s = p.shape(p.int(1, 3))
    axis = p.int(0, len(s) - 1)
    x = p.param(s)
    n = list(s)
    n[axis] = p.int(1, 3)
    i = p.ints(p.rng.integers(0, s[axis], size=n))
    return p.op(f"takealong {x} {i} {{{axis}}}", torch.gather(x.t, axis, i.t))


def tuples(p, s, unique):
    k = p.int(1, len(s))
    total = int(np.prod(s[:k]))
    n = p.int(1, min(4, total))
    flat = p.rng.choice(total, size=n, replace=not unique)
    return k, np.stack(np.unravel_index(flat, s[:k]), -1)


def gathernd(p):
    s = p.shape(p.int(1, 3))
    x = p.param(s)
    k, idx = tuples(p, s, False)
    i = p.ints(idx)
    return p.op(f"gathernd {x} {i} {{0}}", x.t[tuple(i.t[:, j] for j in range(k))])


def scatternd(p):
    s = p.shape(p.int(1, 3))
    reduce = p.pick(["none", "add"])
    x = p.param(s)
    k, idx = tuples(p, s, reduce == "none")
    u = p.param([len(idx)] + s[k:])
    i = p.ints(idx)
    t = torch.index_put(x.t, tuple(i.t[:, j] for j in range(k)), u.t, accumulate=reduce == "add")
    return p.op(f"scatternd {x} {i} {u} {{reduce={reduce}}}", t)


def scatteralong(p):
    s = p.shape(p.int(1, 3))
    axis = p.int(0, len(s) - 1)
    reduce = p.pick(["none", "add", "min", "max"])
    x = p.param(s)
    n = list(s)
    if reduce == "none":  # PyTorch does not say which of two to one place stays
        i = np.argsort(p.rng.random(s), axis)
    else:
        n[axis] = p.int(1, 4)
        i = p.rng.integers(0, s[axis], size=n)
    u, i = p.param(n), p.ints(i)
    if reduce in ("none", "add"):
        f = torch.scatter if reduce == "none" else torch.scatter_add
        t = f(x.t, axis, i.t, u.t)
    else:
        t = torch.scatter_reduce(x.t, axis, i.t, u.t, "a" + reduce, include_self=True)
    return p.op(f"scatteralong {x} {i} {u} {{axis={axis} reduce={reduce}}}", t)


def dynamic(p):
    s = p.shape(p.int(1, 3))
    x = p.param(s)
    n = [p.int(1, d) for d in s]
    at = [p.int(0, d - k) for d, k in zip(s, n)]
    i = p.ints(at)
    box = tuple(slice(a, a + k) for a, k in zip(at, n))
    if p.rng.random() < 0.5:
        return p.op(f"dynamicslice {x} {i} {{{dims(n)}}}", x.t[box])
    u = p.param(n)
    t = x.t.clone()
    t[box] = u.t
    return p.op(f"dynamicupdate {x} {u} {i}", t)


def reduction(p):
    s = p.shape(p.int(1, 3))
    x = p.param(s)
    axes = sorted(p.rng.choice(len(s), size=p.int(1, len(s)), replace=False).tolist())
    name = p.pick(["sum", "prod", "reducemax", "reducemin"])
    if name == "prod":
        t = x.t
        for a in reversed(axes):
            t = t.prod(a)
    else:
        t = {"sum": torch.sum, "reducemax": torch.amax, "reducemin": torch.amin}[name](x.t, axes)
    return p.op(f"{name} {x} {{{nums(axes)}}}", t)


def logcumsumexp(x, axis):
    """As torch.logcumsumexp, whose second derivative is wrong where the first
    cotangent is 0 (PyTorch 2.15)."""
    n = x.shape[axis]
    parts = [torch.logsumexp(x.narrow(axis, 0, i + 1), axis) for i in range(n)]
    return torch.stack(parts, axis)


def running(p):
    s = p.shape(p.int(1, 3))
    x = p.param(s)
    axis = p.int(0, len(s) - 1)
    name, f = p.pick([("cumsum", torch.cumsum), ("cumprod", torch.cumprod),
                      ("cummax", lambda x, axis: torch.cummax(x, axis).values),
                      ("cumlogsumexp", logcumsumexp)])
    reverse = p.rng.random() < 0.3
    t = f(x.t.flip(axis), axis).flip(axis) if reverse else f(x.t, axis)
    flag = " reverse=true" if reverse else ""
    return p.op(f"{name} {x} {{axis={axis}{flag}}}", t)


def window(p):
    s = [p.int(1, 2), p.int(1, 2), p.int(3, 6), p.int(3, 6)]
    x = p.param(s)
    size, stride = [p.int(1, 3), p.int(1, 3)], [p.int(1, 2), p.int(1, 2)]
    lo = [p.int(0, k // 2) for k in size]
    both = "[0,0," + ",".join(map(str, lo)) + "]"
    name = p.pick(["windowsum", "windowmax"])
    dil = [1, 1]
    if name == "windowsum":
        w = torch.ones([s[1], 1] + size)
        t = F.conv2d(x.t, w, stride=stride, padding=lo, groups=s[1])
    else:
        dil = [p.int(1, 2) if 2 * (k - 1) < d else 1 for k, d in zip(size, s[2:])]
        t = F.max_pool2d(x.t, size, stride, lo, dil)
    return p.op(f"{name} {x} {{size={nums([1, 1] + size)} stride={nums([1, 1] + stride)} "
                f"dilation={nums([1, 1] + dil)} lo={both} hi={both}}}", t)


def dot(p):
    b, m, k, n = p.shape(4)
    form = p.pick(["mk,kn", "bmk,bkn", "kbm,bnk", "mk,nk", "bk,bk", "mkj,jkn"])
    l, r = form.split(",")
    size = {"b": b, "m": m, "k": k, "n": n, "j": 2}
    batch = [c for c in l if c in r and c == "b"]
    sums = [c for c in l if c in r and c != "b"]
    x, y = p.param([size[c] for c in l]), p.param([size[c] for c in r])
    out = "".join(batch) + "".join(c for c in l if c not in r) + "".join(c for c in r if c not in l)
    attr = (f"{{lbatch={nums(l.index(c) for c in batch)} rbatch={nums(r.index(c) for c in batch)} "
            f"lcontract={nums(l.index(c) for c in sums)} rcontract={nums(r.index(c) for c in sums)}}}")
    return p.op(f"dot {x} {y} {attr}", torch.einsum(f"{l},{r}->{out}", x.t, y.t))


def conv(p):
    n = p.int(1, 2)
    groups = p.pick([1, 1, 2])
    cin, cout = groups * p.int(1, 2), groups * p.int(1, 2)
    k = [p.int(1, 3) for _ in range(n)]
    dil = [p.int(1, 2) for _ in k]
    stride = [p.int(1, 2) for _ in k]
    pads = [p.int(0, 2) for _ in k]
    s = [d * (q - 1) + 1 + p.int(0, 3) for d, q in zip(dil, k)]
    x, w = p.param([p.int(1, 2), cin] + s), p.param([cout, cin // groups] + k)
    t = (F.conv1d if n == 1 else F.conv2d)(x.t, w.t, None, stride, pads, dil, groups)
    ones = [1] * n
    return p.op(f"conv {x} {w} {{stride={nums(stride)} dilation={nums(dil)} "
                f"indilation={nums(ones)} lo={dims(pads)} hi={dims(pads)} groups={groups}}}", t)


def transposed(p):
    """conv_transpose2d is a convolution of a dilated input with mirrored weights."""
    groups = p.pick([1, 2])
    ci, co = p.int(1, 2), p.int(1, 2)
    k, stride = [p.int(1, 3), p.int(1, 3)], [p.int(1, 3), p.int(1, 3)]
    pads = [p.int(0, q - 1) for q in k]
    x = p.param([1, groups * ci, p.int(3, 4), p.int(3, 4)])
    w = p.param([groups * co, ci] + k)
    u = w.t.reshape([groups, co, ci] + k).transpose(1, 2).reshape([groups * ci, co] + k).flip(2, 3)
    t = F.conv_transpose2d(x.t, u, None, stride, pads, groups=groups)
    lo = [q - 1 - a for q, a in zip(k, pads)]
    return p.op(f"conv {x} {w} {{stride=[1 1] dilation=[1 1] indilation={nums(stride)} "
                f"lo={dims(lo)} hi={dims(lo)} groups={groups}}}", t)


def branch(p):
    s = p.shape()
    x = p.param(s)
    c = p.bools(np.asarray(p.rng.random() < 0.5))
    body = (f"if <{typ(s)}> {c} {x}\n\t\tthen graph b\n\t\t\tv0 = param <{typ(s)}> {{a}}\n"
            f"\t\t\tv1 = mul <{typ(s)}> v0 v0\n\t\t\treturn v1\n"
            f"\t\telse graph b\n\t\t\tv0 = param <{typ(s)}> {{a}}\n"
            f"\t\t\tv1 = sin <{typ(s)}> v0\n\t\t\treturn v1")
    return p.op(body, x.t * x.t if bool(c.t) else torch.sin(x.t))


def scan(p):
    s, n = p.shape(p.int(0, 2)), p.int(1, 4)
    reverse = p.rng.random() < 0.3
    h, xs, w = p.param(s), p.param([n] + s), p.param(s)
    t = typ(s)
    body = (f"scan <({t}, {typ([n] + s)})> {h} {xs} {w} {{carry=1 xs=1 length={n}"
            f"{' reverse=true' if reverse else ''}}}\n\t\tbody graph step\n"
            f"\t\t\tv0 = param <{t}> {{h}}\n\t\t\tv1 = param <{t}> {{x}}\n"
            f"\t\t\tv2 = param <{t}> {{w}}\n\t\t\tv3 = mul <{t}> v0 v2\n"
            f"\t\t\tv4 = add <{t}> v3 v1\n\t\t\tv5 = tanh <{t}> v4\n"
            f"\t\t\tv6 = mul <{t}> v5 v1\n\t\t\treturn v5 v6")
    outs = [None] * n
    c = h.t
    for i in reversed(range(n)) if reverse else range(n):
        c = torch.tanh(c * w.t + xs.t[i])
        outs[i] = c * xs.t[i]
    both = p.op(body, None)
    a = p.op(f"get {both} {{0}}", c)
    b = p.op(f"get {both} {{1}}", torch.stack(outs))
    full = [n] + s
    wide = p.op(f"broadcast {a} {{shape={dims(full)} axes={nums(range(1, len(full)))}}}",
                a.t.expand(full))
    return p.op(f"mul {wide} {b}", wide.t * b.t)


MAKERS = [unary] * 6 + [binary] * 4 + [
    floordiv, fma, select, cast, broadcast, reshape, transpose, slice_, updateslice, pad, concat,
    gather, takealong, gathernd, scatternd, scatteralong, scatteralong, dynamic, reduction,
    reduction, running, window, window, dot, dot, conv, conv, transposed, branch, scan]


def numbers(t):
    if t is None:
        return None
    a = t.detach().contiguous().numpy().astype("<f8")
    return base64.b64encode(a.tobytes()).decode()


def case(rng):
    p = Program(rng)
    make = p.pick(MAKERS)
    y = make(p)
    bent = p.rng.random() < 0.5
    if bent:
        y = p.op(f"mul {y} {y}", y.t * y.t)
    graph = "graph f\n" + "\n".join(p.lines) + f"\n\treturn {y}\n"
    cot = torch.tensor(rng.normal(size=y.t.shape))
    out = {"graph": graph, "in": [numbers(x) for x in p.params], "cot": numbers(cot)}
    zero = lambda g, x: torch.zeros_like(x) if g is None else g
    if not y.t.requires_grad:
        grads = [torch.zeros_like(x) for x in p.params]
    else:
        grads = torch.autograd.grad(y.t, p.params, cot, create_graph=True, allow_unused=True)
    grads = [zero(g, x) for g, x in zip(grads, p.params)]
    dirs = [torch.tensor(rng.normal(size=x.shape)) for x in p.params]
    out["grads"] = [numbers(g) for g in grads]
    out["dir"] = [numbers(d) for d in dirs]
    try:
        h = sum((g * d).sum() for g, d in zip(grads, dirs))
        second = [None] * len(p.params)
        if h.requires_grad:
            second = torch.autograd.grad(h, p.params, allow_unused=True)
        second = [zero(g, x) for g, x in zip(second, p.params)]
        # PyTorch multiplies 0 by infinity in the derivative of 0**y's; tcc has 0.
        if not any(torch.isnan(g).any() for g in second):
            out["second"] = [numbers(g) for g in second]
    except (RuntimeError, NotImplementedError):
        pass
    return out


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("-seed", type=int, default=1)
    ap.add_argument("-n", type=int, default=2000)
    ap.add_argument("-o", required=True)
    args = ap.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(args.seed)
    with open(args.o, "w") as f:
        for _ in range(args.n):
            f.write(json.dumps(case(rng), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
