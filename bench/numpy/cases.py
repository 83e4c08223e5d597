#!/usr/bin/env python3
"""Writes random cases of NumPy's semantics, from a seed, for the tests of
frontend/tensor. README.md describes the form of the file."""

import argparse
import base64
import json
import warnings

import numpy as np

NAMES = {"bool": "bool", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
         "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
         "float16": "f16", "float32": "f32", "float64": "f64"}
DTYPES = list(NAMES)
FLOATS = ["float16", "float32", "float64"]
INTS = [d for d in DTYPES if "int" in d]

BINARY = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.true_divide,
          "FloorDiv": np.floor_divide, "Mod": np.remainder, "Maximum": np.maximum,
          "Minimum": np.minimum, "Eq": np.equal, "Ne": np.not_equal, "Lt": np.less,
          "Le": np.less_equal, "Gt": np.greater, "Ge": np.greater_equal}
UNARY = {"Neg": np.negative, "Abs": np.abs, "Sign": np.sign, "Exp": np.exp, "Log": np.log,
         "Sqrt": np.sqrt, "Sin": np.sin, "Cos": np.cos, "Tanh": np.tanh, "Floor": np.floor,
         "Ceil": np.ceil, "Trunc": np.trunc, "Round": np.round, "Square": np.square,
         "Log1p": np.log1p, "Expm1": np.expm1, "IsNaN": np.isnan, "Atan": np.arctan}
REDUCE = {"Sum": np.sum, "Prod": np.prod, "Mean": np.mean, "Max": np.max, "Min": np.min,
          "Var": np.var, "Any": np.any, "All": np.all}


class Gen:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def pick(self, xs):
        return xs[int(self.rng.integers(len(xs)))]

    def shape(self, rank=None, low=0, high=5):
        rank = int(self.rng.integers(0, 4)) if rank is None else rank
        low = low if self.rng.random() < 0.1 else max(low, 1)
        return tuple(int(d) for d in self.rng.integers(low, high, size=rank))

    def array(self, shape, dtype, special=True):
        if dtype == "bool":
            return self.rng.integers(0, 2, size=shape).astype(bool)
        if dtype in FLOATS:
            a = np.asarray(self.rng.normal(size=shape) * self.pick([1, 1, 10])).astype(dtype)
            if special and self.rng.random() < 0.3 and a.size:
                flat = a.reshape(-1)
                for _ in range(2):
                    flat[int(self.rng.integers(flat.size))] = self.pick(
                        [np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0])
            return a
        info = np.iinfo(dtype)
        if self.rng.random() < 0.2:
            return self.rng.integers(info.min, info.max, size=shape, dtype=dtype, endpoint=True)
        return self.rng.integers(max(info.min, -9), 10, size=shape).astype(dtype)

    def partner(self, shape):
        """A shape that broadcasts with shape."""
        s = [1 if self.rng.random() < 0.25 else d for d in shape]
        return tuple(s[int(self.rng.integers(0, len(s) + 1)):])

    def index(self, shape, basic=False):
        """An index expression, as NumPy has it and as the file has it."""
        np_idx, out = [], []
        fancy = not basic and self.rng.random() < 0.4
        flen = int(self.rng.integers(1, 4))
        used_ellipsis = False
        for d in shape[:int(self.rng.integers(0, len(shape) + 1))]:
            if self.rng.random() < 0.15:
                np_idx.append(None), out.append({"none": True})
            r = self.rng.random()
            if fancy and r < 0.5 and d > 0:
                a = self.rng.integers(-d, d, size=self.pick([(flen,), (flen,), (2, flen), ()]))
                a = np.asarray(a, dtype=np.int64)
                if a.shape == ():
                    np_idx.append(int(a)), out.append({"int": int(a)})
                else:
                    np_idx.append(a), out.append({"array": a.tolist()})
            elif r < 0.3 and d > 0:
                i = int(self.rng.integers(-d, d))
                np_idx.append(i), out.append({"int": i})
            elif r < 0.45:
                np_idx.append(slice(None)), out.append({"all": True})
            else:
                a, b = (None if self.rng.random() < 0.3 else int(self.rng.integers(-6, 7))
                        for _ in range(2))
                c = self.pick([1, 1, 2, -1, -2, 3])
                np_idx.append(slice(a, b, c))
                out.append({"slice": [a, b, c]})
        if self.rng.random() < 0.2 and not used_ellipsis:
            np_idx.append(Ellipsis), out.append({"ellipsis": True})
        return tuple(np_idx), out


