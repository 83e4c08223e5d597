"""The form of a file of cases, and random arrays: see README.md."""

import base64

import mpmath
import numpy as np

mpmath.mp.prec = 200

NAMES = {"bool": "bool", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
         "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
         "float16": "f16", "float32": "f32", "float64": "f64"}
DTYPES = list(NAMES)
FLOATS = ["float16", "float32", "float64"]
INTS = [d for d in DTYPES if "int" in d]
EPS = {"float16": 2.0**-11, "float32": 2.0**-24, "float64": 2.0**-53}


class Gen:
    """Random choices from a seed. turn() goes round a list instead, so that
    each of its items has its turn."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.turns = {}

    def pick(self, xs):
        return xs[int(self.rng.integers(len(xs)))]

    def turn(self, name, xs):
        i = self.turns.get(name, 0)
        self.turns[name] = i + 1
        return xs[i % len(xs)]

    def chance(self, p):
        return self.rng.random() < p

    def int(self, lo, hi):
        return int(self.rng.integers(lo, hi))

    def shape(self, rank=None, low=0, high=5):
        rank = self.int(0, 4) if rank is None else rank
        low = low if self.chance(0.1) else max(low, 1)
        return tuple(int(d) for d in self.rng.integers(low, high, size=rank))

    def array(self, shape, dtype=None, special=True):
        dtype = dtype or self.pick(DTYPES)
        if dtype == "bool":
            return self.rng.integers(0, 2, size=shape).astype(bool)
        if dtype in FLOATS:
            a = np.asarray(self.rng.normal(size=shape) * self.pick([1, 1, 10])).astype(dtype)
            if special and self.chance(0.3) and a.size:
                flat = a.reshape(-1)
                for _ in range(2):
                    flat[self.int(0, flat.size)] = self.pick(
                        [np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0])
            return a
        info = np.iinfo(dtype)
        if special and self.chance(0.2):
            return np.asarray(self.rng.integers(info.min, info.max, size=shape, dtype=dtype,
                                                endpoint=True))
        return np.asarray(self.rng.integers(max(info.min, -9), 10, size=shape)).astype(dtype)

    def partner(self, shape):
        """A shape that broadcasts with shape."""
        s = [1 if self.chance(0.25) else d for d in shape]
        return tuple(s[self.int(0, len(s) + 1):])

    def axis(self, a):
        return self.int(-a.ndim, a.ndim)


def b64(a):
    return base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()


def pack(a):
    a = np.asarray(a)
    return {"dtype": NAMES[a.dtype.name], "shape": list(a.shape), "data": b64(a)}


def want(r, exact=None, ulps=2, bound=None, zero=False):
    """An expected result. exact holds mpmath's numbers, or None where r is
    right as it is, in r's order."""
    w = pack(r)
    if zero:
        w["anyzero"] = True
    r = np.asarray(r)
    if exact is not None:
        hi, lo = [], []
        for x, e in zip(r.reshape(-1), exact):
            if e is None or not mpmath.isfinite(e):
                hi.append(float(x)), lo.append(0.0)
            else:
                h = float(e)
                hi.append(h), lo.append(float(e - mpmath.mpf(h)) if np.isfinite(h) else 0.0)
        w["exact"] = b64(np.array(hi, dtype=np.float64))
        if r.dtype == np.float64:
            w["low"] = b64(np.array(lo, dtype=np.float64))
        w["ulps"] = ulps
    if bound is not None:
        w["ulps"] = ulps
        w["bound"] = b64(np.asarray(bound, dtype=np.float64))
    return w


def case(op, args, results, call=(), **more):
    """One line of the file; results that are arrays agree to the bit."""
    if not isinstance(results, (list, tuple)):
        results = [results]
    out = {"op": op, "args": [pack(a) for a in args]}
    if call:
        out["call"] = list(call)
    out.update(more)
    out["want"] = [r if isinstance(r, dict) else want(r) for r in results]
    return out


def opt(name, *args):
    return {"opt": name, "args": list(args)}


def scalar(x):
    """A number as the file has it: an int if it has no point."""
    x = float(x) if isinstance(x, (float, np.floating)) else x
    if isinstance(x, float) and not np.isfinite(x):
        return {np.inf: "inf", -np.inf: "-inf"}.get(x, "nan")
    return x