def pack(a):
    a = np.asarray(a)
    return {"dtype": NAMES[a.dtype.name], "shape": list(a.shape),
            "data": base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()}


def binary(g):
    name = g.pick(list(BINARY))
    shape = g.shape()
    a = g.array(shape, g.pick(DTYPES))
    if g.rng.random() < 0.3:
        b = g.pick([2, -3, 7, 0, 0.5, -1.25, 3.0])
        r = BINARY[name](a, b)
        return {"op": name, "args": [pack(a)], "scalar": repr(b), "result": pack(r)}
    b = g.array(g.partner(shape), g.pick(DTYPES))
    return {"op": name, "args": [pack(a), pack(b)], "result": pack(BINARY[name](a, b))}


def unary(g):
    name = g.pick(list(UNARY))
    a = g.array(g.shape(), g.pick(DTYPES))
    if name == "Round" and a.dtype == bool:
        raise TypeError("np.round makes float16 of bools, unlike floor")
    return {"op": name, "args": [pack(a)], "result": pack(UNARY[name](a))}


def reduce(g):
    name = g.pick(list(REDUCE))
    a = g.array(g.shape(), g.pick(DTYPES))
    axes = [int(x) for x in np.nonzero(g.rng.random(a.ndim) < 0.5)[0]]
    axes = [x - a.ndim if g.rng.random() < 0.3 else x for x in axes]
    keep = bool(g.rng.random() < 0.5)
    r = REDUCE[name](a, axis=tuple(axes) if axes else None, keepdims=keep)
    return {"op": name, "args": [pack(a)], "axes": axes, "keep": keep, "result": pack(r)}


def read(g):
    a = g.array(g.shape(rank=int(g.rng.integers(1, 4))), g.pick(["int64", "float32"]), False)
    i, out = g.index(a.shape)
    return {"op": "index", "args": [pack(a)], "index": [out], "result": pack(a[i])}


def write(g):
    """Writes through views of views; the result is the base."""
    a = g.array(g.shape(rank=int(g.rng.integers(1, 4))), g.pick(["int64", "float32"]), False)
    base, steps, v = a.copy(), [], None
    v = base
    for _ in range(int(g.rng.integers(0, 3))):
        i, out = g.index(v.shape, basic=True)
        w = v[i]
        if not isinstance(w, np.ndarray):
            break
        v = w
        steps.append(out)
    i, out = g.index(v.shape)
    part = v[i]
    # What several indices write to one place is not defined: one value for all.
    shape = () if any("array" in x for x in out) else g.partner(part.shape)
    x = g.array(shape, g.pick([a.dtype.name, "int8"]), False)
    v[i] = x
    return {"op": "set", "args": [pack(a), pack(x)], "index": steps + [out], "result": pack(base)}


def printed(g):
    shape = g.shape() if g.rng.random() < 0.8 else g.pick([(1200,), (40, 40), (3, 500), (8, 8, 20)])
    a = g.array(shape, g.pick(DTYPES))
    if a.dtype.name in FLOATS and g.rng.random() < 0.3:
        a = a * g.pick([1e-6, 1e3, 1e10, 0.5])
        a = a.astype(g.pick(["float32", "float64"]))
    if a.dtype.name in FLOATS and g.rng.random() < 0.3:
        a = np.round(a, 1)
    text = np.array2string(a, separator=", ", prefix="tensor(", threshold=1000)
    return {"op": "print", "args": [pack(a)], "text": text, "result": pack(a)}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("-seed", type=int, default=1)
    p.add_argument("-n", type=int, default=1500)
    p.add_argument("-o", required=True)
    o = p.parse_args()
    warnings.simplefilter("ignore")
    g, n = Gen(o.seed), 0
    with open(o.o, "w", encoding="ascii") as f:
        while n < o.n:
            try:
                case = g.pick([binary, binary, unary, reduce, read, write, printed])(g)
            except (TypeError, ValueError, OverflowError, IndexError, KeyError):
                continue  # NumPy has no answer
            f.write(json.dumps(case) + "\n")
            n += 1


main()
